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
        table.on("\(Paths.deadLetters)/:id", [.get: read, .delete: discard])
        table.on("\(Paths.deadLetters)/:id/replay", [.post: replay])
    }

    @Sendable private func list(_ request: Request, _ context: HTTPContext) async throws -> Response {
        let caller = try context.requireCaller()
        let limit = try request.number("limit", default: 100, in: 1...Self.longestList)
        var before: Int64?
        if let text = request.formItems.first("before"), !text.isEmpty {
            guard let number = Int64(text) else {
                throw ActorError(.invalidInput, "before must be a cursor that an earlier answer gave as next")
            }
            before = number
        }
        let letters = try await front.system.store.deadLetters(
            DeadLetterQuery(
                actor: try actor(request, caller), among: front.readable(by: caller),
                order: .newestFirst(below: before), limit: limit))
        let next = letters.count == limit ? letters.last.map { String($0.id) } : nil
        return .page(Page(items: letters.map { payload($0, caller) }, next: next), plural: "dead_letters")
    }

    /// With its attempts and their log. What an execution printed is for those who may read its actor.
    @Sendable private func read(_ request: Request, _ context: HTTPContext) async throws -> Response {
        let caller = try context.requireCaller()
        let id = try number(context)
        guard let letter = try await front.system.store.deadLetter(id) else { throw Self.missing(id) }
        let spec = front.system.spec(letter.message.actor)
        guard spec.map({ Access.level(of: caller, on: $0) >= .read }) ?? caller.isAdmin else { throw Self.missing(id) }
        let attempts = try await front.system.store.attempts(of: letter.execution)
        // The execution may be gone already: dead letters are kept longer.
        let log = try? await front.system.log(of: letter.execution)
        let detail = DeadLetterDetailPayload(
            letter: payload(letter, caller), sender: letter.message.sender,
            received: letter.message.received.iso8601, cause: letter.message.cause?.rawValue,
            attemptList: attempts.map(AttemptPayload.init), log: log?.text ?? "")
        return .json(detail.json)
    }

    private func payload(_ letter: DeadLetter, _ caller: Caller) -> DeadLetterPayload {
        let spec = front.system.spec(letter.message.actor)
        return DeadLetterPayload(
            letter, actor: spec?.title ?? letter.message.actor.rawValue,
            showsMessage: letter.message.sender == caller.username || Access.seesInside(caller, spec))
    }

    /// The actor that `?actor=` names; the id of one that is gone is taken as it is.
    private func actor(_ request: Request, _ caller: Caller) throws(ActorError) -> ActorID? {
        guard let word = request.formItems.first("actor"), !word.isEmpty else { return nil }
        if Hashids.abaco.decode(word) != nil, front.system.spec(ActorID(word)) == nil { return ActorID(word) }
        return try front.actor(word, caller, .read).id
    }

    @Sendable private func replay(_ request: Request, _ context: HTTPContext) async throws -> Response {
        let caller = try front.requireAdmin(context)
        let id = try number(context)
        let execution = try await front.audited(caller, "dead_letter.replay", String(id)) {
            try await front.system.replay(deadLetter: id)
        }
        return .json(["execution_id": .string(execution.rawValue)], status: .accepted)
    }

    /// Oldest first, so that the messages come in their old order. Those that cannot be replayed (their actor is gone)
    /// stay. One call replays a bounded number; `next` is what to pass as `after` for the rest. What is parked again
    /// meanwhile does not count to it.
    @Sendable private func replayAll(_ request: Request, _ context: HTTPContext) async throws -> Response {
        let caller = try front.requireAdmin(context)
        let limit = try request.number("limit", default: Self.longestList, in: 1...Self.longestList)
        let actor = try actor(request, caller)
        let store = front.system.store
        var (after, last): (Int64, Int64) = (0, 0)
        if let text = request.formItems.first("after"), !text.isEmpty {
            (after, last) = try Self.cursor(text)
        } else {
            last = try await store.deadLetters(limit: 1).first?.id ?? 0
        }
        let letters = try await store.deadLetters(
            DeadLetterQuery(actor: actor, order: .oldestFirst(above: after), waitingOnly: true, limit: limit))
        var replayed: [JSONValue] = []
        for letter in letters where letter.id <= last && front.system.spec(letter.message.actor) != nil {
            do {
                let execution = try await front.audited(caller, "dead_letter.replay", String(letter.id)) {
                    try await front.system.replay(deadLetter: letter.id)
                }
                replayed.append(["id": .int(letter.id), "execution_id": .string(execution.rawValue)])
            } catch let error as ActorError where [.conflict, .notFound].contains(error.code) {
                // Somebody else has just replayed or discarded it.
                continue
            }
        }
        let end = letters.count == limit ? letters.last?.id ?? last : last
        let next = end < last ? "\(end)-\(last)" : nil
        return .json(["replayed": .array(replayed), "next": JSONValue(next)], status: .accepted)
    }

    /// Where the last call ended, and the newest dead letter at the first.
    private static func cursor(_ text: String) throws(ActorError) -> (after: Int64, last: Int64) {
        let parts = text.split(separator: "-").compactMap { Int64($0) }
        guard parts.count == 2 else {
            throw ActorError(.invalidInput, "after must be a cursor that an earlier answer gave as next")
        }
        return (parts[0], parts[1])
    }

    @Sendable private func discard(_ request: Request, _ context: HTTPContext) async throws -> Response {
        let caller = try front.requireAdmin(context)
        let id = try number(context)
        let found = try await front.audited(caller, "dead_letter.discard", String(id)) {
            try await front.system.store.discardDeadLetter(id)
        }
        guard found else { throw Self.missing(id) }
        return Response(status: .noContent)
    }

    private static func missing(_ id: Int64) -> ActorError {
        ActorError(.notFound, "there is no dead letter \(id)")
    }

    private func number(_ context: HTTPContext) throws(ActorError) -> Int64 {
        guard let number = Int64(context.word()) else {
            throw ActorError(.notFound, "there is no dead letter \(context.word().prefix(32))")
        }
        return number
    }
}
