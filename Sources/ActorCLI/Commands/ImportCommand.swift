import ActorAPI
import ActorCore
import ActorDaemon
import ArgumentParser

/// `reactord import`: what other services had, into a running daemon.
struct ImportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import", abstract: "Take over what another service had.",
        subcommands: [Abaco.self, ImportChainCommand.self])

    struct Abaco: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "abaco", abstract: "Take over actors, aliases, nonces, permissions and configs of Abaco.",
            discussion: """
                FILE is a JSON object with actors, aliases, nonces, permissions and configs in it, each as Abaco's API \
                answered it or as its database exports it; docs/actors-api.md shows one. Ids stay what they were, so \
                that scripts and callback URLs go on working. Either all of it is good, or nothing is taken over and \
                every mistake is named with its place. What is there already stays as it is: it can be run again. \
                Secret configs are closed with a key of the old service: with its file they come along, without it \
                they are left out and named.

                Example: reactord import abaco dump.json --dry-run
                """)

        private static let maxBytes = 64 << 20

        @Argument(help: "The dump.")
        var file: String

        @Flag(name: .customLong("dry-run"), help: "Only say what would be taken over, and what is wrong.")
        var isDryRun = false

        @Option(help: "The tenant of what does not say its own (default: that of the token).")
        var tenant: String?

        @Option(
            name: .customLong("config-key-file"),
            help: ArgumentHelp("The Fernet key that the old service closed secret configs with.", valueName: "file"))
        var configKeyFile: String?

        @OptionGroup var connection: ConnectionOptions

        func run() async throws {
            let bytes: [UInt8]
            var headers: [(name: String, value: String)] = []
            do {
                bytes = try BoundedFile.read(file, limit: Self.maxBytes).bytes
                if let configKeyFile {
                    let key = String(decoding: try BoundedFile.read(configKeyFile, limit: 4096).bytes, as: UTF8.self)
                    headers.append(("Reactord-Config-Key", key.filter { !$0.isWhitespace }))
                }
            } catch {
                throw Failure(.usage, error.message)
            }
            let path = Paths.query(Paths.importAbaco, [("dry_run", isDryRun ? "true" : nil), ("tenant", tenant)])
            let response = try await connection.connect().send(
                "POST", path, body: bytes, type: "application/json", headers: headers, timeoutMilliseconds: 600_000)
            guard let json = try? JSONReader.read(response.body) else { throw DaemonClient.unexpected }
            connection.show(json) { style in
                var table = Table("WHAT", isDryRun ? "WOULD BE NEW" : "NEW", "THERE ALREADY")
                for part in ["actors", "aliases", "configs", "nonces", "permissions"] {
                    table.add(
                        Table.Cell(part), Table.Cell(String(json[part]?["new"]?.int ?? 0)),
                        Table.Cell(String(json[part]?["present"]?.int ?? 0)))
                }
                return table.render(style)
            }
            for warning in json["warnings"]?.array ?? [] {
                let (place, problem) = (warning["place"]?.string ?? "", warning["problem"]?.string ?? "")
                Console.standard.error("reactord: \(Safe.line(place)): \(Safe.line(problem))\n")
            }
        }
    }
}
