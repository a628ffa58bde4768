import ActorAPI
import ActorCore
import ActorRuntime
import HTTPTypes
import Hummingbird

/// `/api/v1/jobs`, `/api/v1/pipelines` and the published state machine.
struct JobRoutes {
    /// The alias that job messages go to.
    private static let manager = "pipeline-jobs-manager"
    private static let createTimeoutMilliseconds: Int64 = 30000
    private static let creationFields = [
        "pipeline_uuid", "data", "archive_path", "instanced", "session", "child_of", "notify",
    ]

    let front: HTTPFront

    func add(to table: RouteTable) {
        table.on(Paths.jobs, [.get: list, .post: create])
        table.on("\(Paths.jobs)/:id", [.get: read])
        table.on("\(Paths.jobs)/:id/history", [.get: history])
        table.on(Paths.pipelines, [.get: pipelines])
        table.on(Paths.stateMachine, [.get: stateMachine])
    }

    @Sendable private func list(_ request: Request, _ context: HTTPContext) async throws -> Response {
        let caller = try context.requireCaller()
        let query = request.formItems
        let value = { (name: String) in query.first(name).flatMap { $0.isEmpty ? nil : $0 } }
        var filter = JobQuery(
            pipeline: value("pipeline_uuid").map(PipelineID.init), session: value("session"),
            actor: value("actor_id").map(ActorID.init), cursor: value("cursor"),
            limit: try request.number("limit", default: 100, in: 1...1000))
        if let status = value("status") {
            guard let state = PipelineJobState(rawValue: status.uppercased()) else {
                let names = PipelineJobState.allCases.map(\.rawValue).joined(separator: ", ")
                throw ActorError(.invalidInput, "status must be one of \(names)")
            }
            filter.status = state
        }
        let page = try await front.system.store.jobs(filter)
        let withHistory = query.first("history") == "true"
        var items: [JobPayload] = []
        for record in page.jobs {
            let history = withHistory ? try await front.system.store.history(of: record.uuid) : nil
            items.append(payload(record, caller, history: history))
        }
        return .page(Page(items: items, next: page.next), plural: "jobs")
    }

    @Sendable private func read(_ request: Request, _ context: HTTPContext) async throws -> Response {
        let record = try await job(context)
        let history = try await front.system.store.history(of: record.uuid)
        return .json(payload(record, try context.requireCaller(), history: history).json)
    }

    @Sendable private func history(_ request: Request, _ context: HTTPContext) async throws -> Response {
        let record = try await job(context)
        return .json(JobHistoryPayload(try await front.system.store.history(of: record.uuid)).json)
    }

    @Sendable private func pipelines(_ request: Request, _ context: HTTPContext) async throws -> Response {
        let records = try await front.system.store.pipelines()
        return .page(Page(items: records.map(PipelinePayload.init)), plural: "pipelines")
    }

    /// Sends the creation to the actor that keeps the jobs, and answers what it answered.
    @Sendable private func create(_ request: Request, _ context: HTTPContext) async throws -> Response {
        let caller = try context.requireCaller()
        guard request.formItems.first("dry_run") != "true" else {
            throw ActorError(
                .invalidInput, "dry_run is not offered by this version",
                details: [ActorError.Detail(place: "dry_run", problem: "leave it out")])
        }
        let spec = try front.actor(Self.manager, caller, .execute)
        let body = try await BodyJSON.object(request, limits: front.system.limits)
        let unknown = (body.object ?? []).map(\.name).filter { !Self.creationFields.contains($0) }
        guard unknown.isEmpty else {
            throw ActorError(
                .invalidInput, "the body has fields that a new job does not take",
                details: unknown.prefix(16).map { ActorError.Detail(place: "/\($0)", problem: "not known") })
        }
        guard body["pipeline_uuid"]?.string != nil else {
            throw ActorError(
                .invalidInput, "a new job needs a pipeline",
                details: [ActorError.Detail(place: "/pipeline_uuid", problem: "must be the UUID of a pipeline")])
        }
        let record = try await front.audited(caller, "job.create", spec.id.rawValue) {
            try await front.system.ask(
                MessageDraft(actor: spec.id, body: JSONWriter.bytes(body), sender: caller.username),
                timeoutMilliseconds: Self.createTimeoutMilliseconds)
        }
        guard record.outcome == .succeeded, let result = record.result else {
            throw ActorError(
                .refusedTransition, record.reason ?? "the job was not created",
                details: [ActorError.Detail(place: "execution \(record.id)", problem: "its log says more")])
        }
        return .json(result, status: .created)
    }

    @Sendable private func stateMachine(_ request: Request, _ context: HTTPContext) async throws -> Response {
        .json(Self.stateMachine)
    }

    private func job(_ context: HTTPContext) async throws(ActorError) -> JobRecord {
        let uuid = context.word().lowercased()
        guard let record = try await front.system.store.job(JobID(uuid)) else {
            throw ActorError(.notFound, "there is no job \(uuid.prefix(64))")
        }
        return record
    }

    /// Token and callback move the job: only its owner and admins see them.
    private func payload(_ record: JobRecord, _ caller: Caller, history: [JobHistoryEntry]?) -> JobPayload {
        let isTrusted = caller.isAdmin || (caller.nonce == nil && caller.username == record.owner)
        return JobPayload(
            record, history: history, callback: isTrusted ? try? front.system.callbackURL(for: record) : nil,
            token: isTrusted ? record.token : nil, archiveFolder: front.settings.archiveFolder(record.path))
    }

    private static let stateMachine: JSONValue = [
        "states": .array(PipelineJobState.allCases.map { .string($0.rawValue) }),
        "events": .array(
            PipelineJobEvent.allCases.compactMap { event in
                PipelineJobMachine.transitions[event].map { rule in
                    TransitionPayload(
                        name: event.rawValue, sources: rule.sources.map(\.rawValue), target: rule.target?.rawValue
                    ).json
                }
            }),
        "initial": .string(PipelineJobState.created.rawValue),
    ]
}
