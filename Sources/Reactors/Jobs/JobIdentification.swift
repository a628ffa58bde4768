package import ActorCore

/// Everything about a job that follows from what it is made from: what a dry run and `job identify` answer.
package struct JobIdentification: Sendable, Equatable {
    package let draft: JobDraft
    package let now: Timestamp

    package init(draft: JobDraft, now: Timestamp) {
        self.draft = draft
        self.now = now
    }

    package var json: JSONValue {
        [
            "generation": JSONValue(draft.generation.rawValue), "pipeline_uuid": .string(draft.pipeline.rawValue),
            "uuid": .string(draft.uuid.rawValue), "path": .string(draft.archivePath(now)),
            "instance": .string(draft.instance(now)), "session": .string(draft.session),
            "actor_id": JSONValue(draft.actor?.rawValue), "data": draft.data ?? .null,
            "child_of": draft.childOf.map { .array($0.map { .string($0) }) } ?? .null,
            // What the uuid is the hash of, for who wonders why it is another one.
            "identity": .string(draft.identityText),
        ]
    }
}
