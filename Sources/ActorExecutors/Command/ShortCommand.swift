import ActorCore
import Glibc
import Subprocess
import SystemPackage

/// Runs a program that answers in a moment and whose output is an answer: no shell, few variables, a time limit.
struct ShortCommand: Sendable {
    struct Answer: Sendable, Equatable {
        var status: Int
        var output: String
        var errors: String
    }

    /// Why there is no answer.
    enum Failure: Error, Sendable, Equatable {
        case missing(String)
        case tooLong(String)
        case broken(String)
    }

    private static let maxOutput = 64 << 20
    private static let maxErrors = 65536
    /// What programs of the field look at beside their own settings; secrets of the daemon are none of them.
    private static let passed = ["PATH", "HOME", "USER", "LOGNAME", "LANG", "KRB5CCNAME", "TZ"]

    /// Folder of the programs; nil for PATH.
    var folder: String?
    /// Variables with these beginnings are passed on.
    var prefixes: [String] = []
    var timeout = Duration.seconds(60)
    /// Variables beside those that are passed on.
    var extra: [EnvironmentEntry] = []

    func run(
        _ program: String, _ arguments: [String], directory: String? = nil
    ) async throws(Failure) -> Answer {
        guard let path = find(program) else { throw .missing(program) }
        let executable = Executable.path(FilePath(path))
        let environment = self.environment
        let timeout = timeout
        let answer: Answer?
        do {
            answer = try await withThrowingTaskGroup(of: Answer?.self) { group in
                group.addTask {
                    let result = try await Subprocess.run(
                        executable, arguments: Arguments(arguments),
                        environment: .custom(environment), workingDirectory: directory.map { FilePath($0) },
                        output: .bytes(limit: Self.maxOutput), error: .bytes(limit: Self.maxErrors))
                    return Answer(
                        status: Self.status(result.terminationStatus),
                        output: String(decoding: result.standardOutput, as: UTF8.self),
                        errors: String(decoding: result.standardError, as: UTF8.self))
                }
                group.addTask {
                    try await Task.sleep(for: timeout)
                    return nil
                }
                defer { group.cancelAll() }
                return try await group.next() ?? nil
            }
        } catch let error as SubprocessError {
            if error.code == .executableNotFound || error.underlyingError?.rawValue == ENOENT {
                throw .missing(program)
            }
            throw .broken("\(program): \(error)")
        } catch {
            throw .broken("\(program): \(error)")
        }
        guard let answer else { throw .tooLong(program) }
        return answer
    }

    /// In its folder, or the first of PATH that has it; a whole path is itself.
    private func find(_ program: String) -> String? {
        if program.hasPrefix("/") { return access(program, X_OK) == 0 ? program : nil }
        let path = getenv("PATH").map { String(cString: $0) } ?? Launch.defaultPath
        let folders = folder.map { [$0] } ?? path.split(separator: ":").map(String.init)
        return folders.map { "\($0)/\(program)" }.first { access($0, X_OK) == 0 }
    }

    private static func status(_ end: TerminationStatus) -> Int {
        switch end {
        case .exited(let code): Int(code)
        case .signaled(let number): 128 + Int(number)
        }
    }

    /// `NAME=value` each, with the NUL that execve wants.
    private var environment: [[UInt8]] {
        var lines = ["PATH=\(Launch.defaultPath)"]
        var entry = environ
        while let pointer = entry.pointee {
            let text = String(cString: pointer)
            let name = String(text.prefix { $0 != "=" })
            if name == "PATH" { lines.removeAll { $0.hasPrefix("PATH=") } }
            if Self.passed.contains(name) || prefixes.contains(where: name.hasPrefix) { lines.append(text) }
            entry += 1
        }
        for entry in extra {
            lines.removeAll { $0.hasPrefix("\(entry.name)=") }
            lines.append("\(entry.name)=\(entry.value)")
        }
        return lines.map { Array($0.utf8) + [0] }
    }
}
