/// What became of a message that was offered to the store.
package enum AcceptResult: Sendable, Equatable {
    case accepted(Envelope)
    /// The idempotency key was seen before with the same body: this is the first answer.
    case repeated(ExecutionID)
    /// The idempotency key was seen before with another body.
    case keyReused
    /// The nonce has no uses left (or was deleted meanwhile).
    case nonceRefused
    /// A bound is reached; nothing was stored.
    case overQuota(Quota)
}

/// The bounds of waiting mail, counted in the transaction that stores a message.
package enum Quota: Sendable, Equatable {
    /// Messages that one mailbox may hold, running ones included.
    case mailbox(limit: Int)
    /// Messages of one sender that one mailbox may hold.
    case sender(limit: Int)
    /// Bytes of bodies that all mailboxes together may hold.
    case bytes(limit: Int64)
}

/// What a new message is measured against.
package struct AcceptRules: Sendable, Equatable {
    package var maxMailbox: Int
    package var maxPerSender: Int?
    package var maxWaitingBytes: Int64
    /// How long an idempotency key is remembered.
    package var idempotencyMilliseconds: Int64

    package init(
        maxMailbox: Int = 1_000_000, maxPerSender: Int? = nil, maxWaitingBytes: Int64 = .max,
        idempotencyMilliseconds: Int64 = 72 * 3_600_000
    ) {
        self.maxMailbox = maxMailbox
        self.maxPerSender = maxPerSender
        self.maxWaitingBytes = maxWaitingBytes
        self.idempotencyMilliseconds = idempotencyMilliseconds
    }
}

/// Where a message stands in its mailbox.
package struct WaitingPlace: Sendable, Equatable {
    package let envelope: Envelope
    /// Messages that nothing delays and that leave the mailbox earlier.
    package let before: Int

    package init(envelope: Envelope, before: Int) {
        self.envelope = envelope
        self.before = before
    }
}

/// What a start finds of the process before it.
package struct Recovery: Sendable, Equatable {
    /// Messages whose attempt was cut off: recorded as interrupted, waiting again.
    package let interrupted: [Envelope]
    /// The process before did not close the store: anything that waited first in a mailbox may have been running.
    package let wasUnclean: Bool
    /// No message that was accepted before has a higher sequence.
    package let lastSequence: Int64

    package init(interrupted: [Envelope], wasUnclean: Bool, lastSequence: Int64) {
        self.interrupted = interrupted
        self.wasUnclean = wasUnclean
        self.lastSequence = lastSequence
    }
}

/// Durable mailboxes. Every call that changes something returns after its commit is on disk; concurrent calls share
/// commits. What was committed is told to the sink in commit order, before the call returns.
package protocol MailboxStore: Sendable {
    typealias AppendAnswer = @Sendable (Result<[AcceptResult], ActorError>) -> Void

    /// Stores messages in order, in one transaction; nonce uses and quotas are counted there too.
    ///
    /// - Parameter then: called once the commit is on disk, on a thread of the store; must return at once.
    func append(_ messages: [NewMessage], rules: AcceptRules, then: @escaping AppendAnswer)
    /// One page of waiting messages of one mailbox, at most `limit`. Running ones that began durably are left out.
    func page(
        _ page: MailboxRead, of actor: ActorID, now: Timestamp, limit: Int
    ) async throws(ActorError) -> [Envelope]
    /// The mailboxes that hold messages; takes no longer for many messages than for few.
    func mailboxes() async throws(ActorError) -> [ActorID]
    /// A message that has not ended, with how many of its mailbox come before it; nil when there is none of that id.
    ///
    /// - Parameter limit: no more than so many are counted.
    func place(of execution: ExecutionID, countingTo limit: Int) async throws(ActorError) -> WaitingPlace?
    /// Messages in a mailbox, running ones included. Shortly after a start it may not count all that waited before.
    func held(by actor: ActorID) -> Int
    /// Notes durably that an attempt begins: a crash during it is then known to be one. `conflict` when the message
    /// does not wait.
    func begin(_ envelope: Envelope, attempt: Int, at now: Timestamp) async throws(ActorError)
    /// Row 9: acknowledge, record, log, state, jobs, outgoing messages and calls, all or nothing.
    func complete(_ completion: Completion) async throws(ActorError)
    /// Effects of an execution that began durably and goes on (`context.commit()`).
    func commit(_ effects: Effects, of envelope: Envelope, at now: Timestamp) async throws(ActorError)
    /// What a dead process left running is recorded as interrupted and waits again. To be called once, at the start.
    func recover(at now: Timestamp) async throws(ActorError) -> Recovery
    /// Removes the messages of one mailbox that wait at this moment; answers how many.
    func purge(_ actor: ActorID, at now: Timestamp) async throws(ActorError) -> Int
    /// Removes one waiting message; its execution ends as cancelled. False when it is not waiting.
    func withdraw(_ execution: ExecutionID, at now: Timestamp) async throws(ActorError) -> Bool
    /// Journalled results of the durable steps of one execution.
    func steps(of execution: ExecutionID) async throws(ActorError) -> [StepResult]

    /// Called once a commit is on disk, in the order of commits, one call at a time; must return at once.
    func onCommit(_ sink: @escaping @Sendable ([Envelope], [CommittedEvent]) -> Void)
}

extension MailboxStore {
    /// Stores messages in order, in one transaction, and returns when it is on disk.
    package func append(
        _ messages: [NewMessage], rules: AcceptRules = AcceptRules()
    ) async throws(ActorError) -> [AcceptResult] {
        let result = await withCheckedContinuation { continuation in
            append(messages, rules: rules) { continuation.resume(returning: $0) }
        }
        return try result.get()
    }
}

/// Everything older than these moments may go.
package struct PruneAges: Sendable, Equatable {
    package let executions: Timestamp
    package let deadLetters: Timestamp
    package let idempotency: Timestamp
    /// The last use of nonces that are used up.
    package let nonces: Timestamp

    package init(
        executions: Timestamp, deadLetters: Timestamp, idempotency: Timestamp,
        nonces: Timestamp = Timestamp(milliseconds: .min)
    ) {
        self.executions = executions
        self.deadLetters = deadLetters
        self.idempotency = idempotency
        self.nonces = nonces
    }
}

/// Executions, attempts, logs: what happened.
package protocol ExecutionStore: Sendable {
    func execution(_ id: ExecutionID) async throws(ActorError) -> ExecutionRecord?
    /// Newest first; `before` is the sequence to continue below.
    ///
    /// - Parameters:
    ///   - actor: nil for all.
    ///   - actors: those of others are left out; nil leaves out none.
    func executions(
        of actor: ActorID?, among actors: Set<ActorID>?, before: Int64?, limit: Int
    ) async throws(ActorError) -> [ExecutionRecord]
    /// Over all executions of one actor, waiting ones included.
    func totals(of actor: ActorID) async throws(ActorError) -> ExecutionTotals
    func attempts(of id: ExecutionID) async throws(ActorError) -> [AttemptRecord]
    func log(of id: ExecutionID) async throws(ActorError) -> LogRecord?
    func deadLetters(_ query: DeadLetterQuery) async throws(ActorError) -> [DeadLetter]
    func deadLetter(_ id: Int64) async throws(ActorError) -> DeadLetter?
    /// Puts the message back as `message` and notes its execution on the dead letter, in one transaction.
    func replay(_ id: Int64, as message: NewMessage) async throws(ActorError) -> Envelope
    func discardDeadLetter(_ id: Int64) async throws(ActorError) -> Bool
    /// Removes what is older than the given moments; answers how many rows went.
    func prune(_ ages: PruneAges) async throws(ActorError) -> Int
}

extension ExecutionStore {
    package func executions(
        of actor: ActorID?, before: Int64?, limit: Int
    ) async throws(ActorError) -> [ExecutionRecord] {
        try await executions(of: actor, among: nil, before: before, limit: limit)
    }

    /// The newest of all actors.
    package func deadLetters(limit: Int) async throws(ActorError) -> [DeadLetter] {
        try await deadLetters(DeadLetterQuery(limit: limit))
    }
}

/// Actors, aliases, state, nonces, schedules.
package protocol RegistryStore: Sendable {
    func actors() async throws(ActorError) -> [StoredActor]
    func save(_ actor: StoredActor) async throws(ActorError)
    func state(of actor: ActorID) async throws(ActorError) -> JSONValue?
    func setState(_ state: JSONValue, of actor: ActorID, at now: Timestamp) async throws(ActorError)
    func create(_ nonce: Nonce) async throws(ActorError)
    func nonce(_ id: NonceID) async throws(ActorError) -> Nonce?
    func nonces(of actor: ActorID) async throws(ActorError) -> [Nonce]
    func deleteNonce(_ id: NonceID) async throws(ActorError) -> Bool
    /// Counts one use of a nonce for a call that stores no message; false when none is left.
    func useNonce(_ id: NonceID, at now: Timestamp) async throws(ActorError) -> Bool
    /// The plans of schedules by actor; a schedule that was never looked at has none.
    func schedules() async throws(ActorError) -> [ActorID: ScheduleRecord]
    /// Nil forgets the plan.
    func setSchedule(_ record: ScheduleRecord?, of actor: ActorID) async throws(ActorError)
    func setting(_ key: String) async throws(ActorError) -> String?
    func setSetting(_ key: String, _ value: String) async throws(ActorError)
    func audit(_ entry: AuditEntry) async throws(ActorError)
    func audits(limit: Int) async throws(ActorError) -> [AuditEntry]
}

/// What the store keeps of an actor between starts; the rest is read from its folder, unless it was made over HTTP.
package struct StoredActor: Sendable, Equatable {
    package var id: ActorID
    package var tenant: String
    package var name: String
    package var owner: String
    /// SHA-256 over what runs; another one means a new revision.
    package var fingerprint: String
    package var revision: Int
    package var created: Timestamp
    package var updated: Timestamp
    /// What it was made of over HTTP; nil for an actor that a folder declares.
    package var definition: ActorDefinition?

    package init(
        id: ActorID, tenant: String, name: String, owner: String, fingerprint: String, revision: Int,
        created: Timestamp, updated: Timestamp, definition: ActorDefinition? = nil
    ) {
        self.definition = definition
        self.id = id
        self.tenant = tenant
        self.name = name
        self.owner = owner
        self.fingerprint = fingerprint
        self.revision = revision
        self.created = created
        self.updated = updated
    }
}

/// Who did what to what, when, with which outcome: every change made from outside.
package struct AuditEntry: Sendable, Equatable {
    /// An event that a linked actor could not take: no change, there may be any number, and it goes with its execution.
    package static let linkDrop = "link.drop"

    package let at: Timestamp
    package let who: String
    package let action: String
    package let target: String
    package let outcome: String

    package init(at: Timestamp, who: String, action: String, target: String, outcome: String) {
        self.at = at
        self.who = who
        self.action = action
        self.target = target
        self.outcome = outcome
    }
}

/// Pipelines, jobs and their histories, and the documents of Reactors. Changes come through ``Effects`` only.
package protocol JobStore: Sendable {
    func job(_ id: JobID) async throws(ActorError) -> JobRecord?
    /// Newest first, with the cursor of the next page or nil.
    func jobs(_ query: JobQuery) async throws(ActorError) -> (jobs: [JobRecord], next: String?)
    /// In the order in which the events arrived, refused ones among them.
    func history(of id: JobID) async throws(ActorError) -> [JobHistoryEntry]
    /// The same with what binds it; nil when there is no such job.
    func ledger(of id: JobID) async throws(ActorError) -> JobLedger?
    /// A job that was cancelled or deleted; the last one of that uuid.
    func deletedJob(_ id: JobID) async throws(ActorError) -> DeletedJob?
    /// Newest first; `cursor` is the last pipeline of the page before.
    func pipelines(
        after cursor: PipelineID?, limit: Int
    ) async throws(ActorError) -> (pipelines: [PipelineRecord], next: PipelineID?)
    func pipeline(_ id: PipelineID) async throws(ActorError) -> PipelineRecord?
    func document(_ kind: String, _ id: String) async throws(ActorError) -> Document?
    /// Newest first.
    func documents(_ query: DocumentQuery) async throws(ActorError) -> [Document]
    /// All of a kind, page by page, in the order of their ids; `after` is the last id of the page before.
    func documents(_ kind: String, after id: String?, limit: Int) async throws(ActorError) -> [Document]
}

extension JobStore {
    /// The newest of a kind.
    package func documents(_ kind: String, limit: Int) async throws(ActorError) -> [Document] {
        try await documents(DocumentQuery(kind: kind, limit: limit))
    }
}

/// Which documents of a kind are wanted.
package struct DocumentQuery: Sendable, Equatable {
    package var kind: String
    package var limit: Int
    /// The id of the last document of the page before; of one that is gone there is no next page.
    package var after: String?
    /// Made at this moment or later.
    package var createdFrom: Timestamp?
    /// Made before this moment.
    package var createdBefore: Timestamp?
    /// The text of their member `state`.
    package var state: String?

    package init(
        kind: String, limit: Int, after: String? = nil, createdFrom: Timestamp? = nil,
        createdBefore: Timestamp? = nil, state: String? = nil
    ) {
        self.kind = kind
        self.limit = limit
        self.after = after
        self.createdFrom = createdFrom
        self.createdBefore = createdBefore
        self.state = state
    }
}

/// The outbox as its deliverer sees it.
package protocol OutboxStore: Sendable {
    /// The first undelivered item of every order key; those of disabled subscriptions stay where they are.
    func dueHeads(limit: Int) async throws(ActorError) -> [OutboxItem]
    /// The undelivered items of the same order key that stand behind this one, in their order.
    func undelivered(after item: OutboxItem, limit: Int) async throws(ActorError) -> [OutboxItem]
    /// Stores what became of some calls, all together. Those that are not there any more are passed over; `notFound`
    /// when none is.
    func settle(_ outcomes: [OutboxOutcome], at now: Timestamp) async throws(ActorError)
    /// Queues a call that no execution makes.
    func promise(_ call: OutgoingCall, at now: Timestamp) async throws(ActorError)
}

extension OutboxStore {
    package func settle(_ id: Int64, _ verdict: OutboxVerdict, at now: Timestamp) async throws(ActorError) {
        try await settle([OutboxOutcome(id, verdict)], at: now)
    }
}

/// The whole store: one database, seen through the port that each part needs.
package typealias Store =
    MailboxStore & ExecutionStore & RegistryStore & JobStore & JobCatalogue & WatchStore & OutboxStore
    & SubscriptionStore & SharingStore
