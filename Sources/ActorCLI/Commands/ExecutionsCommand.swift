import ActorAPI
import ArgumentParser

/// `reactord executions`: what became of an actor's messages.
struct ExecutionsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "executions", abstract: "List executions, newest first.",
        discussion: """
            Example: reactord executions hello --limit 20

            What follows a page is shown with the --cursor that its last line names.
            """)

    @Argument(help: "The actor's name or id; all actors without it.")
    var actor: String?

    @Option(help: ArgumentHelp("How many.", valueName: "number"))
    var limit = 50

    @Option(help: ArgumentHelp("Go on behind the page that gave this as its next.", valueName: "cursor"))
    var cursor: String?

    @OptionGroup var connection: ConnectionOptions

    func validate() throws { try Words.checkLimit(limit) }

    func run() async throws {
        let path = Paths.query(
            Paths.executions, [("actor", actor), ("limit", String(limit)), ("before", cursor)])
        let (page, json) = try await connection.connect().page(path, "executions", of: ExecutionPayload.self)
        connection.show(json) { Tables.executions(page.items, $0) + Tables.more(page.next, $0) }
    }
}
