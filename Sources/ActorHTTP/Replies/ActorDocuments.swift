import ActorAPI
import ActorCore
import ActorRuntime

/// Actors, executions and nonces as the actors API shows them: every key of the recorded replies.
struct ActorDocuments {
    let baseURL: String
    let generation: ActorsGeneration

    func link(_ path: String) -> JSONValue { .string("\(baseURL)\(generation.linkPrefix)/\(path)") }
    func profile(_ user: String) -> JSONValue { .string("\(baseURL)\(generation.profilePrefix)/\(user)") }

    /// Section 2.1.
    ///
    /// - Parameter due: when its schedule is due next.
    func actor(_ status: ActorStatus, state: JSONValue, due: Timestamp? = nil) -> JSONValue {
        let spec = status.spec
        let definition = spec.definition ?? ActorDefinition(of: spec)
        let own: JSONValue = [
            "_links": [
                "executions": link("\(spec.id)/executions"), "owner": profile(spec.owner), "self": link("\(spec.id)"),
            ],
            "create_time": JSONValue(spec.created), "cron_next_ex": JSONValue(next(spec, definition, due)),
            "cron_on": .bool(definition.cronOn), "cron_schedule": JSONValue(definition.cronSchedule),
            "default_environment": definition.environment, "description": .string(definition.description),
            "gid": .null, "hints": .array(definition.hints.map { .string($0) }), "id": .string(spec.id.rawValue),
            "image": .string(definition.image), "last_update_time": JSONValue(spec.updated),
            "link": .string(definition.link), "log_ex": JSONValue(definition.logSeconds),
            "max_cpus": JSONValue(definition.maxCPUs), "max_workers": JSONValue(definition.maxWorkers),
            "mem_limit": JSONValue(definition.memoryLimit), "mounts": [], "name": JSONValue(definition.name),
            "owner": .string(spec.owner), "privileged": .bool(definition.privileged),
            "queue": .string(definition.queue), "revision": JSONValue(spec.revision), "state": state,
            "stateless": .bool(definition.stateless), "status": .string(status.status),
            "status_message": .string(status.statusMessage), "tasdir": .null, "token": definition.token,
            "type": .string(definition.kind), "uid": .null,
            "use_container_uid": .bool(definition.useContainerUID), "webhook": .string(definition.webhook),
        ]
        return generation == .third ? own.setting("run_as_executor", .bool(definition.runAsExecutor)) : own
    }

    /// When it is due, as old clients read it; a schedule that is off, or that nobody has looked at yet, shows what its
    /// text begins with.
    private func next(_ spec: ActorSpec, _ definition: ActorDefinition, _ due: Timestamp?) -> String? {
        if definition.cronOn, spec.definition == nil, due == nil { return nil }
        guard let plan = spec.schedule ?? definition.plan else { return nil }
        return (due ?? plan.first(at: spec.updated)).map(plan.shown)
    }

    /// Section 6.2.
    ///
    /// - Parameter executor: who sent the message, as old clients are told.
    func execution(_ record: ExecutionRecord, of spec: ActorSpec, executor: String) -> JSONValue {
        let path = "\(record.actor)/executions/\(record.id)"
        let own: JSONValue = [
            "_links": ["logs": link("\(path)/logs"), "owner": profile(spec.owner), "self": link(path)],
            "actor_id": .string(record.actor.rawValue), "api_server": .string(baseURL), "cpu": .int(record.use.cpu),
            "executor": .string(executor), "exit_code": Self.exitCode(record),
            "final_state": Self.finalState(record), "finish_time": Self.time(record.finished),
            "id": .string(record.id.rawValue), "io": .int(record.use.io),
            "message_received_time": JSONValue(record.received),
            "runtime": JSONValue(Self.runtime(record)), "start_time": Self.time(record.started),
            "status": .string(record.status.rawValue),
            "worker_id": JSONValue(record.status == .submitted ? nil : record.worker),
        ]
        // Of the third generation alone; what runs here runs as the daemon says, not as the executor.
        guard generation == .third else { return own }
        return own.setting("executor_uid", .null).setting("executor_gid", .null)
    }

    func executions(
        _ records: [ExecutionRecord], of spec: ActorSpec, totals: ExecutionTotals, keyCase: KeyCase
    ) -> JSONValue {
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
            "owner": .string(spec.owner), "total_cpu": .int(totals.use.cpu),
            "total_executions": JSONValue(totals.count), "total_io": .int(totals.use.io),
            "total_runtime": JSONValue(totals.seconds),
        ]
    }

    /// One of an alias shows the alias where the old service has `None` in its links, which lead nowhere.
    func nonce(_ nonce: Nonce) -> JSONValue {
        let actor = nonce.actor?.rawValue ?? nonce.alias ?? "None"
        let own = nonce.actor == nil ? "aliases/\(actor)" : actor
        return [
            "_links": [
                "actor": link(actor), "owner": profile(nonce.owner), "self": link("\(own)/nonces/\(nonce.id)"),
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

    func alias(_ alias: Alias) -> JSONValue {
        [
            "_links": [
                "actor": link(alias.actor.rawValue), "owner": profile(alias.owner),
                "self": link("aliases/\(alias.name)"),
            ],
            "actor_id": .string(alias.actor.rawValue), "alias": .string(alias.name), "owner": .string(alias.owner),
        ]
    }

    func config(_ config: SharedConfig) -> JSONValue {
        [
            "actors": .string(config.actors), "is_secret": .bool(config.isSecret), "name": .string(config.name),
            "value": .string(config.value),
        ]
    }

    /// What has not happened is the word `None` (section 1.6).
    static func time(_ moment: Timestamp?) -> JSONValue { .string(moment?.iso8601 ?? "None") }

    /// The word of an execution that ended without a code of its own (section 6.2): clients read the key without
    /// asking whether it is there, and in camelCase a null would not be.
    static let undetermined = "undetermined"

    private static func exitCode(_ record: ExecutionRecord) -> JSONValue {
        guard record.finished != nil else { return .null }
        let code = record.exitCode ?? (record.outcome == .succeeded ? 0 : nil)
        return code.map { JSONValue($0) } ?? .string(undetermined)
    }

    static func runtime(_ record: ExecutionRecord) -> Int {
        guard let started = record.started, let finished = record.finished else { return 0 }
        return Int(finished.since(started) / 1000)
    }

    private static func finalState(_ record: ExecutionRecord) -> JSONValue {
        guard let finished = record.finished else { return .null }
        return [
            "Dead": false, "Error": .string(record.reason ?? ""), "ExitCode": exitCode(record),
            "FinishedAt": JSONValue(finished), "OOMKilled": false, "Paused": false, "Pid": 0, "Restarting": false,
            "Running": false, "StartedAt": JSONValue(record.started ?? record.received), "Status": "exited",
        ]
    }
}
