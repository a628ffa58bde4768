import ActorCore
import ActorRuntime
import Hummingbird

/// `/actors/configs…`: values that several actors are given (actors API, section 6.9).
struct ConfigRoutes {
    private static let longestValue = 100_000

    let front: HTTPFront
    let generation: ActorsGeneration

    private var reply: ActorsReply { front.reply(generation) }

    func add(to table: RouteTable) {
        let path = "\(generation.prefix)/configs"
        table.on(path, cors: true, [.get: list, .post: create])
        table.on("\(path)/:config", cors: true, [.get: read, .put: replace, .delete: delete])
    }

    @Sendable private func list(_ request: Request, _ context: HTTPContext) async throws -> Response {
        let caller = try front.requireToken(context)
        let tenant = caller.principal.tenant
        let store = front.system.store
        let grants = Dictionary(grouping: try await store.grants(.config), by: \.target)
        let configs = try await store.configs(tenant: tenant).filter { config in
            let own = grants[GrantTarget(.config, config.name, tenant: tenant), default: []]
            let levels = Dictionary(own.map { ($0.user, $0.level) }) { $1 }
            return caller.isAdmin || (Access.level(of: caller.username, in: levels) ?? .none) >= .read
        }
        return reply.success(
            "Actor Configs retrieved successfully.",
            .array(configs.map(front.documents(generation, tenant).config)))
    }

    @Sendable private func create(_ request: Request, _ context: HTTPContext) async throws -> Response {
        let caller = try front.requireToken(context)
        let fields = try await RequestFields.read(request, limits: front.system.limits)
        let config = try read(fields, caller)
        try await front.audited(caller, "config.create", config.name) {
            do {
                try await front.system.store.create(config, owner: caller.username)
            } catch let error as ActorError where error.code == .conflict {
                throw ActorError(
                    .invalidInput,
                    "Config \(config.name) already exists; please choose another name for your config")
            }
        }
        return reply.success(
            "Actor config created successfully.", front.documents(generation, config.tenant).config(config))
    }

    @Sendable private func read(_ request: Request, _ context: HTTPContext) async throws -> Response {
        let config = try await front.config(context, .read)
        return reply.success(
            "Config retrieved successfully.", front.documents(generation, config.tenant).config(config))
    }

    @Sendable private func replace(_ request: Request, _ context: HTTPContext) async throws -> Response {
        let old = try await front.config(context, .update)
        let caller = try context.requireCaller()
        let fields = try await RequestFields.read(request, limits: front.system.limits)
        let config = try read(fields, caller, named: old)
        try await front.audited(caller, "config.replace", config.name) {
            guard try await front.system.store.update(config) else { throw HTTPFront.missingConfig(config.name) }
        }
        return reply.success(
            "Actor config updated successfully.", front.documents(generation, config.tenant).config(config))
    }

    @Sendable private func delete(_ request: Request, _ context: HTTPContext) async throws -> Response {
        let config = try await front.config(context, .update)
        _ = try await front.audited(try context.requireCaller(), "config.delete", config.name) {
            try await front.system.store.removeConfig(config.name, tenant: config.tenant)
        }
        return reply.success("Actor config \(config.name) deleted successfully.", .null)
    }

    /// - Parameter old: the one that is replaced: its name stays.
    private func read(
        _ fields: RequestFields, _ caller: Caller, named old: SharedConfig? = nil
    ) throws(ActorError) -> SharedConfig {
        guard let name = old?.name ?? fields.text("name") else {
            throw RequestFields.refusal(of: "config", "name", "The name of the config.")
        }
        guard Self.isName(name) else {
            throw ActorError(
                .invalidInput,
                "Invalid config description: a name has no blanks, none of : / ? # [ ] @ ! $ & ' ( ) * + , ; = and at "
                    + "most 128 bytes.")
        }
        guard let value = fields["value"], !value.isNull else {
            throw RequestFields.refusal(of: "config", "value", "The value of the config.")
        }
        guard let actors = fields.text("actors") else {
            throw RequestFields.refusal(of: "config", "actors", "Comma-separated list of actor ids or aliases.")
        }
        let text = value.string ?? JSONWriter.string(value)
        guard text.utf8.count <= Self.longestValue, actors.utf8.count <= Self.longestValue else {
            throw ActorError(.invalidInput, "Invalid config description: at most \(Self.longestValue) bytes.")
        }
        let isSecret = fields["is_secret"].map { $0.bool ?? ($0.string?.lowercased() == "true") } ?? false
        let now = front.system.now()
        let config = SharedConfig(
            tenant: caller.principal.tenant, name: name,
            value: isSecret ? try front.seal.close(text, now: now) : text, isSecret: isSecret, actors: actors,
            created: old?.created ?? now, updated: now)
        for word in config.actorWords {
            guard let spec = try? front.system.resolve(word, tenant: config.tenant) else {
                throw ActorError(.notFound, "No actor or alias found with id: \(word).")
            }
            guard Access.level(of: caller, on: spec) >= .update else {
                throw ActorError(
                    .forbidden, "Not authorized -- you do not have UPDATE access to the actor \(word).")
            }
        }
        return config
    }

    static func isName(_ name: String) -> Bool {
        (1...128).contains(name.utf8.count) && !name.contains { ":/?#[]@!$&'()*+,;=".contains($0) || $0.isWhitespace }
    }
}

extension HTTPFront {
    static func missingConfig(_ name: String) -> ActorError {
        ActorError(.notFound, "No config found: \(name).")
    }

    /// The config that the path names, if the caller may do that much to it.
    func config(_ context: HTTPContext, _ needed: PermissionLevel) async throws -> SharedConfig {
        let caller = try requireToken(context)
        let name = context.word("config")
        let tenant = caller.principal.tenant
        guard let config = try await system.store.config(name, tenant: tenant) else {
            throw Self.missingConfig(name)
        }
        guard !caller.isAdmin else { return config }
        let grants = try await system.store.grants(on: GrantTarget(.config, name, tenant: tenant))
        guard (Access.level(of: caller.username, in: grants) ?? .none) >= needed else {
            throw ActorError(.forbidden, "You do not have sufficient access to this actor config.")
        }
        return config
    }
}
