package import ActorCore

/// A PipelineJob on the wire, in the first generation's names and, where they differ, in the second's too.
package struct JobPayload: Payload {
    package var uuid: String
    package var pipelineUUID: String
    package var generation: Int
    package var status: String
    package var lastEvent: String
    /// In the form that was asked for; absent in lists unless it is asked for.
    package var history: JSONValue?
    package var path: String
    package var data: JSONValue
    package var childOf: [String]?
    package var subject: JobSubject
    package var actorID: String?
    package var executionID: String?
    package var session: String
    package var owner: String
    package var created: String
    package var updated: String
    package var started: String?
    package var revision: Int
    /// For the owner and admins only.
    package var callback: String?
    /// For the owner and admins only.
    package var token: String?
    /// For the owner and admins only; nil for one without end.
    package var tokenExpires: String?
    package var archiveFolder: String?

    package init(
        uuid: String, pipelineUUID: String, generation: Int = 1, status: String, lastEvent: String,
        history: JSONValue? = nil, path: String, data: JSONValue, childOf: [String]? = nil,
        subject: JobSubject = JobSubject(), actorID: String?, executionID: String?, session: String, owner: String,
        created: String, updated: String, started: String? = nil, revision: Int = 0, callback: String? = nil,
        token: String? = nil, tokenExpires: String? = nil, archiveFolder: String? = nil
    ) {
        self.uuid = uuid
        self.pipelineUUID = pipelineUUID
        self.generation = generation
        self.status = status
        self.lastEvent = lastEvent
        self.history = history
        self.path = path
        self.data = data
        self.childOf = childOf
        self.subject = subject
        self.actorID = actorID
        self.executionID = executionID
        self.session = session
        self.owner = owner
        self.created = created
        self.updated = updated
        self.started = started
        self.revision = revision
        self.callback = callback
        self.token = token
        self.tokenExpires = tokenExpires
        self.archiveFolder = archiveFolder
    }

    package init?(json: JSONValue) {
        guard let uuid = json["uuid"]?.string, let pipeline = json["pipeline_uuid"]?.string,
            let status = json["status"]?.string
        else { return nil }
        self.init(
            uuid: uuid, pipelineUUID: pipeline, generation: json["generation"]?.int ?? 1, status: status,
            lastEvent: json["last_event"]?.string ?? "", history: json["history"], path: json["path"]?.string ?? "",
            data: json["data"] ?? .null, childOf: json["child_of"]?.array?.compactMap(\.string),
            subject: JobSubject(
                lab: json["lab"]?.string, experiment: json["experiment"]?.string,
                measurement: json["measurement"]?.string, sample: json["sample"]?.string),
            actorID: json["actor_id"]?.string, executionID: json["execution_id"]?.string,
            session: json["session"]?.string ?? "", owner: json["owner"]?.string ?? "",
            created: json["created"]?.string ?? "", updated: json["updated"]?.string ?? "",
            started: json["started"]?.string, revision: json["revision"]?.int ?? 0,
            callback: json["callback"]?.string, token: json["token"]?.string,
            tokenExpires: json["token_expires"]?.string, archiveFolder: json["archive_folder"]?.string)
    }

    package var json: JSONValue {
        let value: JSONValue = [
            "uuid": .string(uuid), "pipeline_uuid": .string(pipelineUUID), "generation": JSONValue(generation),
            "status": .string(status), "state": .string(status), "last_event": .string(lastEvent),
            "history": history ?? .null, "path": .string(path), "archive_path": .string(path), "data": data,
            "child_of": .array((childOf ?? []).map { .string($0) }), "lab": JSONValue(subject.lab),
            "experiment": JSONValue(subject.experiment), "measurement": JSONValue(subject.measurement),
            "sample": JSONValue(subject.sample), "actor_id": JSONValue(actorID),
            "execution_id": JSONValue(executionID), "session": .string(session), "owner": .string(owner),
            "created": .string(created), "updated": .string(updated), "started": JSONValue(started),
            "revision": JSONValue(revision), "callback": JSONValue(callback), "token": JSONValue(token),
            "token_expires": JSONValue(tokenExpires), "archive_folder": JSONValue(archiveFolder),
        ]
        return value.withoutNulls(
            "history", "callback", "token", "token_expires", "lab", "experiment", "measurement", "sample")
    }
}

/// One line of a job's history on the wire, with all that is kept of it; `reason` says why an event was refused.
package struct HistoryPayload: Payload {
    package var name: String
    package var date: String
    package var data: JSONValue
    package var executionID: String?
    package var reason: String?
    /// Its place among all lines of the job, from 1.
    package var number: Int
    /// What chains it to the line before.
    package var hash: String
    package var uuid: String

    package init(
        name: String, date: String, data: JSONValue, executionID: String?, reason: String? = nil, number: Int = 0,
        hash: String = "", uuid: String = ""
    ) {
        self.name = name
        self.date = date
        self.data = data
        self.executionID = executionID
        self.reason = reason
        self.number = number
        self.hash = hash
        self.uuid = uuid
    }

    package init?(json: JSONValue) {
        guard let name = json["name"]?.string, let date = json["date"]?.string else { return nil }
        self.init(
            name: name, date: date, data: json["data"] ?? .null, executionID: json["execution_id"]?.string,
            reason: json["reason"]?.string, number: json["number"]?.int ?? 0, hash: json["hash"]?.string ?? "",
            uuid: json["uuid"]?.string ?? "")
    }

    package var json: JSONValue {
        let value: JSONValue = [
            "number": JSONValue(number), "name": .string(name), "date": .string(date), "data": data,
            "reason": JSONValue(reason), "execution_id": JSONValue(executionID), "uuid": .string(uuid),
            "hash": .string(hash),
        ]
        return value.withoutNulls("reason")
    }
}

/// What `GET /api/v1/jobs/{uuid}/history?form=full` answers: what happened, and what was refused.
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
    /// The second generation's own id; empty in the first.
    package var id: String
    package var name: String
    package var generation: Int
    package var description: String
    package var components: JSONValue
    /// What else its document says.
    package var details: JSONValue
    package var settings: JSONValue
    package var enabled: Bool
    package var owner: String
    package var created: String
    package var updated: String
    package var revision: Int

    package init(_ record: PipelineRecord) {
        self.uuid = record.uuid.rawValue
        self.id = record.id
        self.name = record.name
        self.generation = record.generation.rawValue
        self.description = record.description
        self.components = record.components
        self.details = record.details
        self.settings = record.settings
        self.enabled = record.isEnabled
        self.owner = record.owner
        self.created = record.created.iso8601
        self.updated = record.updated.iso8601
        self.revision = record.revision
    }

    package init?(json: JSONValue) {
        guard let uuid = json["uuid"]?.string, let name = json["name"]?.string else { return nil }
        self.uuid = uuid
        self.id = json["id"]?.string ?? ""
        self.name = name
        self.generation = json["generation"]?.int ?? 1
        self.description = json["description"]?.string ?? ""
        self.components = json["components"] ?? .null
        self.details = [:]
        self.settings = json["settings"] ?? [:]
        self.enabled = json["enabled"]?.bool ?? true
        self.owner = json["owner"]?.string ?? ""
        self.created = json["created"]?.string ?? ""
        self.updated = json["updated"]?.string ?? ""
        self.revision = json["revision"]?.int ?? 0
    }

    package var json: JSONValue {
        var value: JSONValue = [
            "uuid": .string(uuid), "name": .string(name), "generation": JSONValue(generation),
            "description": .string(description), "components": components,
        ]
        if !id.isEmpty { value = value.setting("id", .string(id)) }
        for member in details.object ?? [] { value = value.setting(member.name, member.value) }
        let rest: [(String, JSONValue)] = [
            ("settings", settings), ("enabled", .bool(enabled)), ("owner", .string(owner)),
            ("created", .string(created)), ("updated", .string(updated)), ("revision", JSONValue(revision)),
        ]
        for (name, member) in rest { value = value.setting(name, member) }
        return value
    }
}
