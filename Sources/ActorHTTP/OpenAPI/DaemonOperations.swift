import ActorAPI
import ActorCore
import HTTPTypes

/// The operations of the daemon's own API, of its logins and of what its operators ask.
enum DaemonOperations {
    private typealias Shapes = DaemonShapes

    /// Everything that is not the actors API.
    static var all: [Operation] {
        actors + executions + deadLetters + subscriptions + logins + operations
            + JobOperations.all
    }

    static func api(
        _ method: HTTPRequest.Method, _ path: String, _ id: String, _ summary: String, tag: String,
        query parameters: [Operation.Parameter] = [], body: Operation.Body? = nil, _ answers: Operation.Answer...
    ) -> Operation {
        Operation(
            method: method, path: path, id: id, summary: summary, area: .api, tag: tag, parameters: parameters,
            body: body, answers: answers)
    }

    static let limit = Operation.Parameter.query("limit", .range(1...1000))

    private static var actors: [Operation] {
        let one = "\(Paths.actors)/{id}"
        return [
            api(
                .get, Paths.actors, "listActorSummaries", "What runs here, and what is kept from running",
                tag: "actors", .json(Shapes.actors)),
            api(.get, one, "getActorSummary", "One actor with its mailbox", tag: "actors", .json(Shapes.actor)),
            api(
                .post, "\(one)/restart", "restartActor", "Try an actor again that is paused or in ERROR", tag: "actors",
                .json(Shapes.actor, status: 202)),
            api(
                .get, "\(one)/nonces", "listNonceSummaries", "The nonces that the caller may see", tag: "actors",
                .json(Shapes.page("nonces", Shapes.nonce))),
            api(
                .post, "\(one)/nonces", "makeNonce", "Make a nonce; for admins", tag: "actors",
                body: .json(Shapes.newNonce, isRequired: false), .json(Shapes.nonce, status: 201)),
        ]
    }

    private static var executions: [Operation] {
        let one = "\(Paths.executions)/{id}"
        return [
            api(
                .get, Paths.executions, "listAllExecutions", "Executions, newest first", tag: "executions",
                query: [limit, .query("actor", .text), .query("before", .text)],
                .json(Shapes.page("executions", Shapes.execution))),
            api(
                .get, one, "getExecutionSummary", "One execution with its attempts", tag: "executions",
                .json(Shapes.execution)),
            api(
                .delete, one, "cancelExecution", "Withdraw a message, or stop what runs", tag: "executions",
                .json(.object(.has("cancelled", .flag)))),
            api(
                .get, "\(one)/why", "explainExecution", "What a message waits for", tag: "executions",
                .json(Shapes.wait)),
            api(
                .get, "\(one)/logs", "getLog", "What it printed", tag: "executions",
                query: [.query("follow", .flag, "Stream until it has ended.")], .bytes("text/plain")),
            api(
                .get, Paths.events, "streamEvents", "What was committed, as it happens (server-sent events)",
                tag: "executions",
                query: [
                    .query("actor", .text, "Its name or id: its messages and executions only."), .query("job", .text),
                    .query("pipeline", .text), .query("type", .text, "One or more, with commas between them."),
                ],
                .bytes("text/event-stream")),
        ]
    }

    private static var deadLetters: [Operation] {
        let one = "\(Paths.deadLetters)/{id}"
        return [
            api(
                .get, Paths.deadLetters, "listDeadLetters", "Messages that used up their attempts", tag: "dead letters",
                query: [limit, .query("actor", .text), .query("before", .text)],
                .json(Shapes.page("dead_letters", Shapes.letter))),
            api(
                .post, Paths.replayAll, "replayDeadLetters", "Put many back, oldest first; for admins",
                tag: "dead letters", query: [limit, .query("actor", .text), .query("after", .text)],
                .json(Shapes.replayed, status: 202)),
            api(
                .get, one, "getDeadLetter", "One with its attempts and their log", tag: "dead letters",
                .json(Shapes.letterDetail)),
            api(.delete, one, "discardDeadLetter", "Forget one; for admins", tag: "dead letters", .nothing),
            api(
                .post, "\(one)/replay", "replayDeadLetter", "Put one back as a new message; for admins",
                tag: "dead letters", .json(.object(.has("execution_id", .text)), status: 202)),
        ]
    }

    private static var subscriptions: [Operation] {
        let one = "\(Paths.subscriptions)/{id}"
        return [
            api(
                .get, Paths.subscriptions, "listSubscriptions", "Who is told of events", tag: "subscriptions",
                .json(Shapes.page("subscriptions", Shapes.subscription))),
            api(
                .post, Paths.subscriptions, "createSubscription", "Have events posted somewhere; for admins",
                tag: "subscriptions", body: .json(Shapes.newSubscription), .json(Shapes.subscription, status: 201)),
            api(.get, one, "getSubscription", "One subscription", tag: "subscriptions", .json(Shapes.subscription)),
            api(
                .put, one, "replaceSubscription", "Replace all that is set", tag: "subscriptions",
                body: .json(Shapes.newSubscription), .json(Shapes.subscription)),
            api(
                .patch, one, "changeSubscription", "Change what is named", tag: "subscriptions",
                body: .json(Shapes.changedSubscription), .json(Shapes.subscription)),
            api(.delete, one, "deleteSubscription", "End a subscription", tag: "subscriptions", .nothing),
            api(
                .post, "\(one)/rotate", "rotateSecret", "A new secret; the old one signs too for a while",
                tag: "subscriptions", body: .json(.object(.may("grace_hours", .range(0...168))), isRequired: false),
                .json(Shapes.subscription)),
            api(
                .post, "\(one)/test", "sendTestEvent", "Send an event that says nothing else", tag: "subscriptions",
                .json(.object(.has("event_id", .text), .has("type", .text)), status: 202)),
            api(
                .get, "\(one)/deliveries", "listDeliveries", "What became of its events", tag: "subscriptions",
                query: [limit],
                .json(Shapes.page("deliveries", Shapes.delivery))),
            api(
                .post, "\(one)/deliveries/{delivery}/resend", "resendDelivery", "Send one again", tag: "subscriptions",
                .json(.object(.has("delivery", .text)), status: 202)),
        ]
    }

    // MARK: Logins

    private static func login(
        _ method: HTTPRequest.Method, _ path: String, _ id: String, _ summary: String, body: Operation.Body? = nil,
        _ answers: Operation.Answer...
    ) -> Operation {
        Operation(
            method: method, path: path, id: id, summary: summary, area: .login, tag: "logins", body: body,
            answers: answers)
    }

    /// RFC 6749, section 5.2; the envelope where nobody has a password.
    private static let oauthRefusal = Shape.anyOf([
        .object(.has("error", .text), .has("error_description", .text)), .named("Refusal", DaemonShapes.refusal),
    ])
    private static let credentials = Shape.object(
        .may("grant_type", .words(["password", "refresh_token", "admin_password"])), .may("username", .text),
        .may("password", .text), .may("refresh_token", .text), .may("token_username", .text), .may("scope", .text))
    private static let tokenDetail = Shape.object(
        .has("expires_at", .moment), .has("expires_in", .integer), .has("jti", .text))
    private static let tenant = Shape.named(
        "Tenant",
        .object(.has("tenant_id", .text), .has("base_url", .text), .has("site_id", .text), .has("status", .text)))
    private static let oauthClient = Shape.named(
        "OAuthClient", .object(.has("name", .text), .has("consumerKey", .text)))

    private static var logins: [Operation] {
        [
            login(
                .post, "/token", "createToken", "A token for a password, as OAuth has it", body: .fields(credentials),
                .json(
                    .object(
                        .has("access_token", .text), .has("refresh_token", .text), .has("expires_in", .integer),
                        .has("token_type", .text), .has("scope", .text))), .json(oauthRefusal, status: 400)),
            login(
                .post, "/v3/oauth2/tokens", "createTokenV3", "A token for a password", body: .fields(credentials),
                .exact(.object(.has("access_token", tokenDetail), .has("refresh_token", tokenDetail)))),
            login(.get, "/v3/tenants", "listTenants", "The tenants of this daemon", .exact(.list(tenant))),
            login(.get, "/v3/tenants/{tenant}", "getTenant", "One tenant", .exact(tenant)),
            login(
                .get, "/v3/sites", "listSites", "This daemon, as a site",
                .exact(.list(.object(.has("site_id", .text), .has("base_url", .text))))),
            login(
                .get, "/clients/v2", "listClients", "The OAuth clients that every user has here",
                .exact(.list(oauthClient))),
            login(
                .post, "/clients/v2", "createClient", "Answer a key and a secret; the password decides at a login",
                body: .fields(
                    .object(
                        .may("clientName", .text), .may("description", .text), .may("tier", .text),
                        .may("callbackUrl", .text))), .exact(oauthClient, status: 201)),
            login(.get, "/clients/v2/{client}", "getClient", "One OAuth client", .exact(oauthClient)),
            login(.delete, "/clients/v2/{client}", "deleteClient", "Forget an OAuth client", .exact(.null)),
        ]
    }

    // MARK: Operations

    private static func open(_ path: String, _ id: String, _ summary: String, _ answers: Operation.Answer...)
        -> Operation
    {
        Operation(method: .get, path: path, id: id, summary: summary, area: .open, tag: "operations", answers: answers)
    }

    private static var operations: [Operation] {
        let word = Shape.object(.has("status", .text))
        var root = Operation.Answer.json(.map(.text))
        root.text = "A constant; a browser is sent to the page."
        return [
            open(Paths.health, "getHealth", "Somebody is there", .json(word)),
            open(Paths.ready, "getReadiness", "Messages are taken", .json(word), .json(word, status: 503)),
            open("/", "getRoot", "Where the page is", root, .elsewhere),
            open("/ui", "getPage", "The page", .bytes("text/html"), .elsewhere),
            open("/ui/app.css", "getStyle", "A part of the page", .bytes("text/css")),
            open("/ui/app.js", "getScript", "A part of the page", .bytes("text/javascript")),
            api(.get, Paths.description, "getDescription", "This document", tag: "operations", .json(Shapes.open)),
            api(
                .get, Paths.audit, "listAudit", "Who changed what; for admins", tag: "operations", query: [limit],
                .json(Shapes.page("audit", Shapes.audit))),
            api(
                .post, Paths.importAbaco, "importAbaco", "Take over what Abaco had; for admins", tag: "operations",
                query: [
                    .query("dry_run", .flag), .query("tenant", .text),
                    .header("Reactord-Config-Key", .text, "The old service's Fernet key: secret configs come along."),
                ],
                body: .json(
                    .object(
                        .may("actors", .any), .may("aliases", .any), .may("nonces", .any), .may("permissions", .any),
                        .may("configs", .any))), .json(Shapes.imported)),
            api(.get, "/metrics", "getMetrics", "For Prometheus; for admins", tag: "operations", .bytes("text/plain")),
            api(
                .get, "/cron", "lookAtSchedules", "Have schedules looked at now; for admins", tag: "operations",
                .bytes("text/plain")),
            api(.get, "/admin/dashboard", "getDashboard", "The page; for admins", tag: "operations", .elsewhere),
            api(.post, "/admin/dashboard", "postDashboard", "The page; for admins", tag: "operations", .elsewhere),
        ]
    }
}
