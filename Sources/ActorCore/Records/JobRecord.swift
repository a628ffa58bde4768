/// A PipelineJob as the catalogue keeps it (PipelineJobs, section 5).
package struct JobRecord: Sendable, Equatable {
    package var uuid: JobID
    package var pipeline: PipelineID
    package var status: PipelineJobState
    package var lastEvent: PipelineJobEvent
    /// Where its outputs belong, below the archive root: `/products/v2/…`.
    package var path: String
    package var data: JSONValue
    /// The actor that asked for it, and in which execution.
    package var actor: ActorID?
    package var execution: ExecutionID?
    package var session: String
    package var owner: String
    /// What callbacks must show; constant for the job's life.
    package var token: String
    /// Random text that the token is hashed with.
    package var salt: String
    /// An actor that is told when the job moves; nil for none.
    package var notify: ActorID?
    package var created: Timestamp
    package var updated: Timestamp
    /// Counts accepted events; a change names the revision it was decided on.
    package var revision: Int

    package init(
        uuid: JobID, pipeline: PipelineID, status: PipelineJobState = .created, lastEvent: PipelineJobEvent = .create,
        path: String, data: JSONValue, actor: ActorID?, execution: ExecutionID?, session: String, owner: String,
        token: String, salt: String, notify: ActorID? = nil, created: Timestamp, updated: Timestamp, revision: Int = 0
    ) {
        self.uuid = uuid
        self.pipeline = pipeline
        self.status = status
        self.lastEvent = lastEvent
        self.path = path
        self.data = data
        self.actor = actor
        self.execution = execution
        self.session = session
        self.owner = owner
        self.token = token
        self.salt = salt
        self.notify = notify
        self.created = created
        self.updated = updated
        self.revision = revision
    }
}

/// One line of a job's history: an event that was accepted, or one that was refused and left the record as it was.
package struct JobHistoryEntry: Sendable, Equatable {
    /// The event's name as it was given.
    package let name: String
    package let date: Timestamp
    package let data: JSONValue
    /// Nil when accepted; else why not.
    package let refusal: String?
    package let execution: ExecutionID?

    package init(
        name: String, date: Timestamp, data: JSONValue, refusal: String? = nil, execution: ExecutionID? = nil
    ) {
        self.name = name
        self.date = date
        self.data = data
        self.refusal = refusal
        self.execution = execution
    }
}

/// A registered set of components that jobs are runs of.
package struct PipelineRecord: Sendable, Equatable {
    package let uuid: PipelineID
    package let name: String
    package let components: JSONValue
    package let created: Timestamp

    package init(uuid: PipelineID, name: String, components: JSONValue, created: Timestamp) {
        self.uuid = uuid
        self.name = name
        self.components = components
        self.created = created
    }
}

/// A change to the job catalogue, decided by a Reactor and committed with its acknowledgement.
package enum JobChange: Sendable, Equatable {
    /// Nothing happens when the pipeline is known.
    case registerPipeline(PipelineRecord)
    /// A new job with its first history entry; a job of the same uuid makes the commit fail with `conflict`.
    case create(JobRecord, JobHistoryEntry)
    /// An accepted event. `revision` is what the decision was based on; another one in the store is a `conflict`.
    case move(JobID, revision: Int, to: PipelineJobState, by: PipelineJobEvent, JobHistoryEntry)
    /// A refused event: recorded, the job unchanged.
    case refuse(JobID, JobHistoryEntry)
    /// What a job refers to, beside what is known already.
    case link(JobID, [CatalogueLink])
    /// A status that a callback of the job has shown.
    case saw(JobID, status: String)
    /// Files below the job's archive path, in the place of earlier ones of their paths. `run` tells one walk over
    /// them from another.
    case files(JobID, [JobFileRecord], run: Timestamp)
    /// Files that the walk of `before` and later ones have not met are gone.
    case dropFiles(JobID, before: Timestamp)
    /// A file of the catalogue; merged with what is known of it.
    case catalogue(FileRecord)
    /// The job has not moved for too long. Nothing happens when it has moved since `revision`, or is flagged.
    case stall(JobStall, revision: Int)
}

/// What the API lists jobs by; nil means any.
package struct JobQuery: Sendable, Equatable {
    package var status: PipelineJobState?
    package var pipeline: PipelineID?
    package var session: String?
    package var actor: ActorID?
    /// The name of an experiment, or its UUID.
    package var experiment: String?
    /// The UUID of an experiment, a sample, another job.
    package var childOf: String?
    /// Words that are all in the job's ids, names, path or data; see ``JobText``.
    package var text: String?
    package var createdFrom: Timestamp?
    package var createdBefore: Timestamp?
    package var updatedFrom: Timestamp?
    package var updatedBefore: Timestamp?
    package var isStalled: Bool?
    /// Continue after this job, in descending order of creation.
    package var cursor: String?
    package var limit: Int

    package init(
        status: PipelineJobState? = nil, pipeline: PipelineID? = nil, session: String? = nil, actor: ActorID? = nil,
        cursor: String? = nil, limit: Int = 100
    ) {
        self.status = status
        self.pipeline = pipeline
        self.session = session
        self.actor = actor
        self.cursor = cursor
        self.limit = limit
    }
}
