package import ActorCore

/// What can be asked of the jobs indexer (PipelineJobs, section 2.5).
package enum IndexMessage: Sendable, Equatable {
    case index(Request)
    /// Somebody says that a job's index is complete.
    case indexed(JobID, token: String?)
    /// The manager has taken what lies at a job's path aside; it is not wanted any more.
    case discard(String)

    package struct Request: Sendable, Equatable {
        package let job: JobID
        package let token: String?
        /// Nil: those that the job was created with.
        package let filters: [JSONValue]?
        /// References that name nothing are left out.
        package let isPermissive: Bool

        package init(job: JobID, token: String?, filters: [JSONValue]?, isPermissive: Bool) {
            self.job = job
            self.token = token
            self.filters = filters
            self.isPermissive = isPermissive
        }
    }

    package static let maxFilters = 500
    private static let fields: Set<String> = [
        "uuid", "name", "event", "filters", "level", "token", "permissive", "data", "__options",
    ]

    package static func discarding(_ name: String) -> JSONValue { ["discard": .string(name)] }

    /// What the body does not say is looked up in the URL's parameters.
    package static func decode(
        body: [UInt8], parameters: [EnvironmentEntry]
    ) throws(ReactorFailure) -> IndexMessage {
        let json = (try? JSONReader.read(body)) ?? .null
        if let name = json["discard"]?.string, json.object?.count == 1 { return .discard(name) }
        let parameter = { (name: String) in parameters.first { $0.name == name }?.value }
        let unknown = (json.object ?? []).map(\.name).filter { !fields.contains($0) }
        guard unknown.isEmpty else {
            throw ReactorFailure(
                .refused,
                "not known here: \(unknown.prefix(5).joined(separator: ", ")); "
                    + "send {uuid, name: \"index\", filters, token}")
        }
        guard let uuid = (json["uuid"]?.string ?? parameter("uuid")).flatMap(TypedUUID.normalized) else {
            throw ReactorFailure(.refused, "uuid: must be the UUID of a job")
        }
        let token = json["token"]?.string ?? parameter("token")
        let name = json["name"]?.string ?? json["event"]?.string ?? parameter("event") ?? "index"
        switch name.lowercased() {
        case "index":
            return .index(
                Request(
                    job: JobID(uuid), token: token, filters: try filters(json["filters"], level: json["level"]),
                    isPermissive: json["permissive"]?.bool ?? (parameter("permissive") == "true")))
        case "indexed": return .indexed(JobID(uuid), token: token)
        default: throw ReactorFailure(.refused, "name: must be index or indexed")
        }
    }

    private static func filters(_ json: JSONValue?, level: JSONValue?) throws(ReactorFailure) -> [JSONValue]? {
        if let level, !level.isNull, IndexRequest.level(level) == nil {
            throw ReactorFailure(
                .refused, "level: must be one of \(IndexRequest.levels.joined(separator: ", "))")
        }
        guard let json, !json.isNull else { return nil }
        guard let items = json.array, items.count <= maxFilters, items.allSatisfy({ $0.object != nil }) else {
            throw ReactorFailure(.refused, "filters: must be a list of at most \(maxFilters) objects")
        }
        // Patterns without a level or an origin are archived at the level of the message.
        guard let level, !level.isNull else { return items }
        return items.map { item in
            let isComplete = ["level", "processing_level", "derived_from"].contains { item[$0] != nil }
            return isComplete ? item : item.setting("level", level)
        }
    }
}
