package import ActorCore

/// An actor with its mailbox on the wire.
package struct ActorPayload: Payload {
    package var id: String
    package var name: String
    package var description: String
    /// `builtin/ingest`, a command line, or an image.
    package var run: String
    package var status: String
    package var statusMessage: String
    package var stateless: Bool
    package var maxWorkers: Int
    package var waiting: Int
    package var running: Int
    package var revision: Int
    package var folder: String?
    package var link: String?
    package var schedule: String?

    package init(
        id: String, name: String, description: String, run: String, status: String, statusMessage: String,
        stateless: Bool, maxWorkers: Int, waiting: Int, running: Int, revision: Int, folder: String?, link: String?,
        schedule: String?
    ) {
        self.id = id
        self.name = name
        self.description = description
        self.run = run
        self.status = status
        self.statusMessage = statusMessage
        self.stateless = stateless
        self.maxWorkers = maxWorkers
        self.waiting = waiting
        self.running = running
        self.revision = revision
        self.folder = folder
        self.link = link
        self.schedule = schedule
    }

    package init?(json: JSONValue) {
        guard let id = json["id"]?.string, let name = json["name"]?.string, let status = json["status"]?.string
        else { return nil }
        self.init(
            id: id, name: name, description: json["description"]?.string ?? "", run: json["run"]?.string ?? "",
            status: status, statusMessage: json["status_message"]?.string ?? "",
            stateless: json["stateless"]?.bool ?? true, maxWorkers: json["max_workers"]?.int ?? 1,
            waiting: json["waiting"]?.int ?? 0, running: json["running"]?.int ?? 0,
            revision: json["revision"]?.int ?? 1, folder: json["folder"]?.string, link: json["link"]?.string,
            schedule: json["schedule"]?.string)
    }

    package var json: JSONValue {
        [
            "id": .string(id), "name": .string(name), "description": .string(description), "run": .string(run),
            "status": .string(status), "status_message": .string(statusMessage), "stateless": .bool(stateless),
            "max_workers": JSONValue(maxWorkers), "waiting": JSONValue(waiting), "running": JSONValue(running),
            "revision": JSONValue(revision), "folder": JSONValue(folder), "link": JSONValue(link),
            "schedule": JSONValue(schedule),
        ]
    }
}

/// An actor's folder with a mistake in it, and its place, on the wire.
package struct QuarantinePayload: Payload {
    package var folder: String
    package var file: String
    package var line: Int?
    package var reason: String
    /// The actor is there all the same, as it was declared before.
    package var goesOn: Bool

    package init(folder: String, file: String, line: Int?, reason: String, goesOn: Bool) {
        self.folder = folder
        self.file = file
        self.line = line
        self.reason = reason
        self.goesOn = goesOn
    }

    package init?(json: JSONValue) {
        guard let folder = json["folder"]?.string, let reason = json["reason"]?.string else { return nil }
        self.init(
            folder: folder, file: json["file"]?.string ?? "", line: json["line"]?.int, reason: reason,
            goesOn: json["goes_on"]?.bool ?? false)
    }

    package var json: JSONValue {
        [
            "folder": .string(folder), "file": .string(file), "line": JSONValue(line), "reason": .string(reason),
            "goes_on": .bool(goesOn),
        ]
    }
}

/// What `GET /api/v1/actors` answers: what runs, and what is kept from running.
package struct ActorListPayload: Payload {
    package var actors: [ActorPayload]
    package var quarantined: [QuarantinePayload]

    package init(actors: [ActorPayload], quarantined: [QuarantinePayload]) {
        self.actors = actors
        self.quarantined = quarantined
    }

    package init?(json: JSONValue) {
        guard let actors = json["actors"]?.array else { return nil }
        self.actors = actors.compactMap(ActorPayload.init(json:))
        self.quarantined = (json["quarantined"]?.array ?? []).compactMap(QuarantinePayload.init(json:))
    }

    package var json: JSONValue {
        ["actors": .array(actors.map(\.json)), "quarantined": .array(quarantined.map(\.json)), "next": .null]
    }
}

/// A nonce on the wire.
package struct NoncePayload: Payload {
    package var id: String
    package var actorID: String?
    package var alias: String?
    package var owner: String
    package var roles: [String]
    package var level: String
    /// -1 stands for "without limit", here and in `remainingUses`.
    package var maxUses: Int
    package var currentUses: Int
    package var remainingUses: Int
    package var description: String
    package var created: String
    package var lastUsed: String?

    package init(
        id: String, actorID: String?, alias: String?, owner: String, roles: [String], level: String, maxUses: Int,
        currentUses: Int, remainingUses: Int, description: String, created: String, lastUsed: String?
    ) {
        self.id = id
        self.actorID = actorID
        self.alias = alias
        self.owner = owner
        self.roles = roles
        self.level = level
        self.maxUses = maxUses
        self.currentUses = currentUses
        self.remainingUses = remainingUses
        self.description = description
        self.created = created
        self.lastUsed = lastUsed
    }

    package init?(json: JSONValue) {
        guard let id = json["id"]?.string, let level = json["level"]?.string else { return nil }
        self.init(
            id: id, actorID: json["actor_id"]?.string, alias: json["alias"]?.string,
            owner: json["owner"]?.string ?? "", roles: (json["roles"]?.array ?? []).compactMap(\.string),
            level: level, maxUses: json["max_uses"]?.int ?? -1, currentUses: json["current_uses"]?.int ?? 0,
            remainingUses: json["remaining_uses"]?.int ?? -1, description: json["description"]?.string ?? "",
            created: json["create_time"]?.string ?? "", lastUsed: json["last_use_time"]?.string)
    }

    package var json: JSONValue {
        [
            "id": .string(id), "actor_id": JSONValue(actorID), "alias": JSONValue(alias), "owner": .string(owner),
            "roles": .array(roles.map { .string($0) }), "level": .string(level), "max_uses": JSONValue(maxUses),
            "current_uses": JSONValue(currentUses), "remaining_uses": JSONValue(remainingUses),
            "description": .string(description), "create_time": .string(created),
            "last_use_time": JSONValue(lastUsed),
        ]
    }
}
