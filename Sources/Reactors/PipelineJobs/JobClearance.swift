import ActorCore

/// Makes room for another run of a job that is reset: what the earlier one has left is taken out of its path.
struct JobClearance: Sendable {
    let archive: any ArchiveFiles
    let context: any ReactorContext

    /// What became of the files.
    enum Outcome: Sendable, Equatable {
        case cleared
        /// They stay where they are, and why.
        case kept(String)

        var json: JSONValue {
            switch self {
            case .cleared: ["cleared": true]
            case .kept(let reason): ["cleared": false, "kept": .string(reason)]
            }
        }
    }

    /// Why a job's files are not touched; nil when they are its own and in nobody's way.
    ///
    /// - Parameter others: jobs at its path or below it, the job itself perhaps among them.
    static func obstacle(_ record: JobRecord, data: JSONValue, others: [JobID]) -> String? {
        if data["no_clear_path"] == true { return "no_clear_path was asked for" }
        guard ArchivePath.isOwn(record.path, of: record.pipeline) else {
            return "\(record.path) was chosen for this job: it may hold what others have left"
        }
        guard let other = others.first(where: { $0 != record.uuid }) else { return nil }
        return "\(record.path) is the path of job \(other) too"
    }

    /// The files go at once; that they are removed is left to the indexer, which may take its time.
    func clear(_ record: JobRecord, data: JSONValue, indexer: String?) async throws(ActorError) -> Outcome {
        let others = try await context.catalogue.jobs(at: record.archivePath, limit: 2)
        if let reason = Self.obstacle(record, data: data, others: others) { return .kept(reason) }
        let name = "\(record.uuid)-\(record.revision + 1)"
        guard try await archive.setAside(record.archivePath, as: name) || context.attempt > 1 else { return .cleared }
        let now = context.now()
        context.change(.dropFiles(record.uuid, before: now.adding(milliseconds: 1)))
        context.put(
            IndexRun.progressKind, record.uuid.rawValue, ["state": "cleared", "updated": JSONValue(now)])
        guard let indexer else {
            try await archive.discard(name)
            return .cleared
        }
        try context.send(JobTeller.address(indexer), IndexMessage.discarding(name), key: "\(name):discard")
        return .cleared
    }
}
