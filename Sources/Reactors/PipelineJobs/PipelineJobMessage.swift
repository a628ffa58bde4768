package import ActorCore

/// What can be asked of the pipeline jobs manager; the shape of a message decides which it is.
package enum PipelineJobMessage: Sendable, Equatable {
    case create(Creation)
    case event(Event)

    /// A job to be recorded.
    package struct Creation: Sendable, Equatable {
        package var pipeline: PipelineID
        package var data: JSONValue?
        package var archivePath: String?
        package var isInstanced = false
        package var session: String?
        package var childOf: [String]?
        package var notify: ActorID?
    }

    /// Something that happened to a job.
    package struct Event: Sendable, Equatable {
        package var uuid: JobID
        /// As it was given; the case of its letters does not matter.
        package var name: String
        package var token: String?
        package var data: JSONValue
    }

    private static let eventFields: Set<String> = ["uuid", "event", "name", "token", "data", "__options"]
    private static let createFields: Set<String> = [
        "pipeline_uuid", "data", "archive_path", "instanced", "session", "child_of", "notify", "__options",
    ]
    /// What an Aloe callback always carries (section 2.2): only then is a status in the body a job status.
    private static let aloeFields = [
        "appId", "executionSystem", "owner", "archivePath", "archiveSystem", "status", "tenantId", "tenantQueue",
    ]

    /// A body that is an event or a creation is taken as such; otherwise the URL says what happened and the body
    /// is its data.
    package static func decode(
        body: [UInt8], parameters: [EnvironmentEntry]
    ) throws(ReactorFailure) -> PipelineJobMessage {
        let json = try? JSONReader.read(body)
        let parameter = { (name: String) in parameters.first { $0.name == name }?.value }
        if let json, let event = try bodyEvent(json, token: parameter("token")) { return .event(event) }
        if let json, isSubset(json, of: createFields), json["pipeline_uuid"] != nil {
            return .create(try creation(json))
        }
        if let event = try callback(data: data(body, json), parameter) { return .event(event) }
        throw refusal(json)
    }

    /// Both generations' keys: `event` of the first, `name` of the second.
    private static func bodyEvent(_ json: JSONValue, token: String?) throws(ReactorFailure) -> Event? {
        guard isSubset(json, of: eventFields), let uuid = json["uuid"]?.string,
            let name = json["event"]?.string ?? json["name"]?.string
        else { return nil }
        return Event(
            uuid: try job(uuid), name: name, token: json["token"]?.string ?? token, data: json["data"] ?? .null)
    }

    private static func callback(
        data: JSONValue, _ parameter: (String) -> String?
    ) throws(ReactorFailure) -> Event? {
        guard let uuid = parameter("uuid") else { return nil }
        let status = parameter("status") ?? parameter("state") ?? aloeStatus(data)
        guard let name = parameter("event") ?? status.map({ AgaveStatus.event(for: $0).rawValue }) else { return nil }
        let note = parameter("note").map { JSONValue.object([.init("note", .string($0))]) }
        return Event(
            uuid: try job(uuid), name: name, token: parameter("token"), data: data.isNull ? note ?? .null : data)
    }

    private static func aloeStatus(_ data: JSONValue) -> String? {
        aloeFields.allSatisfy { data[$0]?.string != nil } ? data["status"]?.string : nil
    }

    /// What a callback brought: an empty body, `{}` and `""` are nothing; text that is no JSON is kept as text.
    private static func data(_ body: [UInt8], _ json: JSONValue?) -> JSONValue {
        switch json ?? String(validating: body, as: UTF8.self).map({ .string($0) }) ?? .null {
        case .object([]), .string(""): .null
        case let value: value
        }
    }

    private static func creation(_ json: JSONValue) throws(ReactorFailure) -> Creation {
        guard let uuid = json["pipeline_uuid"]?.string.flatMap(TypedUUID.normalized) else {
            throw ReactorFailure(.refused, "pipeline_uuid: must be the UUID of a pipeline")
        }
        var creation = Creation(pipeline: PipelineID(uuid))
        if let data = given(json, "data") {
            guard data.object != nil else { throw ReactorFailure(.refused, "data: must be an object") }
            creation.data = data
        }
        if let path = given(json, "archive_path") {
            guard let text = path.string, ArchivePath.isAcceptable(text) else {
                throw ReactorFailure(
                    .refused, "archive_path: must be a path of plain names, at most 16 deep, without `..`")
            }
            creation.archivePath = text
        }
        if let session = given(json, "session") {
            guard let text = session.string, NameRules.isUploadName(text), text.utf8.count <= 128 else {
                throw ReactorFailure(.refused, "session: must be a plain name of at most 128 characters")
            }
            creation.session = text
        }
        if let notify = given(json, "notify") {
            guard let text = notify.string, Hashids.abaco.decode(text) != nil else {
                throw ReactorFailure(.refused, "notify: must be the id of an actor")
            }
            creation.notify = ActorID(text)
        }
        creation.childOf = try parents(given(json, "child_of"))
        creation.isInstanced = json["instanced"]?.bool ?? false
        return creation
    }

    private static func parents(_ json: JSONValue?) throws(ReactorFailure) -> [String]? {
        guard let json else { return nil }
        let items = json.array ?? [json]
        let uuids = items.compactMap { $0.string.flatMap(TypedUUID.normalized) }
        guard uuids.count == items.count else {
            throw ReactorFailure(.refused, "child_of: must be a UUID or a list of UUIDs")
        }
        return JobIdentity.sortedUnique(uuids)
    }

    private static func job(_ text: String) throws(ReactorFailure) -> JobID {
        guard let uuid = TypedUUID.normalized(text) else {
            throw ReactorFailure(.refused, "uuid: must be the UUID of a job")
        }
        return JobID(uuid)
    }

    private static func given(_ json: JSONValue, _ name: String) -> JSONValue? {
        json[name].flatMap { $0.isNull ? nil : $0 }
    }

    private static func isSubset(_ json: JSONValue, of fields: Set<String>) -> Bool {
        json.object?.allSatisfy { fields.contains($0.name) } ?? false
    }

    private static func refusal(_ json: JSONValue?) -> ReactorFailure {
        var text = "No actionable event was received: send {uuid, event, token, data}, or {pipeline_uuid, data} for a "
        text += "new job, or call the job's callback URL with uuid, token and event or status"
        if let json, json["uuid"] != nil || json["pipeline_uuid"] != nil {
            let fields = json["pipeline_uuid"] == nil ? eventFields : createFields
            let unknown = json.object?.map(\.name).filter { !fields.contains($0) }.prefix(5) ?? []
            if !unknown.isEmpty { text += "; not known here: \(unknown.joined(separator: ", "))" }
        }
        return ReactorFailure(.refused, text)
    }
}
