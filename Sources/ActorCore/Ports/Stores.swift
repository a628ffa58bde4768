/// What became of a message that was offered to the store.
package enum AcceptResult: Sendable, Equatable {
    case accepted(Envelope)
    /// The idempotency key was seen before with the same body: this is the first answer.
    case repeated(ExecutionID)
    /// The idempotency key was seen before with another body.
    case keyReused
    /// The nonce has no uses left (or was deleted meanwhile).
    case nonceRefused
    /// The mailbox holds as many messages as it may.
    case mailboxFull
}

/// One mailbox at start-up: how many wait, and from which sequence on.
package struct Backlog: Sendable, Equatable {
    package let actor: ActorID
    package let count: Int

    package init(actor: ActorID, count: Int) {
        self.actor = actor
        self.count = count
    }
}

/// Durable mailboxes. Every call that changes something returns after its commit is on disk; concurrent calls share
/// commits. What was committed is told to the sink in commit order, before the call returns.
package protocol MailboxStore: Sendable {
    /// Stores messages in order, in one transaction; a nonce's use is counted there too.
    func append(_ messages: [NewMessage], maxMailbox: Int) async throws(ActorError) -> [AcceptResult]
    /// The same; `then` is called once, from a thread of the store, and must return at once.
    func append(
        _ messages: [NewMessage], maxMailbox: Int,
        then: @escaping @Sendable (Result<[AcceptResult], ActorError>) -> Void)
    /// The oldest waiting messages of one mailbox with a sequence above `after`, running ones left out.
    /// Each comes with the moment before which it may not be delivered, if any.
    func head(of actor: ActorID, after sequence: Int64, limit: Int) async throws(ActorError) -> [Envelope]
    /// How many messages wait in each mailbox that is not empty.
    func backlogs() async throws(ActorError) -> [Backlog]
    /// Notes durably that an attempt begins: a crash during it is then known to be one.
    func begin(_ sequence: Int64, attempt: Int, at now: Timestamp) async throws(ActorError)
    /// Row 9: acknowledge, record, log, state, jobs, outgoing messages and calls, all or nothing.
    /// Answers the envelopes of the mail that was sent.
    func complete(_ completion: Completion) async throws(ActorError)
    /// Effects of an execution that goes on (`context.commit()`).
    func commit(_ effects: Effects, of envelope: Envelope, at now: Timestamp) async throws(ActorError)
    /// What a dead process left running: recorded as interrupted attempts, their messages waiting again.
    /// Messages whose attempts are used up that way are for the caller to park.
    func recover(at now: Timestamp) async throws(ActorError) -> [Envelope]
    /// Removes waiting messages of one mailbox; answers how many.
    func purge(_ actor: ActorID, at now: Timestamp) async throws(ActorError) -> Int
    /// Removes one waiting message; its execution ends as cancelled. False when it is not waiting.
    func withdraw(_ execution: ExecutionID, at now: Timestamp) async throws(ActorError) -> Bool
    /// Journalled results of the durable steps of one execution.
    func steps(of execution: ExecutionID) async throws(ActorError) -> [StepResult]

    /// Called on the writer, in commit order; must return at once.
    func onCommit(_ sink: @escaping @Sendable ([Envelope], [CommittedEvent]) -> Void)
}

/// Executions, attempts, logs: what happened.
package protocol ExecutionStore: Sendable {
    func execution(_ id: ExecutionID) async throws(ActorError) -> ExecutionRecord?
    /// Newest first; `before` is the sequence to continue below.
    func executions(of actor: ActorID?, before: Int64?, limit: Int) async throws(ActorError) -> [ExecutionRecord]
    func attempts(of id: ExecutionID) async throws(ActorError) -> [AttemptRecord]
    func log(of id: ExecutionID) async throws(ActorError) -> LogRecord?
    func deadLetters(limit: Int) async throws(ActorError) -> [DeadLetter]
    func deadLetter(_ id: Int64) async throws(ActorError) -> DeadLetter?
    /// Puts the message back as `message` and notes it on the dead letter, in one transaction.
    func replay(_ id: Int64, as message: NewMessage) async throws(ActorError) -> Envelope
    func discardDeadLetter(_ id: Int64) async throws(ActorError) -> Bool
    /// Removes what is older than the given moments; answers how many rows went.
    func prune(executionsBefore: Timestamp, deadLettersBefore: Timestamp) async throws(ActorError) -> Int
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
    /// Due moments by actor; a schedule that has never run has none.
    func scheduledRuns() async throws(ActorError) -> [ActorID: Timestamp]
    func setScheduledRun(_ actor: ActorID, at next: Timestamp?) async throws(ActorError)
    func setting(_ key: String) async throws(ActorError) -> String?
    func setSetting(_ key: String, _ value: String) async throws(ActorError)
    func audit(_ entry: AuditEntry) async throws(ActorError)
    func audits(limit: Int) async throws(ActorError) -> [AuditEntry]
}

/// What the store keeps of an actor between starts; the rest is read from its folder.
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

    package init(
        id: ActorID, tenant: String, name: String, owner: String, fingerprint: String, revision: Int,
        created: Timestamp, updated: Timestamp
    ) {
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
    func pipelines() async throws(ActorError) -> [PipelineRecord]
    func pipeline(_ id: PipelineID) async throws(ActorError) -> PipelineRecord?
    func document(_ kind: String, _ id: String) async throws(ActorError) -> Document?
    /// Newest first.
    func documents(_ kind: String, limit: Int) async throws(ActorError) -> [Document]
}

/// The outbox as its deliverer sees it.
package protocol OutboxStore: Sendable {
    /// The first undelivered item of every order key.
    func dueHeads(limit: Int) async throws(ActorError) -> [OutboxItem]
    func settle(_ id: Int64, _ verdict: OutboxVerdict, at now: Timestamp) async throws(ActorError)
}

/// The whole store: one database, seen through the port that each part needs.
package typealias Store = MailboxStore & ExecutionStore & RegistryStore & JobStore & OutboxStore
