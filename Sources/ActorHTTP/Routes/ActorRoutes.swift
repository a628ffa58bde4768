import ActorCore
import ActorRuntime
import Hummingbird

/// `GET /actors` and `GET /actors/{id}` of the actors API. Actors are declared by folders, not made over HTTP.
struct ActorRoutes {
    let front: HTTPFront
    let generation: ActorsGeneration

    func add(to table: RouteTable) {
        table.on(generation.prefix, cors: true, [.get: list])
        table.on("\(generation.prefix)/:id", cors: true, [.get: read])
    }

    @Sendable private func list(_ request: Request, _ context: HTTPContext) async throws -> Response {
        let caller = try context.requireCaller()
        guard caller.nonce == nil else { throw ActorError.notAuthorized }
        var actors: [JSONValue] = []
        let reply = front.reply(generation)
        for status in front.system.statuses(tenant: caller.principal.tenant)
        where Access.level(of: caller, on: status.spec) >= .read {
            actors.append(try await front.actorDocument(status, generation))
        }
        return reply.success("Actors retrieved successfully.", .array(actors))
    }

    @Sendable private func read(_ request: Request, _ context: HTTPContext) async throws -> Response {
        let spec = try await front.authorized(context, .read)
        let document = try await front.actorDocument(try front.status(of: spec), generation)
        return front.reply(generation).success("Actor retrieved successfully.", document)
    }
}

extension HTTPFront {
    func reply(_ generation: ActorsGeneration) -> ActorsReply {
        ActorsReply(version: settings.version, keyCase: keyCase(generation))
    }

    func keyCase(_ generation: ActorsGeneration) -> KeyCase {
        settings.camelCase && generation != .third ? .camel : .snake
    }

    func documents(_ generation: ActorsGeneration) -> ActorDocuments {
        ActorDocuments(baseURL: baseURL, generation: generation)
    }

    func status(of spec: ActorSpec) throws(ActorError) -> ActorStatus {
        guard let status = system.status(of: spec.id) else {
            throw ActorError(.notFound, "No actor found with identifier: \(spec.id).")
        }
        return status
    }

    func actorDocument(_ status: ActorStatus, _ generation: ActorsGeneration) async throws(ActorError) -> JSONValue {
        let state = try await system.store.state(of: status.spec.id) ?? [:]
        let id = status.spec.id
        let due = status.spec.schedule == nil ? nil : try await system.store.schedules()[id]?.next
        return documents(generation).actor(status, state: state, due: due)
    }
}
