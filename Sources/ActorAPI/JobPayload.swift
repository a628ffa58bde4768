package import ActorCore

/// A PipelineJob on the wire.
package struct JobPayload: Payload {
    package var uuid: String
    package var pipelineUUID: String
    package var status: String
    package var lastEvent: String
    /// Absent in lists unless it is asked for.
    package var history: [HistoryPayload]?
    package var path: String
    package var data: JSONValue
    package var actorID: String?
    package var executionID: String?
    package var session: String
    package var owner: String
    package var created: String
    package var updated: String
    /// For the owner and admins only.
    package var callback: String?
    /// For the owner and admins only.
    package var token: String?
    package var archiveFolder: String?

    package init(
        uuid: String, pipelineUUID: String, status: String, lastEvent: String, history: [HistoryPayload]? = nil,
        path: String, data: JSONValue, actorID: String?, executionID: String?, session: String, owner: String,
        created: String, updated: String, callback: String? = nil, token: String? = nil, archiveFolder: String? = nil
    ) {
        self.uuid = uuid
        self.pipelineUUID = pipelineUUID
        self.status = status
        self.lastEvent = lastEvent
        self.history = history
        self.path = path
        self.data = data
        self.actorID = actorID
        self.executionID = executionID
        self.session = session
        self.owner = owner
        self.created = created
        self.updated = updated
        self.callback = callback
        self.token = token
        self.archiveFolder = archiveFolder
    }

    package init?(json: JSONValue) {
        guard let uuid = json["uuid"]?.string, let pipeline = json["pipeline_uuid"]?.string,
            let status = json["status"]?.string
        else { return nil }
        self.init(
            uuid: uuid, pipelineUUID: pipeline, status: status, lastEvent: json["last_event"]?.string ?? "",
            history: json["history"]?.array.map { $0.compactMap(HistoryPayload.init(json:)) },
            path: json["path"]?.string ?? "", data: json["data"] ?? .null, actorID: json["actor_id"]?.string,
            executionID: json["execution_id"]?.string, session: json["session"]?.string ?? "",
            owner: json["owner"]?.string ?? "", created: json["created"]?.string ?? "",
            updated: json["updated"]?.string ?? "", callback: json["callback"]?.string,
            token: json["token"]?.string, archiveFolder: json["archive_folder"]?.string)
    }

    package var json: JSONValue {
        let value: JSONValue = [
            "uuid": .string(uuid), "pipeline_uuid": .string(pipelineUUID), "status": .string(status),
            "last_event": .string(lastEvent), "history": history.map { .array($0.map(\.json)) } ?? .null,
            "path": .string(path), "data": data, "actor_id": JSONValue(actorID),
            "execution_id": JSONValue(executionID), "session": .string(session), "owner": .string(owner),
            "created": .string(created), "updated": .string(updated), "callback": JSONValue(callback),
            "token": JSONValue(token), "archive_folder": JSONValue(archiveFolder),
        ]
        return value.withoutNulls("history", "callback", "token")
    }
}

/// One line of a job's history on the wire; `reason` says why an event was refused.
package struct HistoryPayload: Payload {
    package var name: String
    package var date: String
    package var data: JSONValue
    package var executionID: String?
    package var reason: String?

    package init(name: String, date: String, data: JSONValue, executionID: String?, reason: String? = nil) {
        self.name = name
        self.date = date
        self.data = data
        self.executionID = executionID
        self.reason = reason
    }

    package init?(json: JSONValue) {
        guard let name = json["name"]?.string, let date = json["date"]?.string else { return nil }
        self.init(
            name: name, date: date, data: json["data"] ?? .null, executionID: json["execution_id"]?.string,
            reason: json["reason"]?.string)
    }

    package var json: JSONValue {
        let value: JSONValue = [
            "name": .string(name), "date": .string(date), "data": data, "reason": JSONValue(reason),
            "execution_id": JSONValue(executionID),
        ]
        return value.withoutNulls("reason")
    }
}

/// What `GET /api/v1/jobs/{uuid}/history` answers: what happened, and what was refused.
package struct JobHistoryPayload: Payload {
    package var history: [HistoryPayload]
    package var refused: [HistoryPayload]

    package init(history: [HistoryPayload], refused: [HistoryPayload]) {
        self.history = history
        self.refused = refused
    }

    package init?(json: JSONValue) {
        guard let history = json["history"]?.array else { return nil }
        self.history = history.compactMap(HistoryPayload.init(json:))
        self.refused = (json["refused"]?.array ?? []).compactMap(HistoryPayload.init(json:))
    }

    package var json: JSONValue {
        ["history": .array(history.map(\.json)), "refused": .array(refused.map(\.json))]
    }
}

/// A registered pipeline on the wire.
package struct PipelinePayload: Payload {
    package var uuid: String
    package var name: String
    package var components: JSONValue
    package var created: String

    package init(uuid: String, name: String, components: JSONValue, created: String) {
        self.uuid = uuid
        self.name = name
        self.components = components
        self.created = created
    }

    package init?(json: JSONValue) {
        guard let uuid = json["uuid"]?.string, let name = json["name"]?.string else { return nil }
        self.init(
            uuid: uuid, name: name, components: json["components"] ?? .null, created: json["created"]?.string ?? "")
    }

    package var json: JSONValue {
        [
            "uuid": .string(uuid), "name": .string(name), "components": components, "created": .string(created),
        ]
    }
}
