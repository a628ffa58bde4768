internal import ActorCore

/// The store as the bus meets it: changes queue up, share commits, and are on disk only after the sync. Readers see
/// what is on disk, which may be more than what the listeners were told yet.
struct ModelStore: Sendable {
    enum Change: Sendable {
        /// `known`: what an unsafe program had looked up before (``PlantedBug/keyCheckedOutside``).
        case append([NewMessage], known: [ExecutionID?]?)
        /// Mail of an execution, without its end (``PlantedBug/effectsOutside``).
        case letters([NewMessage])
        case begin(Envelope, attempt: Int)
        case finish(Completion)
        case withdraw(ExecutionID)
        case purge(ActorID)
        case settle([OutboxOutcome])
    }

    enum Owner: Sendable, Equatable {
        case client(Int)
        case worker(Int)
        case operation(Int)
        case call(Int64)
        case nobody
    }

    enum Answer: Sendable {
        case accepted([AcceptResult])
        case done
        case removed(Int)
        /// The message does not wait (any more).
        case conflict
        /// The commit failed; nothing was changed.
        case failed
    }

    struct Submission: Sendable {
        let owner: Owner
        let change: Change
    }

    struct Batch: Sendable {
        var database: ModelDatabase
        var answers: [(owner: Owner, answer: Answer)] = []
        var facts: [Fact] = []
        var mail: [Envelope] = []
    }

    enum Stage: Sendable {
        case idle
        /// In the transaction, not on disk.
        case applied(Batch)
        /// On disk and seen by readers; nobody was told.
        case synced(Batch)
    }

    private(set) var disk = ModelDatabase()
    private(set) var stage = Stage.idle
    private(set) var queue: [Submission] = []
    /// Ids are random in the real store: none is ever given twice, whatever was undone.
    private var minted: Int64 = 0
    private let rules: AcceptRules
    private let bug: PlantedBug?

    init(rules: AcceptRules, bug: PlantedBug?) {
        self.rules = rules
        self.bug = bug
    }

    var isIdle: Bool { if case .idle = stage { queue.isEmpty } else { false } }

    mutating func submit(_ change: Change, for owner: Owner) {
        queue.append(Submission(owner: owner, change: change))
    }

    // MARK: The writer, in three steps

    /// Takes up to `count` waiting changes into one transaction.
    mutating func apply(_ count: Int) -> Batch {
        var batch = Batch(database: disk)
        for submission in queue.prefix(count) {
            let answer = apply(submission.change, to: &batch)
            batch.answers.append((submission.owner, answer))
        }
        queue.removeFirst(min(count, queue.count))
        stage = .applied(batch)
        return batch
    }

    /// The commit is on disk. Answers what it holds.
    mutating func sync() -> [Fact] {
        guard case .applied(let batch) = stage else { preconditionFailure("nothing to sync") }
        disk = batch.database
        stage = .synced(batch)
        return batch.facts
    }

    /// The commit failed; everybody is answered so.
    mutating func undo() -> Batch {
        guard case .applied(var batch) = stage else { preconditionFailure("nothing to undo") }
        stage = .idle
        batch.answers = batch.answers.map { ($0.owner, .failed) }
        return batch
    }

    /// What the listeners and the callers are to be told.
    mutating func tell() -> Batch {
        guard case .synced(let batch) = stage else { preconditionFailure("nothing to tell") }
        stage = .idle
        return batch
    }

    private mutating func apply(_ change: Change, to batch: inout Batch) -> Answer {
        switch change {
        case .append(let messages, let known):
            let results = messages.enumerated().map { index, message in
                accept(message, rules: rules, known: known?[index], wasLookedUp: known != nil, &batch)
            }
            return .accepted(results)
        case .letters(let messages):
            for message in messages { _ = accept(message, rules: nil, known: nil, wasLookedUp: false, &batch) }
            return .done
        case .begin(let envelope, let attempt):
            return batch.database.begin(envelope, attempt: attempt, &batch.facts) ? .done : .conflict
        case .finish(let completion): return finish(completion, &batch)
        case .withdraw(let execution):
            return .removed(batch.database.withdraw(execution, &batch.facts) ? 1 : 0)
        case .purge(let actor): return .removed(batch.database.purge(actor, &batch.facts))
        case .settle(let outcomes):
            for outcome in outcomes { batch.database.settle(outcome, &batch.facts) }
            return .done
        }
    }

    private mutating func finish(_ completion: Completion, _ batch: inout Batch) -> Answer {
        var wasDone = batch.database.finish(completion, releaseCounts: bug == .releaseCounts, &batch.facts)
        if !wasDone, bug == .endsWithoutRow, completion.disposition == .acknowledge {
            batch.facts.append(
                .ended(
                    completion.envelope.execution, completion.attempt.outcome, isParked: false,
                    letters: completion.effects.mail.count, calls: 0))
            wasDone = true
        }
        guard wasDone else { return .conflict }
        for message in completion.effects.mail {
            _ = accept(message, rules: nil, known: nil, wasLookedUp: false, &batch)
        }
        return .done
    }

    private mutating func accept(
        _ message: NewMessage, rules: AcceptRules?, known: ExecutionID?, wasLookedUp: Bool, _ batch: inout Batch
    ) -> AcceptResult {
        minted += 1
        let seen =
            wasLookedUp
            ? known : message.idempotency.flatMap { batch.database.execution(of: $0, for: message.actor) }
        let result = batch.database.accept(
            message, as: ExecutionID("x\(minted)"), rules: rules, known: seen, &batch.facts)
        if case .accepted(let envelope) = result { batch.mail.append(envelope) }
        return result
    }

    // MARK: The end of the process

    /// What was not synced is gone, unless the disk had it already.
    mutating func crash(isLucky: Bool) -> [Fact] {
        defer {
            queue = []
            stage = .idle
        }
        guard case .applied(let batch) = stage, isLucky else { return [] }
        disk = batch.database
        return batch.facts
    }

    /// Opens what a process before left: answers what it found.
    mutating func open() -> (facts: [Fact], interrupted: Int, wasUnclean: Bool) {
        var facts: [Fact] = []
        let wasUnclean = !disk.isClosed
        disk.isClosed = false
        let interrupted = bug == .runningForgotten ? 0 : disk.recover(&facts)
        return (facts, interrupted, wasUnclean)
    }

    mutating func close() { disk.isClosed = true }
}
