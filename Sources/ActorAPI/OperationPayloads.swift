package import ActorCore

/// An upload on the wire: what the ingest keeps of it, with its id.
package struct UploadPayload: Payload {
    package var id: String
    /// The ingest's document; its fields are the ingest's business.
    package var body: JSONValue

    package init(id: String, body: JSONValue) {
        self.id = id
        self.body = body
    }

    package init?(json: JSONValue) {
        guard let id = json["id"]?.string else { return nil }
        self.init(id: id, body: json.removing("id"))
    }

    package var json: JSONValue {
        .object([JSONValue.Member("id", .string(id))] + (body.removing("id").object ?? []))
    }
}

/// A file that was put into an upload, on the wire.
package struct StoredFilePayload: Payload {
    package var path: String
    package var bytes: Int64
    /// Hex; of the content.
    package var sha256: String

    package init(path: String, bytes: Int64, sha256: String) {
        self.path = path
        self.bytes = bytes
        self.sha256 = sha256
    }

    package init?(json: JSONValue) {
        guard let path = json["path"]?.string, let bytes = json["bytes"]?.int, let sha256 = json["sha256"]?.string
        else { return nil }
        self.init(path: path, bytes: Int64(bytes), sha256: sha256)
    }

    package var json: JSONValue { ["path": .string(path), "bytes": .int(bytes), "sha256": .string(sha256)] }
}

/// One line of the audit log on the wire.
package struct AuditPayload: Payload {
    package var at: String
    package var who: String
    package var action: String
    package var target: String
    package var outcome: String

    package init(at: String, who: String, action: String, target: String, outcome: String) {
        self.at = at
        self.who = who
        self.action = action
        self.target = target
        self.outcome = outcome
    }

    package init?(json: JSONValue) {
        guard let at = json["at"]?.string, let who = json["who"]?.string, let action = json["action"]?.string
        else { return nil }
        self.init(
            at: at, who: who, action: action, target: json["target"]?.string ?? "",
            outcome: json["outcome"]?.string ?? "")
    }

    package var json: JSONValue {
        [
            "at": .string(at), "who": .string(who), "action": .string(action), "target": .string(target),
            "outcome": .string(outcome),
        ]
    }
}

/// One transition of the published state machine on the wire: a nil target leaves the state as it is.
package struct TransitionPayload: Payload {
    package var name: String
    package var sources: [String]
    package var target: String?

    package init(name: String, sources: [String], target: String?) {
        self.name = name
        self.sources = sources
        self.target = target
    }

    package init?(json: JSONValue) {
        guard let name = json["name"]?.string, let sources = json["from"]?.array else { return nil }
        self.init(name: name, sources: sources.compactMap(\.string), target: json["to"]?.string)
    }

    package var json: JSONValue {
        ["name": .string(name), "from": .array(sources.map { .string($0) }), "to": JSONValue(target)]
    }
}
