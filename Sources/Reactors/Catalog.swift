package import ActorCore

/// The Reactors that ship with the daemon, by the name that `run: {builtin: …}` uses.
package enum Catalog {
    private struct Kind: Sendable {
        let make: @Sendable (ReactorTools) -> any Reactor
        let settings: ReactorSettings

        init<Made: ConfiguredReactor>(_ make: @escaping @Sendable (ReactorTools) -> Made) {
            self.make = make
            settings = Made.settings
        }
    }

    private static let kinds: [String: Kind] = [
        "bucket-events": Kind { BucketEventsReactor(tools: $0) },
        "retention": Kind { RetentionReactor(tools: $0) },
        "discard": Kind { _ in DiscardReactor() },
        "pipeline-jobs": Kind { PipelineJobsReactor(archive: $0.archive) },
        "pipelines": Kind { _ in PipelinesReactor() },
        "ingest": Kind { IngestReactor(tools: $0) },
        "jobs-indexer": Kind { JobsIndexerReactor(tools: $0) },
        "job-engines": Kind { JobEnginesReactor(tools: $0) },
        "job-runner": Kind { JobRunnerReactor(tools: $0) },
    ]

    package static let makers: [String: @Sendable (ReactorTools) -> any Reactor] = kinds.mapValues(\.make)

    /// What the `config.yml` of each may say.
    package static let settings: [String: ReactorSettings] = kinds.mapValues(\.settings)
}
