/// Why and since when a job is flagged: it has not moved for its pipeline's limit.
package struct JobStall: Sendable, Equatable {
    package let job: JobID
    /// When it moved last.
    package let since: Timestamp
    package let limitMilliseconds: Int64
    package let flagged: Timestamp

    package init(job: JobID, since: Timestamp, limitMilliseconds: Int64, flagged: Timestamp) {
        self.job = job
        self.since = since
        self.limitMilliseconds = limitMilliseconds
        self.flagged = flagged
    }
}

package enum WatchTag {}

/// The hashid of a watch.
package typealias WatchID = Identifier<WatchTag>

/// An actor that is sent what happens to a job, or to all jobs of a pipeline.
package struct JobWatch: Sendable, Equatable {
    package enum Target: Sendable, Hashable {
        case job(JobID)
        case pipeline(PipelineID)
    }

    /// As many as the daemon keeps.
    package static let maxCount = 10_000

    package let id: WatchID
    package let target: Target
    package let actor: ActorID
    package let owner: String
    package let created: Timestamp

    package init(id: WatchID, target: Target, actor: ActorID, owner: String, created: Timestamp) {
        self.id = id
        self.target = target
        self.actor = actor
        self.owner = owner
        self.created = created
    }
}

/// How many jobs there are in each state.
package struct JobCounts: Sendable, Equatable {
    package var states: [PipelineJobState: Int]
    package var stalled: Int

    package init(states: [PipelineJobState: Int] = [:], stalled: Int = 0) {
        self.states = states
        self.stalled = stalled
    }

    package var total: Int { states.values.reduce(0, +) }
}

/// What the catalogue knows around its jobs: files, links, statuses, watches. Changes come through ``Effects``.
package protocol JobCatalogue: Sendable {
    /// By path; `after` is the path to continue behind.
    func jobFiles(of job: JobID, after: String?, limit: Int) async throws(ActorError) -> [JobFileRecord]
    /// Those of the given paths that are known.
    func jobFiles(of job: JobID, paths: [String]) async throws(ActorError) -> [JobFileRecord]
    func jobFileTotal(of job: JobID) async throws(ActorError) -> (files: Int, bytes: Int64)
    func file(_ uuid: String) async throws(ActorError) -> FileRecord?
    /// Files by their names, as records carry them.
    func files(named names: [String]) async throws(ActorError) -> [FileRecord]
    /// What a job refers to, sorted by kind and target.
    func links(of job: JobID) async throws(ActorError) -> [CatalogueLink]
    /// Jobs that refer to `target` in this way, oldest first.
    func jobs(_ kind: LinkKind, of target: String, limit: Int) async throws(ActorError) -> [JobID]
    /// Jobs whose path is this one, or lies below it, the oldest first; a slash in front makes no difference.
    func jobs(at path: String, limit: Int) async throws(ActorError) -> [JobID]
    /// The statuses that callbacks of a job have shown, each once, the latest last.
    func statuses(of job: JobID) async throws(ActorError) -> [String]
    /// Actors that watch a job or its pipeline, each once.
    func watchers(of job: JobID, pipeline: PipelineID) async throws(ActorError) -> [ActorID]
    /// Flags of those jobs that have one.
    func stalls(of jobs: [JobID]) async throws(ActorError) -> [JobStall]
    /// Jobs in one of ``StallMachine/movingStates`` that did not move since, and are not flagged; the oldest first.
    func standing(since: Timestamp, limit: Int) async throws(ActorError) -> [StallMachine.Standing]
    /// Cursor and limit of the query play no part.
    func counts(_ query: JobQuery) async throws(ActorError) -> JobCounts
}

/// Watches, which people make and end.
package protocol WatchStore: Sendable {
    /// Throws `tooManyRequests` when there are as many as may be. The same target and actor again is the same watch.
    func create(_ watch: JobWatch) async throws(ActorError) -> JobWatch
    /// Newest first; of one target, or all.
    func watches(of target: JobWatch.Target?, limit: Int) async throws(ActorError) -> [JobWatch]
    func watch(_ id: WatchID) async throws(ActorError) -> JobWatch?
    func deleteWatch(_ id: WatchID) async throws(ActorError) -> Bool
}
