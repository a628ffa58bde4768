package import ActorCore

/// What a new job is made from: turns into its catalogue record with id, path and token.
package struct JobDraft: Sendable, Equatable {
    package var pipeline: PipelineID
    /// Nil differs from empty: it takes no part in the job's id.
    package var childOf: [String]?
    package var data: JSONValue?
    /// Nil takes the path that follows from pipeline, parents and data.
    package var path: String?
    /// Whether the path ends in a directory of its own for this session and moment.
    package var isInstanced = false
    package var session: String
    package var notify: ActorID?
    package var actor: ActorID?
    package var execution: ExecutionID?
    package var owner: String

    package init(
        pipeline: PipelineID, childOf: [String]? = nil, data: JSONValue?, path: String? = nil, session: String,
        notify: ActorID? = nil, actor: ActorID?, execution: ExecutionID?, owner: String
    ) {
        self.pipeline = pipeline
        self.childOf = childOf
        self.data = data
        self.path = path
        self.session = session
        self.notify = notify
        self.actor = actor
        self.execution = execution
        self.owner = owner
    }

    package var uuid: JobID { JobIdentity.job(pipeline: pipeline, childOf: childOf, data: data) }

    /// - Parameter randomHex: 16 random bytes, for the salt.
    package func record(pepper: String, randomHex: String, now: Timestamp) -> JobRecord {
        let salt = JobToken.salt(randomHex: randomHex)
        return JobRecord(
            uuid: uuid, pipeline: pipeline, path: archivePath(now), data: data ?? .object([]), actor: actor,
            execution: execution, session: session, owner: owner,
            token: JobToken.make(pepper: pepper, pipeline: pipeline, job: uuid, salt: salt), salt: salt,
            notify: notify, created: now, updated: now)
    }

    /// The first line of the job's history.
    package func firstEntry(now: Timestamp) -> JobHistoryEntry {
        JobHistoryEntry(
            name: PipelineJobEvent.create.rawValue, date: now, data: data ?? .object([]), execution: execution)
    }

    private func archivePath(_ now: Timestamp) -> String {
        if let path { return path }
        let base = ArchivePath.make(pipeline: pipeline, childOf: childOf, data: data)
        return isInstanced ? "\(base)/\(ArchivePath.instance(session: session, at: now))" : base
    }
}
