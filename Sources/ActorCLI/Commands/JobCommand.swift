import ActorAPI
import ActorCore
import ArgumentParser

/// `reactord job`: one PipelineJob and what belongs to it.
struct JobCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "job",
        abstract: "Show a PipelineJob: its history, files, logs, relatives; make one, move, check, export, watch it.",
        discussion: """
            Example: reactord job 107acb37-3a5c-57b3-a0ff-a07b67e85ca2
                     reactord job files 107acb37-3a5c-57b3-a0ff-a07b67e85ca2
            """,
        subcommands: [
            JobShowCommand.self, JobFilesCommand.self, JobLogsCommand.self, JobGraphCommand.self,
            JobExportCommand.self, JobWatchCommand.self, JobCreateCommand.self, JobEventCommand.self,
            JobRemoveCommand.self, JobRenewCommand.self, AdminTokenCommand.self, JobVerifyCommand.self,
            JobIdentifyCommand.self,
        ],
        defaultSubcommand: JobShowCommand.self)
}

/// `reactord job show`: one PipelineJob with its history.
struct JobShowCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show a PipelineJob and its history, refused events included.",
        discussion: """
            The job's token and callback are never shown here.

            Example: reactord job 107acb37-3a5c-57b3-a0ff-a07b67e85ca2
            """)

    @Argument(help: "The job's UUID.")
    var uuid: String

    @OptionGroup var connection: ConnectionOptions

    func run() async throws {
        let client = try connection.connect()
        let job = try await client.read(Paths.job(uuid), as: JobPayload.self)
        let history = try await client.read(
            Paths.query(Paths.history(uuid), [("form", "full")]), as: JobHistoryPayload.self)
        let json = job.json.removing("token", "callback", "history")
        connection.show(
            json.setting("history", history.json["history"] ?? .null)
                .setting("refused", history.json["refused"] ?? .null)
        ) { Tables.job(job, history, $0) }
    }
}
