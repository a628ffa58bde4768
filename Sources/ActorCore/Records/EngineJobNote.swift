/// What the watch of an engine knows of a job that the engine has: read from the document that its actor keeps.
package struct EngineJobNote: Sendable, Equatable {
    package static let kind = "engine-job"

    package let engine: String
    package let run: EngineRun
    /// It is to be looked at.
    package let isFollowed: Bool
    /// Its outcome is open.
    package let isOpen: Bool
    /// When it wants to be called, whatever the engine says.
    package let wake: Timestamp?
    /// The fingerprint of what was handled last.
    package let seen: String
    package let revision: Int

    package init(
        engine: String, run: EngineRun, isFollowed: Bool, isOpen: Bool, wake: Timestamp?, seen: String, revision: Int
    ) {
        self.engine = engine
        self.run = run
        self.isFollowed = isFollowed
        self.isOpen = isOpen
        self.wake = wake
        self.seen = seen
        self.revision = revision
    }

    package var json: JSONValue {
        [
            "job": .string(run.job.rawValue), "engine": .string(engine), "attempt": JSONValue(run.attempt),
            "name": .string(run.name), "id": JSONValue(run.id), "logs": .string(run.logs),
            "followed": .bool(isFollowed), "open": .bool(isOpen),
            "wake": wake.map { .int($0.milliseconds) } ?? .null, "seen": .string(seen),
            "revision": JSONValue(revision),
        ]
    }

    package init?(json: JSONValue) {
        guard let job = json["job"]?.string, let engine = json["engine"]?.string,
            let attempt = json["attempt"]?.int, let name = json["name"]?.string, let logs = json["logs"]?.string,
            let revision = json["revision"]?.int
        else { return nil }
        self.init(
            engine: engine,
            run: EngineRun(job: JobID(job), attempt: attempt, name: name, id: json["id"]?.string, logs: logs),
            isFollowed: json["followed"]?.bool ?? false, isOpen: json["open"]?.bool ?? false,
            wake: json["wake"]?.int.map { Timestamp(milliseconds: Int64($0)) }, seen: json["seen"]?.string ?? "",
            revision: revision)
    }
}

/// Decides what the actor that keeps the jobs of engines is told after a look at one of them.
package enum EngineWatchRules {
    /// Who sends these messages; no user can be called so.
    package static let sender = "reactord/engines"
    /// Sent again after so long, should a message have been lost between its sending and its handling.
    private static let repeatMilliseconds: Int64 = 600_000

    /// One message for that actor.
    package struct Word: Sendable, Equatable {
        package let body: JSONValue
        /// The lane of the job: its messages are handled one after another.
        package let lane: String
        /// Sending it twice tells once.
        package let key: String
    }

    /// What a look brought.
    package enum Sight: Sendable, Equatable {
        case observed(EngineObservation)
        case absent
        case unreachable(String)

        package var fingerprint: String {
            switch self {
            case .observed(let observation): JSONWriter.string(observation.json)
            case .absent: "absent"
            case .unreachable(let why): "unreachable: \(why)"
            }
        }
    }

    /// - Parameter isWithdrawn: the job is not open any more in the catalogue.
    package static func words(
        of note: EngineJobNote, sight: Sight?, isWithdrawn: Bool, now: Timestamp
    ) -> [Word] {
        if isWithdrawn, note.isOpen, note.seen != "withdrawn" {
            return [word(note, ["kind": "withdraw"], "withdraw", now)]
        }
        if let wake = note.wake, wake <= now { return [word(note, ["kind": "due"], "due", now)] }
        guard note.isFollowed, let sight else { return [] }
        let fingerprint = sight.fingerprint
        guard fingerprint != note.seen else { return [] }
        var body: JSONValue = ["kind": "seen"]
        switch sight {
        case .observed(let observation): body = body.setting("observation", observation.json)
        case .absent: break
        case .unreachable(let why): body = body.setting("trouble", .string(why))
        }
        return [word(note, body, "seen", now)]
    }

    private static func word(_ note: EngineJobNote, _ body: JSONValue, _ kind: String, _ now: Timestamp) -> Word {
        let body = body.setting("job", .string(note.run.job.rawValue)).setting("revision", JSONValue(note.revision))
        let turn = now.milliseconds / repeatMilliseconds
        return Word(
            body: body, lane: note.run.job.rawValue,
            key: "engine:\(note.run.job):\(note.revision):\(kind):\(turn)")
    }
}
