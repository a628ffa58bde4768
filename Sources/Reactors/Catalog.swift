package import ActorCore

/// The Reactors that ship with the daemon, by the name that `run: {builtin: …}` uses.
package enum Catalog {
    package static let makers: [String: @Sendable (ReactorTools) -> any Reactor] = [
        "bucket-events": { tools in BucketEventsReactor(tools: tools) },
        "retention": { tools in RetentionReactor(tools: tools) },
        "discard": { _ in DiscardReactor() },
        "pipeline-jobs": { tools in PipelineJobsReactor(archive: tools.archive) },
        "pipelines": { _ in PipelinesReactor() },
        "ingest": { tools in IngestReactor(tools: tools) },
        "jobs-indexer": { tools in JobsIndexerReactor(tools: tools) },
        "job-engines": { tools in JobEnginesReactor(tools: tools) },
        "job-runner": { tools in JobRunnerReactor(tools: tools) },
    ]

    /// What the `config.yml` of each may say.
    package static let settings: [String: ReactorSettings] = [
        "bucket-events": BucketEventsReactor.settings, "retention": RetentionReactor.settings,
        "discard": DiscardReactor.settings, "pipeline-jobs": PipelineJobsReactor.settings,
        "pipelines": PipelinesReactor.settings, "ingest": IngestReactor.settings,
        "jobs-indexer": JobsIndexerReactor.settings, "job-engines": JobEnginesReactor.settings,
        "job-runner": JobRunnerReactor.settings,
    ]
}
