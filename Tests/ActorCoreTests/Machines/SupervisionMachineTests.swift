import ActorCore
import ActorTesting
import Testing

@Suite struct SupervisionMachineTests {
    static let now = Timestamp(milliseconds: 1_700_000_000_000)

    /// One event, as many seconds after the one before.
    enum Event: Sendable {
        case started, succeeded, crashed, broken, woken, restarted
    }

    func play(_ event: Event, on machine: inout SupervisionMachine, at now: Timestamp, chance: Double = 1)
        -> SupervisionMachine.Action
    {
        switch event {
        case .started: machine.started()
        case .succeeded: machine.succeeded()
        case .crashed: machine.crashed("killed by signal 11", now: now, chance: chance)
        case .broken: machine.broken("no such file", now: now, chance: chance)
        case .woken: machine.woken(now: now)
        case .restarted: machine.restarted()
        }
    }

    /// Seconds since the event before, the event, and what holds then: nil runs, else the seconds of pause from there.
    struct Row: Sendable {
        let name: String
        let steps: [(after: Double, event: Event, pause: Double?)]
    }

    static let rows: [Row] = [
        Row(name: "a sound actor runs", steps: [(0, .started, nil), (1, .succeeded, nil), (1, .woken, nil)]),
        Row(
            name: "waits double",
            steps: [(0, .broken, 1), (1, .woken, nil), (0, .broken, 2), (2, .woken, nil), (0, .broken, 4)]),
        Row(name: "a wake-up that is early changes nothing", steps: [(0, .broken, 1), (0.5, .woken, 0.5)]),
        Row(
            name: "a success ends the row",
            steps: [(0, .broken, 1), (1, .woken, nil), (1, .succeeded, nil), (1, .broken, 1)]),
        Row(
            name: "a start alone does not",
            steps: [(0, .broken, 1), (1, .woken, nil), (1, .started, nil), (1, .broken, 2)]),
        Row(
            name: "work that began before the pause is the same failure, or a success",
            steps: [(0, .broken, 1), (0.25, .broken, 0.75), (0.25, .succeeded, nil), (0, .broken, 1)]),
        Row(
            name: "a long time begins a new row",
            steps: [(0, .broken, 1), (1, .woken, nil), (3601, .broken, 1)]),
        Row(
            name: "a clock that was set back stretches no pause",
            steps: [(0, .broken, 1), (-86400, .woken, nil)]),
        Row(
            name: "one crash is the message's, the second in a row costs a pause",
            steps: [(0, .crashed, nil), (1, .crashed, 1), (1, .woken, nil), (0, .crashed, 2)]),
        Row(
            name: "crashes with successes between them cost nothing",
            steps: [(0, .crashed, nil), (1, .succeeded, nil), (1, .crashed, nil)]),
        Row(
            name: "an operator ends a pause, and the row",
            steps: [(0, .broken, 1), (0, .restarted, nil), (0, .broken, 1)]),
    ]

    @Test(arguments: rows.indices) func follows(row: Int) {
        var machine = SupervisionMachine()
        var now = Self.now
        for (index, step) in Self.rows[row].steps.enumerated() {
            now = now.adding(seconds: step.after)
            let action = play(step.event, on: &machine, at: now)
            let wanted = step.pause.map { SupervisionMachine.Action.pause(until: now.adding(seconds: $0)) } ?? .run
            #expect(action == wanted, "\(Self.rows[row].name), step \(index)")
            #expect(machine.action == action)
        }
    }

    @Test func theFifthFailureInARowIsTheLast() {
        var machine = SupervisionMachine()
        var now = Self.now
        for count in 1...4 {
            guard case .pause(let until) = play(.broken, on: &machine, at: now) else {
                Issue.record("failure \(count) is no pause")
                return
            }
            #expect(machine.failures == count)
            now = until
            expect(machine.woken(now: now), .run)
        }
        let error = SupervisionMachine.Action.error(
            reason: "it could not be started 5 times in a row, the last time because: no such file")
        expect(play(.broken, on: &machine, at: now), error)
        for event in [Event.started, .succeeded, .crashed, .broken, .woken] {
            expect(play(event, on: &machine, at: now.adding(seconds: 1e6)), error)
        }
        expect(machine.restarted(), .run)
        #expect(machine.failures == 0)
    }

    @Test func onceCanBeEnough() {
        var machine = SupervisionMachine(policy: RestartPolicy(maxFailures: 1))
        expect(
            machine.broken("no such file", now: Self.now, chance: 0),
            .error(reason: "it could not be started, the last time because: no such file"))
        expect(machine.restarted(), .run)
    }

    @Test func jitterIsFullAndCapped() {
        let policy = RestartPolicy(maxFailures: 100, backoffSeconds: 1, maxBackoffSeconds: 300)
        for chance in [0, 0.25, 1] {
            var machine = SupervisionMachine(policy: policy)
            var now = Self.now
            for count in 1...20 {
                let ceiling = min(300, Double(1 << (count - 1)))
                guard case .pause(let until) = play(.broken, on: &machine, at: now, chance: chance) else {
                    Issue.record("failure \(count) is no pause at chance \(chance)")
                    return
                }
                #expect(until.since(now) == Int64(ceiling * chance * 1000))
                now = until
                expect(machine.woken(now: now), .run)
            }
        }
    }

    /// Whatever happens: a pause is never longer than the cap, ERROR comes only after that many failures since the last
    /// success, and an operator always leads out.
    @Test(arguments: [1, 2, 3, 5, 8, 13, 21, 34, 55, 89] as [UInt64]) func modelRun(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let events: [Event] = [
            .started, .succeeded, .crashed, .crashed, .broken, .woken, .woken, .restarted, .restarted,
        ]
        var machine = SupervisionMachine()
        var now = Self.now
        /// Failures while it ran since the last success or restart.
        var failures = 0
        var errors = 0
        for _ in 0..<5000 {
            // Restarts are rare, or ERROR never comes.
            var event = events.randomElement(using: &random) ?? .started
            if [.restarted, .succeeded].contains(event), Int.random(in: 0..<4, using: &random) > 0 {
                event = .woken
            }
            now = now.adding(seconds: Double.random(in: 0...4, using: &random))
            let before = machine.action
            let chance = Double.random(in: 0..<1, using: &random)
            let action = play(event, on: &machine, at: now, chance: chance)
            switch event {
            case .crashed, .broken: if before == .run { failures += 1 }
            case .restarted:
                failures = 0
                #expect(action == .run, "seed \(seed)")
            case .succeeded:
                if case .error = before { break }
                failures = 0
                #expect(action == .run, "seed \(seed)")
            case .started, .woken: break
            }
            switch action {
            case .run: #expect(machine.failures == failures, "seed \(seed)")
            case .pause(let until):
                #expect(until.since(now) <= 300_000, "seed \(seed)")
                #expect(failures < 5, "seed \(seed)")
            case .error:
                #expect(failures == 5, "seed \(seed)")
                if before == .run { errors += 1 }
            }
        }
        #expect(errors > 0, "seed \(seed)")
    }
}
