import ActorCore
import ActorDaemon
import ArgumentParser

/// `reactord verify`: is the database what was written to it?
struct VerifyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify", abstract: "Read every page of the database and say which are damaged.",
        discussion: """
            Checks the checksum of each page of reactord.sqlite and of each frame of its log, then the structure of \
            tables and indexes. It changes nothing and may be run beside a daemon. Ends with 1 when something is \
            damaged; the pages are named, and the tables they belong to where that can be told.

            Example: reactord verify --data-dir var
            """)

    @Option(name: .customLong("data-dir"), help: ArgumentHelp("The daemon's data folder.", valueName: "folder"))
    var dataDirectory = "var"

    @Option(help: ArgumentHelp("The configuration (default: config.yml, if it is there).", valueName: "file"))
    var config: String?

    @Flag(help: "Print JSON.")
    var json = false

    func run() throws {
        let meter = ProgressMeter()
        let check: DatabaseCheck
        do {
            check = try DatabaseCheck.run(dataDirectory: dataDirectory, configFile: config) { meter.show($0, of: $1) }
        } catch let error as ActorError {
            meter.end()
            throw Failure(error.code == .notFound ? .usage : .failed, error.description)
        }
        meter.end()
        Console.standard.out(json ? JSONWriter.pretty(check.json) + "\n" : check.text)
        if !check.isGood { throw ExitCode(Exit.failed.rawValue) }
    }
}
