import ActorAPI
import ActorCore
import ArgumentParser

/// `reactord jobs`: the PipelineJobs.
struct JobsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "jobs", abstract: "List PipelineJobs, newest first.",
        discussion: """
            Example: reactord jobs --state FAILED
            """)

    @Option(help: ArgumentHelp("Only jobs in this state, for example RUNNING.", valueName: "state"))
    var state: String?

    @Option(help: ArgumentHelp("Only jobs of this session.", valueName: "session"))
    var session: String?

    @Option(help: ArgumentHelp("How many.", valueName: "number"))
    var limit = 50

    @OptionGroup var connection: ConnectionOptions

    func validate() throws {
        let states = PipelineJobState.allCases.map(\.rawValue)
        if let state, !states.contains(state.uppercased()) {
            throw ValidationError("--state takes one of \(states.joined(separator: ", "))")
        }
    }

    func run() async throws {
        let path = Paths.query(
            Paths.jobs, [("status", state?.uppercased()), ("session", session), ("limit", String(limit))])
        let (page, json) = try await connection.connect().page(path, "jobs", of: JobPayload.self)
        connection.show(json) { Tables.jobs(page.items, $0) }
    }
}
