import ActorCore
import ActorRuntime
import Hummingbird

/// `…/permissions` of actors, aliases and configs (actors API, section 5.3).
struct PermissionRoutes {
    let front: HTTPFront
    let generation: ActorsGeneration

    private var reply: ActorsReply { front.reply(generation) }

    func add(to table: RouteTable) {
        let prefix = generation.prefix
        table.on("\(prefix)/:id/permissions", cors: true, [.get: listActor, .post: setActor])
        table.on("\(prefix)/aliases/:alias/permissions", cors: true, [.get: listAlias, .post: setAlias])
        table.on("\(prefix)/configs/:config/permissions", cors: true, [.get: listConfig, .post: setConfig])
    }

    @Sendable private func listActor(_ request: Request, _ context: HTTPContext) async throws -> Response {
        let spec = try await front.authorized(context, .read)
        return try await list(GrantTarget(.actor, spec.id.rawValue, tenant: spec.tenant), owner: spec.owner)
    }

    @Sendable private func setActor(_ request: Request, _ context: HTTPContext) async throws -> Response {
        let spec = try await front.authorizedPerson(context)
        return try await set(
            GrantTarget(.actor, spec.id.rawValue, tenant: spec.tenant), owner: spec.owner, request, context)
    }

    @Sendable private func listAlias(_ request: Request, _ context: HTTPContext) async throws -> Response {
        let alias = try await front.alias(context, .read)
        return try await list(GrantTarget(.alias, alias.name, tenant: alias.tenant), owner: alias.owner)
    }

    @Sendable private func setAlias(_ request: Request, _ context: HTTPContext) async throws -> Response {
        let alias = try await front.alias(context, .update)
        return try await set(
            GrantTarget(.alias, alias.name, tenant: alias.tenant), owner: alias.owner, request, context)
    }

    @Sendable private func listConfig(_ request: Request, _ context: HTTPContext) async throws -> Response {
        let config = try await front.config(context, .read)
        return try await list(GrantTarget(.config, config.name, tenant: config.tenant), owner: nil)
    }

    @Sendable private func setConfig(_ request: Request, _ context: HTTPContext) async throws -> Response {
        let config = try await front.config(context, .update)
        return try await set(
            GrantTarget(.config, config.name, tenant: config.tenant), owner: nil, request, context)
    }

    private func list(_ target: GrantTarget, owner: String?) async throws -> Response {
        let levels = try await front.system.store.grants(on: target)
        return reply.object("Permissions retrieved successfully.", Self.json(levels, owner))
    }

    private func set(
        _ target: GrantTarget, owner: String?, _ request: Request, _ context: HTTPContext
    ) async throws -> Response {
        let fields = try await RequestFields.read(request, limits: front.system.limits)
        guard let user = fields.text("user"), (1...128).contains(user.utf8.count) else {
            throw RequestFields.refusal(of: "permission", "user", "User owning the permission.")
        }
        guard let word = fields.text("level") else {
            throw RequestFields.refusal(
                of: "permission", "level", "Level of the permission: one of NONE, READ, EXECUTE, UPDATE.")
        }
        guard let level = PermissionLevel(rawValue: word) else {
            throw ActorError(
                .invalidInput,
                "Invalid permission level: \(word.prefix(64)). The valid values are "
                    + "('NONE', 'READ', 'EXECUTE', 'UPDATE')")
        }
        let caller = try context.requireCaller()
        let levels = try await front.audited(
            caller, "permission.set", "\(target.kind.rawValue) \(target.name) \(user) \(level.rawValue)"
        ) { try await front.system.set(Grant(target, user: user, level: level)) }
        return reply.object("Permission added successfully.", Self.json(levels, owner))
    }

    /// The owner of what a folder declares has no entry of its own.
    private static func json(_ levels: [String: PermissionLevel], _ owner: String?) -> JSONValue {
        var levels = levels
        if let owner, levels[owner] == nil { levels[owner] = .update }
        return .object(
            levels.sorted { $0.key < $1.key }.map { JSONValue.Member($0.key, .string($0.value.rawValue)) })
    }
}
