internal import ActorConnectors
internal import ActorCore
internal import ActorExecutors
internal import ActorHTTP
internal import ActorRuntime
internal import ActorSchemas
internal import ActorStore
internal import Crypto
internal import Foundation
internal import HTTPTransport
internal import Logging
internal import NIOPosix
internal import Reactors
internal import ServiceLifecycle
internal import Synchronization

/// The composition root: the only place that names every concrete type, and what they are built from.
struct House: Sendable {
    let settings: Settings
    let data: DataFolder
    let logger: Logger
    /// For the service group, whose own notices nobody needs at `info`.
    let quietLogger: Logger
    let clock: any Timekeeper
    let threads: NIOThreadPool
    /// For reading whole recordings: what is short does not wait behind them.
    let lengthy: NIOThreadPool
    let store: SQLiteStore
    let client: CurlClient
    let system: ActorSystem
    let http: any Service
    let address: SelfAddress
    let lab: FolderLab
    let executor: any Executor
    let actors: ActorRegistrar
    let engines: JobEngines
    let late: Late

    var graceMilliseconds: Int64 { Milliseconds.of(seconds: settings.executors.process.graceSeconds) }
    var inboxFolder: String { settings.inbox.folder ?? "\(data.path)/inbox" }
    var isBound: Bool { late.port != nil }

    var localURL: String {
        let host = settings.server.host.contains(":") ? "[\(settings.server.host)]" : settings.server.host
        return "http://\(host):\(late.port ?? settings.server.port)"
    }

    /// True when the port is known; false when the daemon ends before.
    func bound() async -> Bool { await cancelWhenGracefulShutdown { await late.wait() } }

    static func build(settings: Settings, data: DataFolder) async throws(ActorError) -> House {
        let admin = try data.readOrMakeAdminToken()
        let variables = EnvironmentVariables.current.filter { $0.key.hasPrefix("_REACTOR_") }
        let passwords = Dictionary(
            settings.auth.users.compactMap { user in user.password.map { (user.name, $0.reveal()) } },
            uniquingKeysWith: { first, _ in first })
        let known =
            settings.secrets.values.values.map { $0.reveal() } + variables.values + [admin.token] + passwords.values
        let scrubber = SecretScrubber(known + [settings.pipelines.updatesNonce?.reveal()].compactMap { $0 })
        let level = Logger.Level(rawValue: settings.log.level) ?? .info
        let logger = Logger(label: "reactord") { label in
            StderrLogHandler(label: label, level: level, scrub: { scrubber.scrub($0) })
        }
        var quietLogger = logger
        quietLogger.logLevel = max(level, .warning)
        say(settings, admin: admin.isNew ? data.adminToken : nil, to: logger)

        let clock = SystemTimekeeper()
        let threads = NIOThreadPool(numberOfThreads: 4)
        threads.start()
        let lengthy = NIOThreadPool(numberOfThreads: 4)
        lengthy.start()
        let store = try SQLiteStore.open(
            path: data.database, synchronousFull: settings.store.synchronous == .full, logger: logger)
        let client = try CurlClient(logger: logger)
        let lab = FolderLab(
            root: data.path, archive: settings.archive.folder ?? "\(data.path)/archive",
            inbox: settings.inbox.folder ?? "\(data.path)/inbox", unpacking: unpacking(settings), pool: threads,
            lengthy: lengthy)
        let executor = try Executors.make(settings, data: data, client: client, clock: clock, logger: logger)
        let late = Late()
        let address = SelfAddress()
        let engines = EngineMaker(settings: settings, dataFolder: data.path).engines(client: client, clock: clock)
        let tools = tools(
            settings, data: data, lab: lab, executor: executor, engines: engines, client: client, threads: threads,
            bell: late.bell)
        let seal = Seal(key: try data.readOrMakeKey("configs.key"))
        let executionKey = try data.readOrMakeKey("executions.key")
        let managers = ManagerLookup()
        let system = ActorSystem(
            configuration: configuration(
                settings, data: data, scrubber: scrubber, seal: seal, executionKey: executionKey), store: store,
            clock: clock, executor: executor,
            runFiles: FolderRunFiles(root: data.path, pool: threads, group: settings.executors.process.user?.group),
            client: client, schemas: ValijsonCompiler(),
            callbacks: CallbackMaker(
                address: address, manager: { managers.id }, nonce: { late.updatesNonce.withLock { $0 } }),
            makers: Catalog.makers.mapValues { make in { make(tools) } }, logger: logger)
        managers.find = { [weak system] in
            try? system?.resolve(settings.pipelines.jobManager, tenant: settings.tenant).id
        }
        let registrar = ActorRegistrar(
            settings: settings, data: data, store: store, system: system, clock: clock, threads: threads,
            logger: logger)
        await registrar.load()
        try await system.loadMade()
        let http = HTTPFront(
            system: system,
            verifier: try verifier(
                settings, adminToken: admin.token, passwords: passwords, data: data, system: system, threads: threads,
                logger: logger),
            settings: serverSettings(settings, data: data, lab: lab, late: late), address: address,
            gateways: settings.auth.jwt.map(gateway), client: client, seal: seal, pool: threads, logger: quietLogger
        ).service(onRunning: { late.bind($0) })
        return House(
            settings: settings, data: data, logger: logger, quietLogger: quietLogger, clock: clock, threads: threads,
            lengthy: lengthy, store: store, client: client, system: system, http: http, address: address, lab: lab,
            executor: executor, actors: registrar, engines: engines, late: late)
    }

    private static func tools(
        _ settings: Settings, data: DataFolder, lab: FolderLab, executor: any Executor,
        engines: JobEngines, client: CurlClient, threads: NIOThreadPool, bell: BucketBell
    ) -> ReactorTools {
        ReactorTools(
            files: lab, archive: lab, documents: YAMLReader(),
            repositories: GitRepositories(
                root: data.path, home: ProcessInfo.processInfo.environment["HOME"] ?? "/", pool: threads),
            mailer: Sendmail(),
            fetcher: HTTPUploads(
                inbox: settings.inbox.folder ?? "\(data.path)/inbox", client: client,
                maxBytes: settings.limits.maxUploadBytes, pool: threads),
            executor: executor, engines: engines, limits: settings.limits, home: settings.home, holdings: lab,
            ringBucket: { bell.ring() },
            removeObjects: { (keys, bucket) async throws(ActorError) in try await bell.remove(keys, in: bucket) },
            lookAtObject: { (name) async throws(ActorError) in try await bell.look(at: name) })
    }

    private static func verifier(
        _ settings: Settings, adminToken: String, passwords: [String: String], data: DataFolder, system: ActorSystem,
        threads: NIOThreadPool, logger: Logger
    ) throws(ActorError) -> TokenVerifier {
        TokenVerifier(
            adminToken: adminToken, tokensFile: settings.auth.tokensFile ?? data.tokens,
            users: configuredRoles(settings), tenant: settings.tenant,
            executionPrincipal: { [weak system] token in system?.principal(executionToken: token) },
            logins: LoginTokens(
                key: try data.readOrMakeKey("logins.key"), passwords: passwords, tenant: settings.tenant,
                clock: system.clock),
            clock: system.clock, pool: threads, logger: logger)
    }

    private static func configuredRoles(_ settings: Settings) -> [String: Set<Role>] {
        Dictionary(settings.auth.users.map { ($0.name, Set($0.roles)) }, uniquingKeysWith: { $0.union($1) })
    }

    private static func serverSettings(
        _ settings: Settings, data: DataFolder, lab: FolderLab, late: Late
    ) -> HTTPServerSettings {
        var server = HTTPServerSettings(
            host: settings.server.host, port: settings.server.port, publicURL: settings.server.publicURL,
            camelCase: settings.server.fieldCase == .camel,
            inboxFolder: settings.inbox.folder ?? "\(data.path)/inbox", tenant: settings.tenant,
            authenticationOff: !settings.auth.isOn, version: Version.current,
            archiveFolder: { lab.archiveFolder($0) }, archive: lab)
        server.tenants = settings.tenants.isEmpty ? [settings.tenant] : settings.tenants.map(\.name)
        server.inboxStanding = { late.watcher.withLock { $0 }?.standing ?? [] }
        server.maxLogSeconds = settings.store.logsDays * 86_400
        return server
    }

    private static func gateway(_ jwt: JWTSettings) -> GatewaySettings {
        GatewaySettings(
            header: jwt.header, algorithms: jwt.algorithms, keyFile: jwt.publicKeyFile ?? jwt.keySetFile,
            keysURL: jwt.keySetURL, usernameClaim: jwt.usernameClaim, tenantClaim: jwt.tenantClaim,
            rolesClaim: jwt.rolesClaim, roleMap: Dictionary(jwt.roleMap.map { ($0.name, $0.role) }) { $1 },
            defaultRoles: Set(jwt.defaultRoles))
    }

    private static func say(_ settings: Settings, admin: String?, to logger: Logger) {
        for problem in settings.warnings {
            logger.warning("questionable setting", metadata: ["problem": "\(problem)"])
        }
        for key in settings.notYetActive {
            logger.warning("a setting has no effect: this version does not have that part", metadata: ["key": "\(key)"])
        }
        if let admin { logger.notice("an admin token was made", metadata: ["file": "\(admin)"]) }
        if !settings.auth.isOn { logger.warning("authentication is off: every caller of this machine is admin") }
    }

    private static func configuration(
        _ settings: Settings, data: DataFolder, scrubber: SecretScrubber, seal: Seal, executionKey: [UInt8]
    ) -> SystemConfiguration {
        let secrets = settings.secrets
        let variables = ProcessInfo.processInfo.environment
        var configuration = SystemConfiguration(
            limits: settings.limits,
            graceMilliseconds: Milliseconds.of(seconds: settings.executors.process.graceSeconds),
            callTimeoutMilliseconds: Int64(settings.callbacks.timeoutSeconds) * 1000,
            callRetryDays: settings.callbacks.retryDays, allowedTargets: settings.callbacks.allow,
            dataFolder: data.path, scrub: { scrubber.scrub($0) },
            secret: { name in variables[name] ?? secrets[name] },
            eventSource: settings.server.port == 0
                ? settings.server.publicURL ?? "" : settings.publicURL(port: settings.server.port),
            signature: .sha256)
        configuration.apiServers = Dictionary(
            settings.tenants.compactMap { tenant in tenant.apiServer.map { (tenant.name, $0) } }
        ) { $1 }
        // The configured users are those of the first tenant.
        configuration.configuredRoles = { [users = configuredRoles(settings), first = settings.tenant] user, tenant in
            tenant == first ? users[user] : nil
        }
        configuration.isOwnAdmin = { [first = settings.tenant] user, tenant in user == "admin" && tenant == first }
        configuration.hasGateways = !settings.auth.jwt.isEmpty
        configuration.openSealed = { seal.open($0) }
        configuration.unfinished = { scrubber.unfinished($0) }
        configuration.executionCode = { execution in
            let code = HMAC<SHA256>.authenticationCode(
                for: Array(execution.rawValue.utf8), using: SymmetricKey(data: executionKey))
            return Hexadecimal.text(Array(code))
        }
        return configuration
    }

    /// What has to be on record before the first callback is made: our addresses, and the nonce of job updates.
    func prepareCallbacks() async throws(ActorError) {
        let publicURL = settings.publicURL(port: late.port ?? settings.server.port)
        let key = "self_addresses"
        let stored = try await store.setting(key) ?? ""
        let former = stored.split(separator: " ").map(String.init)
        address.set(publicURL: publicURL, local: localURL, former: former)
        var all = former.filter { $0 != publicURL && $0 != localURL }
        all += publicURL == localURL ? [localURL] : [publicURL, localURL]
        try await store.setSetting(key, all.suffix(64).joined(separator: " "))
        late.updatesNonce.withLock { $0 = nil }
        let nonce = try await actors.updatesNonce()
        late.updatesNonce.withLock { $0 = nonce }
    }

    func inboxChanges() -> FolderChanges? {
        let changes = FolderChanges(folder: inboxFolder)
        if changes == nil {
            logger.warning("the inbox cannot be watched by inotify; it is looked at by time alone")
        }
        return changes
    }

    /// - Parameter changes: tells of changes at the top of the inbox, where the system can.
    func inboxWatcher(changes: FolderChanges?) -> InboxWatcher {
        let ingest = try? system.resolve("ingest", tenant: settings.tenant).settings
        let watcher = InboxWatcher(
            inbox: FolderInbox(folder: inboxFolder, pool: threads, lengthy: lengthy), system: system,
            actorName: "ingest", tenant: settings.tenant,
            settleMilliseconds: Milliseconds.of(seconds: ingest?["settle_seconds"]?.double ?? 5),
            scanMilliseconds: Milliseconds.of(seconds: ingest?["scan_seconds"]?.double ?? 1),
            rescanMilliseconds: Milliseconds.of(seconds: ingest?["rescan_seconds"]?.double ?? 10),
            changes: changes?.stream,
            refreshMilliseconds: { [weak system, tenant = settings.tenant] in
                let sets = (try? system?.resolve("ingest", tenant: tenant))?.settings["job_sets"]?.array ?? []
                let repositories = sets.filter { $0["git"]?.string != nil }
                return repositories.map { Milliseconds.of(seconds: $0["refresh_seconds"]?.double ?? 60) }.min()
            },
            haveListsChanged: { [weak system, tenant = settings.tenant, lists = ListChanges(pool: threads)] in
                let known = (try? system?.resolve("ingest", tenant: tenant))?.settings["lists"]?.array ?? []
                return await lists.areThere(in: known.compactMap(\.string))
            })
        late.watcher.withLock { $0 = watcher }
        return watcher
    }

    func engineWatchers() -> [EngineWatcher] {
        engines.engines.values.sorted { $0.name < $1.name }.map { engine in
            EngineWatcher(
                engine: engine, system: system, keeper: "job-engines", tenant: settings.tenant,
                pollMilliseconds: EngineMaker.pollMilliseconds(of: engine.name, settings))
        }
    }

    func stallWatcher() -> StallWatcher {
        StallWatcher(system: system, manager: settings.pipelines.jobManager, tenant: settings.tenant)
    }

    func reloadActors() async {
        await actors.load()
        if let nonce = try? await actors.updatesNonce() { late.updatesNonce.withLock { $0 = nonce } }
    }

    /// What has arrived of uploads that nobody has gone on with for a week.
    private func pruneParts() async {
        let (folder, kept) = ("\(inboxFolder)/\(InboxParts.folder)", clock.now().milliseconds / 1000 - 7 * 86_400)
        try? await threads.runIfActive {
            let files = FileManager.default
            let below = { (place: String) in
                ((try? files.contentsOfDirectory(atPath: place)) ?? []).map { "\(place)/\($0)" }
            }
            // Notes of what was brought in lie a folder deeper; some are made each day.
            for path in below("\(folder)/\(InboxParts.brought)") + below(folder) {
                let changed = (try? files.attributesOfItem(atPath: path))?[.modificationDate] as? Date
                guard let changed, changed.timeIntervalSince1970 < Double(kept) else { continue }
                try? files.removeItem(atPath: path)
            }
        }
    }

    /// Whoever offers a nonce that is used up is told so for as long.
    private static let usedNonceDays = 30

    func prune() async {
        await pruneParts()
        let now = clock.now()
        func before(_ days: Int) -> Timestamp { now.adding(milliseconds: -Int64(days) * 86_400_000) }
        do {
            let count = try await store.prune(
                PruneAges(
                    executions: before(settings.store.executionsDays),
                    deadLetters: before(settings.store.deadLettersDays),
                    idempotency: now.adding(milliseconds: -Int64(settings.limits.idempotencyHours) * 3_600_000),
                    nonces: before(Self.usedNonceDays)))
            if count > 0 { logger.info("old records were removed", metadata: ["count": "\(count)"]) }
            // Files of executions that have ended, the logs of scripts among them.
            let files = FolderRunFiles(root: data.path, pool: threads)
            let kept = before(min(settings.store.logsDays, settings.store.executionsDays))
            for id in await files.runs(unchangedSince: kept) {
                let record = try await store.execution(id)
                if let record, record.finished.map({ $0 >= kept }) ?? true { continue }
                await files.remove(id)
            }
        } catch {
            guard !Task.isCancelled else { return }
            logger.error("old records could not be removed", metadata: ["error": "\(error)"])
        }
    }

    /// Ends and forgets commands whose execution is over: what a daemon left that was killed, what was cancelled.
    func sweep() async {
        for id in await executor.kept() {
            do {
                let record = try await store.execution(WorkID(id).execution)
                if let record, record.finished == nil { continue }
            } catch {
                continue
            }
            await executor.reclaim(id)
        }
    }

    func close() async {
        await client.shutdown()
        do {
            try await store.close()
        } catch {
            logger.error("the store could not be closed", metadata: ["error": "\(error)"])
        }
        try? await threads.shutdownGracefully()
        try? await lengthy.shutdownGracefully()
    }
}

/// Finds the actor that keeps the jobs; tied to the system after both exist.
final class ManagerLookup: Sendable {
    private let finder = Mutex<(@Sendable () -> ActorID?)?>(nil)

    var find: (@Sendable () -> ActorID?)? {
        get { finder.withLock { $0 } }
        set { finder.withLock { $0 = newValue } }
    }

    var id: ActorID? { find?() }
}

/// The version that replies, `--version` and links carry.
package enum Version {
    package static let current = "0.1.0"
}
