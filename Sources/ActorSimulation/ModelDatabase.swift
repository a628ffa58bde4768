internal import ActorCore

/// What one transaction changed, told to the ``Oracle`` once it is known to be on disk.
enum Fact: Sendable {
    case accepted(Envelope)
    case began(ExecutionID, attempt: Int)
    /// An attempt ended that leaves its message waiting, with so many attempts on its row.
    case tried(ExecutionID, Outcome, attempts: Int, again: Timestamp?)
    /// A dead process left it running.
    case interrupted(ExecutionID, attempts: Int)
    /// The execution has its one outcome; `letters` and `calls` were stored with it.
    case ended(ExecutionID, Outcome, isParked: Bool, letters: Int, calls: Int)
    case promised(OutboxItem)
    case settled(Int64, OutboxVerdict)
}

/// The tables, as a value: a transaction works on a copy of it.
struct ModelDatabase: Sendable {
    struct Row: Sendable {
        var envelope: Envelope
        var isRunning = false
    }

    /// In order of acceptance.
    private(set) var rows: [Row] = []
    private(set) var calls: [OutboxItem] = []
    private var keys: [String: ExecutionID] = [:]
    private var nextSequence: Int64 = 1
    private var nextCall: Int64 = 1
    /// No message that was accepted has a higher sequence.
    var lastSequence: Int64 { nextSequence - 1 }
    /// The process that used it last has closed it.
    var isClosed = true

    func index(_ sequence: Int64) -> Int? {
        var (low, high) = (0, rows.count)
        while low < high {
            let middle = (low + high) / 2
            if rows[middle].envelope.sequence < sequence { low = middle + 1 } else { high = middle }
        }
        return low < rows.count && rows[low].envelope.sequence == sequence ? low : nil
    }

    func waiting(_ actor: ActorID) -> Int { rows.count { $0.envelope.actor == actor } }

    func execution(of key: IdempotencyKey, for actor: ActorID) -> ExecutionID? { keys["\(actor) \(key.key)"] }

    // MARK: Pages

    func page(_ page: MailboxRead, of actor: ActorID, now: Timestamp, limit: Int) -> [Envelope] {
        let mine = rows.lazy.filter { !$0.isRunning && $0.envelope.actor == actor }.map(\.envelope)
        switch page {
        case .retrying(let after):
            return Array(
                mine.filter { $0.attempts > 0 && $0.notBefore != nil && after < $0.sequence }.prefix(limit))
        case .ready(let after):
            return Array(
                mine.filter { $0.notBefore == nil && after < $0.rank }.sorted { $0.rank < $1.rank }.prefix(limit))
        case .delayed(let after):
            return Array(
                mine.filter { after < $0.due }.filter { $0.notBefore != nil }.sorted { $0.due < $1.due }
                    .prefix(limit))
        case .lane(let key, let after):
            return Array(
                mine.filter { $0.key == key && after < $0.rank && $0.notBefore.map { $0 <= now } ?? true }
                    .sorted { $0.rank < $1.rank }.prefix(limit))
        }
    }

    /// The first undelivered call of every order key.
    func heads(limit: Int) -> [OutboxItem] {
        var seen: Set<String> = []
        return Array(calls.filter { seen.insert($0.call.orderKey).inserted }.prefix(limit))
    }

    /// The undelivered calls of its order key that stand behind this one.
    func calls(after item: OutboxItem, limit: Int) -> [OutboxItem] {
        Array(calls.filter { $0.call.orderKey == item.call.orderKey && $0.id > item.id }.prefix(limit))
    }

    // MARK: Changes. Each is done as a whole, or answers false and has done nothing.

    mutating func accept(
        _ message: NewMessage, as execution: ExecutionID, rules: AcceptRules?, known: ExecutionID?,
        _ facts: inout [Fact]
    ) -> AcceptResult {
        if let key = message.idempotency {
            if let known { return .repeated(known) }
            keys["\(message.actor) \(key.key)"] = execution
        }
        if let rules, waiting(message.actor) >= rules.maxMailbox {
            if let key = message.idempotency { keys["\(message.actor) \(key.key)"] = nil }
            return .overQuota(.mailbox(limit: rules.maxMailbox))
        }
        let envelope = Envelope(sequence: nextSequence, execution: execution, message: message)
        nextSequence += 1
        rows.append(Row(envelope: envelope))
        facts.append(.accepted(envelope))
        return .accepted(envelope)
    }

    mutating func begin(_ envelope: Envelope, attempt: Int, _ facts: inout [Fact]) -> Bool {
        guard let index = index(envelope.sequence), rows[index].envelope.execution == envelope.execution,
            !rows[index].isRunning, rows[index].envelope.attempts == attempt - 1
        else { return false }
        rows[index].isRunning = true
        rows[index].envelope.attempts = attempt
        facts.append(.began(envelope.execution, attempt: attempt))
        return true
    }

    mutating func finish(_ completion: Completion, releaseCounts: Bool, _ facts: inout [Fact]) -> Bool {
        let number = completion.attempt.number
        guard let index = index(completion.envelope.sequence),
            rows[index].envelope.execution == completion.envelope.execution,
            rows[index].isRunning == completion.hasBegun
        else { return false }
        let (execution, outcome) = (completion.envelope.execution, completion.attempt.outcome)
        switch completion.disposition {
        case .acknowledge, .park:
            rows.remove(at: index)
            for call in completion.effects.calls {
                let item = OutboxItem(
                    id: nextCall, call: call, execution: execution, attempts: 0,
                    nextAttempt: completion.attempt.finished, created: completion.attempt.finished)
                nextCall += 1
                calls.append(item)
                facts.append(.promised(item))
            }
            let isParked = if case .park = completion.disposition { true } else { false }
            facts.append(
                .ended(
                    execution, outcome, isParked: isParked, letters: completion.effects.mail.count,
                    calls: completion.effects.calls.count))
        case .retry(let moment):
            rows[index].isRunning = false
            rows[index].envelope.attempts = number
            rows[index].envelope.notBefore = moment
            facts.append(.tried(execution, outcome, attempts: number, again: moment))
        case .release:
            guard completion.hasBegun else { break }
            rows[index].isRunning = false
            rows[index].envelope.attempts = releaseCounts ? number : number - 1
            let left = rows[index].envelope
            facts.append(.tried(execution, .interrupted, attempts: left.attempts, again: left.notBefore))
        }
        return true
    }

    mutating func withdraw(_ execution: ExecutionID, _ facts: inout [Fact]) -> Bool {
        guard let index = rows.firstIndex(where: { $0.envelope.execution == execution && !$0.isRunning })
        else { return false }
        rows.remove(at: index)
        facts.append(.ended(execution, .cancelled, isParked: false, letters: 0, calls: 0))
        return true
    }

    mutating func purge(_ actor: ActorID, _ facts: inout [Fact]) -> Int {
        let going = rows.filter { $0.envelope.actor == actor && !$0.isRunning }
        for row in going {
            facts.append(.ended(row.envelope.execution, .cancelled, isParked: false, letters: 0, calls: 0))
        }
        rows.removeAll { $0.envelope.actor == actor && !$0.isRunning }
        return going.count
    }

    mutating func settle(_ outcome: OutboxOutcome, _ facts: inout [Fact]) {
        guard let index = calls.firstIndex(where: { $0.id == outcome.id }) else { return }
        switch outcome.verdict {
        case .delivered, .givenUp, .gone: calls.remove(at: index)
        case .retry(let moment, _):
            calls[index].attempts += 1
            calls[index].nextAttempt = moment
        }
        facts.append(.settled(outcome.id, outcome.verdict))
    }

    /// What a dead process left running waits again.
    mutating func recover(_ facts: inout [Fact]) -> Int {
        var count = 0
        for index in rows.indices where rows[index].isRunning {
            rows[index].isRunning = false
            let envelope = rows[index].envelope
            facts.append(.interrupted(envelope.execution, attempts: envelope.attempts))
            count += 1
        }
        return count
    }
}

extension Envelope {
    /// Its place among the delayed ones; before all of them when nothing delays it.
    fileprivate var due: DuePlace {
        notBefore.map { DuePlace(moment: $0, sequence: sequence) } ?? DuePlace.first
    }
}
