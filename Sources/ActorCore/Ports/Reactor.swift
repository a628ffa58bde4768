/// Code that handles messages: a Swift actor which sees nothing but the envelope and its context.
///
/// What it buffers in the context (mail, state, job changes, calls, documents) is committed with the
/// acknowledgement, or not at all. Throwing ``ReactorFailure`` ends the attempt and leaves nothing behind but its
/// record and its log.
package protocol Reactor: Actor {
    /// Called once per start of the actor, before its first message: at the start of the daemon, after its definition
    /// has changed, and when it is restarted. Throwing means that it cannot run: it is tried again with backoff, then
    /// the actor is in ERROR with this reason and its mail waits.
    func prepare(_ setup: any ReactorSetup) async throws
    /// The key of a message that is about to be accepted, from what it says alone: in an actor that runs several at
    /// once, messages of one key are handled one after another, in the order in which they were accepted. It goes over
    /// the sender's; nil leaves that.
    nonisolated func key(of message: NewMessage) -> String?
    func receive(_ envelope: Envelope, _ context: any ReactorContext) async throws
}

extension Reactor {
    /// Most have nothing to prepare.
    package func prepare(_ setup: any ReactorSetup) async throws {}
    /// Most leave it to the sender.
    package nonisolated func key(of message: NewMessage) -> String? { nil }
}

/// What a Reactor can see before there is a message: who it is and how it is set up. Effects need a message.
package protocol ReactorSetup: Sendable {
    var actor: ActorID { get }
    var tenant: String { get }
    /// The actor's folder, absolute.
    var folder: String { get }
    /// The actor's `config.yml`, secrets filled in.
    var settings: JSONValue { get }

    /// One line in the daemon's log, under the actor's name; known secrets are struck out.
    func log(_ level: LogLevel, _ message: String)
    /// A secret that `actor.yml` grants by name; nil when it is not granted or not there.
    func secret(_ name: String) -> String?
}

/// Why a Reactor gives up on a message.
package struct ReactorFailure: Error, Sendable, CustomStringConvertible {
    package enum Kind: Sendable, Equatable {
        /// Trying again may help.
        case transient
        /// The message itself is wrong: no further attempt, it is parked with the reason.
        case permanent
        /// An answer rather than an accident: recorded as failed with exit code 1, not parked, not retried.
        case refused
    }

    package let kind: Kind
    package let message: String

    package init(_ kind: Kind, _ message: String) {
        self.kind = kind
        self.message = message
    }

    package var description: String { message }
}

/// Where a message is sent.
package enum Address: Sendable, Equatable {
    case id(ActorID)
    case alias(String)
}

/// How much a log line matters.
package enum LogLevel: String, Sendable {
    case debug, info, warning, error
}

/// All that a Reactor can see and do while it handles one message.
package protocol ReactorContext: Sendable {
    var actor: ActorID { get }
    var tenant: String { get }
    /// Who owns the actor.
    var owner: String { get }
    var execution: ExecutionID { get }
    /// 1 for the first.
    var attempt: Int { get }
    /// The actor's folder, absolute.
    var folder: String { get }
    /// The actor's `config.yml`, secrets filled in.
    var settings: JSONValue { get }
    func now() -> Timestamp
    /// Random bytes, hex: for salts and sessions.
    func randomHex(bytes: Int) -> String

    /// One line in the execution's log; known secrets are struck out.
    func log(_ level: LogLevel, _ message: String)
    /// A secret that `actor.yml` grants by name; nil when it is not granted or not there.
    func secret(_ name: String) -> String?

    func state() async throws(ActorError) -> JSONValue
    func setState(_ state: JSONValue)
    /// Buffers a message to another actor. `key` makes a repeat after a crash harmless; nil takes execution + ordinal.
    func send(_ address: Address, _ body: JSONValue, key: String?) throws(ActorError)
    /// The same, not delivered before `moment`: how a Reactor reminds itself or others of something.
    func schedule(_ address: Address, _ body: JSONValue, at moment: Timestamp, key: String?) throws(ActorError)
    /// The execution's result, readable through the API.
    func reply(_ result: JSONValue)
    /// Buffers an HTTP call; calls with one `order` leave one after another.
    func call(url: String, body: JSONValue, order: String)
    /// An HTTP call that is made if this message ends without an answer of the Reactor's: cancelled by somebody, or
    /// out of time or attempts. The last one given counts.
    func ifAbandoned(call url: String, body: JSONValue, order: String)

    func job(_ id: JobID) async throws(ActorError) -> JobRecord?
    func pipeline(_ id: PipelineID) async throws(ActorError) -> PipelineRecord?
    /// A job that was cancelled or deleted; the last one of that uuid.
    func deletedJob(_ id: JobID) async throws(ActorError) -> DeletedJob?
    func change(_ change: JobChange)
    /// One line in the audit log: what `who` did to `target`, and what came of it.
    func audit(who: String, _ action: String, _ target: String, outcome: String)
    /// The URL that moves `job` on: `…/actors/v2/<pipeline-jobs-manager>/messages?x-nonce=…&token=…&uuid=…`.
    func callbackURL(for job: JobRecord) throws(ActorError) -> String

    /// Files, links, statuses and watches of jobs, as of the last commit.
    var catalogue: any JobCatalogue { get }
    /// The id of an actor by its alias; nil when there is none.
    func actor(named alias: String) -> ActorID?

    func document(_ kind: String, _ id: String) async throws(ActorError) -> Document?
    /// Keeps a document, or removes it: a null body is none.
    func put(_ kind: String, _ id: String, _ body: JSONValue)

    /// Runs `body` once: its result is journalled and answered again when the message is redelivered after a crash.
    func step(_ name: String, _ body: @Sendable () async throws -> JSONValue) async throws -> JSONValue
    /// Runs a command with an executor; its output goes to `work.logFile`.
    func run(_ work: Work) async -> WorkResult
    /// Commits what is buffered so far; the message stays unacknowledged.
    func commit() async throws(ActorError)
}

/// What built-in Reactors are made with; each takes what it needs.
package struct ReactorTools: Sendable {
    package let files: any LabFiles
    package let archive: any ArchiveFiles
    package let documents: any DocumentReader
    package let repositories: any JobRepositories
    package let mailer: any Mailer
    package let fetcher: any UploadFetcher
    /// The executor that runs job steps.
    package let executor: any Executor
    /// What runs whole jobs elsewhere, and what jobs may do where.
    package let engines: JobEngines
    /// Seconds an action may take to end after SIGTERM; steps inherit it.
    package let limits: Limits
    /// The folder of `config.yml`, absolute: `REACTORD_HOME` of job steps.
    package let home: String
    /// Uploads whose files may be removed; nil where there are none to speak of.
    package let holdings: (any UploadHoldings)?
    /// Has the bucket that is an inbox looked at now.
    package let ringBucket: @Sendable () -> Void
    /// Removes copies of uploads.
    package let removeObjects: RemoveObjects
    /// Asks the object store of a copy's object.
    package let lookAtObject: LookAtObject

    package init(
        files: any LabFiles, archive: any ArchiveFiles, documents: any DocumentReader,
        repositories: any JobRepositories = NoRepositories(), mailer: any Mailer = NoMailer(),
        fetcher: any UploadFetcher = NoFetcher(), executor: any Executor, engines: JobEngines = JobEngines(),
        limits: Limits, home: String, holdings: (any UploadHoldings)? = nil,
        ringBucket: @escaping @Sendable () -> Void = {},
        removeObjects: @escaping RemoveObjects = { (_, _) async throws(ActorError) in
            throw ActorError(.unavailable, "this house has no object store")
        },
        lookAtObject: @escaping LookAtObject = { (_) async throws(ActorError) in
            throw ActorError(.unavailable, "this house has no object store")
        }
    ) {
        self.removeObjects = removeObjects
        self.lookAtObject = lookAtObject
        self.files = files
        self.archive = archive
        self.documents = documents
        self.repositories = repositories
        self.mailer = mailer
        self.fetcher = fetcher
        self.executor = executor
        self.engines = engines
        self.limits = limits
        self.home = home
        self.holdings = holdings
        self.ringBucket = ringBucket
    }
}
