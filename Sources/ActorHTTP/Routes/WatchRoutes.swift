import ActorAPI
import ActorCore
import ActorRuntime
import HTTPTypes
import Hummingbird

/// `/api/v1/watches`: actors that are sent what happens to a job or to a pipeline's jobs.
///
/// Whoever may send to an actor may have it told; only that person and admins see and end the watch.
struct WatchRoutes {
    let front: HTTPFront

    func add(to table: RouteTable) {
        table.on(Paths.watches, [.get: list, .post: create])
        table.on("\(Paths.watches)/:id", [.delete: delete])
    }

    @Sendable private func list(_ request: Request, _ context: HTTPContext) async throws -> Response {
        let caller = try person(context)
        let items = request.formItems
        var target: JobWatch.Target?
        if let job = items.first("job"), !job.isEmpty { target = .job(JobID(job.lowercased())) }
        if let pipeline = items.first("pipeline"), !pipeline.isEmpty {
            target = .pipeline(PipelineID(pipeline.lowercased()))
        }
        let all = try await front.system.store.watches(of: target, limit: JobWatch.maxCount)
        let shown = all.filter { caller.isAdmin || $0.owner == caller.username }
        return .json(["watches": .array(shown.map(json)), "next": .null])
    }

    @Sendable private func create(_ request: Request, _ context: HTTPContext) async throws -> Response {
        let caller = try person(context)
        let body = try await BodyJSON.object(request, limits: front.system.limits)
        let known = ["job", "pipeline", "actor"]
        for member in body.object ?? [] where !known.contains(member.name) {
            throw Self.wrong("/\(member.name.prefix(64))", "is not known here; there are job, pipeline, actor")
        }
        guard let word = body["actor"]?.string else { throw Self.wrong("/actor", "must be the id or name of an actor") }
        let spec = try front.actor(word, caller, .execute)
        let target = try await target(body)
        let watch = JobWatch(
            id: WatchID(front.system.makeID()), target: target, actor: spec.id, owner: caller.username,
            created: front.system.now())
        let kept = try await front.audited(caller, "watch.create", spec.id.rawValue) {
            try await front.system.store.create(watch)
        }
        return .json(json(kept), status: .created)
    }

    private func target(_ body: JSONValue) async throws(ActorError) -> JobWatch.Target {
        switch (body["job"]?.string?.lowercased(), body["pipeline"]?.string?.lowercased()) {
        case (let uuid?, nil):
            guard try await front.system.store.job(JobID(uuid)) != nil else {
                throw ActorError(.notFound, "there is no job \(uuid.prefix(64))")
            }
            return .job(JobID(uuid))
        case (nil, let uuid?):
            guard try await front.system.store.pipeline(PipelineID(uuid)) != nil else {
                throw ActorError(.notFound, "there is no pipeline \(uuid.prefix(64))")
            }
            return .pipeline(PipelineID(uuid))
        default: throw Self.wrong("/job", "name either a job or a pipeline, by its UUID")
        }
    }

    @Sendable private func delete(_ request: Request, _ context: HTTPContext) async throws -> Response {
        let caller = try person(context)
        let id = WatchID(context.word())
        guard let watch = try await front.system.store.watch(id), caller.isAdmin || watch.owner == caller.username
        else { throw ActorError(.notFound, "there is no watch \(id.rawValue.prefix(64))") }
        _ = try await front.audited(caller, "watch.delete", id.rawValue) {
            try await front.system.store.deleteWatch(id)
        }
        return Response(status: .noContent)
    }

    /// Nonces open actors, not this.
    private func person(_ context: HTTPContext) throws(ActorError) -> Caller {
        let caller = try context.requireCaller()
        guard caller.nonce == nil else { throw ActorError.notAuthorized }
        return caller
    }

    private func json(_ watch: JobWatch) -> JSONValue {
        var job = JSONValue.null
        var pipeline = JSONValue.null
        switch watch.target {
        case .job(let id): job = .string(id.rawValue)
        case .pipeline(let id): pipeline = .string(id.rawValue)
        }
        return [
            "id": .string(watch.id.rawValue), "job": job, "pipeline": pipeline,
            "actor_id": .string(watch.actor.rawValue), "actor": JSONValue(front.system.spec(watch.actor)?.name),
            "owner": .string(watch.owner), "created": JSONValue(watch.created),
        ]
    }

    private static func wrong(_ place: String, _ problem: String) -> ActorError {
        ActorError(
            .invalidInput, "this is no watch", details: [ActorError.Detail(place: place, problem: problem)])
    }
}
