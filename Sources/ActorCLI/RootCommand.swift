import ActorDaemon
import ArgumentParser

/// `reactord`: one file per command in Commands/.
struct RootCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reactord",
        abstract: "Runs actors and analysis jobs for a lab: durable mailboxes, PipelineJobs, one daemon.",
        discussion: """
            reactord serve                        start the daemon here
            reactord actors                       what runs, and what is kept from running
            reactord send hello '{"name":"Ada"}'  send a message, see its execution id

            Exit status:
              0  all went well
              1  the daemon refused, or the work failed
              2  the command line was wrong
              3  no daemon could be reached
              4  not authorized

            Commands that talk to a daemon find it by --url or REACTORD_URL (else http://127.0.0.1:8000) and show the \
            token of --token or REACTORD_TOKEN, else the one in var/admin.token.
            """,
        version: Version.current,
        subcommands: [
            ServeCommand.self, CheckCommand.self, DemoCommand.self, SendCommand.self, ActorsCommand.self,
            ExecutionsCommand.self, LogsCommand.self, JobsCommand.self, JobCommand.self, PipelinesCommand.self,
            RunCommand.self, RenderCommand.self, JobSetsCommand.self, UploadCommand.self, UploadsCommand.self,
            BackfillCommand.self, RetentionCommand.self, NonceCommand.self, ImportCommand.self,
            DeadLettersCommand.self, SubscriptionsCommand.self, TokenCommand.self, BackupCommand.self,
            RestoreCommand.self, VerifyCommand.self, VersionCommand.self,
        ])
}
