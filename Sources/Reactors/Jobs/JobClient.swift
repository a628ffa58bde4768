package import ActorCore

/// PipelineJobs of a Reactor's own, `context.jobs`. All of it is committed with the message that is handled, or not at
/// all: a job is new with it, and its events leave, in order, for the actor that keeps the jobs.
package struct JobClient: Sendable {
    /// The alias that job messages go to.
    package static let manager = "pipeline-jobs-manager"

    private let context: any ReactorContext

    fileprivate init(_ context: any ReactorContext) { self.context = context }

    /// The job that a draft describes, found as it is, or new.
    package func setup(_ draft: JobDraft) async throws(ActorError) -> JobRecord {
        if let known = try await context.job(draft.uuid) { return known }
        let now = context.now()
        // Nobody has to make this token again, so its pepper need not be kept.
        let record = draft.record(
            pepper: context.randomHex(bytes: 32), randomHex: context.randomHex(bytes: 16), now: now)
        context.change(.create(record, draft.firstEntry(now: now)))
        return record
    }

    /// The URL that moves the job on, for programs elsewhere.
    package func callback(_ job: JobRecord) throws(ActorError) -> String { try context.callbackURL(for: job) }

    package func run(_ job: JobRecord, _ data: JSONValue = .null) throws(ActorError) { try tell(job, .run, data) }
    package func update(_ job: JobRecord, _ data: JSONValue = .null) throws(ActorError) { try tell(job, .update, data) }
    package func finish(_ job: JobRecord, _ data: JSONValue = .null) throws(ActorError) { try tell(job, .finish, data) }
    package func fail(_ job: JobRecord, _ data: JSONValue = .null) throws(ActorError) { try tell(job, .fail, data) }

    /// Any event that the job's token allows.
    package func tell(_ job: JobRecord, _ event: PipelineJobEvent, _ data: JSONValue) throws(ActorError) {
        let message: JSONValue = [
            "uuid": .string(job.uuid.rawValue), "event": .string(event.rawValue), "token": .string(job.token),
        ]
        try context.send(.alias(Self.manager), data.isNull ? message : message.setting("data", data), key: nil)
    }

    /// Takes a job away that never ran.
    package func cancel(_ job: JobRecord) throws(ActorError) {
        let message: JSONValue = [
            "uuid": .string(job.uuid.rawValue), "action": "cancel", "token": .string(job.token),
        ]
        try context.send(.alias(Self.manager), message, key: nil)
    }
}

extension ReactorContext {
    package var jobs: JobClient { JobClient(self) }
}
