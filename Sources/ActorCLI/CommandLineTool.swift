import ActorCore
import ArgumentParser
import Glibc

/// The program: reads the command line, runs one command, ends with its exit status.
package enum CommandLineTool {
    package static func main() async -> Never {
        // A reader that goes away (`| head`) must not kill a daemon or a demo.
        signal(SIGPIPE, SIG_IGN)
        do {
            var command = try RootCommand.parseAsRoot()
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
            end(Exit.ok.rawValue)
        } catch {
            let ending = ending(of: error)
            let text = ending.text.isEmpty || ending.text.hasSuffix("\n") ? ending.text : ending.text + "\n"
            if ending.isHelp { Console.standard.out(text) } else { Console.standard.error(text) }
            end(ending.status)
        }
    }

    /// A list that ends in a full disk must not pass for whole.
    private static func end(_ status: Int32) -> Never {
        guard status == Exit.ok.rawValue, let loss = Console.loss else { exit(status) }
        Console.standard.error("reactord: the output could not be written: \(loss)\n")
        exit(Exit.failed.rawValue)
    }

    /// What is said and how the process ends after `error`, which may be a request for help.
    package static func ending(of error: any Error) -> (status: Int32, text: String, isHelp: Bool) {
        switch error {
        case let failure as Failure: return (failure.exit.rawValue, "reactord: \(failure.message)", false)
        case let error as ActorError: return (Exit.failed.rawValue, "reactord: \(error)", false)
        case is CancellationError: return (Exit.failed.rawValue, "reactord: cancelled", false)
        default: break
        }
        let code = RootCommand.exitCode(for: error)
        let text = RootCommand.fullMessage(for: error)
        if code == .success { return (Exit.ok.rawValue, text, true) }
        // The library's own number for a wrong command line is 64.
        return (code == .validationFailure ? Exit.usage.rawValue : code.rawValue, text, false)
    }
}
