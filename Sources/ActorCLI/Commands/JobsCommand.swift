import ActorAPI
import ActorCore
import ArgumentParser

/// `reactord jobs`: the PipelineJobs.
struct JobsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "jobs", abstract: "List PipelineJobs, newest first, or count them.",
        discussion: """
            Example: reactord jobs --state FAILED --created-from 2026-11-01
                     reactord jobs --experiment Yeast-Gates --counts
                     reactord jobs --text "133737/A2"
            """)

    @Option(help: ArgumentHelp("Only jobs in this state, for example RUNNING.", valueName: "state"))
    var state: String?

    @Option(help: ArgumentHelp("Only jobs of this pipeline.", valueName: "uuid"))
    var pipeline: String?

    @Option(help: ArgumentHelp("Only jobs that this actor asked for.", valueName: "id"))
    var actor: String?

    @Option(help: ArgumentHelp("Only jobs about this experiment, by name or UUID.", valueName: "experiment"))
    var experiment: String?

    @Option(help: ArgumentHelp("Only children of this experiment, sample or job.", valueName: "uuid"))
    var childOf: String?

    @Option(help: ArgumentHelp("Only jobs of this session.", valueName: "session"))
    var session: String?

    @Option(
        help: ArgumentHelp("Only jobs with these words in ids, names, path or data.", valueName: "words"))
    var text: String?

    @Option(help: ArgumentHelp("Only jobs made at or after this day or moment (UTC).", valueName: "time"))
    var createdFrom: String?

    @Option(help: ArgumentHelp("Only jobs made before this day or moment (UTC).", valueName: "time"))
    var createdBefore: String?

    @Flag(help: "Only jobs that have not moved for their pipeline's limit.")
    var stalled = false

    @Flag(help: "How many there are in each state, instead of which.")
    var counts = false

    @Option(help: ArgumentHelp("How many.", valueName: "number"))
    var limit = 50

    @Option(help: ArgumentHelp("Go on behind the page that gave this as its next.", valueName: "cursor"))
    var cursor: String?

    @OptionGroup var connection: ConnectionOptions

    func validate() throws {
        let states = PipelineJobState.allCases.map(\.rawValue)
        if let state, !states.contains(state.uppercased()) {
            throw ValidationError("--state takes one of \(states.joined(separator: ", "))")
        }
        try Words.checkLimit(limit)
        try Words.checkMoments(["--created-from": createdFrom, "--created-before": createdBefore])
    }

    func run() async throws {
        let filters: [(String, String?)] = [
            ("status", state?.uppercased()), ("pipeline_uuid", pipeline), ("actor_id", actor),
            ("experiment", experiment), ("child_of", childOf), ("session", session), ("text", text),
            ("created_from", createdFrom), ("created_before", createdBefore), ("stalled", stalled ? "true" : nil),
        ]
        let client = try connection.connect()
        guard !counts else {
            let json = try await client.get(Paths.query(Paths.jobCounts, filters))
            return connection.show(json) { Tables.counts(json, $0) }
        }
        let path = Paths.query(Paths.jobs, filters + [("limit", String(limit)), ("cursor", cursor)])
        let (page, json) = try await client.page(path, "jobs", of: JobPayload.self)
        connection.show(json) { Tables.jobs(page.items, $0) + Tables.more(page.next, $0) }
    }
}
