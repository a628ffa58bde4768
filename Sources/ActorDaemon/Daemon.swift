internal import ActorConnectors
internal import ActorCore
internal import ActorHTTP
internal import ActorRuntime
internal import ActorStore
internal import Foundation
internal import Logging
internal import NIOCore
internal import ServiceLifecycle

/// What `reactord serve` was told on its command line.
package struct ServeOptions: Sendable {
    package var configFile: String?
    package var dataDirectory: String?
    package var host: String?
    package var port: Int?

    package init(
        configFile: String? = nil, dataDirectory: String? = nil, host: String? = nil, port: Int? = nil
    ) {
        self.configFile = configFile
        self.dataDirectory = dataDirectory
        self.host = host
        self.port = port
    }
}

/// The daemon from its settings to its end.
package enum Daemon {
    /// Runs until SIGTERM or SIGINT has drained it, or SIGHUP at a terminal. Answers the exit code: 0 after a drain, 1
    /// when it could not start.
    package static func run(_ options: ServeOptions) async -> Int32 {
        signal(SIGPIPE, SIG_IGN)
        let hangUp = HangUp.ofThisProcess()
        // Nobody listens to it yet, and a start that brings a large database to its form takes its time.
        if hangUp == .note { signal(SIGHUP) { _ in } }
        do {
            var settings = try SettingsLoader.load(
                file: options.configFile, environment: ProcessInfo.processInfo.environment)
            if let host = options.host { settings.server.host = host }
            if let port = options.port { settings.server.port = port }
            guard settings.auth.isOn || settings.server.isLoopback else {
                throw ActorError(
                    .cannotStart, "auth.mode is off, so only this machine may connect: --host must be loopback")
            }
            let data = try DataFolder.take(
                SettingsLoader.absolute(
                    options.dataDirectory ?? "var", from: FileManager.default.currentDirectoryPath))
            defer { data.release() }
            let house = try await House.build(settings: settings, data: data)
            let failure = await run(house, hangUp)
            await house.close()
            if let failure { throw failure }
            return 0
        } catch let error as ActorError {
            complain(error)
            return 1
        } catch {
            FileHandle.standardError.write(Data("reactord: \(error)\n".utf8))
            return 1
        }
    }

    private static func complain(_ error: ActorError) {
        var text = "reactord: \(error.message)\n"
        if let cause = error.cause { text += "  because: \(cause)\n" }
        for detail in error.details { text += "  \(detail.place): \(detail.problem)\n" }
        FileHandle.standardError.write(Data(text.utf8))
    }

    /// They stop in reverse order: first the doorman ends live streams and refuses mail, then HTTP closes.
    private static func services(_ house: House, _ hangUp: HangUp) -> [any Service] {
        var watchers: [any Service] = [
            StoreService(house: house),
            InboxService(house: house),
            ObjectStoreService(house: house),
            StallService(house: house),
            EngineService(house: house),
            FolderService(house: house),
            PruneService(house: house),
            ClockService(house: house),
        ]
        if hangUp == .note { watchers.append(HangUpService(logger: house.logger)) }
        return watchers.map(Patient.init) + [house.http, Doorman(system: house.system)]
    }

    /// The system is none of the services: it drains when all of them have ended, however they did. A group that runs
    /// out of time, or out of luck, cancels its services; cancelled work counts as failed, and its commands end.
    private static func run(_ house: House, _ hangUp: HangUp) async -> ActorError? {
        var configuration = ServiceGroupConfiguration(
            services: services(house, hangUp).map { service in
                // What fails ends the others as a signal does: a server that is just cancelled crashes.
                .init(service: service, failureTerminationBehavior: .gracefullyShutdownGroup)
            },
            gracefulShutdownSignals: hangUp.stopSignals,
            logger: house.quietLogger)
        // An upload that takes its time is sent on after the next start.
        configuration.maximumGracefulShutdownDuration = .milliseconds(house.graceMilliseconds + 5000)
        let group = ServiceGroup(configuration: configuration)
        let (end, endSink) = AsyncStream.makeStream(of: Void.self)
        let error = await withTaskGroup(of: (any Error)?.self) { tasks in
            tasks.addTask {
                defer {
                    house.late.giveUp()
                    endSink.finish()
                }
                do {
                    try await group.run()
                    return nil
                } catch {
                    return error
                }
            }
            tasks.addTask {
                do {
                    try await house.runSystem { for await _ in end {} }
                    return nil
                } catch {
                    await group.triggerGracefulShutdown()
                    return error
                }
            }
            return await tasks.reduce(nil) { $0 ?? $1 }
        }
        return error.map {
            house.isBound ? ActorError(.internalFailure, "the daemon had to stop", cause: $0) : house.unbound($0)
        }
    }
}

extension House {
    /// Runs the system once the address is known, until `stop` returns and what runs has ended.
    fileprivate func runSystem(until stop: @escaping @Sendable () async -> Void) async throws {
        guard await late.wait() else { return }
        try await prepareCallbacks()
        try await system.run(
            onReady: {
                FileHandle.standardOutput.write(Data("reactord ready at \(localURL)\n".utf8))
                logger.notice("ready", metadata: ["url": "\(localURL)"])
            }, until: stop)
    }

    fileprivate func unbound(_ error: any Error) -> ActorError {
        let address = "\(settings.server.host):\(settings.server.port)"
        return ActorError(
            .cannotStart, Self.refusal(of: address, number: (error as? IOError)?.errnoCode), cause: error)
    }

    /// Why nothing can be heard at an address, and what to do.
    ///
    /// - Parameter number: the error number, where the system gave one.
    static func refusal(of address: String, number: Int32?) -> String {
        guard number == EACCES else {
            return "it cannot listen on \(address): is the port taken, or the host none of this machine's? take "
                + "another with --port (0 takes a free one) or --host"
        }
        return "it cannot listen on \(address): this user may not take a port below 1024; take one above it with "
            + "--port, behind a proxy, or give the service AmbientCapabilities=CAP_NET_BIND_SERVICE"
    }
}

/// A service that may end by itself, as watchers do when the system drains or there is nothing to watch: it waits for
/// its turn then, since a group takes one that ends before for failed and cancels the others.
private struct Patient: Service {
    let service: any Service

    func run() async throws {
        try await service.run()
        await Shutdown.wait()
    }
}

/// Ends the daemon when the store can keep nothing more: what is on disk is seen at the next start.
private struct StoreService: Service {
    let house: House

    func run() async throws {
        let failure = await cancelWhenGracefulShutdown { await house.store.failure() }
        if let failure { throw failure }
    }
}

/// Watches the inbox for uploads.
private struct InboxService: Service {
    let house: House

    func run() async throws {
        guard await house.bound() else { return }
        let changes = house.inboxChanges()
        defer { changes?.stop() }
        let watcher = house.inboxWatcher(changes: changes)
        do throws(ActorError) {
            for claim in try await house.lab.begunClaims() {
                watcher.isTaken(claim.item, by: ExecutionID(claim.key))
            }
        } catch {
            house.logger.error("the uploads could not be looked through", metadata: ["error": "\(error)"])
        }
        await cancelWhenGracefulShutdown { await watcher.run() }
    }
}

/// Looks for jobs that have not moved for too long.
private struct StallService: Service {
    let house: House

    func run() async throws {
        guard await house.bound() else { return }
        let watcher = house.stallWatcher()
        await cancelWhenGracefulShutdown { await watcher.run() }
    }
}

/// Looks how the jobs of engines stand.
private struct EngineService: Service {
    let house: House

    func run() async throws {
        guard await house.bound() else { return }
        let watchers = house.engineWatchers()
        await cancelWhenGracefulShutdown {
            await withDiscardingTaskGroup { group in
                for watcher in watchers { group.addTask { await watcher.run() } }
            }
        }
    }
}

/// Takes up changes of the actor folders while the daemon runs.
private struct FolderService: Service {
    let house: House

    func run() async throws {
        let watcher = FolderWatcher(
            folder: house.settings.actors.folder, clock: house.clock, threads: house.threads)
        try await cancelWhenGracefulShutdown {
            do {
                try await watcher.run { await house.reloadActors() }
            } catch is CancellationError {}
        }
    }
}

/// Forgets what is older than the retention says, once an hour.
private struct PruneService: Service {
    let house: House

    func run() async throws {
        try await cancelWhenGracefulShutdown {
            do {
                while true {
                    await house.prune()
                    await house.sweep()
                    try await house.clock.sleep(milliseconds: 3_600_000)
                }
            } catch is CancellationError {}
        }
    }
}

/// Notices that the wall clock was set, and says so.
private struct ClockService: Service {
    let house: House

    func run() async throws {
        try await cancelWhenGracefulShutdown {
            do {
                try await ClockWatch(clock: house.clock).run { house.system.clockWasSet() }
            } catch is CancellationError {}
        }
    }
}

/// First to stop: ends live streams, so that HTTP can close, and lets no more mail in.
private struct Doorman: Service {
    let system: ActorSystem

    func run() async throws {
        await Shutdown.wait()
        system.stopAccepting()
    }
}
