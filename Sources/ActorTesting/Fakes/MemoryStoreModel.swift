import ActorCore

/// The state of ``MemoryStore`` and the rules by which it changes.
struct MemoryModel: Sendable {
    struct Held: Sendable {
        var envelope: Envelope
        /// When the attempt began that runs now; nil while the message waits.
        var started: Timestamp?
    }

    struct Key: Hashable, Sendable {
        let actor: ActorID
        let key: String
    }

    struct FirstUse: Sendable {
        let digest: String
        let execution: ExecutionID
        let received: Timestamp
    }

    struct Call: Sendable {
        var item: OutboxItem
        var reason: String?
        var state = Delivery.State.waiting
    }

    static let idempotencyWindow: Int64 = 72 * 3_600_000

    private var lastSequence: Int64 = 0
    private var lastDeadLetter: Int64 = 0
    private var lastCall: Int64 = 0
    private var newEnvelopes: [Envelope] = []
    private var newEvents: [CommittedEvent] = []

    /// Per actor, in order of sequence.
    private(set) var mailboxes: [ActorID: [Held]] = [:]
    private var actorOf: [Int64: ActorID] = [:]
    var executions: [ExecutionID: ExecutionRecord] = [:]
    var attempts: [ExecutionID: [AttemptRecord]] = [:]
    var logs: [ExecutionID: LogRecord] = [:]
    var steps: [ExecutionID: [StepResult]] = [:]
    var keys: [Key: FirstUse] = [:]
    var deadLetters: [DeadLetter] = []
    var actors: [ActorID: StoredActor] = [:]
    var states: [ActorID: JSONValue] = [:]
    var nonces: [NonceID: Nonce] = [:]
    var scheduledRuns: [ActorID: Timestamp] = [:]
    var settings: [String: String] = [:]
    var audits: [AuditEntry] = []
    var pipelines: [PipelineRecord] = []
    /// In order of creation.
    var jobs: [JobRecord] = []
    var histories: [JobID: [JobHistoryEntry]] = [:]
    var documents: [Document] = []
    var calls: [Call] = []
    /// In order of creation.
    var subscriptions: [Subscription] = []
    var announcer: Announcer?

    mutating func takeNews() -> ([Envelope], [CommittedEvent]) {
        defer { (newEnvelopes, newEvents) = ([], []) }
        return (newEnvelopes, newEvents)
    }

    mutating func note(_ event: CommittedEvent) { newEvents.append(event) }

    // MARK: - Mailboxes

    func waiting(in actor: ActorID) -> [Envelope] {
        (mailboxes[actor] ?? []).filter { $0.started == nil }.map(\.envelope)
    }

    func isRunning(_ sequence: Int64) -> Bool { held(sequence)?.started != nil }

    private func held(_ sequence: Int64) -> Held? {
        guard let actor = actorOf[sequence] else { return nil }
        return mailboxes[actor]?.first { $0.envelope.sequence == sequence }
    }

    mutating func append(_ message: NewMessage, limit: Int?) -> AcceptResult {
        if let answer = earlierAnswer(to: message) { return answer }
        if let limit, mailboxes[message.actor, default: []].count >= limit { return .mailboxFull }
        if let nonce = message.nonce, !countUse(of: nonce, at: message.received) { return .nonceRefused }
        return .accepted(insert(message))
    }

    mutating func insert(_ message: NewMessage) -> Envelope {
        precondition(executions[message.execution] == nil, "execution \(message.execution) was used before")
        lastSequence += 1
        let envelope = Envelope(sequence: lastSequence, message: message)
        mailboxes[message.actor, default: []].append(Held(envelope: envelope))
        actorOf[lastSequence] = message.actor
        executions[message.execution] = ExecutionRecord(
            id: message.execution, actor: message.actor, sequence: lastSequence, sender: message.sender,
            cause: message.cause, received: message.received)
        if let key = message.idempotency {
            keys[Key(actor: message.actor, key: key.key)] = FirstUse(
                digest: key.digest, execution: message.execution, received: message.received)
        }
        newEnvelopes.append(envelope)
        note(.messageAccepted(actor: message.actor, execution: message.execution))
        return envelope
    }

    func earlierAnswer(to message: NewMessage) -> AcceptResult? {
        guard let key = message.idempotency, let first = keys[Key(actor: message.actor, key: key.key)],
            message.received.since(first.received) <= Self.idempotencyWindow
        else { return nil }
        return first.digest == key.digest ? .repeated(first.execution) : .keyReused
    }

    mutating func countUse(of id: NonceID, at now: Timestamp) -> Bool {
        guard var nonce = nonces[id], !nonce.isExhausted else { return false }
        nonce.currentUses += 1
        nonce.lastUsed = now
        nonces[id] = nonce
        return true
    }

    private mutating func update(_ sequence: Int64, _ body: (inout Held) -> Void) {
        guard let actor = actorOf[sequence],
            let index = mailboxes[actor]?.firstIndex(where: { $0.envelope.sequence == sequence })
        else { preconditionFailure("there is no message \(sequence)") }
        body(&mailboxes[actor, default: []][index])
    }

    private mutating func remove(_ envelope: Envelope) {
        mailboxes[envelope.actor]?.removeAll { $0.envelope.sequence == envelope.sequence }
        actorOf[envelope.sequence] = nil
        steps[envelope.execution] = nil
    }

    private mutating func record(_ id: ExecutionID, _ body: (inout ExecutionRecord) -> Void) {
        guard var record = executions[id] else { preconditionFailure("there is no execution \(id)") }
        body(&record)
        executions[id] = record
    }

    mutating func begin(_ sequence: Int64, attempt: Int, at now: Timestamp) {
        guard let held = held(sequence), held.started == nil else {
            preconditionFailure("message \(sequence) does not wait")
        }
        update(sequence) {
            $0.started = now
            $0.envelope.attempts += 1
        }
        record(held.envelope.execution) {
            $0.status = .running
            $0.attempts += 1
            $0.started = $0.started ?? now
        }
        note(.executionStarted(actor: held.envelope.actor, execution: held.envelope.execution, attempt: attempt))
    }

    mutating func complete(_ completion: Completion) throws(ActorError) {
        guard let held = held(completion.sequence), held.started != nil else {
            preconditionFailure("message \(completion.sequence) does not run")
        }
        let envelope = held.envelope
        if completion.disposition == .release {
            update(completion.sequence) {
                $0.started = nil
                $0.envelope.attempts -= 1
            }
            record(envelope.execution) {
                $0.status = .submitted
                $0.attempts -= 1
            }
            return
        }
        try check(completion.effects)
        insert(completion.attempt)
        if let log = completion.log { logs[envelope.execution] = log }
        if case .retry(let moment) = completion.disposition {
            retry(envelope, completion, at: moment)
        } else {
            finish(envelope, completion)
        }
    }

    private mutating func retry(_ envelope: Envelope, _ completion: Completion, at moment: Timestamp) {
        var message = envelope.message
        message.deliverAt = moment
        update(envelope.sequence) {
            $0 = Held(envelope: Envelope(sequence: envelope.sequence, message: message, attempts: envelope.attempts))
        }
        record(envelope.execution) { $0.status = .submitted }
        apply(
            completion.effects, actor: envelope.actor, execution: envelope.execution,
            at: completion.attempt.finished)
        store(completion.effects.steps, of: envelope.execution)
        note(.executionRetrying(actor: envelope.actor, execution: envelope.execution, at: moment))
    }

    private mutating func finish(_ envelope: Envelope, _ completion: Completion) {
        let attempt = completion.attempt
        remove(envelope)
        record(envelope.execution) {
            $0.status = completion.status
            $0.outcome = attempt.outcome
            $0.exitCode = attempt.exitCode
            $0.reason = attempt.reason
            $0.finished = attempt.finished
            $0.result = completion.result
        }
        apply(completion.effects, actor: envelope.actor, execution: envelope.execution, at: attempt.finished)
        note(
            .executionFinished(
                actor: envelope.actor, execution: envelope.execution, status: completion.status,
                outcome: attempt.outcome))
        guard case .park(let reason) = completion.disposition else { return }
        lastDeadLetter += 1
        deadLetters.append(
            DeadLetter(
                id: lastDeadLetter, message: envelope.message, reason: reason, attempts: envelope.attempts,
                parked: attempt.finished, replayedAs: nil))
        note(.deadLettered(actor: envelope.actor, execution: envelope.execution))
    }

    private mutating func insert(_ attempt: AttemptRecord) {
        var list = attempts[attempt.execution] ?? []
        list.removeAll { $0.number == attempt.number }
        list.append(attempt)
        attempts[attempt.execution] = list.sorted { $0.number < $1.number }
    }

    mutating func recover(at now: Timestamp) -> [Envelope] {
        let running = mailboxes.values.joined().filter { $0.started != nil }
            .sorted { $0.envelope.sequence < $1.envelope.sequence }
        for held in running {
            insert(
                AttemptRecord(
                    execution: held.envelope.execution, number: held.envelope.attempts, started: held.started ?? now,
                    finished: now, outcome: .interrupted, reason: "the daemon ended while it ran"))
            record(held.envelope.execution) { $0.status = .submitted }
            update(held.envelope.sequence) { $0.started = nil }
        }
        return running.map(\.envelope)
    }

    mutating func cancel(_ envelope: Envelope, at now: Timestamp) {
        remove(envelope)
        record(envelope.execution) {
            $0.status = .complete
            $0.outcome = .cancelled
            $0.reason = "withdrawn while it waited"
            $0.finished = now
        }
        note(
            .executionFinished(
                actor: envelope.actor, execution: envelope.execution, status: .complete, outcome: .cancelled))
    }

    mutating func add(_ call: OutgoingCall, execution: ExecutionID?, at now: Timestamp) {
        lastCall += 1
        calls.append(
            Call(
                item: OutboxItem(
                    id: lastCall, call: call, execution: execution, attempts: 0, nextAttempt: now, created: now)))
    }
}
