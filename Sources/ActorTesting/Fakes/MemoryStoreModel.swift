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

    /// The most that mail between actors may fill a mailbox with.
    var internalRules = AcceptRules(maxMailbox: 2 * AcceptRules().maxMailbox)
    private static let numbers = ExecutionNumbers(key: (0x6d6f_6465_6c21, 0x7374_6f72_65))

    private(set) var lastSequence: Int64 = 0
    private var lastDeadLetter: Int64 = 0
    private var lastCall: Int64 = 0
    private var newEnvelopes: [Envelope] = []
    private var newEvents: [CommittedEvent] = []
    /// Bytes of all bodies in the mailboxes.
    private var heldBytes: Int64 = 0
    var wasUnclean = false

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
    var sharing = MemorySharing()
    var nonces: [NonceID: Nonce] = [:]
    var schedules: [ActorID: ScheduleRecord] = [:]
    var settings: [String: String] = [:]
    var audits: [AuditEntry] = []
    var pipelines: [PipelineRecord] = []
    /// In order of creation.
    var jobs: [JobRecord] = []
    var histories: [JobID: [JobHistoryEntry]] = [:]
    var deletedJobs: [DeletedJob] = []
    var documents: [Document] = []
    var catalogue = CatalogueModel()
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

    func waiting(in actor: ActorID, _ page: MailboxRead, now: Timestamp) -> [Envelope] {
        let rows = waiting(in: actor)
        switch page {
        case .retrying(let after):
            return rows.filter { $0.attempts > 0 && $0.notBefore != nil && after < $0.sequence }
        case .ready(let after):
            return rows.filter { $0.notBefore == nil && after < $0.rank }.sorted { $0.rank < $1.rank }
        case .delayed(let after):
            let places = rows.compactMap { row in
                row.notBefore.map { (DuePlace(moment: $0, sequence: row.sequence), row) }
            }
            return places.filter { after < $0.0 }.sorted { $0.0 < $1.0 }.map(\.1)
        case .lane(let key, let after):
            return rows.filter { row in
                row.key == key && after < row.rank && row.notBefore.map { $0 <= now } ?? true
            }.sorted { $0.rank < $1.rank }
        }
    }

    /// The message as the store has it; `conflict` when it is gone, or stands otherwise than the caller believes.
    func held(_ envelope: Envelope, hasBegun: Bool) throws(ActorError) -> Held {
        guard let actor = actorOf[envelope.sequence],
            let held = mailboxes[actor]?.first(where: { $0.envelope.sequence == envelope.sequence }),
            (held.started != nil) == hasBegun
        else {
            throw ActorError(
                .conflict, "message \(envelope.execution) does not \(hasBegun ? "run" : "wait"), or is gone")
        }
        return held
    }

    mutating func append(_ message: NewMessage, rules: AcceptRules) -> AcceptResult {
        if let answer = earlierAnswer(to: message, within: rules.idempotencyMilliseconds) { return answer }
        if let quota = reachedQuota(for: message, rules) { return .overQuota(quota) }
        if let nonce = message.nonce, !countUse(of: nonce, at: message.received) { return .nonceRefused }
        return .accepted(insert(message))
    }

    private func reachedQuota(for message: NewMessage, _ rules: AcceptRules) -> Quota? {
        let mailbox = mailboxes[message.actor] ?? []
        if mailbox.count >= rules.maxMailbox { return .mailbox(limit: rules.maxMailbox) }
        if heldBytes + Int64(message.body.count) > rules.maxWaitingBytes {
            return .bytes(limit: rules.maxWaitingBytes)
        }
        guard let limit = rules.maxPerSender else { return nil }
        let sent = mailbox.count { $0.envelope.message.sender == message.sender }
        return sent >= limit ? .sender(limit: limit) : nil
    }

    mutating func insert(_ message: NewMessage) -> Envelope {
        lastSequence += 1
        let envelope = Envelope(
            sequence: lastSequence, execution: Self.numbers.id(of: lastSequence), message: message)
        mailboxes[message.actor, default: []].append(Held(envelope: envelope))
        actorOf[lastSequence] = message.actor
        heldBytes += Int64(message.body.count)
        executions[envelope.execution] = ExecutionRecord(
            id: envelope.execution, actor: message.actor, sequence: lastSequence, sender: message.sender,
            cause: message.cause, received: message.received)
        if let key = message.idempotency {
            keys[Key(actor: message.actor, key: key.key)] = FirstUse(
                digest: key.digest, execution: envelope.execution, received: message.received)
        }
        newEnvelopes.append(envelope)
        note(.messageAccepted(actor: message.actor, execution: envelope.execution))
        return envelope
    }

    func earlierAnswer(to message: NewMessage, within window: Int64) -> AcceptResult? {
        guard let key = message.idempotency, let first = keys[Key(actor: message.actor, key: key.key)],
            message.received.since(first.received) <= window
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
        heldBytes -= Int64(envelope.message.bodyBytes)
        mailboxes[envelope.actor]?.removeAll { $0.envelope.sequence == envelope.sequence }
        actorOf[envelope.sequence] = nil
        steps[envelope.execution] = nil
    }

    private mutating func record(_ id: ExecutionID, _ body: (inout ExecutionRecord) -> Void) {
        guard var record = executions[id] else { preconditionFailure("there is no execution \(id)") }
        body(&record)
        executions[id] = record
    }

    mutating func begin(_ envelope: Envelope, attempt: Int, at now: Timestamp) throws(ActorError) {
        let held = try held(envelope, hasBegun: false).envelope
        count(attempt: attempt, of: held, startedAt: now)
        update(held.sequence) { $0.started = now }
        record(held.execution) { $0.status = .running }
        note(.executionStarted(actor: held.actor, execution: held.execution, attempt: attempt))
    }

    private mutating func count(attempt: Int, of envelope: Envelope, startedAt moment: Timestamp) {
        update(envelope.sequence) { $0.envelope.attempts = attempt }
        record(envelope.execution) {
            $0.attempts = attempt
            $0.started = $0.started ?? moment
        }
    }

    mutating func complete(_ completion: Completion) throws(ActorError) {
        if completion.disposition == .release, !completion.hasBegun { return }
        let envelope = try held(completion.envelope, hasBegun: completion.hasBegun).envelope
        if completion.disposition == .release {
            update(envelope.sequence) {
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
        // What expired never ran: it ends with the attempts that it had.
        if completion.attempt.outcome != .expired {
            count(attempt: completion.attempt.number, of: envelope, startedAt: completion.attempt.started)
            insert(completion.attempt)
        }
        if let log = completion.log { logs[envelope.execution] = log }
        if let worker = completion.worker {
            record(envelope.execution) {
                $0.worker = worker
                $0.use = $0.use + completion.use
            }
        }
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
            $0 = Held(
                envelope: Envelope(
                    sequence: envelope.sequence, execution: envelope.execution, message: message,
                    attempts: completion.attempt.number))
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
                id: lastDeadLetter, execution: envelope.execution, message: envelope.message, reason: reason,
                attempts: attempt.number, parked: attempt.finished, replayedAs: nil))
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
