import ActorAPI
import ActorCore
import ActorRuntime
import Hummingbird

/// `/api/v1/audit`: who changed what, for admins.
struct AuditRoutes {
    let front: HTTPFront

    func add(to table: RouteTable) { table.on(Paths.audit, [.get: list]) }

    @Sendable private func list(_ request: Request, _ context: HTTPContext) async throws -> Response {
        _ = try front.requireAdmin(context)
        let limit = try request.number("limit", default: 100, in: 1...1000)
        let entries = try await front.system.store.audits(limit: limit)
        return .page(Page(items: entries.map(AuditPayload.init)), plural: "audit")
    }
}
