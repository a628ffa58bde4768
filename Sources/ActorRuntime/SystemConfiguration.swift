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
