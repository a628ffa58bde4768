import ActorCore
import FoundationEssentials
import Glibc
import Logging

@testable import ActorExecutors

/// A temporary folder with an executor whose records of commands lie in it; `close()` removes it.
struct Scene {
    let folder: String
    let executor: ProcessExecutor

    var commands: String { "\(folder)/commands" }

    /// One folder of this run for all tests of this module; it goes when the run ends, with what a test has left in it.
    static let base: String = {
        let base = "\(FileManager.default.temporaryDirectory.path)/executor-tests-\(getpid())"
        mkdir(base, 0o700)
        atexit { try? FileManager.default.removeItem(atPath: Scene.base) }
        return base
    }()

    init(
        maxRunning: Int = 4, graceSeconds: Double = 5, images: [String: ImageCommand] = [:], anyImage: Bool = false,
        pythonPath: String? = nil, _ adjust: (inout ProcessExecutorSettings) -> Void = { _ in }
    ) {
        folder = "\(Self.base)/\(UInt64.random(in: 0...UInt64.max))"
        mkdir(folder, 0o700)
        executor = Self.executor(
            "\(folder)/commands", maxRunning: maxRunning, graceSeconds: graceSeconds, images: images,
            anyImage: anyImage,
            pythonPath: pythonPath, adjust)
    }

    static func executor(
        _ commands: String = "/nowhere", maxRunning: Int = 4, graceSeconds: Double = 5,
        images: [String: ImageCommand], anyImage: Bool, pythonPath: String? = nil,
        _ adjust: (inout ProcessExecutorSettings) -> Void = { _ in }
    ) -> ProcessExecutor {
        var settings = ProcessExecutorSettings(
            maxRunning: maxRunning, graceSeconds: graceSeconds, images: images, anyImage: anyImage,
            pythonPath: pythonPath)
        adjust(&settings)
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        return ProcessExecutor(settings: settings, logger: logger, folder: commands)
    }

    /// Runs it and forgets it, as who has the result on record does.
    func run(_ work: Work) async -> WorkResult {
        let result = await executor.run(work)
        await executor.forget(work.id)
        return result
    }

    func close() { try? FileManager.default.removeItem(atPath: folder) }

    func work(
        _ command: [String], id: String = "one", environment: [EnvironmentEntry] = [], maxLogBytes: Int = 100_000,
        timeout: Int64? = 60000
    ) -> Work {
        Work(
            id: id, command: command, environment: environment, workingDirectory: folder,
            logFile: "\(folder)/\(id).log", maxLogBytes: maxLogBytes, timeoutMilliseconds: timeout)
    }

    /// A work order for `/bin/sh -c script`.
    func shell(_ script: String, id: String = "one", maxLogBytes: Int = 100_000, timeout: Int64? = 60000) -> Work {
        work(["/bin/sh", "-c", script], id: id, maxLogBytes: maxLogBytes, timeout: timeout)
    }

    func text(_ name: String) -> String {
        FileManager.default.contents(atPath: "\(folder)/\(name)").map { String(decoding: $0, as: UTF8.self) } ?? ""
    }

    func lines(_ name: String) -> [String] { text(name).split(separator: "\n").map(String.init) }

    func write(_ name: String, _ text: String, mode: mode_t = 0o644) {
        writeElsewhere("\(folder)/\(name)", text, mode: mode)
    }

    /// As a supervisor leaves it that was killed.
    func writeRecord(_ name: ProcessName) {
        mkdir("\(commands)/one", 0o700)
        write(
            "commands/one/started", "pid \(name.pid)\nstart_time \(name.startTime)\nboot_id \(name.bootID)\n")
    }

    func exists(_ name: String) -> Bool { access("\(folder)/\(name)", F_OK) == 0 }

    /// The pids that a command printed, one a line.
    func printedPids(_ name: String = "one.log") -> [pid_t] { lines(name).compactMap { pid_t($0) } }
}

/// Written by a program of its own: were the file open here, a process that another test starts at that moment would
/// inherit it, and Linux runs no program that somebody has open for writing (ETXTBSY).
func writeElsewhere(_ path: String, _ text: String, mode: mode_t) {
    let script = "printf %s \"$1\" > \"$2\""
    let words: [String] = ["sh", "-c", script, "sh", text, path]
    var argv: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) }
    argv.append(nil)
    defer { for word in argv { free(word) } }
    var child: pid_t = 0
    guard posix_spawn(&child, "/bin/sh", nil, nil, argv, [nil]) == 0 else { return }
    var status: Int32 = 0
    while waitpid(child, &status, 0) < 0, errno == EINTR {}
    chmod(path, mode)
}

/// Waits for what another process does; false when it has not happened within ten seconds.
func happens(_ condition: () -> Bool) async -> Bool {
    let end = ContinuousClock.now.advanced(by: .seconds(10))
    while ContinuousClock.now < end {
        if condition() { return true }
        try? await Task.sleep(for: .milliseconds(5))
    }
    return condition()
}

/// What the descriptors of this process stand for.
func openDescriptors() -> [String] {
    let numbers = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")) ?? []
    return numbers.compactMap { try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\($0)") }
}
