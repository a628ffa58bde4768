package import ActorCore

/// What can be asked of the pipeline jobs manager; the shape of a message decides which it is.
package enum PipelineJobMessage: Sendable, Equatable {
    case create(JobCreation)
    case event(Event)
    case action(Action)
    /// What a job's callback URL was called with.
    case callback(CallbackMessage)
    /// The daemon says that these jobs have not moved for too long.
    case stalled([JobID])

    /// Something that happened to a job.
    package struct Event: Sendable, Equatable {
        package var uuid: JobID
        /// As it was given; the case of its letters does not matter.
        package var name: String
        package var token: String?
        package var data: JSONValue

        package init(uuid: JobID, name: String, token: String?, data: JSONValue) {
            self.uuid = uuid
            self.name = name
            self.token = token
            self.data = data
        }
    }

    /// Something that is done to a job's record; none of it is an event of the state machine.
    package struct Action: Sendable, Equatable {
        package enum Kind: Sendable, Equatable {
            /// Of a job that never ran: it goes as if it had not been made.
            case cancel
            /// Of any job, by an admin.
            case delete
            /// The token is valid again from now; `rotate` makes another one.
            case renew(events: [PipelineJobEvent]?, hours: Double?, rotate: Bool)
        }

        package var uuid: JobID
        package var kind: Kind
        package var token: String?

        package init(uuid: JobID, kind: Kind, token: String?) {
            self.uuid = uuid
            self.kind = kind
            self.token = token
        }
    }

    private static let eventFields: Set<String> = ["uuid", "event", "name", "token", "data", "__options"]
    private static let actionFields: Set<String> = [
        "uuid", "action", "token", "force", "token_events", "hours", "rotate", "__options",
    ]
    /// What an Aloe callback always carries (section 2.2): only then is a status in the body a job status.
    private static let aloeFields = [
        "appId", "executionSystem", "owner", "archivePath", "archiveSystem", "status", "tenantId", "tenantQueue",
    ]

    /// A body that is an event, an action or a creation is taken as such; otherwise the URL says what happened and
    /// the body is its data.
    package static func decode(
        body: [UInt8], parameters: [EnvironmentEntry]
    ) throws(ReactorFailure) -> PipelineJobMessage {
        // Old scripts post what Python prints of a dictionary.
        let json = (try? JSONReader.read(body)) ?? PythonLiteral.dictionary(body)
        let parameter = { (name: String) in parameters.first { $0.name == name }?.value }
        if let json, let event = try bodyEvent(json, token: parameter("token")) { return .of(event) }
        if let json, let action = try bodyAction(json, token: parameter("token")) { return .action(action) }
        if let json, JobCreation.isOne(json) { return .create(try JobCreation(json: json)) }
        if let json, json["kind"] == "stalled", let jobs = json["jobs"]?.array, json.object?.count == 2 {
            return .stalled(jobs.compactMap { $0.string.flatMap(TypedUUID.normalized) }.map { JobID($0) })
        }
        if let callback = try callback(data: data(body, json), parameter) { return callback }
        throw refusal(json)
    }

    /// The job that this is about; nil when it is about none in particular.
    ///
    /// - Parameter sender: who sent it: a job of the first generation has its id from its maker too.
    package func job(from sender: String) -> JobID? {
        switch self {
        case .event(let event): event.uuid
        case .action(let action): action.uuid
        case .callback(let callback): callback.uuid
        case .create(let creation): creation.uuid(by: sender)
        case .stalled: nil
        }
    }

    /// `cancel` and `delete` are no events, but may be called like one.
    private static func of(_ event: Event) -> PipelineJobMessage {
        action(event.name, event.uuid, event.token).map { .action($0) } ?? .event(event)
    }

    private static func action(_ name: String, _ uuid: JobID, _ token: String?) -> Action? {
        switch name.lowercased() {
        case "cancel": Action(uuid: uuid, kind: .cancel, token: token)
        case "delete": Action(uuid: uuid, kind: .delete, token: token)
        default: nil
        }
    }

    /// Both generations' keys: `event` of the first, `name` of the second.
    private static func bodyEvent(_ json: JSONValue, token: String?) throws(ReactorFailure) -> Event? {
        guard isSubset(json, of: eventFields), let uuid = json["uuid"]?.string,
            let name = json["event"]?.string ?? json["name"]?.string
        else { return nil }
        return Event(
            uuid: try job(uuid), name: name, token: json["token"]?.string ?? token, data: json["data"] ?? .null)
    }

    private static func bodyAction(_ json: JSONValue, token: String?) throws(ReactorFailure) -> Action? {
        guard isSubset(json, of: actionFields), let uuid = json["uuid"]?.string,
            let name = json["action"]?.string
        else { return nil }
        let kind: Action.Kind
        switch name.lowercased() {
        case "cancel": kind = .cancel
        case "delete": kind = .delete
        case "renew":
            let events = json["token_events"] ?? .null
            let hours = json["hours"] ?? .null
            kind = .renew(
                events: events.isNull ? nil : try PipelineSettings.tokenEvents(events, at: "token_events"),
                hours: hours.isNull ? nil : try PipelineSettings.hours(hours, at: "hours"),
                rotate: json["rotate"]?.bool ?? false)
        default:
            throw ReactorFailure(.refused, "action: must be cancel, delete or renew, not \(name.prefix(64))")
        }
        return Action(uuid: try job(uuid), kind: kind, token: json["token"]?.string ?? token)
    }

    /// Which event it is, the pipeline's table says; without an event, a status or a body there is none.
    private static func callback(
        data: JSONValue, _ parameter: (String) -> String?
    ) throws(ReactorFailure) -> PipelineJobMessage? {
        guard let uuid = parameter("uuid") else { return nil }
        var message = CallbackMessage(uuid: try job(uuid), token: parameter("token"), data: data)
        message.event = parameter("event")
        message.status = parameter("status") ?? parameter("state") ?? aloeStatus(data)
        message.map = parameter("map")
        message.isPersistent = parameter("persistent") == "true"
        message.note = parameter("note")
        let saysNothing = message.event == nil && message.status == nil
        guard !saysNothing || data.object != nil else { return nil }
        if let name = message.event, let action = action(name, message.uuid, message.token) { return .action(action) }
        return .callback(message)
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

    private static func job(_ text: String) throws(ReactorFailure) -> JobID {
        guard let uuid = TypedUUID.normalized(text) else {
            throw ReactorFailure(.refused, "uuid: must be the UUID of a job")
        }
        return JobID(uuid)
    }

    private static func isSubset(_ json: JSONValue, of fields: Set<String>) -> Bool {
        json.object?.allSatisfy { fields.contains($0.name) } ?? false
    }

    static func refusal(_ json: JSONValue?) -> ReactorFailure {
        var text = "No actionable event was received: send {uuid, event, token, data}, or {pipeline_uuid, data} for a "
        text += "new job, or call the job's callback URL with uuid, token and event or status"
        if let json, json["uuid"] != nil || json["pipeline_uuid"] != nil {
            let fields = json["pipeline_uuid"] == nil ? eventFields : JobFields.creation
            let unknown = json.object?.map(\.name).filter { !fields.contains($0) }.prefix(5) ?? []
            if !unknown.isEmpty { text += "; not known here: \(unknown.joined(separator: ", "))" }
        }
        return ReactorFailure(.refused, text)
    }
}
