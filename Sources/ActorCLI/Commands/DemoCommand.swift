import ActorCore
import ArgumentParser
import FoundationEssentials
import Glibc
import HTTPTransport

/// `reactord demo`: two real uploads, analysed from beginning to end by a daemon of its own.
struct DemoCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo", abstract: "Start a daemon, upload two real recordings, show the results of their jobs.",
        discussion: """
            Uploads an electrocardiogram (Examples/ephys) and a flow-cytometry run (Examples/cytometry) over HTTP and \
            follows the jobs that they lead to. All that is shown comes from the daemon's API. Ends with 0 when all \
            jobs are FINISHED.

            Example: reactord demo --keep
            """)

    @Option(
        name: .customLong("data-dir"),
        help: ArgumentHelp("A fresh data folder (default: var/demo-<time>).", valueName: "folder"))
    var dataDirectory: String?

    @Option(help: ArgumentHelp("The configuration (default: config.yml, if it is there).", valueName: "file"))
    var config: String?

    @Option(help: ArgumentHelp("The folder of the recordings.", valueName: "folder"))
    var examples = "Examples"

    @Option(help: ArgumentHelp("Give up after so many seconds.", valueName: "seconds"))
    var timeout: Int64 = 180

    @Flag(help: "Leave the daemon running until Ctrl-C, to look at its page.")
    var keep = false

    func run() async throws {
        let console = Console.standard
        guard FileManager.default.fileExists(atPath: "\(examples)/ephys") else {
            throw Failure(
                .usage, "there are no recordings in \(examples); run it from the repository or give --examples")
        }
        let folder = dataDirectory ?? "var/demo-" + Self.stamp()
        let http = try ConnectionOptions.transport()
        do {
            let isGood = try await DaemonProcess.run(folder: folder, config: config) { daemon in
                let url = try await daemon.address()
                console.out("daemon at \(url), data in \(folder)\n")
                let client = DaemonClient(url: url, token: ConnectionOptions.adminToken(in: folder), http: http)
                let run = DemoRun(client: client, console: console, examples: examples, timeout: timeout)
                let report = try await run.run()
                console.out(report.render(console.style, isKept: keep))
                if keep {
                    console.out("token for the dashboard: in \(folder)/admin.token; Ctrl-C stops the daemon\n")
                } else {
                    daemon.stop()
                }
                return report.isGood
            }
            await http.shutdown()
            guard isGood else { throw Failure(.failed, "not all jobs are FINISHED; see reactord logs or \(folder)") }
        } catch let failure as Failure {
            throw Stopping.isAsked ? Failure(.failed, "stopped") : failure
        }
    }

    private static func stamp() -> String {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(milliseconds: Int64(time.tv_sec) * 1000).compact
    }
}
