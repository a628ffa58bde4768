import ActorCore
import ActorRuntime
import HTTPTypes
import Hummingbird

/// `/actors/{id}/state` (actors API, section 7).
struct StateRoutes {
    let front: HTTPFront
    let generation: ActorsGeneration

    func add(to table: RouteTable) {
        table.on("\(generation.prefix)/:id/state", cors: true, [.get: read, .post: replace])
    }

    @Sendable private func read(_ request: Request, _ context: HTTPContext) async throws -> Response {
        let spec = try await front.authorized(context, .read)
        let state = try await front.system.store.state(of: spec.id) ?? [:]
        return front.reply(generation).success("Actor state retrieved successfully.", ["state": state])
    }

    @Sendable private func replace(_ request: Request, _ context: HTTPContext) async throws -> Response {
        let spec = try await front.authorized(context, .update)
        guard !spec.stateless else { throw ActorError(.notFound, "actor is stateless.") }
        let limits = front.system.limits
        let bytes = try await BodyReader.bytes(of: request, limit: limits.maxBodyBytes)
        guard ContentType(request.headers[.contentType]).isJSON, !bytes.isEmpty else { throw Self.unusable }
        let state = try BodyJSON.read(bytes, maxDepth: limits.maxJSONDepth)
        guard state.isTruthy else { throw Self.unusable }
        try await front.audited(try context.requireCaller(), "state.replace", spec.id.rawValue) {
            try await front.system.store.setState(state, of: spec.id, at: front.system.now())
        }
        let document = try await front.actorDocument(try front.status(of: spec), generation)
        return front.reply(generation).success("State updated successfully.", document)
    }

    private static let unusable = ActorError(
        .invalidInput, "Invalid actor state description: state must be JSON serializable.")
}
