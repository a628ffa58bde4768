import ActorCore
import HTTPTypes

/// The operations of the actors API, once for each of its three prefixes.
struct ActorsAPIOperations {
    private typealias Shapes = ActorsAPIShapes

    let generation: ActorsGeneration

    var all: [Operation] {
        actors + messages + executions + nonces + sharing + aliases + configs + stateAndWorkers + overviews
    }

    private func operation(
        _ method: HTTPRequest.Method, _ path: String, _ id: String, _ summary: String,
        parameters: [Operation.Parameter] = [], body: Operation.Body? = nil, _ answer: Operation.Answer
    ) -> Operation {
        let suffix =
            switch generation {
            case .second: ""
            case .third: "V3"
            case .plain: "Plain"
            }
        return Operation(
            method: method, path: generation.prefix + path, id: id + suffix, summary: summary, area: .actors,
            tag: "actors API", parameters: parameters, body: body, answers: [answer])
    }

    private static let search: [Operation.Parameter] = [
        .query("search", .text, "Words of which one, or quoted phrases of which every one is in what is found."),
        .query("exactsearch", .text), .query("limit", .range(0...SearchQuery.mostLimit)),
        .query("skip", .range(0...1_000_000)),
    ]

    private var actors: [Operation] {
        [
            operation(
                .get, "", "listActors", "The actors that the caller may read; with any parameter a search",
                parameters: Self.search,
                .result(.anyOf([.list(Shapes.actor), Shapes.found("Actor", Shapes.actor)]))),
            operation(
                .post, "", "createActor", "Make an actor", body: .fields(Shapes.newActor), .result(Shapes.actor)),
            operation(.get, "/{id}", "getActor", "One actor", .result(Shapes.actor)),
            operation(
                .put, "/{id}", "updateActor", "Replace an actor: what is left out goes back to its default",
                body: .fields(Shapes.changedActor), .result(Shapes.actor)),
            operation(.delete, "/{id}", "deleteActor", "Delete an actor with its mail", .result(.null)),
        ]
    }

    /// How a message is to be delivered.
    private static let delivery: [Operation.Parameter] = [
        .query("message", .text, "The message itself; comes before the body."),
        .query("_abaco_synchronous", .flag, "Wait, and answer what the execution answered."),
        .query("key", .text, "Messages of one key are handled one after another."),
        .header("Idempotency-Key", .text, "The same key again gives the first answer and runs nothing."),
        .header("Reactord-Key", .text), .header("Reactord-Priority", .range(-9...9)),
        .header("Reactord-Delay", .text, "Seconds, or like 10m, 2h, 3d."), .header("Reactord-Deliver-At", .moment),
        .header("Reactord-Expires-In", .text), .header("Reactord-Expires-At", .moment),
    ]

    private var messages: [Operation] {
        let path = "/{id}/messages"
        let sent = Operation.Answer(
            status: 200,
            content: [
                Operation.Content(media: "application/json", shape: .envelope(Shapes.sent), isSpelled: true),
                Operation.Content(media: "application/octet-stream", shape: .any),
                Operation.Content(media: "text/html", shape: .any),
            ], text: "Accepted and on disk; a synchronous message is answered with its result or its log.")
        return [
            operation(.get, path, "countMessages", "How many messages wait", .result(Shapes.messageCount)),
            operation(
                .post, path, "sendMessage",
                "Send a message; every further query parameter becomes a variable of its execution",
                parameters: Self.delivery,
                body: Operation.Body(
                    content: [
                        Operation.Content(media: "application/json", shape: .any),
                        Operation.Content(media: "application/octet-stream", shape: .any),
                        Operation.Content(media: "application/x-www-form-urlencoded", shape: Shapes.form),
                    ], isRequired: false), sent),
            operation(.delete, path, "deletePendingMessages", "Empty the mailbox", .result(Shapes.purged)),
            operation(
                .post, "\(path)/batch", "sendMessages", "Send many JSON messages, one a line, in one commit",
                parameters: [.header("Idempotency-Key", .text)], body: .bytes("application/x-ndjson"),
                .exact(Shapes.batch)),
        ]
    }

    private var executions: [Operation] {
        let path = "/{id}/executions"
        let one = "\(path)/{execution}"
        let logs = Operation.Answer(
            status: 200,
            content: [
                Operation.Content(
                    media: "application/json",
                    shape: .envelope(.anyOf([Shapes.logs, Shapes.found("Log", Shapes.foundLog)])), isSpelled: true),
                Operation.Content(media: "text/plain", shape: .any),
            ])
        return [
            operation(
                .get, path, "listExecutions", "The newest thousand with totals; with any parameter a search",
                parameters: Self.search,
                .result(.anyOf([Shapes.executions, Shapes.found("Execution", Shapes.foundExecution)]))),
            operation(
                .post, path, "accountExecution", "Refused: executions are accounted for by the daemon",
                body: .fields(Shapes.accounting), .result(.null)),
            operation(.get, one, "getExecution", "One execution", .result(Shapes.execution)),
            operation(.delete, one, "stopExecution", "Stop an execution that runs", .result(.null)),
            operation(
                .get, "\(one)/logs", "getExecutionLogs", "What it printed, live while it runs",
                parameters: [.query("follow", .flag, "Stream as text/plain until it has ended.")] + Self.search, logs),
            operation(
                .get, "\(one)/results", "getExecutionResult", "The next result, which is then gone; empty for none",
                .bytes("application/octet-stream")),
        ]
    }

    private var nonces: [Operation] {
        [("/{id}", ""), ("/aliases/{alias}", "Alias")].flatMap { path, kind in
            [
                operation(
                    .get, "\(path)/nonces", "list\(kind)Nonces", "The nonces that the caller may see",
                    .result(.list(Shapes.nonce))),
                operation(
                    .post, "\(path)/nonces", "create\(kind)Nonce", "Make a nonce", body: .fields(Shapes.newNonce),
                    .result(Shapes.nonce)),
                operation(
                    .get, "\(path)/nonces/{nonce}", "get\(kind)Nonce", "One nonce", .result(Shapes.nonce)),
                operation(.delete, "\(path)/nonces/{nonce}", "delete\(kind)Nonce", "Delete a nonce", .result(.null)),
            ]
        }
    }

    private var sharing: [Operation] {
        [("/{id}", "Actor"), ("/aliases/{alias}", "Alias"), ("/configs/{config}", "Config")].flatMap { path, kind in
            [
                operation(
                    .get, "\(path)/permissions", "list\(kind)Permissions", "Who may do what",
                    .exact(Shapes.permissions)),
                operation(
                    .post, "\(path)/permissions", "set\(kind)Permission", "Replace what a user may do",
                    body: .fields(Shapes.permission), .exact(Shapes.permissions)),
            ]
        }
    }

    private var aliases: [Operation] {
        let one = "/aliases/{alias}"
        return [
            operation(
                .get, "/aliases", "listAliases", "All aliases of the tenant", .result(.list(Shapes.alias))),
            operation(
                .post, "/aliases", "createAlias", "Give an actor another name", body: .fields(Shapes.newAlias),
                .result(Shapes.alias)),
            operation(.get, one, "getAlias", "One alias", .result(Shapes.alias)),
            operation(
                .put, one, "updateAlias", "Let an alias lead to another actor", body: .fields(Shapes.aliasTarget),
                .result(Shapes.alias)),
            operation(.delete, one, "deleteAlias", "Delete an alias with its nonces", .result(.null)),
        ]
    }

    private var configs: [Operation] {
        let one = "/configs/{config}"
        return [
            operation(
                .get, "/configs", "listConfigs", "All shared configs of the tenant", .result(.list(Shapes.config))),
            operation(
                .post, "/configs", "createConfig", "Give several actors a value", body: .fields(Shapes.newConfig),
                .result(Shapes.config)),
            operation(.get, one, "getConfig", "One shared config", .result(Shapes.config)),
            operation(
                .put, one, "updateConfig", "Replace a shared config", body: .fields(Shapes.changedConfig),
                .result(Shapes.config)),
            operation(.delete, one, "deleteConfig", "Delete a shared config", .result(.null)),
        ]
    }

    private var stateAndWorkers: [Operation] {
        let workers = "/{id}/workers"
        return [
            operation(
                .get, "/{id}/state", "getState", "The state, with its revision as `ETag`", .result(Shapes.state)),
            operation(
                .post, "/{id}/state", "updateState", "Replace the state",
                parameters: [.header("If-Match", .text, "The ETag that must still hold, else 412.")],
                body: .json(.any), .result(Shapes.actor)),
            operation(.get, workers, "listWorkers", "The actor's slots", .result(.list(Shapes.worker))),
            operation(
                .post, workers, "ensureWorkers", "See to it that there are so many; for admins",
                body: .fields(Shapes.workerCount), .result(.null)),
            operation(.get, "\(workers)/{worker}", "getWorker", "One slot", .result(Shapes.worker)),
            operation(
                .delete, "\(workers)/{worker}", "stopWorker", "Let a slot go when it is idle", .result(.null)),
        ]
    }

    private var overviews: [Operation] {
        let found = [
            Shapes.found("Actor", Shapes.actor), Shapes.found("Execution", Shapes.foundExecution),
            Shapes.found("Worker", Shapes.foundWorker), Shapes.found("Log", Shapes.foundLog),
        ]
        return [
            operation(
                .get, "/search/{subject}", "search",
                "Search actors, executions, workers or logs; `field=value` and `field.op=value` are conditions",
                parameters: Self.search, .result(.anyOf(found))),
            operation(
                .get, "/utilization", "getUtilization", "The house at a glance", .exact(Shapes.utilization)),
            operation(
                .get, "/admin", "listAllActors", "Every actor of the tenant; for admins",
                .result(.list(Shapes.adminActor))),
            operation(
                .get, "/admin/workers", "listAllWorkers", "Every worker; for admins", .result(Shapes.adminWorkers)),
            operation(
                .get, "/admin/executions", "sumExecutions", "Executions by actor; for admins",
                .result(Shapes.adminExecutions)),
        ]
    }
}
