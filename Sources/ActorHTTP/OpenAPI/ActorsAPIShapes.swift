import ActorCore

/// What the actors API takes and answers, with its names in snake_case.
enum ActorsAPIShapes {
    private static let environment = Shape.map(.any)
    private static let levels = Shape.words(PermissionLevel.allCases.map(\.rawValue))

    private static func links(_ names: String...) -> Field {
        .has("_links", .members(names.map { Field.has($0, .text) }))
    }

    /// Shown and set alike.
    private static let definition: [Field] = [
        .has("image", .text, "What it runs: an image that config.yml or the container executor knows."),
        .may("name", .text), .may("description", .text), .may("type", .text), .may("link", .text),
        .may("webhook", .text), .may("stateless", .anyOf([.flag, .words(["true", "false"])])),
        .may("token", .anyOf([.flag, .words(["true", "false"])])), .may("hints", .list(.text)),
        .may("default_environment", environment), .may("privileged", .flag),
        .may("max_workers", .maybe(.range(1...WorkerBoard.most))), .may("mem_limit", .maybe(.text)),
        .may("max_cpus", .maybe(.integer)), .may("use_container_uid", .flag), .may("queue", .text),
        .may("log_ex", .maybe(.integer), "Seconds for which logs are kept."),
        .may("cron_schedule", .maybe(.text)), .may("cron_on", .flag), .may("run_as_executor", .flag),
        .may("message_schema", .any, "A JSON schema (draft 7) that its messages must match."),
        .may("webhook_secret", .text, "whsec_…: signs what the webhook is sent; stays when left out, \"\" ends it."),
    ]
    static let newActor = Shape.named("ActorDescription", .members(definition))
    static let changedActor = Shape.named(
        "ActorReplacement", .members(definition + [.may("force", .any, "Anything truthy makes a new revision.")]))

    private static let actorFields: [Field] = [
        links("executions", "owner", "self"), .has("create_time", .moment), .has("cron_next_ex", .maybe(.text)),
        .has("cron_on", .flag), .has("cron_schedule", .maybe(.text)), .has("default_environment", environment),
        .has("description", .text), .has("gid", .maybe(.integer)), .has("hints", .list(.text)), .has("id", .text),
        .has("image", .text), .has("last_update_time", .moment), .has("link", .text),
        .has("log_ex", .maybe(.integer)), .has("max_cpus", .maybe(.integer)),
        .has("max_workers", .maybe(.integer)), .has("mem_limit", .maybe(.text)), .has("mounts", .list(.any)),
        .has("name", .maybe(.text)), .has("owner", .text), .has("privileged", .flag), .has("queue", .text),
        .has("revision", .integer), .has("state", .any), .has("stateless", .flag),
        .has("status", .words(["SUBMITTED", "READY", "ERROR", "SHUTTING_DOWN"])), .has("status_message", .text),
        .has("tasdir", .maybe(.text)), .has("token", .any), .has("type", .text), .has("uid", .maybe(.integer)),
        .has("use_container_uid", .flag), .has("webhook", .text), .may("message_schema", .any),
        .may("run_as_executor", .flag, "Of the third generation."),
        .may("webhook_signed", .flag, "Its events are signed as Standard Webhooks."),
    ]
    static let actor = Shape.named("Actor", .members(actorFields))
    static let adminActor = Shape.named(
        "AdminActor",
        .members(
            actorFields + [
                .has("tenant", .text), .has("db_id", .text), .has("messages", .integer), .has("workers", .integer),
            ]))

    static let messageCount = Shape.named(
        "MessageCount", .object(links("owner", "self"), .has("messages", .integer)))
    static let purged = Shape.named("Purged", .object(links("owner", "self"), .has("msg", .text)))
    static let sent = Shape.named(
        "Sent",
        .object(
            links("messages", "owner", "self"), .has("execution_id", .text),
            .may("msg", .any, "The message as it was understood.")))
    static let form = Shape.named("MessageForm", .object(.has("message", .text)))
    static let batch = Shape.named(
        "Batch",
        .object(
            .has("accepted", .integer), .has("refused", .integer),
            .has(
                "results",
                .list(
                    .object(
                        .has("line", .integer), .may("execution_id", .text),
                        .may("status", .integer, "Of a refused one: the HTTP status that it would have had alone."),
                        .may("error", .text), .may("offset", .integer))))))

    private static let executionStatus = Shape.words(ExecutionStatus.allCases.map(\.rawValue))
    private static let executionFields: [Field] = [
        links("logs", "owner", "self"), .has("actor_id", .text), .has("cpu", .integer), .has("executor", .text),
        .has("exit_code", .maybe(.anyOf([.integer, .words([ActorDocuments.undetermined])]))),
        .has("final_state", .maybe(.map(.any))),
        .has("finish_time", .text, "A moment, or the word None."), .has("id", .text), .has("io", .integer),
        .has("message_received_time", .moment), .has("runtime", .integer, "Whole seconds."),
        .has("start_time", .text, "A moment, or the word None."), .has("status", executionStatus),
        .has("worker_id", .maybe(.text)), .may("executor_uid", .maybe(.integer), "Of the third generation."),
        .may("executor_gid", .maybe(.integer), "Of the third generation."),
    ]
    static let execution = Shape.named(
        "ActorExecution", .members(executionFields + [.has("api_server", .text)]))
    static let foundExecution = Shape.named("FoundExecution", .members(executionFields))
    static let executions = Shape.named(
        "ActorExecutions",
        .object(
            links("owner", "self"), .has("actor_id", .text), .has("api_server", .text),
            .has(
                "executions",
                .spelled(
                    .list(
                        .object(
                            .has("finish_time", .text), .has("id", .text), .has("message_received_time", .moment),
                            .has("start_time", .text), .has("status", executionStatus))))), .has("owner", .text),
            .has("total_cpu", .integer), .has("total_executions", .integer), .has("total_io", .integer),
            .has("total_runtime", .integer)))
    static let accounting = Shape.named(
        "Accounting", .object(.may("runtime", .integer), .may("cpu", .integer), .may("io", .integer)))
    static let logs = Shape.named("Logs", .object(links("execution", "owner", "self"), .has("logs", .text)))
    static let foundLog = Shape.named(
        "FoundLog",
        .object(
            links("execution", "owner", "self"), .has("actor_id", .text), .has("execution_id", .text),
            .has("logs", .text)))

    static let newNonce = Shape.named(
        "NonceDescription",
        .object(
            .may("level", levels), .may("max_uses", .integer, "-1 stands for any number."), .may("description", .text)))
    static let nonce = Shape.named(
        "Nonce",
        .object(
            links("actor", "owner", "self"), .has("actor_id", .maybe(.text)), .has("alias", .maybe(.text)),
            .has("api_server", .text), .has("create_time", .moment), .has("current_uses", .integer),
            .has("description", .text), .has("id", .text, "What opens; whoever reads it can use it."),
            .has("last_use_time", .text, "A moment, or the word None."), .has("level", levels),
            .has("max_uses", .integer), .has("owner", .text), .has("remaining_uses", .integer),
            .has("roles", .list(.text))))

    static let permission = Shape.named(
        "Permission", .object(.has("user", .text, "ABACO_WORLD stands for everybody."), .has("level", levels)))
    static let permissions = Shape.named("Permissions", .map(levels))

    static let newAlias = Shape.named(
        "AliasDescription", .object(.has("alias", .text), .has("actor_id", .text)))
    static let aliasTarget = Shape.named("AliasTarget", .object(.has("actor_id", .text)))
    static let alias = Shape.named(
        "Alias",
        .object(
            links("actor", "owner", "self"), .has("actor_id", .text), .has("alias", .text), .has("owner", .text)))

    private static let configFields: [Field] = [
        .has("name", .text), .has("value", .text), .has("is_secret", .flag),
        .has("actors", .text, "Ids or aliases, with commas between them."),
    ]
    static let config = Shape.named("Config", .members(configFields))
    static let newConfig = Shape.named(
        "ConfigDescription",
        .object(.has("name", .text), .has("value", .any), .has("actors", .text), .may("is_secret", .flag)))
    static let changedConfig = Shape.named(
        "ConfigReplacement", .object(.has("value", .any), .has("actors", .text), .may("is_secret", .flag)))

    static let state = Shape.named("State", .object(.has("state", .any)))

    private static let workerFields: [Field] = [
        .has("ch_name", .text), .has("cid", .text), .has("create_time", .moment), .has("host_id", .text),
        .has("host_ip", .text), .has("id", .text), .has("image", .text), .has("last_execution_time", .any),
        .has("last_health_check_time", .moment), .has("location", .text), .has("status", .text),
    ]
    static let worker = Shape.named("Worker", .members(workerFields + [.has("tenant", .text)]))
    static let foundWorker = Shape.named("FoundWorker", .members(workerFields + [.has("actor_id", .text)]))
    static let workerCount = Shape.named(
        "WorkerCount", .object(.may("num", .range(0...WorkerBoard.most), "How many there shall be.")))
    static let adminWorkers = Shape.named(
        "AdminWorkers",
        .object(
            .has("summary", .map(.integer)),
            .has("workers", .list(.members(workerFields + [.has("tenant", .text), .has("actor_id", .text)])))))
    static let adminExecutions = Shape.named(
        "AdminExecutions",
        .object(
            .has("summary", .map(.integer)),
            .has(
                "actors",
                .list(
                    .object(
                        .has("actor_id", .text), .has("owner", .text), .has("image", .text),
                        .has("total_executions", .integer), .has("total_execution_cpu", .integer),
                        .has("total_execution_io", .integer), .has("total_execution_runtime", .integer))))))
    static let utilization = Shape.named(
        "Utilization",
        .object(
            .has("currentActors", .integer), .has("totalActors", .integer), .has("workers", .integer),
            .has("commandQueue", .integer)))

    /// What a search answers, whatever was searched.
    static func found(_ name: String, _ item: Shape) -> Shape {
        .named(
            "Found\(name)s",
            .object(
                .has(
                    "_metadata",
                    .spelled(
                        .object(
                            .has("count_returned", .integer), .has("record_limit", .integer),
                            .has("records_skipped", .integer), .has("total_count", .integer)))),
                .has("search", .spelled(.withNulls(.list(item))))))
    }
}
