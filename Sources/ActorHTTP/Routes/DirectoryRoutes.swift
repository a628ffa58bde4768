import ActorAPI
import ActorCore
import ActorRuntime
import HTTPTypes
import Hummingbird

/// `/api/v1/actors`: what runs here, with its mailboxes, and what is kept from running.
struct DirectoryRoutes {
    let front: HTTPFront

    func add(to table: RouteTable) {
        table.on(Paths.actors, [.get: list])
        table.on("\(Paths.actors)/:id", [.get: read])
        table.on("\(Paths.actors)/:id/restart", [.post: restart])
        table.on("\(Paths.actors)/:id/nonces", [.get: nonces, .post: createNonce])
    }

    @Sendable private func list(_ request: Request, _ context: HTTPContext) async throws -> Response {
        let caller = try context.requireCaller()
        let statuses = front.system.statuses(tenant: caller.principal.tenant)
            .filter { Access.level(of: caller, on: $0.spec) >= .read }
        let list = ActorListPayload(
            actors: statuses.map(ActorPayload.init), quarantined: front.system.quarantined.map(QuarantinePayload.init))
        return .json(list.json)
    }

    @Sendable private func read(_ request: Request, _ context: HTTPContext) async throws -> Response {
        let spec = try front.actor(context.word(), try context.requireCaller(), .read)
        return .json(ActorPayload(try front.status(of: spec)).json)
    }

    /// Tries an actor again that is paused or in ERROR.
    @Sendable private func restart(_ request: Request, _ context: HTTPContext) async throws -> Response {
        let caller = try context.requireCaller()
        let spec = try front.actor(context.word(), caller, .update)
        _ = try await front.audited(caller, "actor.restart", spec.id.rawValue) { front.system.restart(spec.id) }
        return .json(ActorPayload(try front.status(of: spec)).json, status: .accepted)
    }

    @Sendable private func nonces(_ request: Request, _ context: HTTPContext) async throws -> Response {
        let caller = try context.requireCaller()
        let spec = try front.actor(context.word(), caller, .read)
        let nonces = try await front.visibleNonces(of: spec, caller)
        return .page(Page(items: nonces.map(NoncePayload.init)), plural: "nonces")
    }

    @Sendable private func createNonce(_ request: Request, _ context: HTTPContext) async throws -> Response {
        let caller = try front.requireAdmin(context)
        let spec = try front.actor(context.word(), caller, .update)
        let body = try await BodyJSON.object(request, limits: front.system.limits)
        let nonce = try await front.createNonce(
            for: spec, alias: nil, by: caller, level: body["level"], maxUses: body["max_uses"],
            description: body["description"])
        return .json(NoncePayload(nonce).json, status: .created)
    }
}
