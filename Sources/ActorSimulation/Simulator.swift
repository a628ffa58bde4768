internal import ActorCore

/// Plays one run: the machines as the shell plays them, one step at a time, in an order and with troubles that only
/// the seed decides.
final class Simulator {
    /// Something that can happen without any time passing.
    enum Move {
        case worker(Int)
        case writer
        case told
        case wake(Int)
        case operation(Int)
        case outbox
        case outboxWake
        case call(Int)
    }

    var dice: Dice
    var settings: Settings
    let bug: PlantedBug?
    var trace = Trace()
    var store: ModelStore
    var oracle: Oracle
    /// nil between a crash and the next start.
    var shell: Shell?
    var limits: [Int]
    var isPaused: [Bool]
    var hasTroubles = true
    var step = 0
    /// Time that only goes forward, and what clocks show beyond it.
    var uptime: Int64 = 0
    var offset: Int64 = 1_700_000_000_000
    var grants = 0
    var deliveries = 0
    /// Keyed messages that were sent, to be sent again.
    var sent: [NewMessage] = []
    var nextKey = 1
    /// Deliveries by member, and how many there were when it was paused.
    var deliveriesBy: [Int]
    var pausedAt: [Int]
    var members: [ActorID: Int] = [:]

    init(seed: UInt64, bug: PlantedBug?) {
        var dice = Dice(seed: seed)
        settings = Settings(&dice)
        self.dice = dice
        self.bug = bug
        store = ModelStore(rules: AcceptRules(maxMailbox: settings.maxMailbox), bug: bug)
        oracle = Oracle(settings.members)
        limits = settings.members.map(\.concurrency)
        isPaused = settings.members.map { _ in false }
        deliveriesBy = settings.members.map { _ in 0 }
        pausedAt = deliveriesBy
        for (number, member) in settings.members.enumerated() { members[member.id] = number }
    }

    var now: Timestamp { Timestamp(milliseconds: uptime + offset) }
    func member(_ actor: ActorID) -> Int { members[actor] ?? 0 }
    func isOrdered(_ member: Int) -> Bool { limits[member] == 1 }

    func note(_ mark: Trace.Mark, _ first: Int = 0, _ second: Int = 0, _ third: Int = 0) {
        trace.note(step, now.milliseconds, mark, (Int64(first), Int64(second), Int64(third)))
    }

    // MARK: A run

    func run(steps: Int) -> Violation? {
        pass(0)
        note(.start, settings.members.count, settings.maxRunning, settings.bound)
        start()
        fillBacklog()
        while step < steps {
            advance()
            if let violation = check() { return violation }
        }
        return drainOut()
    }

    /// One step of the run while there are troubles.
    private func advance() {
        step += 1
        guard shell != nil else {
            if dice.chance(0.5) { start() } else { pass(Int64(dice.within(1...500))) }
            return
        }
        if dice.chance(0.01) { return rest() }
        if trouble() { return }
        if dice.chance(settings.mail.sending) { return send() }
        let moves = moves()
        if moves.isEmpty || dice.chance(0.03) { return moveTime(dice.chance(0.5)) }
        play(dice.pick(moves))
    }

    /// Plays all that can happen now, in any order, until only time can change anything; then nothing may be left
    /// that could run.
    private func rest() {
        var budget = 4000
        while shell != nil {
            let moves = moves()
            if moves.isEmpty { break }
            budget -= 1
            if budget == 0 { return oracle.complain(.comesToRest, "the machines keep each other busy for ever") }
            step += 1
            play(dice.pick(moves))
            if oracle.complaint != nil { return }
            checkStep()
            if oracle.complaint != nil { return }
        }
        checkRest()
    }

    /// No more mail and no more troubles: everything has to end.
    private func drainOut() -> Violation? {
        hasTroubles = false
        let last = step + 20000
        while true {
            step += 1
            if shell?.dispatch.isDraining == true { _ = closeWhenIdle() }
            if shell == nil { start() }
            for number in isPaused.indices where isPaused[number] { pause(number, false) }
            rest()
            if let violation = check() { return violation }
            if shell != nil, isDone { break }
            if step > last {
                oracle.complain(.comesToRest, "\(oracle.live.joined().count) messages are left")
                return check()
            }
            moveTime(true)
        }
        note(.rest, oracle.stories.count, store.disk.rows.count)
        checkEnd()
        return check()
    }

    /// Nothing is left that could happen, now or later.
    private var isDone: Bool {
        guard let shell else { return false }
        return !shell.dispatch.isDraining && moves().isEmpty && nextMoment == nil && shell.workers.isEmpty
    }

    func check() -> Violation? {
        if oracle.complaint == nil { checkStep() }
        guard let complaint = oracle.complaint else { return nil }
        note(.violation, Violation.Promise.allCases.firstIndex(of: complaint.promise) ?? -1)
        return Violation(promise: complaint.promise, step: step, text: complaint.text)
    }

    // MARK: What can happen

    func moves() -> [Move] {
        guard let shell else { return [] }
        var moves: [Move] = []
        for index in shell.workers.indices where isAble(shell.workers[index]) { moves.append(.worker(index)) }
        if !shell.signals.isEmpty || !shell.answers.isEmpty {
            moves.append(.told)
        } else if !store.isIdle {
            moves.append(.writer)
        }
        for (number, member) in shell.members.enumerated() {
            if let moment = member.armed, moment <= now, !member.hasRung { moves.append(.wake(number)) }
        }
        for (index, operation) in shell.operations.enumerated() where operation.removed != nil || operation.isFailed {
            moves.append(.operation(index))
        }
        switch shell.looking {
        case .idle: if shell.isRung { moves.append(.outbox) }
        case .asked, .seen: moves.append(.outbox)
        }
        if let moment = shell.callsArmed, moment <= now { moves.append(.outboxWake) }
        for (index, call) in shell.calls.enumerated() {
            switch call.phase {
            case .calling(_, let until), .pausing(let until): if until <= uptime { moves.append(.call(index)) }
            case .reading, .settled: moves.append(.call(index))
            case .settling: break
            }
        }
        return moves
    }

    private func isAble(_ worker: Worker) -> Bool {
        switch worker.phase {
        case .asking, .asked, .seen, .begun, .finished, .between: true
        case .beginning, .finishing: false
        case .working(let until, _), .pausing(let until, _): until <= uptime
        }
    }

    func play(_ move: Move) {
        switch move {
        case .worker(let index): work(index)
        case .writer: write()
        case .told: tellOwners()
        case .wake(let number): wake(number)
        case .operation(let index): endOperation(index)
        case .outbox: look()
        case .outboxWake:
            shell?.callsArmed = nil
            shell?.isRung = true
        case .call(let index): playCall(index)
        }
    }

    // MARK: Time

    /// The next moment at which anything can happen, in uptime.
    var nextMoment: Int64? {
        guard let shell else { return nil }
        var next: Int64?
        func consider(_ moment: Int64) { next = min(next ?? moment, moment) }
        for worker in shell.workers {
            switch worker.phase {
            case .working(let until, _), .pausing(let until, _): consider(until)
            default: break
            }
        }
        for member in shell.members where !member.hasRung {
            if let moment = member.armed { consider(moment.milliseconds - offset) }
        }
        for call in shell.calls {
            switch call.phase {
            case .calling(_, let until), .pausing(let until): consider(until)
            case .reading, .settling, .settled: break
            }
        }
        if let moment = shell.callsArmed { consider(moment.milliseconds - offset) }
        return next
    }

    func moveTime(_ goesOn: Bool) {
        if goesOn, let next = nextMoment {
            pass(max(0, next - uptime))
        } else {
            pass(Int64(dice.within(1...20)))
        }
    }

    func pass(_ milliseconds: Int64) {
        uptime += milliseconds
        oracle.latest = max(oracle.latest, now)
        note(.time, Int(milliseconds))
    }
}
