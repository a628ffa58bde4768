import ActorCore
import ActorRuntime
import Hummingbird

/// What can be searched.
enum SearchSubject: String, CaseIterable {
    case actors, executions, workers, logs
}

/// `/actors/search/{what}` (actors API, section 6.8).
struct SearchRoutes {
    let front: HTTPFront
    let generation: ActorsGeneration

    func add(to table: RouteTable) {
        table.on("\(generation.prefix)/search/:subject", cors: true, [.get: search])
    }

    @Sendable private func search(_ request: Request, _ context: HTTPContext) async throws -> Response {
        let caller = try context.requireCaller()
        guard caller.nonce == nil else {
            throw ActorError(
                .notFound,
                "'x-nonce' query parameter on the '/actors/search/{database}' endpoint does not resolve.")
        }
        guard let subject = SearchSubject(rawValue: context.word("subject")) else {
            throw ActorError(
                .invalidInput,
                "there is nothing to search called \(context.word("subject").prefix(32)); there are "
                    + SearchSubject.allCases.map(\.rawValue).joined(separator: ", "))
        }
        return try await front.search(
            subject, try SearchQuery(request.formItems, ignoring: ["x-nonce"]) ?? SearchQuery(), caller, generation,
            "Search completed successfully.")
    }
}

extension HTTPFront {
    /// The newest of so many executions are looked through; older ones a search does not find.
    static let mostSearched = 20_000
    private static let searchPage = 1000
    /// A log takes a look into a file.
    private static let mostLogsSearched = 2000

    /// - Parameters:
    ///   - actor: what is searched belongs to this one only.
    ///   - execution: the same for an execution.
    func search(
        _ subject: SearchSubject, _ query: SearchQuery, _ caller: Caller, _ generation: ActorsGeneration,
        _ message: String, actor: ActorSpec? = nil, execution: ExecutionRecord? = nil
    ) async throws -> Response {
        let specs: [ActorSpec]
        if let actor {
            specs = [actor]
        } else {
            specs = system.statuses(tenant: caller.principal.tenant).map(\.spec)
                .filter { Access.isNamed(caller, in: $0) }
                .sorted { ($0.created, $0.id) < ($1.created, $1.id) }
        }
        var found = Findings(query: query)
        switch subject {
        case .actors: try await findActors(specs, generation, &found)
        case .workers: findWorkers(specs, &found)
        case .executions:
            for record in try await executions(of: specs, most: Self.mostSearched) {
                let spec = specs[record.spec]
                let document = documents(generation, spec.tenant)
                    .execution(record.execution, of: spec, executor: executor(of: record.execution))
                found.take(document.removing("api_server"))
            }
        case .logs:
            var records = try await executions(of: specs, most: Self.mostLogsSearched)
            if let execution { records = records.filter { $0.execution.id == execution.id } }
            for record in records where record.execution.finished != nil {
                let log = try await system.log(of: record.execution.id)
                found.take(
                    documents(generation, specs[record.spec].tenant)
                        .log(log.text, of: record.execution, specs[record.spec]))
            }
        }
        let keyCase = keyCase(generation)
        return ActorsReply(version: settings.version, keyCase: keyCase).object(
            message,
            [
                "_metadata": keyCase.applied(to: [
                    "count_returned": JSONValue(found.items.count), "record_limit": JSONValue(query.limit),
                    "records_skipped": JSONValue(query.skip), "total_count": JSONValue(found.total),
                ]),
                "search": keyCase.applied(to: .array(found.items), keepingNulls: true),
            ])
    }

    /// What was found, in order, as far as it is wanted.
    private struct Findings {
        let query: SearchQuery
        var total = 0
        var items: [JSONValue] = []

        mutating func take(_ document: JSONValue) {
            guard query.matches(document) else { return }
            total += 1
            if total > query.skip, items.count < query.limit { items.append(document) }
        }
    }

    private func findActors(
        _ specs: [ActorSpec], _ generation: ActorsGeneration, _ found: inout Findings
    ) async throws {
        let plans = try await system.store.schedules()
        for spec in specs {
            guard let status = system.status(of: spec.id) else { continue }
            found.take(try await actorDocument(status, generation, plans))
        }
    }

    private func findWorkers(_ specs: [ActorSpec], _ found: inout Findings) {
        for spec in specs {
            for worker in workers(of: spec) {
                var document = worker.removing("tenant").setting("actor_id", .string(spec.id.rawValue))
                if document["last_execution_time"] == "None" { document = document.setting("last_execution_time", 0) }
                found.take(document)
            }
        }
    }

    /// Oldest first; of very many the newest.
    private func executions(
        of specs: [ActorSpec], most: Int
    ) async throws -> [(spec: Int, execution: ExecutionRecord)] {
        var all: [(spec: Int, execution: ExecutionRecord)] = []
        for (index, spec) in specs.enumerated() {
            var before: Int64?
            while all.count < most * 2 {
                let page = try await system.executions(of: spec.id, before: before, limit: Self.searchPage)
                all += page.map { (index, $0) }
                guard page.count == Self.searchPage, let last = page.last else { break }
                before = last.sequence
            }
            if all.count >= most { all = Array(all.sorted { $0.1.sequence > $1.1.sequence }.prefix(most)) }
        }
        return all.sorted { $0.execution.sequence < $1.execution.sequence }.suffix(most)
    }
}

extension ActorDocuments {
    /// A log as a search finds it.
    func log(_ text: String, of record: ExecutionRecord, _ spec: ActorSpec) -> JSONValue {
        let path = "\(spec.id)/executions/\(record.id)"
        return [
            "_links": [
                "execution": link(path), "owner": profile(spec.owner), "self": link("\(path)/logs"),
            ],
            "actor_id": .string(spec.id.rawValue), "execution_id": .string(record.id.rawValue), "logs": .string(text),
        ]
    }
}
