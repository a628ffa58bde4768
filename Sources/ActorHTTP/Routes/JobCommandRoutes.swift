import ActorAPI
import ActorCore
import ActorRuntime
import HTTPTypes
import Hummingbird

/// What changes jobs over `/api/v1`: each a message to the actor that keeps them, whose answer is the answer.
struct JobCommandRoutes {
    /// The alias that job messages go to.
    static let manager = "pipeline-jobs-manager"

    let front: HTTPFront

    func add(to table: RouteTable) {
        table.on("\(Paths.jobs)/:id/events", [.post: event])
        table.on("\(Paths.jobs)/:id/token", [.post: renew])
        table.on(Paths.adminToken, [.post: adminToken])
    }

    /// A new job, or with `?dry_run=true` what it would be.
    @Sendable func create(_ request: Request, _ context: HTTPContext) async throws -> Response {
        let caller = try context.requireCaller()
        var body = try await BodyJSON.object(request, limits: front.system.limits)
        guard body["pipeline_uuid"] != nil || body["components"] != nil else {
            throw ActorError(
                .invalidInput, "a new job needs a pipeline",
                details: [ActorError.Detail(place: "/pipeline_uuid", problem: "must be the UUID of a pipeline")])
        }
        try Self.refuseOthers(in: body, than: JobFields.creation, "the body has fields that a new job does not take")
        let isDryRun = request.formItems.first("dry_run") == "true" || body["dry_run"] == true
        body = isDryRun ? body.setting("dry_run", true) : body.removing("dry_run", "time")
        guard !isDryRun else { return try await ask("", body, caller) }
        return try await front.audited(caller, "job.create", Self.manager) {
            try await ask("", body, caller, status: .created)
        }
    }

    private static func refuseOthers(
        in body: JSONValue, than known: Set<String>, _ reason: String
    ) throws(ActorError) {
        let unknown = (body.object ?? []).map(\.name).filter { !known.contains($0) }
        guard unknown.isEmpty else {
            throw ActorError(
                .invalidInput, reason,
                details: unknown.prefix(16).map { ActorError.Detail(place: "/\($0)", problem: "not known") })
        }
    }

    /// Something that happened to a job. Its owner and admins need no token.
    @Sendable private func event(_ request: Request, _ context: HTTPContext) async throws -> Response {
        let caller = try context.requireCaller()
        let body = try await BodyJSON.object(request, limits: front.system.limits)
        guard let name = body["event"] ?? body["name"], name.string != nil else {
            throw ActorError(
                .invalidInput, "an event has a name",
                details: [ActorError.Detail(place: "/event", problem: "must be one of those that /api/v1/fsm lists")])
        }
        try Self.refuseOthers(
            in: body, than: ["event", "name", "data", "token", "uuid"],
            "an event has event, data and token; what is to be kept with it goes into data")
        let uuid = try Self.uuid(context)
        var message: JSONValue = ["uuid": .string(uuid), "event": name, "data": body["data"] ?? .null]
        if let token = body["token"] { message = message.setting("token", token) }
        return try await ask(uuid, message, caller)
    }

    /// The job goes: one that never ran for its owner, any for an admin.
    @Sendable func delete(_ request: Request, _ context: HTTPContext) async throws -> Response {
        let caller = try context.requireCaller()
        let body = try await BodyJSON.object(request, limits: front.system.limits)
        let uuid = try Self.uuid(context)
        let token = body["token"] ?? request.formItems.first("token").map { .string($0) }
        let action: JSONValue = caller.isAdmin || token != nil ? "delete" : "cancel"
        var message: JSONValue = ["uuid": .string(uuid), "action": action]
        if let token { message = message.setting("token", token) }
        let run = try await run(of: JobID(uuid), caller)
        let answer = try await ask(uuid, message, caller)
        // Nobody wants what it would come to any more. Engines are told by their watch.
        if let run { _ = try await front.system.cancel(run) }
        return answer
    }

    /// The execution that plays a job on this machine, as the job's history names it; nil when there is none. What a
    /// history says is only believed of an execution that the job's maker has asked for.
    private func run(of id: JobID, _ caller: Caller) async throws(ActorError) -> ExecutionID? {
        let system = front.system
        guard let job = try await system.store.job(id), job.status == .running, let maker = job.actor,
            let runner = try? system.resolve("job-runner", tenant: caller.principal.tenant)
        else { return nil }
        let named = try await system.store.history(of: id).compactMap { entry in
            entry.refusal == nil ? entry.data["execution"]?.string : nil
        }
        guard let last = named.last, let record = try await system.store.execution(ExecutionID(last)),
            record.actor == runner.id, record.sender == "actor:\(maker)", record.cause == job.execution
        else { return nil }
        return record.finished == nil ? record.id : nil
    }

    /// The token is valid again from now; with `rotate` it becomes another one.
    @Sendable private func renew(_ request: Request, _ context: HTTPContext) async throws -> Response {
        let caller = try context.requireCaller()
        let body = try await BodyJSON.object(request, limits: front.system.limits)
        try Self.refuseOthers(
            in: body, than: ["hours", "token_events", "rotate"],
            "a token is renewed with hours, token_events and rotate")
        let uuid = try Self.uuid(context)
        return try await ask(uuid, body.setting("uuid", .string(uuid)).setting("action", "renew"), caller)
    }

    /// A word that lets its holder reset, ready and delete jobs for a while; for messages to the manager.
    @Sendable private func adminToken(_ request: Request, _ context: HTTPContext) async throws -> Response {
        let caller = try front.requireAdmin(context)
        let spec = try front.actor(Self.manager, caller, .execute)
        guard let tokens = AdminTokens(settings: spec.settings) else {
            throw ActorError(.unavailable, "pipeline-jobs-manager has no admin_token_secret and admin_token_key")
        }
        let now = front.system.now()
        let token = tokens.token(at: now, TokenVerifier.hexadecimalDigest)
        return try await front.audited(caller, "admin-token.issue", spec.id.rawValue) {
            .json(["token": .string(token), "expires": JSONValue(tokens.end(of: now))])
        }
    }

    private static func uuid(_ context: HTTPContext) throws(ActorError) -> String {
        let uuid = context.word().lowercased()
        guard uuid.utf8.count == 36 else {
            throw ActorError(
                .invalidInput, "\(uuid.prefix(64)) is no UUID of a job",
                details: [
                    ActorError.Detail(place: "uuid", problem: "must be like 107acb37-3a5c-57b3-a0ff-a07b67e85ca2")
                ])
        }
        return uuid
    }

    private func ask(
        _ uuid: String, _ body: JSONValue, _ caller: Caller, status: HTTPResponse.Status = .ok
    ) async throws -> Response {
        let owner = uuid.isEmpty ? nil : try await front.system.store.job(JobID(uuid))?.owner
        return try await front.ask(Self.manager, body, caller, owner: owner, status: status)
    }
}
