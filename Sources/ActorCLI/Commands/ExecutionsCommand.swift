import ActorAPI
import ArgumentParser

/// `reactord executions`: what became of an actor's messages.
struct ExecutionsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "executions", abstract: "List executions, newest first.",
        discussion: """
            Example: reactord executions hello --limit 20
            """)

    @Argument(help: "The actor's name or id; all actors without it.")
    var actor: String?

    @Option(help: ArgumentHelp("How many.", valueName: "number"))
    var limit = 50

    @OptionGroup var connection: ConnectionOptions

    func run() async throws {
        let path = Paths.query(Paths.executions, [("actor", actor), ("limit", String(limit))])
        let (page, json) = try await connection.connect().page(path, "executions", of: ExecutionPayload.self)
        connection.show(json) { Tables.executions(page.items, $0) }
    }
}
