package import ActorCore

/// What can be asked of the pipelines manager: a document, or an action on a pipeline that is there. Parameters of the
/// URL say what the body does not.
package enum PipelineMessage: Sendable, Equatable {
    /// Registers it; with the uuid of one that is there, puts it in its place.
    case write(PipelineDraft, uuid: PipelineID?, token: String?)
    case update(PipelineID, PipelineChanges, components: [JSONValue]?, token: String?)
    case enable(PipelineID, Bool, token: String?)
    case read(PipelineID)

    /// Those that a pipeline is to have from now on; nil when it keeps its own.
    var settings: JSONValue? {
        switch self {
        case .write(let draft, _, _): draft.changes.settings
        case .update(_, let changes, _, _): changes.settings
        case .enable, .read: nil
        }
    }

    private static let actionFields: Set<String> = ["uuid", "action", "body", "token", "force", "__options"]

    package static func decode(
        body: [UInt8], parameters: [EnvironmentEntry]
    ) throws(ReactorFailure) -> PipelineMessage {
        let parameter = { (name: String) in parameters.first { $0.name == name }?.value }
        let json = (try? JSONReader.read(body)) ?? .null
        let isEmpty = json.object?.isEmpty ?? (json == "" || body.isEmpty)
        if json["action"] != nil { return try action(json) }
        if !isEmpty {
            // A document is a document, whatever action the URL names.
            let uuid = try parameter("uuid").map { word throws(ReactorFailure) in try pipeline(word) }
            return .write(try PipelineDraft(json: json), uuid: uuid, token: parameter("token"))
        }
        guard let uuid = parameter("uuid") else {
            throw ReactorFailure(
                .refused,
                "Failed to process message: send a pipeline with name and components, or {uuid, action, token}")
        }
        var request: JSONValue = ["uuid": .string(uuid), "action": .string(parameter("action") ?? "show")]
        if let token = parameter("token") { request = request.setting("token", .string(token)) }
        return try action(request)
    }

    private static func action(_ json: JSONValue) throws(ReactorFailure) -> PipelineMessage {
        let unknown = (json.object ?? []).map(\.name).filter { !actionFields.contains($0) }
        guard unknown.isEmpty else {
            throw ReactorFailure(.refused, "not known here: \(unknown.prefix(5).joined(separator: ", "))")
        }
        guard let word = json["uuid"]?.string else { throw ReactorFailure(.refused, "uuid: must be a pipeline's") }
        let uuid = try pipeline(word)
        let token = json["token"]?.string
        switch json["action"]?.string?.lowercased() {
        case "update":
            let body = json["body"] ?? [:]
            return .update(
                uuid, try PipelineChanges(json: body, fields: PipelineDraft.fields),
                components: body["components"]?.array, token: token)
        case "delete" where json["force"] == true:
            throw ReactorFailure(
                .refused, "force: a pipeline is never removed, its jobs refer to it; without force it is disabled")
        case "disable", "delete": return .enable(uuid, false, token: token)
        case "enable", "undelete": return .enable(uuid, true, token: token)
        case "get", "read", "show": return .read(uuid)
        default: throw ReactorFailure(.refused, "action: must be update, enable, disable, delete, undelete or get")
        }
    }

    private static func pipeline(_ text: String) throws(ReactorFailure) -> PipelineID {
        guard let uuid = TypedUUID.normalized(text) else {
            throw ReactorFailure(.refused, "uuid: \(text.prefix(64)) is not a valid UUID5")
        }
        return PipelineID(uuid)
    }
}
