/// Decides which jobs have stood still for too long: those that are expected to move and have not done so for their
/// pipeline's limit. Each is flagged once; whatever moves it takes the flag away.
package struct StallMachine: Sendable, Equatable {
    /// States in which something else is due; in all others a job may stay for ever.
    package static let movingStates: [PipelineJobState] = [.created, .running, .indexing, .validating, .reset]

    /// A job as the watcher sees it.
    package struct Standing: Sendable, Equatable {
        package let job: JobID
        package let pipeline: PipelineID
        package let status: PipelineJobState
        package let revision: Int
        /// When it moved last.
        package let since: Timestamp

        package init(
            job: JobID, pipeline: PipelineID, status: PipelineJobState, revision: Int, since: Timestamp
        ) {
            self.job = job
            self.pipeline = pipeline
            self.status = status
            self.revision = revision
            self.since = since
        }
    }

    /// Milliseconds for pipelines that have no limit of their own; nil: such jobs are never flagged.
    private let standard: Int64?
    private let limits: [PipelineID: Int64?]

    package init(standard: Int64?, limits: [PipelineID: Int64?] = [:]) {
        self.standard = standard
        self.limits = limits
    }

    /// How long a job of `pipeline` may stand; nil: without end.
    package func limit(of pipeline: PipelineID) -> Int64? { limits[pipeline] ?? standard }

    /// Nobody who moved later than this has to be looked at; nil: nobody at all.
    package func horizon(now: Timestamp) -> Timestamp? {
        let all = limits.values.compactMap { $0 } + [standard].compactMap { $0 }
        return all.min().map { now.adding(milliseconds: -$0) }
    }

    /// Those that are stalled now, of jobs that are not flagged yet.
    package func stalled(_ jobs: [Standing], now: Timestamp) -> [Standing] {
        jobs.filter { job in
            guard Self.movingStates.contains(job.status), let limit = limit(of: job.pipeline) else { return false }
            return now.since(job.since) >= limit
        }
    }
}

extension StallMachine {
    /// The name of the limit in the settings of the manager and of pipelines; 0 is none.
    package static let setting = "stalled_after_hours"

    /// By the manager's settings and what pipelines say that have a limit of their own.
    package init(house: JSONValue, pipelines: [PipelineRecord]) {
        var limits: [PipelineID: Int64?] = [:]
        for pipeline in pipelines {
            if let limit = Self.limit(pipeline.settings) { limits[pipeline.uuid] = .some(limit) }
        }
        self.init(standard: Self.limit(house) ?? nil, limits: limits)
    }

    /// Nil when nothing is said; nil inside when it is that there is no limit.
    private static func limit(_ settings: JSONValue) -> Int64?? {
        guard let hours = settings[setting]?.double else { return nil }
        guard hours > 0, hours < 1e6 else { return .some(nil) }
        return .some(Int64(hours * 3_600_000))
    }
}
