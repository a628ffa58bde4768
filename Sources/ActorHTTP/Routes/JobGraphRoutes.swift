import ActorAPI
import ActorCore
import ActorRuntime
import HTTPTypes
import Hummingbird

/// How many jobs there are, and how they hang together.
struct JobGraphRoutes {
    private static let maxNodes = 500
    private static let maxDepth = 10

    let front: HTTPFront

    func add(to table: RouteTable) {
        table.on(Paths.jobCounts, [.get: counts])
        table.on("\(Paths.jobs)/:id/graph", [.get: graph])
        table.on(Paths.callbackMaps, [.get: maps])
    }

    /// By state, of what a listing with the same parameters would show.
    @Sendable private func counts(_ request: Request, _ context: HTTPContext) async throws -> Response {
        let counts = try await front.system.store.counts(try JobListing(request).query)
        let states = PipelineJobState.allCases.map {
            JSONValue.Member($0.rawValue, JSONValue(counts.states[$0] ?? 0))
        }
        return .json([
            "counts": .object(states), "total": JSONValue(counts.total), "stalled": JSONValue(counts.stalled),
        ])
    }

    /// The tables by which statuses of callbacks become events.
    @Sendable private func maps(_ request: Request, _ context: HTTPContext) async throws -> Response {
        let maps = CallbackMap.builtIn.values.sorted { $0.name < $1.name }
        return .json(["maps": .object(maps.map { .init($0.name, $0.json) }), "standard": .string(CallbackMap.standard)])
    }

    /// Parents and children of a job, theirs, and so on: breadth first, both ways.
    @Sendable private func graph(_ request: Request, _ context: HTTPContext) async throws -> Response {
        let depth = try request.number("depth", default: 3, in: 1...Self.maxDepth)
        let root = try await front.ledger(context).record
        var walk = JobGraph(root: root.uuid.rawValue, limit: Self.maxNodes)
        walk.add(node: root.uuid.rawValue, job: root)
        var edge: [(uuid: String, job: JobRecord?)] = [(root.uuid.rawValue, root)]
        for _ in 0..<depth {
            var next: [(uuid: String, job: JobRecord?)] = []
            for (uuid, job) in edge {
                for parent in job?.childOf ?? [] {
                    if let found = try await visit(parent, &walk) { next.append(found) }
                    walk.add(child: uuid, parent: parent)
                }
                let children = try await front.system.store.jobs(.childOf, of: uuid, limit: Self.maxNodes)
                for child in children {
                    if let found = try await visit(child.rawValue, &walk) { next.append(found) }
                    walk.add(child: child.rawValue, parent: uuid)
                }
            }
            edge = next
        }
        return .json(walk.json)
    }

    /// Nil when it was met before, or there is no room.
    private func visit(_ uuid: String, _ walk: inout JobGraph) async throws -> (uuid: String, job: JobRecord?)? {
        guard walk.isNew(uuid) else { return nil }
        let job = try await front.system.store.job(JobID(uuid))
        walk.add(node: uuid, job: job)
        return (uuid, job)
    }
}

/// Jobs and what they are about, with the lines from child to parent.
struct JobGraph {
    private struct Edge: Hashable {
        let child: String
        let parent: String
    }

    /// Types of records by the first digits of their UUIDs (PipelineJobs, section 4.3).
    private static let types = [
        "101": "challenge_problem", "102": "experiment", "103": "sample", "104": "measurement", "105": "file",
        "106": "pipeline", "107": "pipelinejob", "109": "reference", "110": "product", "114": "experiment_design",
        "117": "process",
    ]

    private let root: String
    private let limit: Int
    private var nodes: [JSONValue] = []
    private var known: Set<String> = []
    private var edges: [Edge] = []
    private var drawn: Set<Edge> = []
    private var isTruncated = false

    init(root: String, limit: Int) {
        self.root = root
        self.limit = limit
    }

    /// Notes when there is no room for more.
    mutating func isNew(_ uuid: String) -> Bool {
        if known.contains(uuid) { return false }
        if known.count >= limit { isTruncated = true }
        return known.count < limit
    }

    mutating func add(node uuid: String, job: JobRecord?) {
        guard known.insert(uuid).inserted else { return }
        var node: JSONValue = ["uuid": .string(uuid)]
        if let job {
            node = [
                "uuid": .string(uuid), "type": "pipelinejob", "status": .string(job.status.rawValue),
                "pipeline_uuid": .string(job.pipeline.rawValue), "session": .string(job.session),
                "created": JSONValue(job.created),
            ]
        } else {
            node = node.setting("type", .string(Self.types[String(uuid.prefix(3))] ?? "unknown"))
        }
        nodes.append(node)
    }

    mutating func add(child: String, parent: String) {
        let edge = Edge(child: child, parent: parent)
        guard known.contains(child), known.contains(parent), drawn.insert(edge).inserted else { return }
        edges.append(edge)
    }

    var json: JSONValue {
        [
            "root": .string(root), "nodes": .array(nodes),
            "edges": .array(edges.map { ["child": .string($0.child), "parent": .string($0.parent)] }),
            "truncated": .bool(isTruncated),
        ]
    }
}

/// The parameters by which jobs are listed and counted.
struct JobListing {
    let query: JobQuery

    init(_ request: Request) throws(ActorError) {
        let items = request.formItems
        let value = { (name: String) in items.first(name).flatMap { $0.isEmpty ? nil : $0 } }
        var query = JobQuery(
            pipeline: (value("pipeline_uuid") ?? value("pipeline")).map { PipelineID($0.lowercased()) },
            session: value("session"), actor: (value("actor_id") ?? value("actor")).map(ActorID.init),
            cursor: value("cursor"), limit: try request.number("limit", default: 100, in: 1...1000))
        if let status = value("status") ?? value("state") {
            guard let state = PipelineJobState(rawValue: status.uppercased()) else {
                let names = PipelineJobState.allCases.map(\.rawValue).joined(separator: ", ")
                throw Self.wrong("status", "must be one of \(names)")
            }
            query.status = state
        }
        query.experiment = value("experiment")
        query.childOf = value("child_of")?.lowercased()
        query.text = value("text") ?? value("q")
        if let text = query.text, text.utf8.count > 500 { throw Self.wrong("text", "has at most 500 bytes") }
        query.createdFrom = try Self.moment(value("created_from"), "created_from")
        query.createdBefore = try Self.moment(value("created_before"), "created_before")
        query.updatedFrom = try Self.moment(value("updated_from"), "updated_from")
        query.updatedBefore = try Self.moment(value("updated_before"), "updated_before")
        if let flag = value("stalled") {
            guard flag == "true" || flag == "false" else { throw Self.wrong("stalled", "must be true or false") }
            query.isStalled = flag == "true"
        }
        self.query = query
    }

    /// A day is the moment at which it begins.
    private static func moment(_ text: String?, _ name: String) throws(ActorError) -> Timestamp? {
        guard let text else { return nil }
        let full = text.utf8.count == 10 ? "\(text)T00:00:00Z" : text
        guard let moment = Timestamp(iso8601: full) else {
            throw wrong(name, "must be a day or a moment, 2026-11-21 or 2026-11-21T08:30:00Z")
        }
        return moment
    }

    private static func wrong(_ name: String, _ problem: String) -> ActorError {
        ActorError(
            .invalidInput, "\(name) \(problem)", details: [ActorError.Detail(place: name, problem: problem)])
    }
}
