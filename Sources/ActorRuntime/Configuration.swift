package import ActorCore

/// What the runtime is told about the house it works in.
package struct SystemConfiguration: Sendable {
    package var limits: Limits
    /// Milliseconds that running work gets to end when the daemon stops.
    package var graceMilliseconds: Int64
    /// Outgoing calls at once.
    package var maxCalls: Int
    package var callTimeoutMilliseconds: Int64
    package var callRetryDays: Double
    /// `host` or `host:port` entries that callbacks may reach although they are private.
    package var allowedTargets: [String]
    /// The absolute folder that relative log paths start from.
    package var dataFolder: String
    /// Strikes known secrets out of a text.
    package var scrub: @Sendable (String) -> String
    /// How many bytes at the end of a text may be the beginning of a known secret.
    package var unfinished: @Sendable ([UInt8]) -> Int = { _ in 0 }
    /// The value of a secret by name.
    package var secret: @Sendable (String) -> String?
    /// What the sources of events start with: the public URL without a slash at its end, or "".
    package var eventSource: String
    /// Signs what subscribers are told; without it nothing leaves for them.
    package var signature: WebhookSignature?
    /// The addresses that tenants are known by, where they differ from the public URL.
    package var apiServers: [String: String] = [:]
    /// The plain text of a sealed config; nil when it cannot be opened.
    package var openSealed: @Sendable (String) -> String? = { _ in nil }
    /// A secret that an execution alone knows, the same after a restart of the daemon; nil makes a new one each time.
    package var executionCode: (@Sendable (ExecutionID) -> String)?
    /// The roles that the house gives a user of a tenant; nil for whom it does not name.
    package var configuredRoles: @Sendable (_ user: String, _ tenant: String) -> Set<Role>? = { _, _ in nil }

    /// Whether this is the user whose token is the daemon's own.
    package var isOwnAdmin: @Sendable (_ user: String, _ tenant: String) -> Bool = { _, _ in false }
    /// Gateways let users in too: what they may do who are not configured nobody knows here, and what was on record
    /// when they made an actor counts.
    package var hasGateways = false

    package init(
        limits: Limits, graceMilliseconds: Int64, maxCalls: Int = 16, callTimeoutMilliseconds: Int64 = 20000,
        callRetryDays: Double = 3, allowedTargets: [String] = [], dataFolder: String,
        scrub: @escaping @Sendable (String) -> String, secret: @escaping @Sendable (String) -> String?,
        eventSource: String = "", signature: WebhookSignature? = nil
    ) {
        self.limits = limits
        self.graceMilliseconds = graceMilliseconds
        self.maxCalls = maxCalls
        self.callTimeoutMilliseconds = callTimeoutMilliseconds
        self.callRetryDays = callRetryDays
        self.allowedTargets = allowedTargets
        self.dataFolder = dataFolder
        self.scrub = scrub
        self.secret = secret
        self.eventSource = eventSource
        self.signature = signature
    }
}

/// An actor folder with a mistake in it.
package struct QuarantinedActor: Sendable, Equatable {
    package let folder: String
    package let file: String
    package let line: Int?
    package let reason: String
    /// Its actor is there all the same, as it was declared before; else it is left out.
    package let goesOn: Bool

    package init(folder: String, file: String, line: Int?, reason: String, goesOn: Bool = false) {
        self.folder = folder
        self.file = file
        self.line = line
        self.reason = reason
        self.goesOn = goesOn
    }
}

/// A message on its way in, before the bus has checked it.
package struct MessageDraft: Sendable {
    package var actor: ActorID
    package var body: [UInt8]
    package var kind: MessageKind
    package var environment: [EnvironmentEntry]
    package var sender: String
    package var cause: ExecutionID?
    package var hops: Int
    package var idempotency: IdempotencyKey?
    /// Messages of one key are handled one after another.
    package var key: String?
    /// The higher leaves its mailbox first; one of ``NewMessage/priorities``.
    package var priority: Int
    package var deliverAt: Timestamp?
    package var expires: Timestamp?
    package var nonce: NonceID?

    package init(
        actor: ActorID, body: [UInt8], kind: MessageKind = .json, environment: [EnvironmentEntry] = [],
        sender: String, cause: ExecutionID? = nil, hops: Int = 0, idempotency: IdempotencyKey? = nil,
        key: String? = nil, priority: Int = 0, deliverAt: Timestamp? = nil, expires: Timestamp? = nil,
        nonce: NonceID? = nil
    ) {
        self.actor = actor
        self.body = body
        self.kind = kind
        self.environment = environment
        self.sender = sender
        self.cause = cause
        self.hops = hops
        self.idempotency = idempotency
        self.key = key
        self.priority = priority
        self.deliverAt = deliverAt
        self.expires = expires
        self.nonce = nonce
    }
}

/// The answer to a message that is on disk.
package struct SendReceipt: Sendable, Equatable {
    package let execution: ExecutionID
    /// The idempotency key was seen before: this is the first answer, nothing new was stored.
    package let repeated: Bool
}

/// An actor as people look at it.
package struct ActorStatus: Sendable {
    package let spec: ActorSpec
    /// READY or ERROR.
    package let status: String
    package let statusMessage: String
    package let waiting: Int
    package let running: Int
}

/// What an execution has printed.
package struct ExecutionLog: Sendable {
    package let bytes: [UInt8]
    package let truncated: Bool
    /// The execution has ended: nothing will be added.
    package let isFinal: Bool
}
