import ActorAPI
import ActorCore
import ActorRuntime

/// Actors, executions and nonces as the actors API shows them: every key of the recorded replies.
struct ActorDocuments {
    let baseURL: String
    let generation: ActorsGeneration

    func link(_ path: String) -> JSONValue { .string("\(baseURL)\(generation.linkPrefix)/\(path)") }
    func profile(_ user: String) -> JSONValue { .string("\(baseURL)\(generation.profilePrefix)/\(user)") }

    /// Section 2.1. What this daemon has no notion of keeps its default.
    ///
    /// - Parameter due: when its schedule is due next.
    func actor(_ status: ActorStatus, state: JSONValue, due: Timestamp? = nil) -> JSONValue {
        let spec = status.spec
        return [
            "_links": [
                "executions": link("\(spec.id)/executions"), "owner": profile(spec.owner), "self": link("\(spec.id)"),
            ],
            "create_time": JSONValue(spec.created),
            "cron_next_ex": JSONValue(due.flatMap { spec.schedule?.shown($0) }), "cron_on": .bool(spec.schedule != nil),
            "cron_schedule": JSONValue(spec.schedule?.text),
            "default_environment": .object(
                spec.environment.map { JSONValue.Member($0.name, .string($0.value)) }),
            "description": .string(spec.description), "gid": .null, "hints": [], "id": .string(spec.id.rawValue),
            "image": .string(spec.run.image), "last_update_time": JSONValue(spec.updated),
            "link": .string(spec.link ?? ""), "log_ex": .null, "max_cpus": .null,
            "max_workers": spec.stateless && spec.maxWorkers > 1 ? JSONValue(spec.maxWorkers) : .null,
            "mem_limit": .null, "mounts": [], "name": .string(spec.name), "owner": .string(spec.owner),
            "privileged": false, "queue": "default", "revision": JSONValue(spec.revision), "state": state,
            "stateless": .bool(spec.stateless), "status": .string(status.status),
            "status_message": .string(status.statusMessage), "tasdir": .null, "token": "false", "type": "none",
            "uid": .null, "use_container_uid": false, "webhook": "",
        ]
    }

    func execution(_ record: ExecutionRecord, of spec: ActorSpec) -> JSONValue {
        let path = "\(record.actor)/executions/\(record.id)"
        let isWaiting = record.status == .submitted
        return [
            "_links": ["logs": link("\(path)/logs"), "owner": profile(spec.owner), "self": link(path)],
            "actor_id": .string(record.actor.rawValue), "api_server": .string(baseURL), "cpu": 0,
            "executor": .string(record.sender), "exit_code": JSONValue(Self.exitCode(record)),
            "final_state": Self.finalState(record), "finish_time": Self.time(record.finished),
            "id": .string(record.id.rawValue), "io": 0, "message_received_time": JSONValue(record.received),
            "runtime": JSONValue(Self.runtime(record)), "start_time": Self.time(record.started),
            "status": .string(record.status.rawValue),
            "worker_id": isWaiting ? .null : .string("\(record.actor)-1"),
        ]
    }

    func executions(_ records: [ExecutionRecord], of spec: ActorSpec, keyCase: KeyCase) -> JSONValue {
        let items = records.map { record -> JSONValue in
            keyCase.applied(to: [
                "finish_time": Self.time(record.finished), "id": .string(record.id.rawValue),
                "message_received_time": JSONValue(record.received), "start_time": Self.time(record.started),
                "status": .string(record.status.rawValue),
            ])
        }
        return [
            "_links": ["owner": profile(spec.owner), "self": link("\(spec.id)/executions")],
            "actor_id": .string(spec.id.rawValue), "api_server": .string(baseURL), "executions": .array(items),
            "owner": .string(spec.owner), "total_cpu": 0, "total_executions": JSONValue(records.count),
            "total_io": 0, "total_runtime": JSONValue(records.map(Self.runtime).reduce(0, +)),
        ]
    }

    func nonce(_ nonce: Nonce) -> JSONValue {
        let actor = nonce.actor?.rawValue ?? nonce.alias ?? "None"
        return [
            "_links": [
                "actor": link(actor), "owner": profile(nonce.owner), "self": link("\(actor)/nonces/\(nonce.id)"),
            ],
            "actor_id": JSONValue(nonce.actor?.rawValue), "alias": JSONValue(nonce.alias),
            "api_server": .string(baseURL), "create_time": JSONValue(nonce.created),
            "current_uses": JSONValue(nonce.currentUses), "description": .string(nonce.description),
            "id": .string(nonce.id.rawValue), "last_use_time": Self.time(nonce.lastUsed),
            "level": .string(nonce.level.rawValue), "max_uses": JSONValue(nonce.maxUses),
            "owner": .string(nonce.owner), "remaining_uses": JSONValue(nonce.remainingUses),
            "roles": .array(nonce.roles.map { .string($0.rawValue) }),
        ]
    }

    /// What has not happened is the word `None` (section 1.6).
    private static func time(_ moment: Timestamp?) -> JSONValue { .string(moment?.iso8601 ?? "None") }

    private static func exitCode(_ record: ExecutionRecord) -> Int? {
        record.exitCode ?? (record.outcome == .succeeded ? 0 : nil)
    }

    private static func runtime(_ record: ExecutionRecord) -> Int {
        guard let started = record.started, let finished = record.finished else { return 0 }
        return Int(finished.since(started) / 1000)
    }

    private static func finalState(_ record: ExecutionRecord) -> JSONValue {
        guard let finished = record.finished else { return .null }
        return [
            "Dead": false, "Error": .string(record.reason ?? ""), "ExitCode": JSONValue(exitCode(record)),
            "FinishedAt": JSONValue(finished), "OOMKilled": false, "Paused": false, "Pid": 0, "Restarting": false,
            "Running": false, "StartedAt": JSONValue(record.started ?? record.received), "Status": "exited",
        ]
    }
}
