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
        table.on(path, cors: true, [.get: list, .post: account])
        table.on("\(path)/:execution", cors: true, [.get: read, .delete: stop])
        table.on("\(path)/:execution/logs", cors: true, [.get: log])
        table.on("\(path)/:execution/results", cors: true, [.get: result])
    }

    @Sendable private func list(_ request: Request, _ context: HTTPContext) async throws -> Response {
        let spec = try await front.authorized(context, .read)
        if let query = try SearchQuery(request.formItems, ignoring: ["x-nonce"]) {
            return try await front.search(
                .executions, query, try context.requireCaller(), generation,
                "Executions search completed successfully.", actor: spec)
        }
        let records = try await front.system.executions(of: spec.id, before: nil, limit: Self.longestList)
        let totals = try await front.system.store.totals(of: spec.id)
        return front.reply(generation).success(
            "Actor executions retrieved successfully.",
            front.documents(generation, spec.tenant)
                .executions(records, of: spec, totals: totals, keyCase: front.keyCase(generation)))
    }

    /// Executions are accounted for by the daemon that runs them; the old service takes none from outside either.
    @Sendable private func account(_ request: Request, _ context: HTTPContext) async throws -> Response {
        _ = try await front.authorized(context, .update)
        throw ActorError(.invalidInput, "Required field executor missing.")
    }

    @Sendable private func read(_ request: Request, _ context: HTTPContext) async throws -> Response {
        let spec = try await front.authorized(context, .read)
        let record = try await execution(context, of: spec)
        return front.reply(generation).success(
            "Actor execution retrieved successfully.",
            front.documents(generation, spec.tenant)
                .execution(record, of: spec, executor: front.executor(of: record)))
    }

    @Sendable private func stop(_ request: Request, _ context: HTTPContext) async throws -> Response {
        let spec = try await front.authorized(context, .update)
        let record = try await execution(context, of: spec)
        // One that waits stays in its mailbox: scripts that clean up send this for every execution there is, and count
        // on the refusal. A waiting message is withdrawn under /api/v1.
        guard record.status == .running else { throw Self.notRunning(record.status) }
        let stopped = try await front.audited(
            try context.requireCaller(), "execution.cancel", record.id.rawValue
        ) { try await front.system.cancel(record.id) }
        // It has ended meanwhile.
        guard stopped else { throw Self.notRunning(.complete) }
        return front.reply(generation).success("Issued force quit command for execution \(record.id).", .null)
    }

    private static func notRunning(_ status: ExecutionStatus) -> ActorError {
        ActorError(
            .invalidInput,
            "Cannot force quit an execution not in RUNNING status. Execution was found in status: \(status.rawValue)")
    }

    @Sendable private func log(_ request: Request, _ context: HTTPContext) async throws -> Response {
        let spec = try await front.authorized(context, .read)
        let record = try await execution(context, of: spec)
        if request.formItems.first("follow") == "true" { return front.followed(record.id, by: context.channel) }
        if let query = try SearchQuery(request.formItems, ignoring: ["x-nonce", "follow"]) {
            return try await front.search(
                .logs, query, try context.requireCaller(), generation, "Log search completed successfully.",
                actor: spec, execution: record)
        }
        let log = try await front.system.log(of: record.id)
        let documents = front.documents(generation, spec.tenant)
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

    /// The next result that the execution's program has sent, raw, which is then gone; what a built-in actor replied
    /// stays. Nothing when there is none, and of an execution that nobody knows (section 1.7).
    @Sendable private func result(_ request: Request, _ context: HTTPContext) async throws -> Response {
        let spec = try await front.authorized(context, .read)
        let known = try await front.system.execution(ExecutionID(context.word("execution")))
        // Asked first: what is taken is gone, also for who may have it.
        guard let record = known, record.actor == spec.id,
            Access.seesResult(of: record, try context.requireCaller(), spec)
        else { return .bytes([], type: Self.binary) }
        if let result = await front.system.takeResult(of: record.id) { return .bytes(result, type: Self.binary) }
        guard let result = record.result else { return .bytes([], type: Self.binary) }
        return .bytes(JSONWriter.bytes(result), type: Self.binary)
    }

    private static let binary = "application/octet-stream"

    /// A missing execution is 400 there (section 1.5).
    private func execution(
        _ context: HTTPContext, of spec: ActorSpec
    ) async throws(ActorError) -> ExecutionRecord {
        let id = ExecutionID(context.word("execution"))
        guard let record = try await front.system.execution(id), record.actor == spec.id else {
            throw ActorError(
                .invalidInput,
                "No executions found with actor id of \(spec.id) and execution id of \(id.rawValue.prefix(64)).")
        }
        return record
    }
}

extension HTTPFront {
    /// Who sent the message of an execution, as old clients are told: the news of a linked actor come from nobody in
    /// particular (section 6.5). What built-in actors send is their own, and scripts send as users.
    func executor(of record: ExecutionRecord) -> String {
        let prefix = "actor:"
        guard record.sender.hasPrefix(prefix) else { return record.sender }
        if case .builtin? = system.spec(ActorID(String(record.sender.dropFirst(prefix.count))))?.run {
            return record.sender
        }
        return ActorSystem.eventSender
    }
}

extension ExecutionLog {
    /// With the notice at its end when it was cut.
    var text: String {
        let text = String(decoding: bytes, as: UTF8.self)
        return truncated && !text.hasSuffix(Limits.truncationNotice) ? text + Limits.truncationNotice : text
    }
}
