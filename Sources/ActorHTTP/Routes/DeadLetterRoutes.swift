import ActorAPI
import ActorCore
import ActorRuntime
import HTTPTypes
import Hummingbird

/// `/api/v1/dead-letters`: messages that used up their attempts.
struct DeadLetterRoutes {
    private static let longestList = 1000

    let front: HTTPFront

    func add(to table: RouteTable) {
        table.on(Paths.deadLetters, [.get: list])
        table.on(Paths.replayAll, [.post: replayAll])
        table.on("\(Paths.deadLetters)/:id", [.delete: discard])
        table.on("\(Paths.deadLetters)/:id/replay", [.post: replay])
    }

    @Sendable private func list(_ request: Request, _ context: HTTPContext) async throws -> Response {
        let caller = try context.requireCaller()
        let limit = try request.number("limit", default: 100, in: 1...Self.longestList)
        let letters = try await front.system.store.deadLetters(of: nil, limit: limit)
        let items = letters.map { letter in
            let spec = front.system.spec(letter.message.actor)
            return DeadLetterPayload(
                letter, actor: spec?.name ?? letter.message.actor.rawValue,
                showsMessage: letter.message.sender == caller.username || Access.seesInside(caller, spec))
        }
        return .page(Page(items: items), plural: "dead_letters")
    }

    @Sendable private func replay(_ request: Request, _ context: HTTPContext) async throws -> Response {
        let caller = try front.requireAdmin(context)
        let id = try number(context)
        let execution = try await front.audited(caller, "dead_letter.replay", String(id)) {
            try await front.system.replay(deadLetter: id)
        }
        return .json(["execution_id": .string(execution.rawValue)], status: .accepted)
    }

    /// Those that cannot be replayed (their actor is gone) stay; the others go.
    @Sendable private func replayAll(_ request: Request, _ context: HTTPContext) async throws -> Response {
        let caller = try front.requireAdmin(context)
        let letters = try await front.system.store.deadLetters(of: nil, limit: Self.longestList)
        var replayed: [JSONValue] = []
        for letter in letters.reversed() where letter.replayedAs == nil {
            guard front.system.spec(letter.message.actor) != nil else { continue }
            let execution = try await front.audited(caller, "dead_letter.replay", String(letter.id)) {
                try await front.system.replay(deadLetter: letter.id)
            }
            replayed.append(["id": .int(letter.id), "execution_id": .string(execution.rawValue)])
        }
        return .json(["replayed": .array(replayed)], status: .accepted)
    }

    @Sendable private func discard(_ request: Request, _ context: HTTPContext) async throws -> Response {
        let caller = try front.requireAdmin(context)
        let id = try number(context)
        let found = try await front.audited(caller, "dead_letter.discard", String(id)) {
            try await front.system.store.discardDeadLetter(id)
        }
        guard found else { throw ActorError(.notFound, "there is no dead letter \(id)") }
        return Response(status: .noContent)
    }

    private func number(_ context: HTTPContext) throws(ActorError) -> Int64 {
        guard let number = Int64(context.word()) else {
            throw ActorError(.notFound, "there is no dead letter \(context.word().prefix(32))")
        }
        return number
    }
}
