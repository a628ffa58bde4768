import ActorCore
import ActorDaemon
import ArgumentParser
import HTTPTransport
import Logging

/// Options of every command that talks to a running daemon.
struct ConnectionOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Where the daemon is (default: $REACTORD_URL, else http://127.0.0.1:8000).", valueName: "url"))
    var url: String?

    @Option(
        help: ArgumentHelp(
            "Bearer token (default: $REACTORD_TOKEN, else the file admin.token of the data folder).",
            valueName: "token"))
    var token: String?

    @Option(name: .customLong("data-dir"), help: ArgumentHelp("The daemon's data folder.", valueName: "folder"))
    var dataDirectory = "var"

    @Flag(help: "Print JSON.")
    var json = false

    static let standardURL = "http://127.0.0.1:8000"

    func connect() throws(Failure) -> DaemonClient {
        let address = url ?? Variables.value("REACTORD_URL") ?? Self.standardURL
        guard address.hasPrefix("http://") || address.hasPrefix("https://") else {
            throw Failure(.usage, "--url takes an address like \(Self.standardURL)")
        }
        return DaemonClient(url: address, token: bearerToken(), http: try Self.transport())
    }

    static func transport() throws(Failure) -> CurlClient {
        do {
            return try CurlClient(logger: Logger(label: "reactord.cli", factory: { _ in SwiftLogNoOpLogHandler() }))
        } catch {
            throw Failure(.failed, error.description)
        }
    }

    private func bearerToken() -> String? {
        if let token { return token }
        if let token = Variables.value("REACTORD_TOKEN"), !token.isEmpty { return token }
        return Self.adminToken(in: dataDirectory)
    }

    static func adminToken(in folder: String) -> String? {
        guard let file = try? BoundedFile.read("\(folder)/admin.token", limit: 4096) else { return nil }
        let text = String(decoding: file.bytes, as: UTF8.self)
        return text.split(whereSeparator: \.isWhitespace).first.map(String.init)
    }

    /// JSON or the table, whichever is wanted.
    func show(_ json: JSONValue, _ table: (Style) -> String) {
        let console = Console.standard
        console.out(self.json ? JSONWriter.pretty(json) + "\n" : table(console.style))
    }
}
