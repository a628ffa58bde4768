import ActorCore
import ActorRuntime
import Hummingbird

/// `/actors/aliases…` (actors API, section 6.7) with the nonces of aliases.
struct AliasRoutes {
    let front: HTTPFront
    let generation: ActorsGeneration

    private var reply: ActorsReply { front.reply(generation) }

    func add(to table: RouteTable) {
        let path = "\(generation.prefix)/aliases"
        table.on(path, cors: true, [.get: list, .post: create])
        table.on("\(path)/:alias", cors: true, [.get: read, .put: move, .delete: delete])
        table.on("\(path)/:alias/nonces", cors: true, [.get: nonces, .post: createNonce])
        table.on("\(path)/:alias/nonces/:nonce", cors: true, [.get: readNonce, .delete: deleteNonce])
    }

    @Sendable private func list(_ request: Request, _ context: HTTPContext) async throws -> Response {
        let caller = try front.requireToken(context)
        let documents = front.documents(generation, caller.principal.tenant)
        let aliases = try await front.system.store.aliases().filter { $0.tenant == caller.principal.tenant }
        return reply.success("Aliases retrieved successfully.", .array(aliases.map(documents.alias)))
    }

    @Sendable private func create(_ request: Request, _ context: HTTPContext) async throws -> Response {
        let caller = try front.requireToken(context)
        let fields = try await RequestFields.read(request, limits: front.system.limits)
        guard let name = fields.text("alias"), !name.isEmpty else {
            throw RequestFields.refusal(of: "alias", "alias", "User defined alias for an actor.")
        }
        guard NameRules.isAlias(name) else {
            throw ActorError(
                .invalidInput,
                "Invalid alias description: \"\(name.prefix(64))\" cannot be an alias: no reserved word, nothing that "
                    + "reads as an id, letters, digits and ._-~ only.")
        }
        let spec = try target(try actorWord(fields), caller)
        let alias = Alias(
            tenant: caller.principal.tenant, name: name, actor: spec.id, owner: caller.username,
            created: front.system.now())
        try await front.audited(caller, "alias.create", name) {
            do {
                try await front.system.create(alias)
            } catch let error as ActorError where error.code == .conflict {
                throw ActorError(.invalidInput, "Alias \(name) already exists.")
            }
        }
        return reply.success(
            "Actor alias created successfully.", front.documents(generation, alias.tenant).alias(alias))
    }

    @Sendable private func read(_ request: Request, _ context: HTTPContext) async throws -> Response {
        let alias = try await front.alias(context, .read)
        return reply.success(
            "Alias retrieved successfully.", front.documents(generation, alias.tenant).alias(alias))
    }

    @Sendable private func move(_ request: Request, _ context: HTTPContext) async throws -> Response {
        var alias = try await front.alias(context, .update)
        let caller = try context.requireCaller()
        let fields = try await RequestFields.read(request, limits: front.system.limits)
        guard fields["alias"] == nil else {
            throw ActorError(
                .invalidInput,
                "Invalid alias update description. The alias itself cannot be updated in a PUT request.")
        }
        guard !alias.isDeclared else { throw Self.declared(alias) }
        alias.actor = try target(try actorWord(fields), caller).id
        let (name, tenant, actor) = (alias.name, alias.tenant, alias.actor)
        try await front.audited(caller, "alias.move", name) {
            guard try await front.system.move(alias: name, tenant: tenant, to: actor) else {
                throw HTTPFront.missingAlias(name)
            }
        }
        return reply.success(
            "Actor alias updated successfully.", front.documents(generation, tenant).alias(alias))
    }

    @Sendable private func delete(_ request: Request, _ context: HTTPContext) async throws -> Response {
        let alias = try await front.alias(context, .update)
        guard !alias.isDeclared else { throw Self.declared(alias) }
        _ = try await front.audited(try context.requireCaller(), "alias.delete", alias.name) {
            try await front.system.removeAlias(alias.name, tenant: alias.tenant)
        }
        return reply.success("Alias \(record(alias)) deleted successfully.", .null)
    }

    /// As Python prints the record of the old service.
    private func record(_ alias: Alias) -> String {
        PythonText.repr([
            "tenant": .string(alias.tenant), "alias_id": .string("\(alias.tenant)_\(alias.name)"),
            "alias": .string(alias.name), "actor_id": .string(alias.actor.rawValue),
            "db_id": .string("\(alias.tenant)_\(alias.actor)"), "owner": .string(alias.owner),
            "api_server": .string(front.baseURL(of: alias.tenant)),
        ])
    }

    // MARK: Nonces

    @Sendable private func nonces(_ request: Request, _ context: HTTPContext) async throws -> Response {
        let (alias, spec) = try await both(context, .read)
        let nonces = try await visible(alias, spec, try context.requireCaller())
        let documents = front.documents(generation, alias.tenant)
        return reply.success("Alias nonces retrieved successfully.", .array(nonces.map(documents.nonce)))
    }

    @Sendable private func createNonce(_ request: Request, _ context: HTTPContext) async throws -> Response {
        let (alias, spec) = try await both(context, .update)
        let fields = try await RequestFields.read(request, limits: front.system.limits)
        let nonce = try await front.createNonce(
            for: spec, alias: alias.name, by: try context.requireCaller(), level: fields["level"],
            maxUses: fields["max_uses"], description: fields["description"])
        return reply.success(
            "Alias nonce created successfully.", front.documents(generation, alias.tenant).nonce(nonce))
    }

    @Sendable private func readNonce(_ request: Request, _ context: HTTPContext) async throws -> Response {
        let (alias, spec) = try await both(context, .read)
        let nonce = try await nonce(context, alias, spec)
        return reply.success(
            "Alias nonce retrieved successfully.", front.documents(generation, alias.tenant).nonce(nonce))
    }

    @Sendable private func deleteNonce(_ request: Request, _ context: HTTPContext) async throws -> Response {
        let (alias, spec) = try await both(context, .update)
        let nonce = try await nonce(context, alias, spec)
        _ = try await front.audited(try context.requireCaller(), "nonce.delete", alias.name) {
            front.nonces.forget(nonce.id)
            return try await front.system.store.deleteNonce(nonce.id)
        }
        return reply.success("Alias nonce deleted successfully.", .null)
    }

    private func visible(_ alias: Alias, _ spec: ActorSpec, _ caller: Caller) async throws(ActorError) -> [Nonce] {
        let nonces = try await front.system.store.nonces(ofAlias: alias.name, tenant: alias.tenant)
        return front.visible(nonces, of: spec, caller)
    }

    private func nonce(
        _ context: HTTPContext, _ alias: Alias, _ spec: ActorSpec
    ) async throws(ActorError) -> Nonce {
        let id = NonceID(context.word("nonce"))
        let nonces = try await visible(alias, spec, try context.requireCaller())
        guard let nonce = nonces.first(where: { $0.id == id }) else {
            throw ActorError(.invalidInput, "Nonce not found.")
        }
        return nonce
    }

    // MARK: Who may

    private func both(
        _ context: HTTPContext, _ needed: PermissionLevel
    ) async throws -> (Alias, ActorSpec) {
        let refusal = ActorError(
            .forbidden, "Not authorized -- you do not have access to this alias and actor.")
        let alias: Alias
        do {
            alias = try await front.alias(context, needed)
        } catch let error as ActorError where error.code == .forbidden {
            throw refusal
        }
        guard let spec = front.system.spec(alias.actor) else {
            throw ActorError(.notFound, "No actor found with id: \(alias.actor).")
        }
        guard Access.level(of: try context.requireCaller(), on: spec) >= needed else { throw refusal }
        return (alias, spec)
    }

    private func actorWord(_ fields: RequestFields) throws(ActorError) -> String {
        guard let word = fields.text("actor_id"), !word.isEmpty else {
            throw RequestFields.refusal(
                of: "alias", "actor_id", "The actor id for the actor to which the alias should point.")
        }
        return word
    }

    private func target(_ word: String, _ caller: Caller) throws(ActorError) -> ActorSpec {
        guard let spec = try? front.system.resolve(word, tenant: caller.principal.tenant) else {
            throw ActorError(.notFound, "No actor found with id: \(word).")
        }
        guard Access.level(of: caller, on: spec) >= .update else {
            throw ActorError(
                .forbidden,
                "Not authorized -- you do not have UPDATE access to the actor you want to associate with this alias.")
        }
        return spec
    }

    private static func declared(_ alias: Alias) -> ActorError {
        ActorError(
            .conflict, "the alias \(alias.name) is the name of a folder of this daemon; rename the folder instead")
    }
}

extension HTTPFront {
    /// A caller with a token: nonces open no more than their actor.
    func requireToken(_ context: HTTPContext) throws(ActorError) -> Caller {
        let caller = try context.requireCaller()
        guard caller.nonce == nil else {
            throw ActorError(.notFound, "Unable to parse actor identifier: is it missing from the URL?")
        }
        return caller
    }

    static func missingAlias(_ name: String) -> ActorError { ActorError(.notFound, "No alias found: \(name).") }

    /// The alias that the path names, if the caller may do that much to it.
    func alias(_ context: HTTPContext, _ needed: PermissionLevel) async throws -> Alias {
        let caller = try requireToken(context)
        let name = context.word("alias")
        let tenant = caller.principal.tenant
        guard let alias = try await system.store.alias(name, tenant: tenant) else {
            throw Self.missingAlias(name)
        }
        guard try await level(of: caller, on: alias) >= needed else {
            throw ActorError(.forbidden, "Not authorized -- you do not have access to this alias.")
        }
        return alias
    }

    private func level(of caller: Caller, on alias: Alias) async throws(ActorError) -> PermissionLevel {
        if caller.isAdmin || alias.owner == caller.username { return .update }
        let grants = try await system.store.grants(
            on: GrantTarget(.alias, alias.name, tenant: alias.tenant))
        if let level = Access.level(of: caller.username, in: grants) { return level }
        // The name of a folder is as open as its actor.
        guard alias.isDeclared, let spec = system.spec(alias.actor) else { return .none }
        return Access.level(of: caller, on: spec)
    }
}
