import ActorAPI
import ActorCore
import ArgumentParser

/// `reactord dead-letters`: messages that used up their attempts.
struct DeadLettersCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dead-letters", abstract: "List, replay or discard messages that used up their attempts.",
        subcommands: [List.self, Replay.self, Discard.self], defaultSubcommand: List.self)

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list", abstract: "List dead letters with their reasons.",
            discussion: """
                Example: reactord dead-letters list
                """)

        @Option(help: ArgumentHelp("How many.", valueName: "number"))
        var limit = 50

        @OptionGroup var connection: ConnectionOptions

        func run() async throws {
            let path = Paths.query(Paths.deadLetters, [("limit", String(limit))])
            let (page, json) = try await connection.connect().page(path, "dead_letters", of: DeadLetterPayload.self)
            connection.show(json) { Tables.deadLetters(page.items, $0) }
        }
    }

    struct Replay: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "replay", abstract: "Send dead letters again.",
            discussion: """
                Example: reactord dead-letters replay 17
                Example: reactord dead-letters replay --all
                """)

        @Argument(help: "The dead letter's number.")
        var id: Int64?

        @Flag(help: "All that were not replayed yet.")
        var all = false

        @OptionGroup var connection: ConnectionOptions

        func validate() throws {
            guard (id != nil) != all else { throw ValidationError("name one dead letter, or give --all") }
        }

        func run() async throws {
            let client = try connection.connect()
            let json = try await client.post(id.map(Paths.replay) ?? Paths.replayAll)
            connection.show(json) { _ in
                if let execution = json["execution_id"]?.string { return Safe.line(execution) + "\n" }
                let replayed = json["replayed"]?.array ?? []
                return "\(replayed.count) replayed\n"
            }
        }
    }

    struct Discard: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "discard", abstract: "Remove a dead letter for good.",
            discussion: """
                Example: reactord dead-letters discard 17
                """)

        @Argument(help: "The dead letter's number.")
        var id: Int64

        @OptionGroup var connection: ConnectionOptions

        func run() async throws {
            try await connection.connect().send("DELETE", Paths.deadLetter(id))
            connection.show(["discarded": .int(id)]) { _ in "discarded \(id)\n" }
        }
    }
}
