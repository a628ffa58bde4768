import ActorCore
import ActorDaemon
import ArgumentParser

/// `reactord job verify`: is a job's history what was written?
struct JobVerifyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify", abstract: "Check the history of one job, or of all, against its chain of hashes.",
        discussion: """
            Every line of a history carries the SHA-256 of itself and of the line before, and the job that of the last \
            one: a line that was changed, removed, put in or moved is named. The record is compared with what its \
            history says. Reads the database itself, also beside a running daemon. Ends with 1 when something is not \
            as it was written, with 2 when there is no database in the data folder.

            Example: reactord job verify 107acb37-3a5c-57b3-a0ff-a07b67e85ca2
            Example: reactord job verify --all --json
            """)

    @Argument(help: "The job's UUID.")
    var uuid: String?

    @Flag(help: "All jobs.")
    var all = false

    @Option(name: .customLong("data-dir"), help: ArgumentHelp("The daemon's data folder.", valueName: "folder"))
    var dataDirectory = "var"

    @Option(help: ArgumentHelp("The configuration (default: config.yml, if it is there).", valueName: "file"))
    var config: String?

    @Flag(help: "Print JSON.")
    var json = false

    func validate() throws {
        guard (uuid != nil) != all else { throw ValidationError("give the UUID of a job, or --all") }
    }

    func run() throws {
        let check: JobCheck
        do {
            check = try JobCheck.run(dataDirectory: dataDirectory, configFile: config, uuid: uuid)
        } catch let error as ActorError {
            // 1 may mean that somebody has changed something, also for a job that is not there any more.
            let isElsewhere = error.code == .notFound && !JobCheck.isReadable(dataDirectory)
            throw Failure(isElsewhere ? .usage : .failed, error.description)
        }
        Console.standard.out(json ? JSONWriter.pretty(check.json) + "\n" : Safe.block(check.text))
        if !check.isGood { throw ExitCode(Exit.failed.rawValue) }
    }
}
