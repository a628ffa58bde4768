import ActorCore
import ActorDaemon
import ArgumentParser
import Glibc

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
        let meter = ProgressMeter(isShown: isatty(STDERR_FILENO) == 1)
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

/// One line on standard error that counts up, once the wait gets long.
private final class ProgressMeter {
    private let isShown: Bool
    private let start = ContinuousClock.now
    private var percent: Int64 = -1

    init(isShown: Bool) { self.isShown = isShown }

    func show(_ done: Int64, of total: Int64) {
        let now = total > 0 ? done * 100 / total : 100
        guard isShown, now != percent, start.duration(to: .now) > .seconds(2) else { return }
        percent = now
        Console.standard.error("\r\(now) % of \(total) pages")
    }

    func end() {
        if percent >= 0 { Console.standard.error("\n") }
    }
}
