import ActorCore
import ActorRuntime

/// What a message waits for, in words for people and in codes for scripts.
enum WaitReportJSON {
    static func json(of report: WaitReport) -> JSONValue {
        [
            "execution_id": .string(report.execution.rawValue), "status": .string(report.status.rawValue),
            "waits_for": .array(report.reasons.map(json)), "before": JSONValue(report.before),
            "before_is_lower_bound": .bool(report.beforeIsLowerBound),
        ]
    }

    private static func json(_ reason: WaitReport.Reason) -> JSONValue {
        switch reason {
        case .nothing: item("nothing", "it does not wait: it runs, or has ended")
        case .delayed(let until):
            item("delay", "its sender wants it delivered at \(until.iso8601)", ["until": .string(until.iso8601)])
        case .retry(let until, let attempts):
            item(
                "retry", "attempt \(attempts) failed; the next one comes at \(until.iso8601)",
                ["until": .string(until.iso8601), "attempts": JSONValue(attempts)])
        case .lane(let key, let holder, let until): lane(key, holder, until)
        case .retryingKeys(let limit, let until):
            item(
                "retrying_keys",
                "\(limit) keys of its actor wait for a next attempt, as many as may; the first one comes at "
                    + "\(until.iso8601)", ["limit": JSONValue(limit), "until": .string(until.iso8601)])
        case .actorLimit(let limit, let running):
            item(
                "actor_limit", "its actor runs as many messages at once as it may (\(limit))",
                ["limit": JSONValue(limit), "running": .array(running.map { .string($0.rawValue) })])
        case .daemonLimit(let limit):
            item(
                "daemon_limit", "the daemon runs as many messages at once as it may (\(limit))",
                ["limit": JSONValue(limit)])
        case .actorStopped(let reason, let until):
            item(
                "actor_stopped", "its actor does not run: \(reason)",
                ["until": until.map { .string($0.iso8601) } ?? .null])
        case .actorMissing: item("actor_missing", "its actor does not exist any more; its mail is kept")
        case .draining: item("draining", "the daemon is stopping; it runs after the next start")
        case .turn: item("turn", "the messages before it in its mailbox")
        }
    }

    private static func lane(_ key: String?, _ holder: ExecutionID?, _ until: Timestamp?) -> JSONValue {
        let whose = key.map { "of the key \"\($0)\"" } ?? "of its actor, which runs one at a time,"
        let rest = until.map { "waits for its next attempt at \($0.iso8601)" } ?? "has not ended"
        return item(
            "order", "an earlier message \(whose) \(rest)",
            [
                "key": key.map { .string($0) } ?? .null, "holder": holder.map { .string($0.rawValue) } ?? .null,
                "until": until.map { .string($0.iso8601) } ?? .null,
            ])
    }

    private static func item(_ reason: String, _ text: String, _ more: JSONValue = [:]) -> JSONValue {
        var members: [JSONValue.Member] = [
            JSONValue.Member("reason", .string(reason)), JSONValue.Member("text", .string(text)),
        ]
        members += more.object ?? []
        return .object(members)
    }
}
