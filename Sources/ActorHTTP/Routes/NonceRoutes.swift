import ActorCore
import ActorRuntime
import Hummingbird

/// `/actors/{id}/nonces…` (actors API, section 4).
struct NonceRoutes {
    let front: HTTPFront
    let generation: ActorsGeneration

    func add(to table: RouteTable) {
        let path = "\(generation.prefix)/:id/nonces"
        table.on(path, cors: true, [.get: list, .post: create])
        table.on("\(path)/:nonce", cors: true, [.get: read, .delete: delete])
    }

    @Sendable private func list(_ request: Request, _ context: HTTPContext) async throws -> Response {
        let spec = try await front.authorized(context, .read)
        let caller = try context.requireCaller()
        let nonces = try await front.visibleNonces(of: spec, caller)
        let documents = front.documents(generation, spec.tenant)
        return front.reply(generation).success(
            "Actor nonces retrieved successfully.",
            .array(nonces.map { front.keyCase(generation).applied(to: documents.nonce($0)) }))
    }

    @Sendable private func create(_ request: Request, _ context: HTTPContext) async throws -> Response {
        let spec = try await front.authorizedPerson(context)
        let fields = try await RequestFields.read(request, limits: front.system.limits)
        let nonce = try await front.createNonce(
            for: spec, alias: nil, by: try context.requireCaller(), level: fields["level"], maxUses: fields["max_uses"],
            description: fields["description"])
        return front.reply(generation).success(
            "Actor nonce created successfully.", front.documents(generation, spec.tenant).nonce(nonce))
    }

    @Sendable private func read(_ request: Request, _ context: HTTPContext) async throws -> Response {
        let spec = try await front.authorized(context, .read)
        let nonce = try await nonce(context, of: spec)
        return front.reply(generation).success(
            "Actor nonce retrieved successfully.", front.documents(generation, spec.tenant).nonce(nonce))
    }

    @Sendable private func delete(_ request: Request, _ context: HTTPContext) async throws -> Response {
        let spec = try await front.authorized(context, .update)
        let nonce = try await nonce(context, of: spec)
        // The id is a capability: the audit names the actor, not the nonce.
        _ = try await front.audited(try context.requireCaller(), "nonce.delete", spec.id.rawValue) {
            front.nonces.forget(nonce.id)
            return try await front.system.store.deleteNonce(nonce.id)
        }
        return front.reply(generation).success("Actor nonce deleted successfully.", .null)
    }

    private func nonce(_ context: HTTPContext, of spec: ActorSpec) async throws(ActorError) -> Nonce {
        let id = NonceID(context.word("nonce"))
        let nonces = try await front.visibleNonces(of: spec, try context.requireCaller())
        guard let nonce = nonces.first(where: { $0.id == id }) else {
            throw ActorError(.invalidInput, "Nonce not found.")
        }
        return nonce
    }
}

extension HTTPFront {
    private static let longestDescription = 1024

    /// A nonce's id is the capability itself: who may not change the actor sees only what is the caller's own, and who
    /// comes by a nonce that one alone, which must not lead to another with more uses or rights.
    func visibleNonces(of spec: ActorSpec, _ caller: Caller) async throws(ActorError) -> [Nonce] {
        visible(try await system.store.nonces(of: spec.id), of: spec, caller)
    }

    func visible(_ nonces: [Nonce], of spec: ActorSpec, _ caller: Caller) -> [Nonce] {
        if let own = caller.nonce { return nonces.filter { $0.id == own.id } }
        if Access.level(of: caller, on: spec) >= .update { return nonces }
        return nonces.filter { $0.owner == caller.username }
    }

    /// - Parameter alias: the nonce opens this name of the actor only; nil for one that opens the id.
    func createNonce(
        for spec: ActorSpec, alias: String?, by caller: Caller, level: JSONValue?, maxUses: JSONValue?,
        description: JSONValue?
    ) async throws -> Nonce {
        let levels = PermissionLevel.allCases.filter { alias == nil || $0 < .update }
        let names = levels.map(\.rawValue)
        guard let granted = level.map({ $0.string.flatMap(PermissionLevel.init(rawValue:)) }) ?? .execute,
            levels.contains(granted)
        else {
            throw ActorError(
                .invalidInput,
                "Invalid nonce description. The level attribute must be one of: "
                    + "(\(names.map { "'\($0)'" }.joined(separator: ", ")))")
        }
        let uses = maxUses.map { $0.int ?? $0.string.flatMap(Int.init) ?? 0 } ?? -1
        guard uses == -1 || uses > 0 else {
            throw ActorError(
                .invalidInput,
                "The max uses parameter must be a positive integer or -1 (to denote unlimited uses).")
        }
        // No more than what the creator may do itself.
        guard granted <= Access.level(of: caller, on: spec) else {
            throw ActorError(.forbidden, "Not authorized -- you cannot grant more than you may do yourself.")
        }
        let nonce = Nonce(
            id: NonceID("\(spec.tenant)_\(Hashids.abaco.encode(UInt128.random(in: .min ... .max)))"),
            tenant: spec.tenant, actor: alias == nil ? spec.id : nil, alias: alias, level: granted, maxUses: uses,
            owner: caller.username, roles: Role.allCases.filter(caller.principal.roles.contains),
            description: String((description?.string ?? "").prefix(Self.longestDescription)), created: system.now())
        try await audited(caller, "nonce.create", spec.id.rawValue) { try await system.store.create(nonce) }
        return nonce
    }
}
