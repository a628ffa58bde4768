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
        let kept = try await front.system.store.keptState(of: spec.id)
        var response = front.reply(generation).success(
            "Actor state retrieved successfully.", ["state": kept.value])
        response.headers[.eTag] = Self.tag(kept.revision)
        return response
    }

    @Sendable private func replace(_ request: Request, _ context: HTTPContext) async throws -> Response {
        let spec = try await front.authorized(context, .update)
        guard !spec.stateless else { throw ActorError(.notFound, "actor is stateless.") }
        let limits = front.system.limits
        let bytes = try await BodyReader.bytes(of: request, limit: limits.maxBodyBytes)
        guard ContentType(request.headers[.contentType]).isJSON, !bytes.isEmpty else { throw Self.unusable }
        let state = try BodyJSON.read(bytes, maxDepth: limits.maxJSONDepth)
        guard state.isTruthy else { throw Self.unusable }
        let expected = try Self.expected(request.headers[.ifMatch])
        let revision = try await front.audited(try context.requireCaller(), "state.replace", spec.id.rawValue) {
            do {
                return try await front.system.store.replaceState(
                    state, of: spec.id, expected: expected, at: front.system.now())
            } catch let error as ActorError where error.code == .conflict {
                throw HTTPError(.preconditionFailed, message: error.message)
            }
        }
        let document = try await front.actorDocument(try front.status(of: spec), generation)
        var response = front.reply(generation).success("State updated successfully.", document)
        response.headers[.eTag] = Self.tag(revision)
        return response
    }

    /// The number of the state's change: who writes with `If-Match` overwrites nothing that it has not seen.
    private static func tag(_ revision: Int) -> String { "\"\(revision)\"" }

    private static func expected(_ header: String?) throws(ActorError) -> Int? {
        guard let header else { return nil }
        let text = ContentType.trimmed(header)
        if text == "*" { return nil }
        guard text.count > 2, text.hasPrefix("\""), text.hasSuffix("\""),
            let revision = Int(text.dropFirst().dropLast())
        else {
            throw ActorError(.invalidInput, "If-Match takes the ETag that GET …/state answered, for example \"3\"")
        }
        return revision
    }

    private static let unusable = ActorError(
        .invalidInput, "Invalid actor state description: state must be JSON serializable.")
}
