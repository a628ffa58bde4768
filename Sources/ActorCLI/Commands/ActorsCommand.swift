import ActorAPI
import ArgumentParser

/// `reactord actors`: what runs, and what is kept from running.
struct ActorsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "actors", abstract: "List the actors with their mailboxes, and the folders in quarantine.",
        discussion: """
            Example: reactord actors
            """)

    @OptionGroup var connection: ConnectionOptions

    func run() async throws {
        let json = try await connection.connect().get(Paths.actors)
        guard let list = ActorListPayload(json: json) else { throw DaemonClient.unexpected }
        connection.show(json) { Tables.actors(list, $0) }
    }
}
