package import ActorCore

/// What is known around jobs, in plain values: the same for the model store and for a Reactor's test.
package struct CatalogueModel: Sendable {
    private struct Row: Sendable {
        var file: JobFileRecord
        var run: Timestamp
    }

    private var rows: [JobID: [String: Row]] = [:]
    package private(set) var files: [String: FileRecord] = [:]
    package private(set) var links: [JobID: Set<CatalogueLink>] = [:]
    package private(set) var statuses: [JobID: [String]] = [:]
    package private(set) var stalls: [JobID: JobStall] = [:]
    /// In order of creation.
    package private(set) var watches: [JobWatch] = []

    package init() {}

    package mutating func store(_ files: [JobFileRecord], of job: JobID, run: Timestamp) {
        for file in files { rows[job, default: [:]][file.path] = Row(file: file, run: run) }
    }

    package mutating func dropFiles(of job: JobID, before run: Timestamp) {
        rows[job] = rows[job]?.filter { $0.value.run >= run }
    }

    package mutating func store(_ file: FileRecord) {
        files[file.uuid] = files[file.uuid].map { $0.merged(with: file) } ?? file
    }

    package mutating func store(_ links: [CatalogueLink], of job: JobID) {
        self.links[job, default: []].formUnion(links)
    }

    package mutating func note(status: String, of job: JobID) {
        statuses[job] = (statuses[job] ?? []).filter { $0 != status } + [status]
    }

    /// False when it is flagged already.
    package mutating func flag(_ stall: JobStall) -> Bool {
        guard stalls[stall.job] == nil else { return false }
        stalls[stall.job] = stall
        return true
    }

    /// A job that moves is no longer stalled; one that is reset tells its statuses anew.
    package mutating func moved(_ job: JobID, to status: PipelineJobState) {
        stalls[job] = nil
        if status == .reset { statuses[job] = nil }
    }

    /// What belongs to a job goes with it; files stay.
    package mutating func deleted(_ job: JobID) {
        rows[job] = nil
        links[job] = nil
        statuses[job] = nil
        stalls[job] = nil
    }

    package mutating func add(_ watch: JobWatch) -> JobWatch {
        if let known = watches.first(where: { $0.target == watch.target && $0.actor == watch.actor }) { return known }
        watches.append(watch)
        return watch
    }

    package mutating func deleteWatch(_ id: WatchID) -> Bool {
        let before = watches.count
        watches.removeAll { $0.id == id }
        return watches.count < before
    }

    // Reading.

    package func jobFiles(of job: JobID) -> [JobFileRecord] {
        (rows[job] ?? [:]).values.map(\.file).sorted { $0.path.utf8.lexicographicallyPrecedes($1.path.utf8) }
    }

    package func sortedLinks(of job: JobID) -> [CatalogueLink] {
        (links[job] ?? []).sorted { ($0.kind.rawValue, $0.target) < ($1.kind.rawValue, $1.target) }
    }

    package func watchers(of job: JobID, pipeline: PipelineID) -> [ActorID] {
        var found: [ActorID] = []
        for watch in watches where watch.target == .job(job) || watch.target == .pipeline(pipeline) {
            if !found.contains(watch.actor) { found.append(watch.actor) }
        }
        return found
    }

    package func standing(_ jobs: [JobRecord], since: Timestamp, limit: Int) -> [StallMachine.Standing] {
        let found = jobs.filter {
            StallMachine.movingStates.contains($0.status) && $0.updated <= since && stalls[$0.uuid] == nil
        }
        return found.sorted { $0.updated < $1.updated }.prefix(max(0, limit)).map {
            StallMachine.Standing(
                job: $0.uuid, pipeline: $0.pipeline, status: $0.status, revision: $0.revision, since: $0.updated)
        }
    }

    package func counts(_ jobs: [JobRecord], _ query: JobQuery) -> JobCounts {
        var counts = JobCounts()
        for job in jobs where matches(job, query) {
            counts.states[job.status, default: 0] += 1
            if stalls[job.uuid] != nil { counts.stalled += 1 }
        }
        return counts
    }

    /// Whether a listing by `query` shows `job`; the cursor plays no part.
    package func matches(_ job: JobRecord, _ query: JobQuery) -> Bool {
        let links = links[job.uuid] ?? []
        return (query.status == nil || job.status == query.status)
            && (query.pipeline == nil || job.pipeline == query.pipeline)
            && (query.session == nil || job.session == query.session)
            && (query.actor == nil || job.actor == query.actor)
            && (query.createdFrom.map { job.created >= $0 } ?? true)
            && (query.createdBefore.map { job.created < $0 } ?? true)
            && (query.updatedFrom.map { job.updated >= $0 } ?? true)
            && (query.updatedBefore.map { job.updated < $0 } ?? true)
            && (query.childOf.map { links.contains(CatalogueLink(.childOf, $0)) } ?? true)
            && (query.experiment.map { name in
                links.contains(CatalogueLink(.experiment, name)) || links.contains(CatalogueLink(.childOf, name))
            } ?? true)
            && (query.isStalled.map { (stalls[job.uuid] != nil) == $0 } ?? true)
            && (query.text.map { JobText.isFound(JobText.phrases($0), in: JobText.text(of: job)) } ?? true)
    }
}
