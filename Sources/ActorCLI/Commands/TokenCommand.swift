import ActorCore
import ActorDaemon
import ArgumentParser
import FoundationEssentials

/// `reactord token`: bearer tokens of users.
struct TokenCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "token", abstract: "Make bearer tokens for users.", subcommands: [Create.self])

    struct Create: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "create", abstract: "Make a token for a user and print it, this once.",
            discussion: """
                Only its SHA-256 is kept, in tokens.json of the data folder (or auth.tokens_file of config.yml). What \
                the user may do is said under auth.users of config.yml. The running daemon takes it up by itself.

                Example: reactord token create alice
                """)

        @Argument(help: "The user's name.")
        var user: String

        @Option(help: ArgumentHelp("The configuration (default: config.yml, if it is there).", valueName: "file"))
        var config: String?

        @Option(name: .customLong("data-dir"), help: ArgumentHelp("The daemon's data folder.", valueName: "folder"))
        var dataDirectory = "var"

        func run() throws {
            let settings = try SettingsLoader.load(file: config, environment: ProcessInfo.processInfo.environment)
            let path = settings.auth.tokensFile ?? "\(dataDirectory)/tokens.json"
            let token = try TokenRegister.create(user: user, in: path)
            Console.standard.out(token + "\n")
            if !settings.auth.users.contains(where: { $0.name == user }) {
                Console.standard.error(
                    "reactord: \(user) has the role user; name other roles under auth.users in config.yml\n")
            }
        }
    }
}
