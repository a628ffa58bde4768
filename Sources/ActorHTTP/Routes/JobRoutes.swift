import ActorAPI
import ActorCore
import ActorRuntime
import HTTPTypes
import Hummingbird

/// Reading `/api/v1/jobs`.
struct JobRoutes {
    let front: HTTPFront

    func add(to table: RouteTable) {
        let commands = JobCommandRoutes(front: front)
        table.on(Paths.jobs, [.get: list, .post: commands.create])
        table.on("\(Paths.jobs)/:id", [.get: read, .delete: commands.delete])
        table.on("\(Paths.jobs)/:id/history", [.get: history])
        table.on("\(Paths.jobs)/:id/verify", [.get: verify])
        table.on("\(Paths.jobs)/:id/fsm.svg", [.get: drawing])
        commands.add(to: table)
    }

    @Sendable private func list(_ request: Request, _ context: HTTPContext) async throws -> Response {
        let caller = try context.requireCaller()
        let query = request.formItems
        let form = try JobForm(query)
        let page = try await front.system.store.jobs(try JobListing(request).query)
        let withHistory = query.first("history") == "true"
        let stalls = try await front.system.store.stalls(of: page.jobs.map(\.uuid))
        var items: [JSONValue] = []
        for record in page.jobs {
            let ledger = withHistory ? try await front.system.store.ledger(of: record.uuid) : nil
            let stall = stalls.first { $0.job == record.uuid }
            items.append(front.document(of: record, caller, form, lines: ledger?.lines).saying(stall))
        }
        return .json(["jobs": .array(items), "next": JSONValue(page.next)])
    }

    @Sendable private func read(_ request: Request, _ context: HTTPContext) async throws -> Response {
        let form = try JobForm(request.formItems)
        let ledger = try await front.ledger(context)
        let stall = try await front.system.store.stalls(of: [ledger.record.uuid]).first
        let caller = try context.requireCaller()
        return .json(front.document(of: ledger.record, caller, form, lines: ledger.lines).saying(stall))
    }

    @Sendable private func history(_ request: Request, _ context: HTTPContext) async throws -> Response {
        let form = try JobForm(request.formItems)
        let lines = try await front.ledger(context).lines
        return .json(["history": form.history(lines), "refused": form.refused(lines)])
    }

    /// Whether the history is what was written, and the record what the history says.
    @Sendable private func verify(_ request: Request, _ context: HTTPContext) async throws -> Response {
        let ledger = try await front.ledger(context)
        let problems = ledger.problems(TokenVerifier.hexadecimalDigest)
        return .json([
            "uuid": .string(ledger.record.uuid.rawValue), "ok": .bool(problems.isEmpty),
            "lines": JSONValue(ledger.lines.count), "head": .string(ledger.head),
            "problems": .array(problems.map { .string($0) }),
        ])
    }

    /// The state machine with the job's way through it lit.
    @Sendable private func drawing(_ request: Request, _ context: HTTPContext) async throws -> Response {
        let ledger = try await front.ledger(context)
        let drawing = StateMachineDrawing(edition: ledger.record.machine, walk: .init(ledger))
        return .bytes(drawing.svg.utf8, type: StateMachineDrawing.contentType)
    }
}

extension HTTPFront {
    /// The job that the path names, with its history.
    func ledger(_ context: HTTPContext) async throws(ActorError) -> JobLedger {
        let uuid = context.word().lowercased()
        if let ledger = try await system.store.ledger(of: JobID(uuid)) { return ledger }
        if let gone = try await system.store.deletedJob(JobID(uuid)) {
            let verb = gone.action == "cancel" ? "cancelled" : "deleted"
            throw ActorError(.notFound, "job \(uuid) was \(verb) at \(gone.deleted.iso8601)")
        }
        throw ActorError(.notFound, "there is no job \(uuid.prefix(64))")
    }

    /// Token and callback move the job: only its owner and admins see them.
    func document(
        of record: JobRecord, _ caller: Caller, _ form: JobForm, lines: [JobLedgerLine]?
    ) -> JSONValue {
        let isTrusted = caller.isAdmin || (caller.nonce == nil && caller.username == record.owner)
        let payload = JobPayload(
            record, history: lines.map(form.history), callback: isTrusted ? try? system.callbackURL(for: record) : nil,
            isTrusted: isTrusted, archiveFolder: settings.archiveFolder(record.path))
        return form.job(payload, record)
    }
}

extension JSONValue {
    /// A job that stands still says since when, and for how long it may.
    fileprivate func saying(_ stall: JobStall?) -> JSONValue {
        guard let stall else { return setting("stalled", .null) }
        return setting(
            "stalled",
            [
                "since": JSONValue(stall.since), "flagged": JSONValue(stall.flagged),
                "limit_seconds": .int(stall.limitMilliseconds / 1000),
            ])
    }
}
