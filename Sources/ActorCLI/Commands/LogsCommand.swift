import ActorAPI
import ActorCore
import ArgumentParser

/// `reactord logs`: what an execution printed.
struct LogsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "logs", abstract: "Print the log of an execution.",
        discussion: """
            Example: reactord logs 5g6Z8Jl4pVxN --follow
            """)

    @Argument(help: "The execution's id.")
    var execution: String

    @Flag(help: "Stay and print what is added, until the execution has ended.")
    var follow = false

    @OptionGroup var connection: ConnectionOptions

    func run() async throws {
        let client = try connection.connect()
        var shown = 0
        while true {
            // Asked before the log is read: what was printed last is in it.
            let hasEnded = follow ? try await isOver(client) : true
            let log = try await client.send("GET", Paths.log(execution)).body
            if log.count > shown {
                show(log[shown...], from: shown == 0)
                shown = log.count
            }
            if hasEnded { return }
            try await Task.sleep(for: Waiting.interval)
        }
    }

    private func isOver(_ client: DaemonClient) async throws -> Bool {
        let record = try await client.read(Paths.execution(execution), as: ExecutionPayload.self)
        return ["COMPLETE", "ERROR"].contains(record.status)
    }

    private func show(_ bytes: ArraySlice<UInt8>, from isFirst: Bool) {
        let console = Console.standard
        let text = String(decoding: bytes, as: UTF8.self)
        if connection.json {
            console.out(JSONWriter.string(["execution_id": .string(execution), "log": .string(text)]) + "\n")
        } else {
            console.out(console.isTerminal ? Safe.block(text) : text)
        }
    }
}
