import ActorCore
import ActorTesting
import Testing

@Suite struct SupervisionMachineTests {
    static let now = Timestamp(milliseconds: 1_700_000_000_000)

    /// One event, as many seconds after the one before.
    enum Event: Sendable {
        case succeeded, crashed, broken, asked, restarted
    }

    func play(_ event: Event, on machine: inout SupervisionMachine, at now: Timestamp, chance: Double = 1)
        -> SupervisionMachine.Action
    {
        switch event {
        case .succeeded: machine.ended(.sound, now: now, chance: chance)
        case .crashed: machine.ended(.crashed("killed by signal 11"), now: now, chance: chance)
        case .broken: machine.ended(.broken("no such file"), now: now, chance: chance)
        case .asked: machine.asked(now: now)
        case .restarted: machine.restarted()
        }
    }

    /// Seconds since the event before, the event, and what holds then: nil runs, else the seconds of pause from there.
    struct Row: Sendable {
        let name: String
        let steps: [(after: Double, event: Event, pause: Double?)]
    }

    static let rows: [Row] = [
        Row(name: "a sound actor runs", steps: [(0, .asked, nil), (1, .succeeded, nil), (1, .asked, nil)]),
        Row(
            name: "waits double",
            steps: [(0, .broken, 1), (1, .asked, nil), (0, .broken, 2), (2, .asked, nil), (0, .broken, 4)]),
        Row(name: "a wake-up that is early changes nothing", steps: [(0, .broken, 1), (0.5, .asked, 0.5)]),
        Row(
            name: "a success ends the row",
            steps: [(0, .broken, 1), (1, .asked, nil), (1, .succeeded, nil), (1, .broken, 1)]),
        Row(
            name: "work that began before the pause is the same failure, or a success",
            steps: [(0, .broken, 1), (0.25, .broken, 0.75), (0.25, .succeeded, nil), (0, .broken, 1)]),
        Row(
            name: "a long time begins a new row",
            steps: [(0, .broken, 1), (1, .asked, nil), (3601, .broken, 1)]),
        Row(
            name: "a clock that was set back stretches no pause",
            steps: [(0, .broken, 1), (-86400, .asked, nil)]),
        Row(
            name: "one crash is the message's, the second in a row costs a pause",
            steps: [(0, .crashed, nil), (1, .crashed, 1), (1, .asked, nil), (0, .crashed, 2)]),
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
            expect(machine.asked(now: now), .run)
        }
        let error = SupervisionMachine.Action.error(
            reason: "it could not be started 5 times in a row, the last time because: no such file")
        expect(play(.broken, on: &machine, at: now), error)
        for event in [Event.succeeded, .crashed, .broken, .asked] {
            expect(play(event, on: &machine, at: now.adding(seconds: 1e6)), error)
        }
        expect(machine.restarted(), .run)
        #expect(machine.failures == 0)
    }

    @Test func onceCanBeEnough() {
        var machine = SupervisionMachine(policy: RestartPolicy(maxFailures: 1))
        expect(
            machine.ended(.broken("no such file"), now: Self.now, chance: 0),
            .error(reason: "it could not be started, the last time because: no such file"))
        expect(machine.restarted(), .run)
    }

    @Test func oneOfThoseWhoAskInitialisesIt() {
        var machine = SupervisionMachine(needsPreparation: true)
        expect(machine.asked(now: Self.now), .prepare)
        expect(machine.asked(now: Self.now), .wait)
        expect(machine.prepared(.sound, now: Self.now, chance: 1), .run)
        expect(machine.asked(now: Self.now), .run)
        // A restart means another initialisation; one that is under way is as new as can be.
        expect(machine.restarted(), .prepare)
        expect(machine.asked(now: Self.now), .prepare)
        expect(machine.restarted(), .wait)
    }

    /// What starts well may crash at its first message.
    @Test func anInitialisationAloneEndsNoRowOfFailures() {
        var machine = SupervisionMachine(needsPreparation: true)
        var now = Self.now
        _ = machine.asked(now: now)
        for pause in [1.0, 2] {
            let until = now.adding(seconds: pause)
            expect(machine.prepared(.broken("no such file"), now: now, chance: 1), .pause(until: until))
            now = until
            expect(machine.asked(now: now), .prepare)
        }
        expect(machine.prepared(.sound, now: now, chance: 1), .run)
        #expect(machine.failures == 2)
        expect(machine.ended(.crashed("trapped"), now: now, chance: 1), .pause(until: now.adding(seconds: 2)))
        #expect(machine.obstacle?.reason == "trapped")
    }

    @Test func aDefinitionThatCannotRunIsNeverTried() {
        var machine = SupervisionMachine(needsPreparation: true, fault: "no schema")
        let error = SupervisionMachine.Action.error(reason: "no schema")
        expect(machine.asked(now: Self.now), error)
        expect(machine.restarted(), error)
        #expect(machine.complaint == "no schema")
        #expect(machine.obstacle?.reason == "no schema")
    }

    /// What the machine under it lacks is not held against the actor: who asks may try, and after some times people
    /// are told.
    @Test func hardshipIsNoFailure() {
        var machine = SupervisionMachine()
        var now = Self.now
        for (index, pause) in [1.0, 2, 4, 8, 8, 8].enumerated() {
            let until = now.adding(seconds: pause)
            expect(machine.ended(.starved("no space"), now: now, chance: 1), .pause(until: until))
            #expect(machine.obstacle?.reason == "no space")
            #expect((machine.complaint != nil) == (index >= 2))
            #expect(!machine.isSound)
            #expect(machine.failures == 0)
            now = until
            expect(machine.asked(now: now), .run)
        }
        expect(machine.ended(.unknown, now: now, chance: 1), .run)
        #expect(machine.complaint == "no space. Its mail waits and is tried again by itself")
        expect(machine.ended(.sound, now: now, chance: 1), .run)
        #expect(machine.isSound)
        #expect(machine.obstacle == nil && machine.complaint == nil)
        // A row of failures goes on through it.
        _ = machine.ended(.crashed("trapped"), now: now, chance: 1)
        _ = machine.ended(.starved("no space"), now: now, chance: 1)
        #expect(machine.failures == 1)
    }

    @Test(
        arguments: [
            (.succeeded, .sound), (.failed(exitCode: 1, reason: "a"), .sound), (.impossible(reason: "a"), .sound),
            (.refused(reason: "a"), .sound), (.crashed(exitCode: nil, reason: "a"), .crashed("A")),
            (.broken(reason: "a"), .broken("A")), (.starved(reason: "a"), .starved("A")),
            (.lost(reason: "a"), .unknown),
            (.stopped, .unknown),
        ] as [(ExecutionMachine.WorkEnd, SupervisionMachine.Health)])
    func aWorksEndSaysSomethingAboutItsActor(end: ExecutionMachine.WorkEnd, health: SupervisionMachine.Health) {
        #expect(SupervisionMachine.Health(end, scrub: { $0.uppercased() }) == health)
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
                expect(machine.asked(now: now), .run)
            }
        }
    }

    /// Whatever happens: a pause is never longer than the cap, ERROR comes only after that many failures since the last
    /// success, and an operator always leads out.
    @Test(arguments: [1, 2, 3, 5, 8, 13, 21, 34, 55, 89] as [UInt64]) func modelRun(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let events: [Event] = [
            .succeeded, .crashed, .crashed, .broken, .asked, .asked, .restarted, .restarted,
        ]
        var machine = SupervisionMachine()
        var now = Self.now
        /// Failures while it ran since the last success or restart.
        var failures = 0
        var errors = 0
        for _ in 0..<5000 {
            // Restarts are rare, or ERROR never comes.
            var event = events.randomElement(using: &random) ?? .asked
            if [.restarted, .succeeded].contains(event), Int.random(in: 0..<4, using: &random) > 0 {
                event = .asked
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
            case .asked: break
            }
            switch action {
            case .run: #expect(machine.failures == failures, "seed \(seed)")
            case .pause(let until):
                #expect(until.since(now) <= 300_000, "seed \(seed)")
                #expect(failures < 5, "seed \(seed)")
            case .error:
                #expect(failures == 5, "seed \(seed)")
                if before == .run { errors += 1 }
            case .prepare, .wait: Issue.record("it has nothing to prepare, seed \(seed)")
            }
        }
        #expect(errors > 0, "seed \(seed)")
    }
}
