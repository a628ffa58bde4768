import ActorAPI
import ActorCore
import ActorDaemon
import ArgumentParser
import Glibc

/// `reactord send`: one message to one actor.
struct SendCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "send", abstract: "Send a message to an actor and print its execution id.",
        discussion: """
            The message is JSON: as an argument, from a file with @FILE, or from standard input with -. It is on disk \
            when the command returns. With --wait the command stays until the execution has ended, prints its result \
            and ends with 1 when it did not succeed. Its id, and what it waits for, are said on standard error. When \
            the actor is stopped in ERROR the command ends with 1; the message is kept.

            Example: reactord send hello '{"name": "Ada"}' --wait
            Example: reactord send ingest @message.json --key upload-17
            """)

    @Argument(help: "The actor's name or id.")
    var actor: String

    @Argument(help: "JSON, @FILE, or - for standard input.")
    var message: String

    @Flag(help: "Send the message as plain text instead of JSON.")
    var text = false

    @Option(help: ArgumentHelp("Idempotency key: sending again with it changes nothing.", valueName: "key"))
    var key: String?

    @Flag(help: "Wait until the execution has ended.")
    var wait = false

    @OptionGroup var connection: ConnectionOptions

    func run() async throws {
        let body = try Input.read(message)
        let client = try connection.connect()
        let headers = key.map { [(name: "Idempotency-Key", value: $0)] } ?? []
        let response: IncomingResponse
        if text {
            let form = "message=" + Paths.escaped(String(decoding: body, as: UTF8.self))
            response = try await client.send(
                "POST", Paths.messages(actor), body: Array(form.utf8), type: "application/x-www-form-urlencoded",
                headers: headers)
        } else {
            try Input.requireJSON(body)
            response = try await client.send(
                "POST", Paths.messages(actor), body: body, type: "application/json", headers: headers)
        }
        guard let json = try? JSONReader.read(response.body), let result = json["result"],
            let receipt = MessageReceiptPayload(json: result)
        else { throw DaemonClient.unexpected }
        guard wait else {
            connection.show(json) { _ in "\(receipt.executionID)\n" }
            return
        }
        Console.standard.error("execution \(receipt.executionID)\n")
        try await report(receipt.executionID, client)
    }

    private func report(_ id: String, _ client: DaemonClient) async throws {
        let execution = try await Waiting.end(of: id, client)
        connection.show(execution.json) { style in
            var output = style.paint(execution.outcome ?? execution.status, .of(status: execution.outcome ?? "")) + "\n"
            if let reason = execution.reason { output += Safe.line(reason) + "\n" }
            if !execution.result.isNull { output += JSONWriter.pretty(execution.result) + "\n" }
            return output
        }
        guard execution.outcome == "succeeded" else {
            throw Failure(.failed, "execution \(id) did not succeed; see reactord logs \(id)")
        }
    }
}

/// A message as the command line names it.
enum Input {
    private static let maxBytes = 64 << 20

    /// `-`, `@FILE`, or the text itself.
    static func read(_ word: String) throws(Failure) -> [UInt8] {
        if word == "-" { return try standardInput() }
        guard word.hasPrefix("@") else { return Array(word.utf8) }
        do {
            return try BoundedFile.read(String(word.dropFirst()), limit: maxBytes).bytes
        } catch {
            throw Failure(.usage, error.message)
        }
    }

    static func requireJSON(_ bytes: [UInt8]) throws(Failure) {
        do {
            _ = try JSONReader.read(bytes)
        } catch {
            throw Failure(
                .usage, "the message is not JSON (\(error)); put it in single quotes, or send it as it is with --text")
        }
    }

    private static func standardInput() throws(Failure) -> [UInt8] {
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65536)
        while true {
            let count = Glibc.read(STDIN_FILENO, &chunk, chunk.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return bytes }
            bytes += chunk.prefix(count)
            guard bytes.count <= maxBytes else {
                throw Failure(.usage, "the message on standard input is larger than \(maxBytes) bytes")
            }
        }
    }
}
