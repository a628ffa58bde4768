package import ActorCore

/// What a new job is made from: turns into its catalogue record with id, path and token.
package struct JobDraft: Sendable, Equatable {
    package var pipeline: PipelineID
    package var generation: JobGeneration
    package var machine = PipelineJobMachine.Edition.current
    /// Nil differs from empty: it takes no part in the job's id.
    package var childOf: [String]?
    package var data: JSONValue?
    package var subject = JobSubject()
    /// Nil takes the path that follows from the rest.
    package var path: String?
    /// Whether a path of the second generation ends in a directory of its own for this session and moment; those of
    /// the first always do.
    package var isInstanced = false
    package var session: String
    package var notify: ActorID?
    package var actor: ActorID?
    package var execution: ExecutionID?
    package var owner: String
    package var tenant: String
    package var tokenEvents = JobKey.standardEvents
    /// Nil for a token that never leaves the daemon.
    package var tokenMilliseconds: Int64? = JobKey.standardMilliseconds

    package init(
        pipeline: PipelineID, generation: JobGeneration, childOf: [String]? = nil, data: JSONValue?,
        path: String? = nil, session: String, notify: ActorID? = nil, actor: ActorID?, execution: ExecutionID?,
        owner: String, tenant: String
    ) {
        self.pipeline = pipeline
        self.generation = generation
        self.childOf = childOf
        self.data = data
        self.path = path
        self.session = session
        self.notify = notify
        self.actor = actor
        self.execution = execution
        self.owner = owner
        self.tenant = tenant
    }

    /// The text that the job's id is the hash of.
    package var identityText: String {
        switch generation {
        case .first: JobIdentity.jobText(actor: actor, data: data)
        case .second: JobIdentity.jobText(pipeline: pipeline, childOf: childOf, data: data)
        }
    }

    package var uuid: JobID {
        switch generation {
        case .first: JobIdentity.job(actor: actor, data: data)
        case .second: JobIdentity.job(pipeline: pipeline, childOf: childOf, data: data)
        }
    }

    /// - Parameter randomHex: 16 random bytes, for the salt.
    package func record(pepper: String, randomHex: String, now: Timestamp) -> JobRecord {
        JobRecord(
            uuid: uuid, pipeline: pipeline, generation: generation, machine: machine, path: archivePath(now),
            data: recordedData, childOf: childOf, subject: subject, actor: actor, execution: execution,
            session: session, owner: owner, key: key(pepper: pepper, randomHex: randomHex, now: now),
            notify: notify, created: now, updated: now)
    }

    private func key(pepper: String, randomHex: String, now: Timestamp) -> JobKey {
        let salt = JobToken.salt(randomHex: randomHex, generation)
        return JobKey(
            token: JobToken.token(
                generation, pepper: pepper, pipeline: pipeline, job: uuid, owner: owner, tenant: tenant, salt: salt),
            salt: salt, expires: tokenMilliseconds.map { now.adding(milliseconds: $0) }, events: tokenEvents)
    }

    /// The first line of the job's history: the first generation left its data out.
    package func firstEntry(now: Timestamp) -> JobHistoryEntry {
        JobHistoryEntry(
            name: PipelineJobEvent.create.rawValue, date: now, data: generation == .first ? .null : recordedData,
            execution: execution)
    }

    /// Nothing is null in the first generation and an empty object in the second.
    private var recordedData: JSONValue { data ?? (generation == .first ? .null : .object([])) }

    /// The last part of a path that is instanced. A session of fewer than four letters was no name to the original.
    package func instance(_ now: Timestamp) -> String { ArchivePath.instance(session: session, at: now) }

    package func archivePath(_ now: Timestamp) -> String {
        if let path { return path }
        switch generation {
        case .first: return "\(ArchivePath.make(pipeline: pipeline, subject: subject))/\(instance(now))"
        case .second:
            let base = ArchivePath.make(pipeline: pipeline, childOf: childOf, data: data)
            return isInstanced ? "\(base)/\(instance(now))" : base
        }
    }
}

extension JobToken {
    /// The token of a job, as its generation makes it.
    package static func token(
        _ generation: JobGeneration, pepper: String, pipeline: PipelineID, job: JobID, owner: String, tenant: String,
        salt: String
    ) -> String {
        switch generation {
        case .first: make(pepper: pepper, pipeline: pipeline, job: job, salt: salt)
        case .second: make(salt: salt, uuid: job.rawValue, owner: owner, tenant: tenant)
        }
    }
}
