import ActorCore

/// What the manager answers: a job with its token for whoever creates it, without it for whoever moves it.
enum PipelineJobDocument {
    static func created(_ record: JobRecord, childOf: [String]?, callback: String) -> JSONValue {
        [
            "uuid": .string(record.uuid.rawValue), "pipeline_uuid": .string(record.pipeline.rawValue),
            "status": .string(record.status.rawValue), "path": .string(record.path),
            "token": .string(record.token), "callback": .string(callback), "session": .string(record.session),
            "data": record.data, "child_of": .array((childOf ?? []).map { .string($0) }),
            "created": JSONValue(record.created),
        ]
    }

    static func moved(_ record: JobRecord, to status: PipelineJobState, by event: PipelineJobEvent) -> JSONValue {
        [
            "uuid": .string(record.uuid.rawValue), "status": .string(status.rawValue),
            "last_event": .string(event.rawValue), "revision": JSONValue(record.revision + 1),
        ]
    }

    /// What the actor named in the job is told.
    static func notification(
        _ record: JobRecord, status: PipelineJobState, event: PipelineJobEvent, data: JSONValue
    ) -> JSONValue {
        [
            "kind": "job", "uuid": .string(record.uuid.rawValue), "status": .string(status.rawValue),
            "event": .string(event.rawValue), "data": data,
        ]
    }
}
