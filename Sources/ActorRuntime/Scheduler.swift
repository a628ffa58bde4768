internal import ActorCore
internal import Logging

/// Plays the schedules of the actors: keeps their plans, sends what is due, sleeps until the next moment.
final class Scheduler: Sendable {
    /// Who sends what a schedule asks for, and the variable that says for which moment it is.
    static let (sender, due) = ("cron", "REACTORD_DUE")

    private let environment: RuntimeEnvironment
    /// Rung when the actors change.
    let bell = Bell()

    init(environment: RuntimeEnvironment) { self.environment = environment }

    func run() async {
        bell.ring()
        let began = environment.clock.now()
        await withDiscardingTaskGroup { group in
            var armed: Timestamp?
            for await _ in bell.rings {
                guard !environment.isDraining() else { continue }
                guard let next = await playAll(began) else { continue }
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

    /// Answers when something is due next. An actor whose message cannot be sent holds back no other.
    private func playAll(_ began: Timestamp) async -> Timestamp? {
        var earliest: Timestamp?
        do {
            let plans = try await environment.store.schedules()
            for spec in environment.directory.all.map(\.spec) {
                var wake: Timestamp?
                do {
                    wake = try await play(spec, plans[spec.id], began)
                } catch {
                    environment.logger.error(
                        "a scheduled message could not be sent; trying again in a minute",
                        metadata: [LogKeys.actor: "\(spec.word)", LogKeys.error: "\(error)"])
                    wake = inAMinute
                }
                if let wake { earliest = min(earliest ?? wake, wake) }
            }
        } catch {
            environment.logger.error(
                "the schedules could not be read; trying again in a minute",
                metadata: [LogKeys.error: "\(error)"])
            return inAMinute
        }
        return earliest
    }

    private var inAMinute: Timestamp { environment.clock.now().adding(milliseconds: 60000) }

    /// Does what is due for one actor; answers when to look again.
    private func play(
        _ spec: ActorSpec, _ plan: ScheduleRecord?, _ began: Timestamp
    ) async throws(ActorError) -> Timestamp? {
        guard let schedule = spec.schedule else {
            // A schedule that comes back later begins anew: it has missed nothing.
            if plan != nil { try await environment.store.setSchedule(nil, of: spec.id) }
            return nil
        }
        var machine = ScheduleMachine(schedule: schedule, overlap: spec.overlap, stored: plan, began: began)
        while true {
            let now = environment.clock.now()
            let previousRuns = try await isUnderWay(machine.previous(now: now))
            switch machine.look(now: now, previousRuns: previousRuns) {
            case .keep(let record):
                try await environment.store.setSchedule(record, of: spec.id)
                machine.kept()
            case .send(let due): machine.sent(try await send(spec, due: due), now: now)
            case .skip(let due):
                environment.logger.debug(
                    "a scheduled message is left out: the run before it has not ended",
                    metadata: [LogKeys.actor: "\(spec.word)", LogKeys.due: "\(due.iso8601)"])
            case .wait(let moment): return moment
            case .rest:
                if plan != nil { try await environment.store.setSchedule(nil, of: spec.id) }
                return nil
            }
        }
    }

    private func isUnderWay(_ execution: ExecutionID?) async throws(ActorError) -> Bool {
        guard let execution, let record = try await environment.store.execution(execution) else { return false }
        return record.finished == nil
    }

    private func send(_ spec: ActorSpec, due: Timestamp) async throws(ActorError) -> ExecutionID {
        let body = "This is your cron execution"
        let receipt = try await environment.bus.send(
            MessageDraft(
                actor: spec.id, body: Array(body.utf8), kind: .text,
                environment: [EnvironmentEntry(Self.due, due.iso8601)], sender: Self.sender,
                idempotency: IdempotencyKey(key: "cron:\(due.milliseconds)")))
        environment.logger.debug(
            "a scheduled message was sent",
            metadata: [LogKeys.actor: "\(spec.word)", LogKeys.due: "\(due.iso8601)"])
        return receipt.execution
    }
}
