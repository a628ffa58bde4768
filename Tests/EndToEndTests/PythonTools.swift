import Foundation

/// Python packages that `scripts/setup --tests` installs into folders of their own.
enum PythonTools {
    /// Where a program of one of the folders lies; nil when it is not installed.
    static func program(_ name: String, in folder: String) -> String? {
        let path = "\(RunningDaemon.root)/\(folder)/bin/\(name)"
        guard FileManager.default.fileExists(atPath: "\(RunningDaemon.root)/\(folder)/ready") else { return nil }
        return FileManager.default.isExecutableFile(atPath: path) ? path : nil
    }

    static let clients = ".build-python-clients"
    static let checkers = ".build-python-checkers"
    static let crates = ".build-python-crates"

    static let hasClients = program("python3", in: clients) != nil
    static let hasCrates = program("python3", in: crates) != nil
    static let hasCheckers = program("schemathesis", in: checkers) != nil

    /// Runs a program to its end; answers its exit code and everything that it printed.
    static func run(
        _ program: String, _ arguments: [String], in folder: String, environment: [String: String] = [:]
    ) async throws -> (code: Int32, output: String) {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = arguments
        process.currentDirectoryURL = URL(fileURLWithPath: folder)
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        let file = "\(folder)/output-\(UUID().uuidString).txt"
        _ = FileManager.default.createFile(atPath: file, contents: nil)
        guard let handle = FileHandle(forWritingAtPath: file) else {
            throw RunningDaemon.Failure(description: "no file for what \(program) says")
        }
        process.standardOutput = handle
        process.standardError = handle
        process.standardInput = FileHandle.nullDevice
        let code: Int32 = try await withCheckedThrowingContinuation { continuation in
            process.terminationHandler = { continuation.resume(returning: $0.terminationStatus) }
            do {
                try process.run()
            } catch {
                continuation.resume(throwing: error)
            }
        }
        try? handle.close()
        return (code, (try? String(contentsOfFile: file, encoding: .utf8)) ?? "")
    }
}
