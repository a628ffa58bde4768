import ActorAPI
import ActorCore
import ArgumentParser

/// `reactord dead-letters`: messages that used up their attempts.
struct DeadLettersCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dead-letters", abstract: "List, show, replay or discard messages that used up their attempts.",
        subcommands: [List.self, Show.self, Replay.self, Discard.self], defaultSubcommand: List.self)

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list", abstract: "List dead letters with their reasons.",
            discussion: """
                Example: reactord dead-letters list
                Example: reactord dead-letters list --actor hello

                Newest first. What follows a page is shown with the --cursor that its last line names.
                """)

        @Option(help: ArgumentHelp("Only those of one actor.", valueName: "name or id"))
        var actor: String?

        @Option(help: ArgumentHelp("How many.", valueName: "number"))
        var limit = 50

        @Option(help: ArgumentHelp("Go on behind the page that gave this as its next.", valueName: "cursor"))
        var cursor: String?

        @OptionGroup var connection: ConnectionOptions

        func validate() throws { try Words.checkLimit(limit) }

        func run() async throws {
            let path = Paths.query(
                Paths.deadLetters, [("actor", actor), ("limit", String(limit)), ("before", cursor)])
            let (page, json) = try await connection.connect().page(path, "dead_letters", of: DeadLetterPayload.self)
            connection.show(json) { Tables.deadLetters(page.items, $0) + Tables.more(page.next, $0) }
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "show", abstract: "Show one dead letter: its message, its attempts and what they printed.",
            discussion: """
                Example: reactord dead-letters show 17
                """)

        @Argument(help: "The dead letter's number.")
        var id: Int64

        @OptionGroup var connection: ConnectionOptions

        func run() async throws {
            let detail = try await connection.connect().read(
                Paths.deadLetter(id), as: DeadLetterDetailPayload.self)
            connection.show(detail.json) { Tables.deadLetter(detail, $0) }
        }
    }

    struct Replay: AsyncParsableCommand {
        /// In one request, so that it is answered in time on a slow disk.
        private static let page = 100

        static let configuration = CommandConfiguration(
            commandName: "replay", abstract: "Send dead letters again.",
            discussion: """
                Example: reactord dead-letters replay 17
                Example: reactord dead-letters replay --all
                Example: reactord dead-letters replay --all --actor hello
                """)

        @Argument(help: "The dead letter's number.")
        var id: Int64?

        @Flag(help: "All that were not replayed yet.")
        var all = false

        @Option(help: ArgumentHelp("With --all: only those of one actor.", valueName: "name or id"))
        var actor: String?

        @OptionGroup var connection: ConnectionOptions

        func validate() throws {
            guard (id != nil) != all else { throw ValidationError("name one dead letter, or give --all") }
            guard all || actor == nil else { throw ValidationError("--actor goes with --all") }
        }

        func run() async throws {
            let client = try connection.connect()
            if let id {
                let json = try await client.post(Paths.replay(id))
                connection.show(json) { _ in Safe.line(json["execution_id"]?.string ?? "-") + "\n" }
                return
            }
            let replayed = try await replayAll(client)
            connection.show(["replayed": .array(replayed)]) { _ in "\(replayed.count) replayed\n" }
        }

        private func replayAll(_ client: DaemonClient) async throws -> [JSONValue] {
            var replayed: [JSONValue] = []
            var after: String?
            repeat {
                let path = Paths.query(
                    Paths.replayAll, [("actor", actor), ("limit", String(Self.page)), ("after", after)])
                let json = try await client.post(path)
                replayed += json["replayed"]?.array ?? []
                after = json["next"]?.string
            } while after != nil
            return replayed
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
