package import ActorCore
import Glibc
package import Logging
import Synchronization

/// Runs work in containers of a Docker-compatible engine (Docker, podman), through the API on its Unix socket.
///
/// The engine keeps a container and its result while no daemon runs; its name is made from the work's id, so that a
/// second one of it cannot be made.
package final class ContainerExecutor: Executor {
    let settings: ContainerExecutorSettings
    let order: ContainerOrder
    let engine: EngineAPI
    let clock: any Timekeeper
    let files = FileQueue()
    private let logger: Logger
    private let slots: RunSlots
    private let isDetaching = Atomic(false)

    package init(
        settings: ContainerExecutorSettings, client: any HTTPClient, clock: any Timekeeper, logger: Logger
    ) {
        self.settings = settings
        self.order = ContainerOrder(settings: settings)
        self.engine = EngineAPI(client: client, socket: settings.socket)
        self.clock = clock
        self.logger = logger
        self.slots = RunSlots(settings.maxRunning)
    }

    package func run(_ work: Work) async -> WorkResult {
        guard ProcessName.isID(work.id) else {
            return WorkResult(end: .couldNotStart("the id of a command takes letters, digits, and -_. only"))
        }
        do throws(ActorError) {
            try admit(work)
        } catch {
            return WorkResult(end: .couldNotStart(error.message))
        }
        let run = ContainerRun(work, self)
        do throws(EngineTrouble) {
            // What runs already does not wait for a slot, but takes one.
            if try await engine.inspect(run.name) == nil {
                guard await slots.take() else { return WorkResult(end: .cancelled) }
            } else {
                logger.notice("taking over a container that is there already", metadata: ["work_id": "\(work.id)"])
                slots.occupy()
            }
        } catch {
            return outcome(of: error)
        }
        defer { slots.give() }
        do throws(EngineTrouble) {
            return try await run.play()
        } catch {
            guard error == .cancelled, !isDetaching.load(ordering: .sequentiallyConsistent) else {
                return outcome(of: error)
            }
            return await shielded { await run.cancel() }
        }
    }

    private func outcome(of trouble: EngineTrouble) -> WorkResult {
        switch trouble {
        case .cancelled:
            return WorkResult(end: isDetaching.load(ordering: .sequentiallyConsistent) ? .detached : .cancelled)
        case .failing(let why):
            logger.warning("the container engine fails", metadata: ["reason": "\(why)"])
            return WorkResult(end: .engineFailed(why))
        case .refused(let why): return WorkResult(end: .couldNotStart(why))
        }
    }

    package func forget(_ id: String) async {
        await shielded { [self] in await remove(id, keepingFor: settings.keepSeconds) }
    }

    package func reclaim(_ id: String) async {
        await shielded { [self] in
            let name = order.name(id)
            if let state = try? await engine.inspect(name), state.phase == .running {
                try? await engine.stop(name, graceSeconds: settings.graceSeconds)
            }
            await remove(id, keepingFor: settings.keepSeconds)
        }
    }

    /// What is not removed now is found by the next sweep.
    private func remove(_ id: String, keepingFor seconds: Int) async {
        guard ProcessName.isID(id) else { return }
        let name = order.name(id)
        do throws(EngineTrouble) {
            guard let state = try await engine.inspect(name), state.phase != .running else { return }
            if let finished = state.finished, clock.now().since(finished) < Milliseconds.of(seconds: seconds) { return }
            try await engine.remove(name)
        } catch {
            logger.warning(
                "a container could not be removed; it is tried again later",
                metadata: ["container": "\(name)", "reason": "\(error)"])
        }
    }

    package func kept() async -> [String] { (try? await engine.works(settings.instance)) ?? [] }

    package func detach() { isDetaching.store(true, ordering: .sequentiallyConsistent) }

    package func admit(_ work: Work) throws(ActorError) { try order.check(work) }
}

/// Runs `body` to its end although the calling task was cancelled: what was started has to be stopped, and a child task
/// would be born cancelled. So it is a task of its own, the only way there is, but not a free one: it is awaited at
/// once, and what it does has time limits of its own, so nothing outlives its caller.
func shielded<Value: Sendable>(_ body: @escaping @Sendable () async -> Value) async -> Value {
    await Task.detached { await body() }.value
}
