import ActorDaemon
import ArgumentParser

/// `reactord serve`: the daemon itself.
struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve", abstract: "Start the daemon and stay until it is told to stop.",
        discussion: """
            Reads config.yml and actors/ of the current folder and keeps everything in the data folder. The first \
            start writes the admin's token to admin.token there. SIGTERM or Ctrl-C stops it, SIGHUP only when its \
            terminal is closed: it waits at most executors.process.grace_seconds (10) for running work to end. What \
            has not ended by then is left running; the next start takes it over.

            Example: reactord serve --data-dir var --port 8000
            """)

    @Option(help: ArgumentHelp("The configuration (default: config.yml, if it is there).", valueName: "file"))
    var config: String?

    @Option(
        name: .customLong("data-dir"),
        help: ArgumentHelp("Where the database, logs and results are kept (default: var).", valueName: "folder"))
    var dataDirectory: String?

    @Option(help: ArgumentHelp("Address to listen on, over config.yml.", valueName: "address"))
    var host: String?

    @Option(help: ArgumentHelp("Port to listen on, over config.yml; 0 takes any free one.", valueName: "port"))
    var port: Int?

    func validate() throws {
        if let port, !(0...65535).contains(port) { throw ValidationError("--port takes a number from 0 to 65535") }
    }

    func run() async throws {
        let options = ServeOptions(configFile: config, dataDirectory: dataDirectory, host: host, port: port)
        let status = await Daemon.run(options)
        if status != 0 { throw ExitCode(status) }
    }
}
