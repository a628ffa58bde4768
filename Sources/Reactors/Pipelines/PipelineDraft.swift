package import ActorCore

/// A pipeline's document as somebody registers it, in either generation's form (PipelineJobs, section 7).
package struct PipelineDraft: Sendable, Equatable {
    package let generation: JobGeneration
    package let id: String?
    package let name: String
    package let components: [JSONValue]
    /// Everything else that was given.
    package let changes: PipelineChanges

    /// Fields of a document; those of no generation are refused by name.
    package static let fields: Set<String> = [
        "name", "components", "id", "generation", "description", "settings", "accepts", "produces",
        "processing_levels", "collections_levels", "pipeline_type", "type", "__options",
    ]

    package var uuid: PipelineID { JobIdentity.pipeline(generation, id: id, components: components) }

    package init(json: JSONValue) throws(ReactorFailure) {
        changes = try PipelineChanges(json: json, fields: Self.fields)
        guard let name = changes.name else { throw ReactorFailure(.refused, "name: must be a text") }
        self.name = name
        guard let components = json["components"]?.array, components.allSatisfy({ $0.object != nil }) else {
            throw ReactorFailure(.refused, "components: must be a list of objects")
        }
        self.components = components
        id = json["id"]?.string
        if let value = json["generation"], !value.isNull {
            guard let generation = value.int.flatMap(JobGeneration.init(rawValue:)) else {
                throw ReactorFailure(.refused, "generation: must be 1 or 2")
            }
            self.generation = generation
        } else {
            // Only documents of the second generation name themselves.
            generation = id == nil ? .first : .second
        }
        guard generation == .first || !(id ?? "").isEmpty else {
            throw ReactorFailure(.refused, "id: a pipeline of the second generation has one, like tacc/tacobot:9000")
        }
    }

    /// The record of a new pipeline, what was left out as its generation has it.
    package func record(owner: String, token: String, salt: String, now: Timestamp) -> PipelineRecord {
        var standard: JSONValue = ["accepts": ["*"], "produces": ["*"]]
        standard =
            generation == .first
            ? standard.setting("collections_levels", ["file"]).setting("processing_levels", ["0"])
            : standard.setting("type", "primary-etl")
        var record = PipelineRecord(
            uuid: uuid, id: id ?? "", name: name, generation: generation, components: .array(components),
            details: standard, owner: owner, token: token, salt: salt, created: now)
        changes.apply(to: &record)
        return record
    }
}

/// What of a pipeline may change: everything but its components, which are what it is.
package struct PipelineChanges: Sendable, Equatable {
    package private(set) var name: String?
    package private(set) var description: String?
    package private(set) var settings: JSONValue?
    package private(set) var details: [JSONValue.Member] = []

    private static let lists = ["accepts", "produces", "processing_levels", "collections_levels"]
    private static let words = ["pipeline_type", "type"]

    /// - Parameter fields: what else may be there.
    package init(json: JSONValue, fields: Set<String>) throws(ReactorFailure) {
        guard let members = json.object else { throw ReactorFailure(.refused, "a pipeline is an object") }
        let unknown = members.map(\.name).filter { !fields.contains($0) }
        guard unknown.isEmpty else {
            throw ReactorFailure(.refused, "not known of a pipeline: \(unknown.prefix(5).joined(separator: ", "))")
        }
        for member in members where !member.value.isNull {
            switch member.name {
            case "name": name = try Self.text(member, limit: 512)
            case "description": description = try Self.text(member, limit: 65536)
            case "settings":
                guard member.value.object != nil else { throw ReactorFailure(.refused, "settings: must be an object") }
                _ = try PipelineSettings(member.value)
                settings = member.value
            case let field where Self.lists.contains(field):
                guard let items = member.value.array, items.allSatisfy({ $0.string != nil }) else {
                    throw ReactorFailure(.refused, "\(field): must be a list of texts")
                }
                details.append(member)
            case let field where Self.words.contains(field):
                _ = try Self.text(member, limit: 128)
                details.append(member)
            default: break
            }
        }
    }

    private static func text(_ member: JSONValue.Member, limit: Int) throws(ReactorFailure) -> String {
        guard let text = member.value.string, text.utf8.count <= limit, !text.isEmpty || member.name != "name" else {
            throw ReactorFailure(.refused, "\(member.name): must be a text of at most \(limit) bytes")
        }
        return text
    }

    package func apply(to record: inout PipelineRecord) {
        if let name { record.name = name }
        if let description { record.description = description }
        if let settings { record.settings = settings }
        for member in details { record.details = record.details.setting(member.name, member.value) }
    }
}
