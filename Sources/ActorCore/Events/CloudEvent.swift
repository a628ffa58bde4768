/// An event as CloudEvents 1.0 has it: who says (`source`) that what (`type`) happened, and its data.
package struct CloudEvent: Sendable, Equatable {
    /// What the event carries, as it has to be handed on.
    package enum Payload: Sendable, Equatable {
        case none
        /// The bytes of a JSON value.
        case json([UInt8])
        case text(String)
        case binary([UInt8])
    }

    /// An attribute beyond those that the specification names.
    package struct Extension: Sendable, Equatable {
        package let name: String
        package let value: String

        package init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }
    }

    package static let specVersion = "1.0"
    package static let structuredType = "application/cloudevents+json"
    package static let batchType = "application/cloudevents-batch+json"

    package var id: String
    /// A URI reference. Together with the id it names this event and no other.
    package var source: String
    package var type: String
    package var subject: String?
    /// As RFC 3339 writes it.
    package var time: String?
    package var dataSchema: String?
    package var dataContentType: String?
    package var extensions: [Extension]
    package var payload: Payload

    package init(
        id: String, source: String, type: String, subject: String? = nil, time: String? = nil,
        dataSchema: String? = nil, dataContentType: String? = nil, extensions: [Extension] = [],
        payload: Payload = .none
    ) {
        self.id = id
        self.source = source
        self.type = type
        self.subject = subject
        self.time = time
        self.dataSchema = dataSchema
        self.dataContentType = dataContentType
        self.extensions = extensions
        self.payload = payload
    }

    /// The attributes that are set, in the order of the specification, `specversion` first.
    package var attributes: [(name: String, value: String)] {
        let optional: [(name: String, value: String?)] = [
            ("subject", subject), ("time", time), ("dataschema", dataSchema), ("datacontenttype", dataContentType),
        ]
        return [("specversion", Self.specVersion), ("id", id), ("source", source), ("type", type)]
            + optional.compactMap { name, value in value.map { (name, $0) } }
            + extensions.map { ($0.name, $0.value) }
    }

    /// The value of one attribute by its name.
    package func attribute(_ name: String) -> String? {
        switch name {
        case "id": id
        case "source": source
        case "type": type
        case "subject": subject
        case "time": time
        case "specversion": Self.specVersion
        case "dataschema": dataSchema
        case "datacontenttype": dataContentType
        default: extensions.first { $0.name == name }?.value
        }
    }

    /// The event as one JSON object (structured mode).
    package var structured: [UInt8] {
        var members = attributes.map { JSONValue.Member($0.name, .string($0.value)) }
        var output: [UInt8]
        switch payload {
        case .none: return JSONWriter.bytes(.object(members))
        case .text(let text):
            members.append(JSONValue.Member("data", .string(text)))
            return JSONWriter.bytes(.object(members))
        case .binary(let bytes):
            members.append(JSONValue.Member("data_base64", .string(Base64.encode(bytes))))
            return JSONWriter.bytes(.object(members))
        case .json(let bytes):
            // The bytes as they are: a tree would lose digits of large numbers.
            output = JSONWriter.bytes(.object(members))
            output.removeLast()
            output += ",\"data\":".utf8
            output += bytes
            output.append(UInt8(ascii: "}"))
            return output
        }
    }
}

extension CloudEvent {
    /// What was committed, as the daemon tells it to the outside.
    ///
    /// - Parameters:
    ///   - id: unique for this daemon and kept over all attempts to deliver.
    ///   - base: what sources start with: the public URL without a slash at its end, or "".
    package init(_ event: CommittedEvent, id: String, base: String, at now: Timestamp) {
        let (source, subject) = event.place
        self.init(
            id: id, source: base + source, type: Self.typePrefix + event.type, subject: subject, time: now.iso8601,
            dataContentType: "application/json",
            extensions: event.pipeline.map { [Extension("pipeline", $0.rawValue)] } ?? [],
            payload: .json(JSONWriter.bytes(event.json)))
    }

    /// What the types of this daemon's own events start with.
    package static let typePrefix = "reactord."
    /// All types of this daemon's own events.
    package static let types = CommittedEvent.Kind.allCases.map { typePrefix + $0.rawValue }
}

extension CommittedEvent {
    /// Where it happened, as the path of a URI, and to what there.
    var place: (source: String, subject: String?) {
        switch self {
        case .messageAccepted(let actor, let execution), .executionStarted(let actor, let execution, _),
            .executionFinished(let actor, let execution, _, _), .executionRetrying(let actor, let execution, _),
            .deadLettered(let actor, let execution):
            ("/actors/\(actor)", execution.rawValue)
        case .jobMoved(let job, _, _, _), .jobRefused(let job, _), .jobStalled(let job, _, _), .jobDeleted(let job, _):
            ("/jobs/\(job)", job.rawValue)
        case .documentChanged(let kind, let id): ("/documents/\(PercentText.escaped(kind))", id.isEmpty ? nil : id)
        case .actorsChanged: ("/actors", nil)
        }
    }
}
