import ActorCore

/// What the daemon's own API takes and answers. Documents that Reactors keep are open: their fields are their business.
enum DaemonShapes {
    static let open = Shape.map(.any)

    /// `{"<plural>": […], "next": cursor|null}`.
    static func page(_ plural: String, _ item: Shape) -> Shape {
        .object(.has(plural, .list(item)), .has("next", .maybe(.text), "The cursor of the following page."))
    }

    static let problem = Shape.object(
        .has("type", .text), .has("title", .text), .has("status", .integer), .has("detail", .text),
        .may("errors", .list(.object(.has("place", .text), .has("problem", .text)))))
    static let refusal = Shape.object(
        .has("message", .text), .has("status", .words(["error"])), .has("version", .text), .has("result", .null))

    static let actor = Shape.named(
        "ActorSummary",
        .object(
            .has("id", .text), .has("name", .text), .has("description", .text), .has("run", .text),
            .has("status", .text), .has("status_message", .text), .has("stateless", .flag),
            .has("max_workers", .integer), .has("waiting", .integer), .has("running", .integer),
            .has("revision", .integer), .has("folder", .maybe(.text)), .has("link", .maybe(.text)),
            .has("schedule", .maybe(.text))))
    static let actors = Shape.named(
        "ActorSummaries",
        .object(
            .has("actors", .list(actor)),
            .has(
                "quarantined",
                .list(
                    .object(
                        .has("folder", .text), .has("file", .text), .has("line", .maybe(.integer)),
                        .has("reason", .text), .has("goes_on", .flag)))), .has("next", .maybe(.text))))
    static let nonce = Shape.named(
        "NonceSummary",
        .object(
            .has("id", .text), .has("actor_id", .maybe(.text)), .has("alias", .maybe(.text)), .has("owner", .text),
            .has("roles", .list(.text)), .has("level", .text), .has("max_uses", .integer),
            .has("current_uses", .integer), .has("remaining_uses", .integer), .has("description", .text),
            .has("create_time", .moment), .has("last_use_time", .maybe(.moment))))
    static let newNonce = Shape.object(
        .may("level", .words(PermissionLevel.allCases.map(\.rawValue))), .may("max_uses", .integer),
        .may("description", .text))

    static let attempt = Shape.named(
        "Attempt",
        .object(
            .has("number", .integer), .has("started", .moment), .has("finished", .moment), .has("outcome", .text),
            .has("exit_code", .maybe(.integer)), .has("reason", .maybe(.text))))
    private static let executionFields: [Field] = [
        .has("id", .text), .has("actor_id", .text), .has("actor", .text),
        .has("status", .words(ExecutionStatus.allCases.map(\.rawValue))), .has("outcome", .maybe(.text)),
        .has("exit_code", .maybe(.integer)), .has("reason", .maybe(.text)), .has("attempts", .integer),
        .has("sender", .text), .has("cause", .maybe(.text)), .has("received", .moment),
        .has("started", .maybe(.moment)), .has("finished", .maybe(.moment)), .has("result", .any),
        .may("attempt_list", .list(attempt)),
    ]
    static let execution = Shape.named("Execution", .members(executionFields))
    static let wait = Shape.named(
        "Wait",
        .object(
            .has("execution_id", .text), .has("status", .text),
            .has("waits_for", .list(.object(.has("reason", .text), .has("text", .text)))), .has("before", .integer),
            .has("before_is_lower_bound", .flag)))

    private static let letterFields: [Field] = [
        .has("id", .integer), .has("actor_id", .text), .has("actor", .text), .has("execution_id", .text),
        .has("reason", .text), .has("attempts", .integer), .has("parked", .moment),
        .has("replayed_as", .maybe(.text)), .has("message", .text),
    ]
    static let letter = Shape.named("DeadLetter", .members(letterFields))
    static let letterDetail = Shape.named(
        "DeadLetterDetail",
        .members(
            letterFields + [
                .has("sender", .text), .has("received", .moment), .has("attempt_list", .list(attempt)),
                .has("log", .text),
            ]))
    static let replayed = Shape.object(
        .has("replayed", .list(.object(.has("id", .integer), .has("execution_id", .text)))),
        .has("next", .maybe(.text)))

    static let subscription = Shape.named(
        "Subscription",
        .object(
            .has("id", .text), .has("protocol", .text), .has("sink", .text), .has("types", .list(.text)),
            .may("source", .text), .has("filters", .list(open)), .has("description", .text), .has("owner", .text),
            .has("enabled", .flag), .may("disabled_reason", .text), .has("waiting", .integer),
            .has("delivered", .integer), .has("given_up", .integer), .has("dropped", .integer),
            .has("created", .moment), .has("updated", .moment), .may("previous_secret_expires", .moment),
            .may("secret", .text, "Shown when it is made, and never again.")))
    private static let subscriptionFields: [Field] = [
        .may("types", .list(.words(CloudEvent.types))), .may("source", .maybe(.text)), .may("filters", .list(open)),
        .may("description", .text), .may("enabled", .flag), .may("job", .text), .may("pipeline", .text),
        .may("protocol", .words(["HTTP"])),
    ]
    static let newSubscription = Shape.named(
        "SubscriptionDescription",
        .members([.has("sink", .text, "Where events are posted, https:// or http://.")] + subscriptionFields))
    static let changedSubscription = Shape.named(
        "SubscriptionChange", .members([.may("sink", .text)] + subscriptionFields))
    static let delivery = Shape.named(
        "Delivery",
        .object(
            .has("id", .integer), .has("event_id", .text), .has("type", .text),
            .has("state", .words(["waiting", "delivered", "given_up"])), .has("attempts", .integer),
            .has("next_attempt", .maybe(.moment)), .has("reason", .maybe(.text)), .has("created", .moment)))
    static let audit = Shape.object(
        .has("at", .moment), .has("who", .text), .has("action", .text), .has("target", .text), .has("outcome", .text))

    static let job = Shape.named("Job", .object(.has("uuid", .text), .has("pipeline_uuid", .text)))
    static let history = Shape.object(.has("history", .list(open)), .has("refused", .list(open)))
    static let verification = Shape.object(
        .has("uuid", .text), .has("ok", .flag), .has("lines", .integer), .has("head", .text),
        .has("problems", .list(.text)))
    static let jobFiles = Shape.object(
        .has("files", .list(.object(.has("path", .text), .has("bytes", .integer)))), .has("next", .maybe(.text)))
    static let counts = Shape.object(
        .has("counts", .map(.integer)), .has("total", .integer), .has("stalled", .integer))
    static let graph = Shape.object(
        .has("root", .text), .has("nodes", .list(open)), .has("edges", .list(open)), .has("truncated", .flag))
    static let pipeline = Shape.named(
        "Pipeline",
        .object(
            .has("uuid", .text), .has("name", .text), .has("generation", .integer), .has("description", .text),
            .has("components", .any), .has("settings", .any), .has("enabled", .flag), .has("owner", .text),
            .has("created", .moment), .has("updated", .moment), .has("revision", .integer)))
    static let newJob = Shape.object(
        .has("pipeline_uuid", .text, "The UUID of a pipeline."), .may("data", open), .may("dry_run", .flag))
    static let newPipeline = Shape.object(.has("name", .text), .may("components", .any))
    static let event = Shape.object(.has("event", .text), .may("data", .any), .may("token", .text))
    static let token = Shape.object(.may("token", .text))
    static let watch = Shape.named(
        "Watch",
        .object(
            .has("id", .text), .has("job", .maybe(.text)), .has("pipeline", .maybe(.text)), .has("actor_id", .text),
            .has("actor", .maybe(.text)), .has("owner", .text), .has("created", .moment)))
    static let newWatch = Shape.object(.has("actor", .text), .may("job", .text), .may("pipeline", .text))
    static let upload = Shape.named("Upload", .object(.has("id", .text)))
    static let receiving = Shape.object(
        .has("id", .text), .has("path", .text), .has("state", .text), .has("offset", .integer),
        .has("length", .maybe(.integer)))
    static let stored = Shape.object(.has("path", .text), .has("bytes", .integer), .has("sha256", .text))
    private static let taken = Shape.object(.has("new", .integer), .has("present", .integer))
    static let imported = Shape.named(
        "Imported",
        .object(
            .has("dry_run", .flag), .has("actors", taken), .has("aliases", taken), .has("configs", taken),
            .has("nonces", taken), .has("permissions", taken),
            .has("warnings", .list(.object(.has("place", .text), .has("problem", .text))))))
    static let machine = Shape.object(
        .has("machine", .text), .has("initial", .text), .has("states", .list(.text)), .has("events", .list(open)),
        .has("transitions", .map(.map(.maybe(.text)))), .has("machines", .list(.text)))
}
