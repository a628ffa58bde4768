import ActorAPI
import ActorCore
import ActorRuntime
import HTTPTypes
import Hummingbird

/// `/actors/utilization` and `/actors/admin…`: the whole house at a glance.
struct AdminRoutes {
    let front: HTTPFront
    let generation: ActorsGeneration

    private var reply: ActorsReply { front.reply(generation) }

    func add(to table: RouteTable) {
        let prefix = generation.prefix
        table.on("\(prefix)/utilization", cors: true, [.get: utilization])
        table.on("\(prefix)/admin", cors: true, [.get: actors])
        table.on("\(prefix)/admin/workers", cors: true, [.get: workers])
        table.on("\(prefix)/admin/executions", cors: true, [.get: executions])
    }

    @Sendable private func utilization(_ request: Request, _ context: HTTPContext) async throws -> Response {
        let caller = try Self.token(context, "utilization")
        let statuses = front.system.statuses(tenant: caller.principal.tenant)
        return reply.object(
            "Abaco utilization returned successfully.",
            [
                "currentActors": JSONValue(statuses.count), "totalActors": JSONValue(statuses.count),
                "workers": JSONValue(statuses.map { front.workers(of: $0.spec).count }.reduce(0, +)),
                "commandQueue": JSONValue(statuses.map(\.waiting).reduce(0, +)),
            ])
    }

    @Sendable private func actors(_ request: Request, _ context: HTTPContext) async throws -> Response {
        let caller = try Self.admin(context)
        let plans = try await front.system.store.schedules()
        var actors: [JSONValue] = []
        for status in front.system.statuses(tenant: caller.principal.tenant) {
            let spec = status.spec
            let document = try await front.actorDocument(status, generation, plans)
            actors.append(
                document.setting("tenant", .string(spec.tenant))
                    .setting("db_id", .string("\(spec.tenant)_\(spec.id)"))
                    .setting("messages", JSONValue(status.waiting))
                    .setting("workers", JSONValue(front.workers(of: spec).count)))
        }
        return reply.success("Actors retrieved successfully.", .array(actors))
    }

    @Sendable private func workers(_ request: Request, _ context: HTTPContext) async throws -> Response {
        let caller = try Self.admin(context)
        var all: [JSONValue] = []
        var idle = 0
        for status in front.system.statuses(tenant: caller.principal.tenant) {
            let workers = front.workers(of: status.spec)
            if workers.isEmpty { idle += 1 }
            all += workers.map { $0.setting("actor_id", .string(status.spec.id.rawValue)) }
        }
        func count(_ word: String) -> JSONValue { JSONValue(all.count { $0["status"]?.string == word }) }
        return reply.success(
            "Workers retrieved successfully.",
            [
                "summary": [
                    "total_workers": JSONValue(all.count), "requested_workers": count("REQUESTED"),
                    "ready_workers": count("READY"), "busy_workers": count("BUSY"), "error_workers": count("ERROR"),
                    "actors_no_workers": JSONValue(idle),
                ],
                "workers": .array(all),
            ])
    }

    @Sendable private func executions(_ request: Request, _ context: HTTPContext) async throws -> Response {
        let caller = try Self.admin(context)
        var actors: [JSONValue] = []
        var (count, seconds, busy, use) = (0, 0, 0, ResourceUse())
        for status in front.system.statuses(tenant: caller.principal.tenant) {
            let spec = status.spec
            let totals = try await front.system.store.totals(of: spec.id)
            count += totals.count
            seconds += totals.seconds
            if totals.count > 0 { busy += 1 }
            use = use + totals.use
            actors.append([
                "actor_id": .string(spec.id.rawValue), "owner": .string(spec.owner), "image": .string(spec.run.image),
                "total_executions": JSONValue(totals.count), "total_execution_cpu": .int(totals.use.cpu),
                "total_execution_io": .int(totals.use.io),
                "total_execution_runtime": JSONValue(totals.seconds),
            ])
        }
        return reply.success(
            "Executions retrieved successfully.",
            [
                // What was deleted is not counted any more.
                "summary": .object(
                    ["all_time", "existing"].flatMap { word in
                        [
                            JSONValue.Member("total_actors_\(word)", JSONValue(actors.count)),
                            JSONValue.Member("total_actors_\(word)_with_executions", JSONValue(busy)),
                            JSONValue.Member("total_executions_\(word)", JSONValue(count)),
                            JSONValue.Member("total_execution_runtime_\(word)", JSONValue(seconds)),
                            JSONValue.Member("total_execution_cpu_\(word)", .int(use.cpu)),
                            JSONValue.Member("total_execution_io_\(word)", .int(use.io)),
                        ]
                    }),
                "actors": .array(actors),
            ])
    }

    /// With a nonce, the word is taken for an actor's name.
    private static func token(_ context: HTTPContext, _ word: String) throws(ActorError) -> Caller {
        let caller = try context.requireCaller()
        guard caller.nonce == nil else {
            throw ActorError(.notFound, "Actor with identifier '\(word)' not found")
        }
        return caller
    }

    private static func admin(_ context: HTTPContext) throws(ActorError) -> Caller {
        let caller = try token(context, "admin")
        guard caller.isAdmin else { throw ActorError(.forbidden, "Abaco Admin role required.") }
        return caller
    }
}

/// `/metrics`, `/cron`, `/admin/dashboard`: what the operators of the old service ask, for admins here.
struct OperationRoutes {
    let front: HTTPFront

    func add(to table: RouteTable) {
        table.on("/metrics", [.get: metrics])
        table.on("/cron", [.get: cron])
        table.on("/admin/dashboard", [.get: dashboard, .post: dashboard])
    }

    /// In the text form that Prometheus reads.
    @Sendable private func metrics(_ request: Request, _ context: HTTPContext) async throws -> Response {
        _ = try front.requireAdmin(context)
        let statuses = front.system.statuses(tenant: nil)
        let text =
            Self.gauge("messages_waiting", "Messages that wait in an actor's mailbox.", statuses) { $0.waiting }
            + Self.gauge("executions_running", "Executions of an actor that run now.", statuses) { $0.running }
            + Self.gauge("workers", "Workers of an actor.", statuses) { front.workers(of: $0.spec).count }
        return .bytes(Array(text.utf8), type: "text/plain; version=0.0.4; charset=utf-8")
    }

    /// All lines of one metric in one group, as the text form wants it.
    private static func gauge(
        _ name: String, _ help: String, _ statuses: [ActorStatus], _ value: (ActorStatus) -> Int
    ) -> String {
        let metric = "reactord_actor_\(name)"
        return statuses.reduce(into: "# HELP \(metric) \(help)\n# TYPE \(metric) gauge\n") { text, status in
            text += "\(metric){actor_id=\"\(status.spec.id)\",tenant=\"\(status.spec.tenant)\"} \(value(status))\n"
        }
    }

    /// Schedules run by themselves; this has them looked at now.
    @Sendable private func cron(_ request: Request, _ context: HTTPContext) async throws -> Response {
        _ = try front.requireAdmin(context)
        front.system.lookAtSchedules()
        return .text(Array("schedules are looked at\n".utf8))
    }

    @Sendable private func dashboard(_ request: Request, _ context: HTTPContext) async throws -> Response {
        _ = try front.requireAdmin(context)
        return Response(status: .seeOther, headers: [.location: Paths.page])
    }
}
