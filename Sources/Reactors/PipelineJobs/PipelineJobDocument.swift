import ActorCore

/// What the manager answers: a job with its token for whoever creates it, without it for whoever moves it.
enum PipelineJobDocument {
    static func created(_ record: JobRecord, callback: String) -> JSONValue {
        [
            "uuid": .string(record.uuid.rawValue), "pipeline_uuid": .string(record.pipeline.rawValue),
            "generation": JSONValue(record.generation.rawValue), "status": .string(record.status.rawValue),
            "state": .string(record.status.rawValue), "path": .string(record.path),
            "token": .string(record.token), "token_expires": JSONValue(record.key.expires),
            "token_events": events(record), "callback": .string(callback), "session": .string(record.session),
            "data": record.data, "actor_id": JSONValue(record.actor?.rawValue),
            "child_of": .array((record.childOf ?? []).map { .string($0) }), "lab": JSONValue(record.subject.lab),
            "experiment": JSONValue(record.subject.experiment),
            "measurement": JSONValue(record.subject.measurement), "sample": JSONValue(record.subject.sample),
            "created": JSONValue(record.created),
        ]
    }

    /// What a job would be, were it made.
    static func planned(
        _ draft: JobDraft, now: Timestamp, exists: Bool, context: any ReactorContext
    ) throws -> JSONValue {
        // A random word makes a token; the place of the one that will be is marked as the documents mark it.
        var record = draft.record(pepper: "", randomHex: "", now: now)
        record.key.token = "${TOKEN}"
        return JobIdentification(draft: draft, now: now).json.setting("exists", .bool(exists))
            .setting("callback", .string(try context.callbackURL(for: record)))
    }

    static func moved(_ record: JobRecord, to status: PipelineJobState, by event: PipelineJobEvent) -> JSONValue {
        [
            "uuid": .string(record.uuid.rawValue), "status": .string(status.rawValue),
            "state": .string(status.rawValue), "last_event": .string(event.rawValue),
            "revision": JSONValue(record.revision + 1),
        ]
    }

    /// A callback that changed nothing: said before, or no news of the job.
    static func unmoved(_ record: JobRecord, status: String, isRepeat: Bool) -> JSONValue {
        [
            "uuid": .string(record.uuid.rawValue), "status": .string(record.status.rawValue),
            "state": .string(record.status.rawValue), "last_event": .string(record.lastEvent.rawValue),
            "revision": JSONValue(record.revision), "reported": .string(status), "repeated": .bool(isRepeat),
        ]
    }

    static func key(_ record: JobRecord, callback: String) -> JSONValue {
        [
            "uuid": .string(record.uuid.rawValue), "token": .string(record.token),
            "token_expires": JSONValue(record.key.expires), "token_events": events(record),
            "callback": .string(callback),
        ]
    }

    static func gone(_ record: JobRecord, _ action: String) -> JSONValue {
        ["uuid": .string(record.uuid.rawValue), "action": .string(action), "was": .string(record.status.rawValue)]
    }

    /// What the actor named in the job is told.
    static func notification(
        _ record: JobRecord, status: PipelineJobState, event: String, data: JSONValue
    ) -> JSONValue {
        [
            "kind": "job", "uuid": .string(record.uuid.rawValue), "pipeline_uuid": .string(record.pipeline.rawValue),
            "status": .string(status.rawValue), "event": .string(event), "data": data,
        ]
    }

    private static func events(_ record: JobRecord) -> JSONValue {
        .array(record.key.events.map { .string($0.rawValue) })
    }
}
