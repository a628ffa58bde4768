import ActorCore
import ActorRuntime
import Hummingbird

/// `/actors/{id}/executions…` of the actors API.
struct ActorExecutionRoutes {
    private static let longestList = 1000

    let front: HTTPFront
    let generation: ActorsGeneration

    func add(to table: RouteTable) {
        let path = "\(generation.prefix)/:id/executions"
        table.on(path, cors: true, [.get: list])
        table.on("\(path)/:execution", cors: true, [.get: read, .delete: stop])
        table.on("\(path)/:execution/logs", cors: true, [.get: log])
    }

    @Sendable private func list(_ request: Request, _ context: HTTPContext) async throws -> Response {
        let spec = try await front.authorized(context, .read)
        let records = try await front.system.executions(of: spec.id, before: nil, limit: Self.longestList)
        return front.reply(generation).success(
            "Actor executions retrieved successfully.",
            front.documents(generation).executions(records, of: spec, keyCase: front.keyCase(generation)))
    }

    @Sendable private func read(_ request: Request, _ context: HTTPContext) async throws -> Response {
        let spec = try await front.authorized(context, .read)
        let record = try await execution(context, of: spec)
        return front.reply(generation).success(
            "Actor execution retrieved successfully.", front.documents(generation).execution(record, of: spec))
    }

    @Sendable private func stop(_ request: Request, _ context: HTTPContext) async throws -> Response {
        let spec = try await front.authorized(context, .update)
        let record = try await execution(context, of: spec)
        let stopped = try await front.audited(
            try context.requireCaller(), "execution.cancel", record.id.rawValue
        ) { try await front.system.cancel(record.id) }
        guard stopped else {
            throw ActorError(
                .invalidInput,
                "Cannot force quit an execution not in RUNNING status. Execution was found in status: "
                    + record.status.rawValue)
        }
        return front.reply(generation).success("Issued force quit command for execution \(record.id).", .null)
    }

    @Sendable private func log(_ request: Request, _ context: HTTPContext) async throws -> Response {
        let spec = try await front.authorized(context, .read)
        let record = try await execution(context, of: spec)
        let log = try await front.system.log(of: record.id)
        let documents = front.documents(generation)
        let path = "\(spec.id)/executions/\(record.id)"
        return front.reply(generation).success(
            "Logs retrieved successfully.",
            [
                "_links": [
                    "execution": documents.link(path), "owner": documents.profile(spec.owner),
                    "self": documents.link("\(path)/logs"),
                ],
                "logs": .string(log.text),
            ])
    }

    /// A missing execution is 400 there (section 1.5).
    private func execution(
        _ context: HTTPContext, of spec: ActorSpec
    ) async throws(ActorError) -> ExecutionRecord {
        let id = ExecutionID(context.word("execution"))
        guard let record = try await front.system.execution(id), record.actor == spec.id else {
            throw ActorError(.invalidInput, "No execution found with identifier: \(id.rawValue.prefix(64)).")
        }
        return record
    }
}

extension ExecutionLog {
    /// With the notice at its end when it was cut.
    var text: String {
        let text = String(decoding: bytes, as: UTF8.self)
        return truncated && !text.hasSuffix(Limits.truncationNotice) ? text + Limits.truncationNotice : text
    }
}
