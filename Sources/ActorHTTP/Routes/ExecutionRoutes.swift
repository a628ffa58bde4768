import ActorAPI
import ActorCore
import ActorRuntime
import HTTPTypes
import Hummingbird

/// `/api/v1/executions`: what happened to messages, with live logs.
struct ExecutionRoutes {
    let front: HTTPFront

    func add(to table: RouteTable) {
        table.on(Paths.executions, [.get: list])
        table.on("\(Paths.executions)/:id", [.get: read, .delete: cancel])
        table.on("\(Paths.executions)/:id/why", [.get: why])
        table.on("\(Paths.executions)/:id/logs", [.get: log])
    }

    @Sendable private func list(_ request: Request, _ context: HTTPContext) async throws -> Response {
        let caller = try context.requireCaller()
        let query = request.formItems
        let limit = try request.number("limit", default: 100, in: 1...1000)
        var actor: ActorID?
        if let word = query.first("actor"), !word.isEmpty { actor = try front.actor(word, caller, .read).id }
        var before: Int64?
        if let text = query.first("before"), !text.isEmpty {
            guard let sequence = Int64(text) else {
                throw ActorError(.invalidInput, "before must be a cursor that an earlier answer gave as next")
            }
            before = sequence
        }
        // Of one actor the caller was asked already.
        let readable = actor == nil ? front.readable(by: caller) : nil
        let records = try await front.system.executions(of: actor, among: readable, before: before, limit: limit)
        let next = records.count == limit ? records.last.map { String($0.sequence) } : nil
        let items = records.map { payload($0, caller, attempts: nil) }
        return .page(Page(items: items, next: next), plural: "executions")
    }

    @Sendable private func read(_ request: Request, _ context: HTTPContext) async throws -> Response {
        let record = try await record(context)
        let attempts = try await front.system.store.attempts(of: record.id)
        return .json(payload(record, try context.requireCaller(), attempts: attempts).json)
    }

    @Sendable private func why(_ request: Request, _ context: HTTPContext) async throws -> Response {
        let record = try await record(context)
        guard let report = try await front.system.why(record.id) else {
            throw ActorError(.notFound, "there is no execution \(record.id)")
        }
        return .json(WaitReportJSON.json(of: report))
    }

    @Sendable private func cancel(_ request: Request, _ context: HTTPContext) async throws -> Response {
        let caller = try context.requireCaller()
        let record = try await record(context)
        guard caller.isAdmin || Access.seesInside(caller, front.system.spec(record.actor)) else {
            throw ActorError(.forbidden, "this needs the role admin, or to be the actor's owner")
        }
        let cancelled = try await front.audited(caller, "execution.cancel", record.id.rawValue) {
            try await front.system.cancel(record.id)
        }
        return .json(["cancelled": .bool(cancelled)])
    }

    @Sendable private func log(_ request: Request, _ context: HTTPContext) async throws -> Response {
        let record = try await record(context)
        guard request.formItems.first("follow") == "true" else {
            return .text(Array(try await front.system.log(of: record.id).text.utf8))
        }
        return front.followed(record.id, by: context.channel)
    }

    private func record(_ context: HTTPContext) async throws(ActorError) -> ExecutionRecord {
        let id = ExecutionID(context.word())
        let caller = try context.requireCaller()
        guard let record = try await front.system.execution(id),
            Access.reads(record, caller, front.system.spec(record.actor))
        else { throw ActorError(.notFound, "there is no execution \(id.rawValue.prefix(64))") }
        return record
    }

    private func payload(
        _ record: ExecutionRecord, _ caller: Caller, attempts: [AttemptRecord]?
    ) -> ExecutionPayload {
        let spec = front.system.spec(record.actor)
        return ExecutionPayload(
            record, actor: spec?.title ?? record.actor.rawValue,
            showsResult: record.sender == caller.username || Access.seesInside(caller, spec), attempts: attempts)
    }
}
