import ActorCore
import ActorRuntime
import Hummingbird

/// `/actors` and `/actors/{id}` of the actors API: those that folders declare are shown and sent to, those that are
/// made here are changed here.
struct ActorRoutes {
    /// How long a DELETE waits for what runs.
    private static let patienceMilliseconds: Int64 = 20_000
    private static let mostActors = 10_000

    let front: HTTPFront
    let generation: ActorsGeneration

    func add(to table: RouteTable) {
        table.on(generation.prefix, cors: true, [.get: list, .post: create])
        table.on("\(generation.prefix)/:id", cors: true, [.get: read, .put: replace, .delete: delete])
    }

    @Sendable private func list(_ request: Request, _ context: HTTPContext) async throws -> Response {
        let caller = try context.requireCaller()
        guard caller.nonce == nil else { throw ActorError.notAuthorized }
        if let query = try SearchQuery(request.formItems, ignoring: ["x-nonce"]) {
            return try await front.search(.actors, query, caller, generation, "Actors search completed successfully.")
        }
        let plans = try await front.system.store.schedules()
        var actors: [JSONValue] = []
        for status in front.system.statuses(tenant: caller.principal.tenant).prefix(Self.mostActors)
        where Access.level(of: caller, on: status.spec) >= .read {
            actors.append(try await front.actorDocument(status, generation, plans))
        }
        return front.reply(generation).success("Actors retrieved successfully.", .array(actors))
    }

    @Sendable private func create(_ request: Request, _ context: HTTPContext) async throws -> Response {
        let caller = try context.requireCaller()
        guard caller.nonce == nil else { throw ActorError.notAuthorized }
        let reader = front.definitionReader(
            try await RequestFields.read(request, limits: front.system.limits), caller)
        let definition = try reader.read(replacing: nil)
        try front.checkLink(of: definition, caller)
        let spec = try await front.audited(caller, "actor.create", definition.image) {
            try await front.system.make(definition, owner: caller.username, tenant: caller.principal.tenant)
        }
        return front.reply(generation).success(
            "Actor created successfully.", try await front.actorDocument(try front.status(of: spec), generation))
    }

    @Sendable private func read(_ request: Request, _ context: HTTPContext) async throws -> Response {
        let spec = try await front.authorized(context, .read)
        let document = try await front.actorDocument(try front.status(of: spec), generation)
        return front.reply(generation).success("Actor retrieved successfully.", document)
    }

    @Sendable private func replace(_ request: Request, _ context: HTTPContext) async throws -> Response {
        let spec = try await front.authorized(context, .update)
        let caller = try context.requireCaller()
        let reader = front.definitionReader(
            try await RequestFields.read(request, limits: front.system.limits), caller)
        let definition = try reader.read(replacing: spec.definition)
        try front.checkLink(of: definition, caller)
        try front.system.checkLink(to: definition.link, of: spec)
        let changed = try await front.audited(caller, "actor.replace", spec.id.rawValue) {
            let changed = try await front.system.replace(spec.id, with: definition, forced: reader.isForced)
            // Who has changed it, with everybody's permission, has one of its own from then on (section 2.5).
            if changed.grants[caller.username] == nil, caller.nonce == nil {
                _ = try await front.system.set(
                    Grant(
                        GrantTarget(.actor, spec.id.rawValue, tenant: spec.tenant), user: caller.username,
                        level: .update))
            }
            return changed
        }
        return front.reply(generation).success(
            "Actor updated successfully.", try await front.actorDocument(try front.status(of: changed), generation))
    }

    @Sendable private func delete(_ request: Request, _ context: HTTPContext) async throws -> Response {
        let spec = try await front.authorized(context, .update)
        let isIdle = try await front.audited(try context.requireCaller(), "actor.delete", spec.id.rawValue) {
            try await front.system.remove(spec.id, patienceMilliseconds: Self.patienceMilliseconds)
        }
        return front.reply(generation).success(
            isIdle
                ? "Actor deleted successfully."
                : "Actor deleted successfully, though its last executions are still being stopped.", .null)
    }
}

extension HTTPFront {
    func reply(_ generation: ActorsGeneration) -> ActorsReply {
        ActorsReply(version: settings.version, keyCase: keyCase(generation))
    }

    func keyCase(_ generation: ActorsGeneration) -> KeyCase {
        settings.camelCase && generation != .third ? .camel : .snake
    }

    func documents(_ generation: ActorsGeneration, _ tenant: String) -> ActorDocuments {
        ActorDocuments(baseURL: baseURL(of: tenant), generation: generation)
    }

    func status(of spec: ActorSpec) throws(ActorError) -> ActorStatus {
        guard let status = system.status(of: spec.id) else {
            throw ActorError(.notFound, "No actor found with identifier: \(spec.id).")
        }
        return status
    }

    func actorDocument(_ status: ActorStatus, _ generation: ActorsGeneration) async throws(ActorError) -> JSONValue {
        let plans = status.spec.schedule == nil ? [:] : try await system.store.schedules()
        return try await actorDocument(status, generation, plans)
    }

    func actorDocument(
        _ status: ActorStatus, _ generation: ActorsGeneration, _ plans: [ActorID: ScheduleRecord]
    ) async throws(ActorError) -> JSONValue {
        let spec = status.spec
        let state = try await system.store.state(of: spec.id) ?? [:]
        // A plan of another schedule is one that the scheduler has not replaced yet.
        let plan = plans[spec.id].flatMap { $0.schedule == spec.schedule?.description ? $0.next : nil }
        var document = documents(generation, spec.tenant).actor(status, state: state, due: plan)
        if let schema = spec.definition?.messageSchema, !schema.isNull {
            document = document.setting("message_schema", schema)
        }
        if spec.definition?.webhookSecret != nil { document = document.setting("webhook_signed", true) }
        return document
    }

    func definitionReader(_ fields: RequestFields, _ caller: Caller) -> DefinitionReader {
        DefinitionReader(
            fields: fields, caller: caller, queues: settings.queues, maxLogSeconds: settings.maxLogSeconds,
            now: system.now())
    }

    /// A link needs EXECUTE on the actor it leads to.
    func checkLink(of definition: ActorDefinition, _ caller: Caller) throws(ActorError) {
        guard !definition.link.isEmpty else { return }
        guard let target = try? system.resolve(definition.link, tenant: caller.principal.tenant) else {
            throw ActorError(
                .invalidInput,
                "Invalid link parameter; unable to retrieve linked actor data. "
                    + "There is no actor \(definition.link.prefix(64)).")
        }
        guard Access.level(of: caller, on: target) >= .execute else {
            throw ActorError(
                .forbidden,
                "Invalid link parameter; unable to retrieve linked actor data. "
                    + "You must have EXECUTE permission on the linked actor.")
        }
    }
}
