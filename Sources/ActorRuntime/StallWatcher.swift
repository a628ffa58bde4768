internal import ActorCore
internal import Logging

/// Looks for jobs that have not moved for their pipeline's limit, and tells the actor that keeps the jobs, which flags
/// them.
package final class StallWatcher: Sendable {
    private static let batch = 100
    private static let page = 1000
    private static let shortestPause: Int64 = 1000
    private static let usual: Int64 = 30_000

    private let system: ActorSystem
    private let manager: String
    private let tenant: String

    /// - Parameter manager: alias or id of the actor that keeps the jobs; the limits stand in its settings.
    package init(system: ActorSystem, manager: String, tenant: String) {
        self.system = system
        self.manager = manager
        self.tenant = tenant
    }

    /// Until the task is cancelled or the system drains.
    package func run() async {
        while !Task.isCancelled, system.isAccepting {
            var pause = Self.usual
            do throws(ActorError) {
                pause = try await look()
            } catch {
                system.logger.error(
                    "jobs that stand still could not be looked for; trying again",
                    metadata: [LogKeys.error: "\(error)"])
            }
            do {
                try await system.clock.sleep(milliseconds: max(Self.shortestPause, pause))
            } catch {
                return
            }
        }
    }

    /// One look; answers after how many milliseconds to look again.
    func look() async throws(ActorError) -> Int64 {
        // A house without that actor keeps no jobs.
        guard let spec = try? system.resolve(manager, tenant: tenant) else { return Self.usual }
        let seconds = spec.settings["stall_check_seconds"]?.double ?? Double(Self.usual / 1000)
        let machine = try await machine(spec.settings)
        let now = system.now()
        if let horizon = machine.horizon(now: now) {
            let standing = try await system.store.standing(since: horizon, limit: Self.page)
            let stalled = machine.stalled(standing, now: now).prefix(Self.batch)
            if !stalled.isEmpty {
                let body: JSONValue = [
                    "kind": "stalled", "jobs": .array(stalled.map { .string($0.job.rawValue) }),
                ]
                _ = try await system.send(
                    MessageDraft(actor: spec.id, body: JSONWriter.bytes(body), sender: "stall-watch"))
            }
        }
        return Int64(max(0, min(seconds, 86400)) * 1000)
    }

    /// Every pipeline's own limit beside the house's.
    private func machine(_ settings: JSONValue) async throws(ActorError) -> StallMachine {
        var pipelines: [PipelineRecord] = []
        var cursor: PipelineID?
        repeat {
            let page = try await system.store.pipelines(after: cursor, limit: Self.page)
            pipelines += page.pipelines
            cursor = page.next
        } while cursor != nil
        return StallMachine(house: settings, pipelines: pipelines)
    }
}
