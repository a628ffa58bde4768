import ActorAPI
import ActorCore
import ActorRuntime
import HTTPTypes
import Hummingbird

/// `/api/v1/pipelines`: reading them, and what changes them as messages to the actor that keeps them.
struct PipelineRoutes {
    private static let keeper = "pipelines-manager"

    let front: HTTPFront

    func add(to table: RouteTable) {
        table.on(Paths.pipelines, [.get: list, .post: register])
        table.on("\(Paths.pipelines)/:id", [.get: read, .put: update])
        table.on("\(Paths.pipelines)/:id/enable", [.post: { try await enable($0, $1, "enable") }])
        table.on("\(Paths.pipelines)/:id/disable", [.post: { try await enable($0, $1, "disable") }])
    }

    @Sendable private func list(_ request: Request, _ context: HTTPContext) async throws -> Response {
        let cursor = request.formItems.first("cursor").flatMap { $0.isEmpty ? nil : PipelineID($0) }
        let page = try await front.system.store.pipelines(
            after: cursor, limit: try request.number("limit", default: 100, in: 1...1000))
        return .page(
            Page(items: page.pipelines.map(PipelinePayload.init), next: page.next?.rawValue), plural: "pipelines")
    }

    @Sendable private func read(_ request: Request, _ context: HTTPContext) async throws -> Response {
        .json(PipelinePayload(try await pipeline(context)).json)
    }

    @Sendable private func register(_ request: Request, _ context: HTTPContext) async throws -> Response {
        let body = try await BodyJSON.object(request, limits: front.system.limits)
        guard body["action"] == nil else {
            throw ActorError(
                .invalidInput, "a pipeline has no action",
                details: [ActorError.Detail(place: "/action", problem: "not known")])
        }
        return try await front.ask(Self.keeper, body, try context.requireCaller(), owner: nil, status: .created)
    }

    @Sendable private func update(_ request: Request, _ context: HTTPContext) async throws -> Response {
        let record = try await pipeline(context)
        let body = try await BodyJSON.object(request, limits: front.system.limits)
        var message: JSONValue = [
            "uuid": .string(record.uuid.rawValue), "action": "update", "body": body.removing("token"),
        ]
        if let token = body["token"] { message = message.setting("token", token) }
        return try await front.ask(Self.keeper, message, try context.requireCaller(), owner: record.owner)
    }

    private func enable(_ request: Request, _ context: HTTPContext, _ action: String) async throws -> Response {
        let record = try await pipeline(context)
        let body = try await BodyJSON.object(request, limits: front.system.limits)
        var message: JSONValue = ["uuid": .string(record.uuid.rawValue), "action": .string(action)]
        if let token = body["token"] { message = message.setting("token", token) }
        return try await front.ask(Self.keeper, message, try context.requireCaller(), owner: record.owner)
    }

    private func pipeline(_ context: HTTPContext) async throws(ActorError) -> PipelineRecord {
        let uuid = context.word().lowercased()
        guard let record = try await front.system.store.pipeline(PipelineID(uuid)) else {
            throw ActorError(.notFound, "there is no pipeline \(uuid.prefix(64))")
        }
        return record
    }
}
