internal import ActorCore
internal import Logging

/// Sends each scheduled actor its message when it is due: once per due moment, also across restarts.
final class Scheduler: Sendable {
    private let environment: RuntimeEnvironment
    /// Rung when the actors change.
    let bell = Bell()

    init(environment: RuntimeEnvironment) { self.environment = environment }

    func run() async {
        bell.ring()
        await withDiscardingTaskGroup { group in
            var armed: Timestamp?
            for await _ in bell.rings {
                guard !environment.isDraining() else { continue }
                guard let next = await fireDue() else { continue }
                if let moment = armed, moment <= next, moment > environment.clock.now() { continue }
                armed = next
                group.addTask {
                    try? await self.environment.clock.sleep(until: next)
                    self.bell.ring()
                }
            }
            group.cancelAll()
        }
    }

    /// Sends what is due and answers when something is due next.
    private func fireDue() async -> Timestamp? {
        var earliest: Timestamp?
        do {
            let runs = try await environment.store.scheduledRuns()
            for spec in environment.directory.all.map(\.spec) {
                guard let schedule = spec.schedule else { continue }
                let now = environment.clock.now()
                // A moment on record that lies behind the next one was chosen before the clock was set back. Moments
                // that come a second time find their key used.
                let moments = [runs[spec.id], schedule.next(after: now)]
                guard let due = moments.compactMap(\.self).min() else { continue }
                var next = due
                if due <= now {
                    try await send(spec, due: due)
                    // Moments missed while the daemon was down are made up for once, not one by one.
                    guard let following = schedule.next(after: now) else { continue }
                    next = following
                }
                if runs[spec.id] != next { try await environment.store.setScheduledRun(spec.id, at: next) }
                earliest = min(earliest ?? next, next)
            }
        } catch {
            environment.logger.error(
                "schedules could not be read or sent; trying again in a minute",
                metadata: [LogKeys.error: "\(error)"])
            return environment.clock.now().adding(milliseconds: 60000)
        }
        return earliest
    }

    private func send(_ spec: ActorSpec, due: Timestamp) async throws(ActorError) {
        let body = "This is your cron execution"
        _ = try await environment.bus.send(
            MessageDraft(
                actor: spec.id, body: Array(body.utf8), kind: .text,
                environment: [EnvironmentEntry("REACTORD_DUE", due.iso8601)], sender: "cron",
                idempotency: IdempotencyKey(key: "cron:\(due.milliseconds)")))
        environment.logger.debug("a scheduled message was sent", metadata: [LogKeys.actor: "\(spec.name)"])
    }
}
