import ActorAPI
import ActorCore
import ActorRuntime
import Hummingbird

/// What supervisors and load balancers ask.
struct HealthRoutes {
    let front: HTTPFront

    func add(to table: RouteTable) {
        table.on(Paths.health, [.get: health])
        table.on(Paths.ready, [.get: ready])
    }

    @Sendable private func health(_ request: Request, _ context: HTTPContext) async throws -> Response {
        .json(["status": "ok"])
    }

    @Sendable private func ready(_ request: Request, _ context: HTTPContext) async throws -> Response {
        guard front.system.isReady else { return .json(["status": "not ready"], status: .serviceUnavailable) }
        return .json(["status": "ready"])
    }
}
