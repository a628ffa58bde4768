import ActorDaemon
import ArgumentParser

/// `reactord version`.
struct VersionCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "version", abstract: "Print the version.",
        discussion: """
            Example: reactord version
            """)

    func run() throws { Console.standard.out("reactord \(Version.current)\n") }
}
