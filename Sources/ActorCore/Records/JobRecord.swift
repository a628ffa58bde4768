/// The two generations of the job catalogue, whose ids, paths and tokens are made differently (PipelineJobs,
/// section 4).
package enum JobGeneration: Int, Sendable, CaseIterable {
    /// Plain UUIDs of actor and data, paths by lab and experiment.
    case first = 1
    /// Typed UUIDs of pipeline, parents and data, paths by their hashids.
    case second = 2
}

/// What of the laboratory a job is about, by the names that its paths are made from.
package struct JobSubject: Sendable, Equatable {
    package var lab: String?
    package var experiment: String?
    package var measurement: String?
    package var sample: String?

    package init(
        lab: String? = nil, experiment: String? = nil, measurement: String? = nil, sample: String? = nil
    ) {
        self.lab = lab
        self.experiment = experiment
        self.measurement = measurement
        self.sample = sample
    }

    /// The first thing that both name and that is not the same, in words.
    package func difference(from other: JobSubject) -> String? {
        let pairs = [
            ("lab", lab, other.lab), ("experiment", experiment, other.experiment),
            ("measurement", measurement, other.measurement), ("sample", sample, other.sample),
        ]
        for case (let name, let mine?, let theirs?) in pairs where mine != theirs {
            return "\(name) \(mine) and not \(theirs)"
        }
        return nil
    }
}

/// What opens a job: a word that its callbacks must show, until when, and for which events.
package struct JobKey: Sendable, Equatable {
    package var token: String
    /// Random text that the token is hashed with.
    package var salt: String
    /// Nil for a token that never leaves the daemon.
    package var expires: Timestamp?
    /// The events that the token may cause.
    package var events: [PipelineJobEvent]

    /// What a token may do unless the job's owner says otherwise.
    package static let standardEvents: [PipelineJobEvent] = [.run, .update, .resource, .finish, .fail]
    /// How long a token is valid unless renewed: 72 hours, as the first generation's documentation promised.
    package static let standardMilliseconds: Int64 = 72 * 3_600_000

    package init(
        token: String, salt: String, expires: Timestamp? = nil, events: [PipelineJobEvent] = Self.standardEvents
    ) {
        self.token = token
        self.salt = salt
        self.expires = expires
        self.events = events
    }
}

/// A PipelineJob as the catalogue keeps it (PipelineJobs, section 5).
package struct JobRecord: Sendable, Equatable {
    package var uuid: JobID
    package var pipeline: PipelineID
    package var generation: JobGeneration
    /// The table that its events follow.
    package var machine: PipelineJobMachine.Edition
    package var status: PipelineJobState
    package var lastEvent: PipelineJobEvent
    /// Where its outputs belong, below the archive root: `/products/v1/…`.
    package var path: String
    /// Null when nothing was given.
    package var data: JSONValue
    /// What it was made from or is about; nil where that was left out, which makes another id than an empty list.
    package var childOf: [String]?
    package var subject: JobSubject
    /// The actor that asked for it, and in which execution.
    package var actor: ActorID?
    package var execution: ExecutionID?
    package var session: String
    package var owner: String
    package var key: JobKey
    /// An actor that is told when the job moves; nil for none.
    package var notify: ActorID?
    package var created: Timestamp
    package var updated: Timestamp
    /// When it became RUNNING for the first time; what has run is never cancelled.
    package var started: Timestamp?
    /// Counts accepted events; a change names the revision it was decided on.
    package var revision: Int

    /// The path as the archive has it: those of the first generation may begin without a slash.
    package var archivePath: String { path.hasPrefix("/") ? path : "/" + path }
    package var token: String { key.token }
    package var salt: String { key.salt }

    package init(
        uuid: JobID, pipeline: PipelineID, generation: JobGeneration = .first,
        machine: PipelineJobMachine.Edition = .current, status: PipelineJobState = .created,
        lastEvent: PipelineJobEvent = .create, path: String, data: JSONValue, childOf: [String]? = nil,
        subject: JobSubject = JobSubject(), actor: ActorID?, execution: ExecutionID?, session: String, owner: String,
        key: JobKey, notify: ActorID? = nil, created: Timestamp, updated: Timestamp, started: Timestamp? = nil,
        revision: Int = 0
    ) {
        self.uuid = uuid
        self.pipeline = pipeline
        self.generation = generation
        self.machine = machine
        self.status = status
        self.lastEvent = lastEvent
        self.path = path
        self.data = data
        self.childOf = childOf
        self.subject = subject
        self.actor = actor
        self.execution = execution
        self.session = session
        self.owner = owner
        self.key = key
        self.notify = notify
        self.created = created
        self.updated = updated
        self.started = started
        self.revision = revision
    }

    /// The record after an accepted event.
    package mutating func move(to status: PipelineJobState, by event: PipelineJobEvent, at date: Timestamp) {
        self.status = status
        lastEvent = event
        updated = date
        revision += 1
        if status == .running, started == nil { started = date }
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

/// What is left of a job that was cancelled or deleted: enough to tell its callbacks why they are refused.
package struct DeletedJob: Sendable, Equatable {
    package let uuid: JobID
    package let pipeline: PipelineID
    package let status: PipelineJobState
    package let owner: String
    package let key: JobKey
    package let deleted: Timestamp
    /// Who did it, and by what: `cancel` or `delete`.
    package let by: String
    package let action: String

    package init(_ record: JobRecord, deleted: Timestamp, by: String, action: String) {
        self.init(
            uuid: record.uuid, pipeline: record.pipeline, status: record.status, owner: record.owner, key: record.key,
            deleted: deleted, by: by, action: action)
    }

    package init(
        uuid: JobID, pipeline: PipelineID, status: PipelineJobState, owner: String, key: JobKey, deleted: Timestamp,
        by: String, action: String
    ) {
        self.uuid = uuid
        self.pipeline = pipeline
        self.status = status
        self.owner = owner
        self.key = key
        self.deleted = deleted
        self.by = by
        self.action = action
    }
}

/// A change to the job catalogue, decided by a Reactor and committed with its acknowledgement.
package enum JobChange: Sendable, Equatable {
    /// Nothing happens when the pipeline is known.
    case registerPipeline(PipelineRecord)
    /// Puts a pipeline in the place of the one with its uuid. `revision` is what the decision was based on; nil where
    /// there was none. Anything else in the store is a `conflict`.
    case writePipeline(PipelineRecord, revision: Int?)
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
    /// Another key, or the same for longer; no line in the history.
    case rekey(JobID, JobKey)
    /// The job and its history go; what is left tells why.
    case delete(DeletedJob, revision: Int)
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
