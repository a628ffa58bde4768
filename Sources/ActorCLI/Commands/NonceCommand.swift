import ActorAPI
import ActorCore
import ArgumentParser

/// `reactord nonce`: capabilities that ride in a URL.
struct NonceCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "nonce", abstract: "Make and list nonces, which open one actor to whoever holds them.",
        subcommands: [Create.self, List.self])

    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "create", abstract: "Make a nonce; prints it, and on standard error the URL that it opens.",
            discussion: """
                Whoever knows the nonce can act on the actor at its level; hand it on like a password. It opens URLs \
                that have the actor's id, not those with its name.

                Example: reactord nonce create hello --level EXECUTE --max-uses 10
                """)

        @Argument(help: "The actor's name or id.")
        var actor: String

        @Option(help: ArgumentHelp("READ, EXECUTE or UPDATE.", valueName: "level"))
        var level = "EXECUTE"

        @Option(
            name: .customLong("max-uses"), parsing: .unconditional,
            help: ArgumentHelp("Uses it is good for; -1: no limit.", valueName: "number"))
        var maxUses = 1

        @Option(help: ArgumentHelp("What it is for.", valueName: "text"))
        var description = ""

        @OptionGroup var connection: ConnectionOptions

        func validate() throws {
            guard ["READ", "EXECUTE", "UPDATE"].contains(level.uppercased()) else {
                throw ValidationError("--level takes READ, EXECUTE or UPDATE")
            }
            guard maxUses == -1 || maxUses > 0 else {
                throw ValidationError("--max-uses takes a number above 0, or -1")
            }
        }

        func run() async throws {
            let body: JSONValue = [
                "level": .string(level.uppercased()), "max_uses": JSONValue(maxUses),
                "description": .string(description),
            ]
            let client = try connection.connect()
            let json = try await client.post(Paths.nonces(actor), body)
            guard let nonce = NoncePayload(json: json) else { throw DaemonClient.unexpected }
            connection.show(json) { _ in Safe.line(nonce.id) + "\n" }
            // Scripts read the nonce alone from standard output.
            if !connection.json, let id = nonce.actorID {
                let path = Paths.query(Paths.messages(id), [("x-nonce", nonce.id)])
                Console.standard.error("opens \(client.url)\(Safe.line(path))\n")
            }
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list", abstract: "List the nonces of an actor.",
            discussion: """
                Example: reactord nonce list hello
                """)

        @Argument(help: "The actor's name or id.")
        var actor: String

        @OptionGroup var connection: ConnectionOptions

        func run() async throws {
            let path = Paths.nonces(actor)
            let (page, json) = try await connection.connect().page(path, "nonces", of: NoncePayload.self)
            connection.show(json) { Tables.nonces(page.items, $0) }
        }
    }
}
