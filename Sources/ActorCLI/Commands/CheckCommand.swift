import ActorCore
import ActorDaemon
import ArgumentParser
import FoundationEssentials

/// `reactord check`: everything that people write, looked at without starting anything.
struct CheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check", abstract: "Validate config.yml, secrets.json, all actors, samples and job files.",
        discussion: """
            Prints file:line: reason for everything that is wrong and ends with 1 when there was an error. Nothing is \
            started and no secret is shown.

            Example: reactord check --config config.yml
                     reactord check --jobs ingest/prp/jobs     (in the repository of the job files)
            """)

    @Option(help: ArgumentHelp("The configuration (default: config.yml, if it is there).", valueName: "file"))
    var config: String?

    @Option(
        help: ArgumentHelp(
            "Only the job files below this folder, against the executors of the configuration if there is one.",
            valueName: "folder"))
    var jobs: String?

    @Flag(help: "Print JSON.")
    var json = false

    func run() throws {
        let environment = ProcessInfo.processInfo.environment
        let check = Check(.shipped(configFile: config, environment: environment))
        let report = jobs.map { check.jobFiles(below: $0) } ?? check.run()
        let folder = FileManager.default.currentDirectoryPath
        let text =
            json ? JSONWriter.pretty(report.json(relativeTo: folder)) + "\n" : report.text(relativeTo: folder)
        Console.standard.out(text)
        if !report.isGood { throw ExitCode(Exit.failed.rawValue) }
    }
}
