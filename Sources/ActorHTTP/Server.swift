package import ActorCore
package import ActorRuntime
import HTTPTypes
package import Hummingbird
package import Logging
import NIOCore
package import NIOPosix
package import ServiceLifecycle

/// What the HTTP front is told about its house.
package struct HTTPServerSettings: Sendable {
    package var host: String
    /// 0 takes any free port; the callback of ``HTTPFront/service(onRunning:)`` tells which.
    package var port: Int
    /// What links start with when people reach the daemon by another name.
    package var publicURL: String?
    /// Field names of `/actors/v2` replies; `/v3` is always snake_case.
    package var camelCase: Bool
    package var inboxFolder: String
    /// The tenant that all callers of this daemon belong to.
    package var tenant: String
    /// Every caller is admin; for loopback only.
    package var authenticationOff: Bool
    /// What replies of the actors API carry as `version`.
    package var version: String
    /// Further clients wait to be accepted.
    package var maxConnections: Int
    /// A connection on which no request (or no next part of one) arrives for that long is closed.
    package var idleSeconds: Int64
    /// Small message POSTs are answered on the event loop; false sends them all through the router, for comparison.
    package var fastLane = true
    /// The folder behind a job's archive path, for those who look at the files.
    package var archiveFolder: @Sendable (String) -> String?
    /// What jobs have left; nil where nothing is to be read.
    package var archive: (any ArchiveFiles)?
    /// What is in the inbox and has not become an upload yet.
    package var inboxStanding: @Sendable () -> [InboxStanding] = { [] }
    /// Every tenant that `config.yml` names, the house's own first.
    package var tenants: [String]
    /// Queues that an actor may be said to belong to.
    package var queues = ["default", "special"]
    /// Logs are kept no longer, whatever an actor asks for.
    package var maxLogSeconds = 30 * 86_400

    package init(
        host: String = "127.0.0.1", port: Int = 8000, publicURL: String? = nil, camelCase: Bool = true,
        inboxFolder: String, tenant: String, authenticationOff: Bool = false, version: String = "1",
        maxConnections: Int = 4096, idleSeconds: Int64 = 10,
        archiveFolder: @escaping @Sendable (String) -> String? = { _ in nil }, archive: (any ArchiveFiles)? = nil
    ) {
        self.host = host
        self.port = port
        self.publicURL = publicURL
        self.camelCase = camelCase
        self.inboxFolder = inboxFolder
        self.tenant = tenant
        self.authenticationOff = authenticationOff
        self.version = version
        self.maxConnections = maxConnections
        self.idleSeconds = idleSeconds
        self.archiveFolder = archiveFolder
        self.archive = archive
        self.tenants = [tenant]
    }

    /// Nobody but this machine can connect.
    package var isLoopback: Bool { host == "localhost" || host == "::1" || host.hasPrefix("127.") }
}

/// The daemon's HTTP side: everything that turns a request into a message, a look-up or a change.
package struct HTTPFront: Sendable {
    let system: ActorSystem
    let verifier: TokenVerifier
    let settings: HTTPServerSettings
    let address: SelfAddress
    let inbox: InboxWriter
    let logger: Logger
    let nonces = NonceMemory()
    let streams: StreamSeats
    /// Lists of OAuth clients change one after another.
    let clientChanges = OneAtATime()
    let credentials: Credentials
    /// Closes secret configs.
    let seal: Seal

    /// - Parameters:
    ///   - address: what links start with; set by the daemon once the port is known.
    ///   - gateways: signed tokens that are taken besides our own.
    ///   - client: fetches keys that are published at an address.
    ///   - pool: threads for blocking file calls.
    package init(
        system: ActorSystem, verifier: TokenVerifier, settings: HTTPServerSettings, address: SelfAddress,
        gateways: [GatewaySettings] = [], client: (any HTTPClient)? = nil,
        seal: Seal = Seal(key: (0..<32).map { _ in UInt8.random(in: .min ... .max) }), pool: NIOThreadPool,
        logger: Logger
    ) {
        self.seal = seal
        self.credentials = Credentials(
            verifier: verifier,
            gateways: gateways.map {
                Gateway($0, client: client, clock: system.clock, pool: pool, logger: logger)
            }, tenant: settings.tenant)
        self.system = system
        self.verifier = verifier
        self.settings = settings
        self.streams = StreamSeats(maxConnections: settings.maxConnections)
        self.address = address
        self.inbox = InboxWriter(folder: settings.inboxFolder, pool: pool)
        self.logger = logger
    }

    /// The server; `onRunning` is told the bound port.
    package func service(onRunning: @escaping @Sendable (Int) async -> Void = { _ in }) -> any Service {
        application(onRunning: onRunning)
    }

    package func application(
        onRunning: @escaping @Sendable (Int) async -> Void = { _ in }
    ) -> Application<RouterResponder<HTTPContext>> {
        Application(
            router: router(),
            server: LaneChannel.builder(for: self),
            configuration: ApplicationConfiguration(
                address: .hostname(settings.host, port: settings.port), backlog: 1024,
                availableConnectionsDelegate: .maximum(settings.maxConnections, logger: logger)),
            onServerRunning: { channel in await onRunning(channel.localAddress?.port ?? 0) },
            logger: logger)
    }

    /// From the outside in: errors become answers, foreign hosts and oversized bodies are refused, the caller is
    /// known; only then a route runs, and only a route reads a body.
    func router() -> Router<HTTPContext> { table().router }

    /// The same, with what was declared.
    func table() -> RouteTable {
        let router = Router(context: HTTPContext.self, options: [.autoGenerateHeadEndpoints])
        router.add(middleware: HeadersMiddleware())
        router.add(middleware: ErrorMiddleware(version: settings.version, logger: logger))
        router.add(middleware: OriginMiddleware(settings: settings))
        router.add(middleware: LimitsMiddleware(limits: system.limits))
        router.add(middleware: AuthenticationMiddleware(front: self))
        router.add(middleware: StreamMiddleware(seats: streams))
        let table = RouteTable(router: router)
        HealthRoutes(front: self).add(to: table)
        PageRoutes().add(to: table)
        for generation in ActorsGeneration.allCases {
            ActorRoutes(front: self, generation: generation).add(to: table)
            MessageRoutes(front: self, generation: generation).add(to: table)
            ActorExecutionRoutes(front: self, generation: generation).add(to: table)
            StateRoutes(front: self, generation: generation).add(to: table)
            NonceRoutes(front: self, generation: generation).add(to: table)
            AliasRoutes(front: self, generation: generation).add(to: table)
            PermissionRoutes(front: self, generation: generation).add(to: table)
            ConfigRoutes(front: self, generation: generation).add(to: table)
            WorkerRoutes(front: self, generation: generation).add(to: table)
            SearchRoutes(front: self, generation: generation).add(to: table)
            AdminRoutes(front: self, generation: generation).add(to: table)
        }
        LoginRoutes(front: self).add(to: table)
        ClientRoutes(front: self).add(to: table)
        OperationRoutes(front: self).add(to: table)
        DirectoryRoutes(front: self).add(to: table)
        ExecutionRoutes(front: self).add(to: table)
        JobRoutes(front: self).add(to: table)
        JobFileRoutes(front: self).add(to: table)
        JobGraphRoutes(front: self).add(to: table)
        WatchRoutes(front: self).add(to: table)
        StateMachineRoutes().add(to: table)
        PipelineRoutes(front: self).add(to: table)
        UploadRoutes(front: self).add(to: table)
        DeadLetterRoutes(front: self).add(to: table)
        EventRoutes(front: self).add(to: table)
        AuditRoutes(front: self).add(to: table)
        ImportRoutes(front: self).add(to: table)
        SubscriptionRoutes(front: self).add(to: table)
        DescriptionRoutes(front: self).add(to: table)
        return table
    }

    /// Somebody can get a token with a password.
    var takesLogins: Bool { verifier.logins?.isOpen ?? false }

    /// What links of a tenant's actors start with.
    func baseURL(of tenant: String) -> String { system.apiServer(of: tenant) ?? baseURL }

    /// What links start with, without a slash at the end.
    var baseURL: String {
        let known = address.publicURL
        if !known.isEmpty { return known }
        if let url = settings.publicURL { return url.hasSuffix("/") ? String(url.dropLast()) : url }
        return "http://\(settings.host):\(settings.port)"
    }
}
