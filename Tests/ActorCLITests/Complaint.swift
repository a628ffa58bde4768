import ArgumentParser

@testable import ActorCLI

extension CommandLineTool {
    /// How a command line would end before its command begins; nil when it is good.
    static func complaint(about words: [String]) -> (status: Int32, text: String, isHelp: Bool)? {
        do {
            var command = try RootCommand.parseAsRoot(words)
            // A request for help is a command of the library's own, which throws what it has to say.
            if String(reflecting: type(of: command)).hasPrefix("ArgumentParser.") { try command.run() }
            return nil
        } catch {
            return ending(of: error)
        }
    }
}
