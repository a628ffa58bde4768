import ActorCore
import ActorRuntime
import Crypto
import Hummingbird

/// `/actors/{id}/workers…`: the actor's slots in the words of the actors API.
struct WorkerRoutes {
    let front: HTTPFront
    let generation: ActorsGeneration

    private var reply: ActorsReply { front.reply(generation) }

    func add(to table: RouteTable) {
        let path = "\(generation.prefix)/:id/workers"
        table.on(path, cors: true, [.get: list, .post: ensure])
        table.on("\(path)/:worker", cors: true, [.get: read, .delete: stop])
    }

    @Sendable private func list(_ request: Request, _ context: HTTPContext) async throws -> Response {
        let spec = try await front.authorized(context, .read)
        return reply.success("Workers retrieved successfully.", .array(front.workers(of: spec)))
    }

    @Sendable private func ensure(_ request: Request, _ context: HTTPContext) async throws -> Response {
        let spec = try await front.authorized(context, .read)
        let caller = try context.requireCaller()
        guard caller.isAdmin else {
            throw ActorError(.forbidden, "Not authorized -- only admins are authorized to update workers.")
        }
        let fields = try await RequestFields.read(request, limits: front.system.limits)
        var count = 1
        if let value = fields["num"], !value.isNull {
            guard let number = value.int ?? value.string.flatMap(Int.init), (0...WorkerBoard.most).contains(number)
            else {
                throw ActorError(
                    .invalidInput,
                    "Invalid POST description: {'num': 'Number of workers to ensure: 0 to \(WorkerBoard.most).'}")
            }
            count = number
        }
        let wanted = count
        let (before, made) = try await front.audited(caller, "workers.ensure", spec.id.rawValue) {
            front.system.workers.ensure(wanted, of: spec)
        }
        return reply.success(
            made > 0
                ? "Scheduled \(made) new worker(s) to start. Previously, there were \(before) workers."
                : "Actor \(spec.id) already had \(before) worker(s).", .null)
    }

    @Sendable private func read(_ request: Request, _ context: HTTPContext) async throws -> Response {
        let spec = try await front.authorized(context, .read)
        let id = context.word("worker")
        guard let worker = front.workers(of: spec).first(where: { $0["id"]?.string == id }) else {
            throw Self.missing
        }
        return reply.success("Worker retrieved successfully.", worker)
    }

    @Sendable private func stop(_ request: Request, _ context: HTTPContext) async throws -> Response {
        let spec = try await front.authorized(context, .update)
        let id = context.word("worker")
        let isStopped = try await front.audited(try context.requireCaller(), "worker.stop", spec.id.rawValue) {
            front.system.workers.stop(id, of: spec.id)
        }
        guard isStopped else { throw Self.missing }
        return reply.success("Worker scheduled to be stopped.", .null)
    }

    private static let missing = ActorError(.notFound, "Worker not found.")
}

extension HTTPFront {
    func workers(of spec: ActorSpec) -> [JSONValue] {
        guard let status = system.status(of: spec.id) else { return [] }
        let now = system.now()
        return system.workers.list(of: spec, running: status.running).map { shown in
            let worker = shown.worker
            return [
                "ch_name": .string("worker_\(worker.id)"),
                // There need not be a container: a name of the worker's own in the form of a container's id.
                "cid": .string(Hexadecimal.text(SHA256.hash(data: Array(worker.id.utf8)))),
                "create_time": JSONValue(worker.created), "host_id": "0", "host_ip": .string(settings.host),
                "id": .string(worker.id), "image": .string(spec.run.image),
                "last_execution_time": ActorDocuments.time(worker.used), "last_health_check_time": JSONValue(now),
                "location": .string(baseURL(of: spec.tenant)),
                "status": .string(worker.isStopping ? "SHUTDOWN_REQUESTED" : shown.isBusy ? "BUSY" : "READY"),
                "tenant": .string(spec.tenant),
            ]
        }
    }
}
