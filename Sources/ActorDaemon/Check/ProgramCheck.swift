import Foundation

/// Looks for the program of a command, and for the script that it is to interpret.
struct ProgramCheck {
    /// Programs whose first argument is a script, unless it is an option.
    private static let interpreters: Set<String> = [
        "python3", "python", "bash", "sh", "Rscript", "perl", "node", "ruby", "julia",
    ]
    private let path: String

    init(_ options: Check.Options) { path = options.environment["PATH"] ?? "/usr/local/bin:/usr/bin:/bin" }

    /// Why a command cannot be started, and what to do; nil when nothing is in its way.
    func obstacle(to command: [String], in folder: String) -> String? {
        guard let program = command.first else { return nil }
        let files = FileManager.default
        guard program.contains("/") else {
            let found = path.split(separator: ":").contains { files.isExecutableFile(atPath: "\($0)/\(program)") }
            return found ? nil : "the program \(program) is not there; install it or correct the command"
        }
        let file = SettingsLoader.absolute(program, from: folder)
        if files.isExecutableFile(atPath: file) { return nil }
        guard files.fileExists(atPath: file) else {
            return "the program \(program) is not there; install it or correct the command"
        }
        return "the program \(program) is not executable: chmod +x \(file)"
    }

    /// Why an interpreter will not find its script, as far as that can be told from the words; nil when it will.
    func missingScript(of command: [String], in folder: String) -> String? {
        guard let program = command.first?.split(separator: "/").last, Self.interpreters.contains(String(program))
        else { return nil }
        let options = command.dropFirst().prefix { $0.hasPrefix("-") }
        guard !options.contains(where: { bringsCode($0, to: String(program)) }),
            let script = command.dropFirst(1 + options.count).first, looksLikeFile(script)
        else { return nil }
        let file = SettingsLoader.absolute(script, from: folder)
        guard !FileManager.default.fileExists(atPath: file) else { return nil }
        return "the script \(script) is not there: put it at \(file), or correct the command"
    }

    /// What follows such an option is the program itself, or the name of a module; `-` is standard input.
    private func bringsCode(_ option: String, to program: String) -> Bool {
        guard option != "-", !option.hasPrefix("--") else { return ["-", "--eval", "--print"].contains(option) }
        let marks: String
        switch program {
        case "python", "python3": marks = "cm"
        case "bash", "sh": marks = "c"
        default: marks = "eEp"
        }
        return option.contains { marks.contains($0) }
    }

    /// A relative path to something with an extension, and nothing that would be filled in.
    private func looksLikeFile(_ word: String) -> Bool {
        guard !word.hasPrefix("/"), !word.contains("$"), !word.contains(where: \.isWhitespace),
            let name = word.split(separator: "/").last, let dot = name.lastIndex(of: ".")
        else { return false }
        return dot > name.startIndex && name.index(after: dot) < name.endIndex
    }
}
