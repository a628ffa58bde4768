import ActorDaemon
import FoundationEssentials
import Glibc
import Subprocess
import Synchronization
import SystemPackage

/// A daemon of our own as a child process, in a data folder of its own.
struct DaemonProcess: Sendable {
    let folder: String
    let process: ProcessIdentifier

    private var log: String { "\(folder)/daemon.log" }

    /// Starts `reactord serve`, runs `body`, and returns when both have ended. A `body` that throws ends the daemon.
    static func run<Result: Sendable>(
        folder: String, config: String?, body: (DaemonProcess) async throws -> Result
    ) async throws -> Result {
        let log = "\(folder)/daemon.log"
        do {
            try FileManager.default.createDirectory(
                atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        } catch {
            throw Failure(.failed, "the folder \(folder) cannot be made; choose another with --data-dir")
        }
        let output = try FileDescriptor.open(
            FilePath(log), .writeOnly, options: [.create, .truncate, .closeOnExec], permissions: [.ownerReadWrite])
        var arguments = ["serve", "--port", "0", "--data-dir", folder]
        if let config { arguments += ["--config", config] }
        var options = PlatformOptions()
        options.teardownSequence = [.gracefulShutDown(allowedDurationToNextStep: .seconds(20))]
        // A session of its own: Ctrl-C reaches it through us, in order.
        options.createSession = true
        defer { Stopping.child.store(0, ordering: .sequentiallyConsistent) }
        return try await Subprocess.run(
            .path(FilePath(Self.program)), arguments: Arguments(arguments), platformOptions: options,
            input: .none, output: .fileDescriptor(output, closeAfterSpawningProcess: true),
            error: .combinedWithOutput
        ) { execution in
            Stopping.passOn(to: execution.processIdentifier.value)
            return try await body(DaemonProcess(folder: folder, process: execution.processIdentifier))
        }.closureResult
    }

    /// The file that we run from ourselves.
    private static var program: String {
        (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? "/proc/self/exe"
    }

    func stop() { kill(process.value, SIGTERM) }

    /// Its address, as soon as it says that it is ready.
    func address() async throws -> String {
        for _ in 0..<600 {
            let text = read()
            if let line = text.split(separator: "\n").first(where: { $0.hasPrefix("reactord ready at ") }),
                let url = line.split(separator: " ").last
            {
                return String(url)
            }
            guard isAlive else { break }
            try await Task.sleep(for: .milliseconds(50))
        }
        let last = read().split(separator: "\n").suffix(5).joined(separator: "\n")
        throw Failure(.failed, "the daemon did not start; its log \(log) ends with:\n\(Safe.block(last))")
    }

    /// False too for a child that has ended and was not collected yet.
    private var isAlive: Bool {
        guard let status = try? BoundedFile.read("/proc/\(process.value)/stat", limit: 65536) else { return false }
        let fields = String(decoding: status.bytes, as: UTF8.self).split(separator: ")").last ?? ""
        return !fields.hasPrefix(" Z")
    }

    private func read() -> String {
        guard let file = try? BoundedFile.read(log, limit: 1 << 20) else { return "" }
        return String(decoding: file.bytes, as: UTF8.self)
    }
}

/// Hands Ctrl-C and SIGTERM on to the child; the parent ends when the child has ended.
enum Stopping {
    /// The child, or 0. Read inside a signal handler: an atomic load and kill(2) are all that happens there.
    static let child = Atomic<Int32>(0)
    static let wasAsked = Atomic<Bool>(false)

    static func passOn(to process: pid_t) {
        child.store(process, ordering: .sequentiallyConsistent)
        wasAsked.store(false, ordering: .sequentiallyConsistent)
        for number in [SIGINT, SIGTERM, SIGHUP] {
            signal(number) { _ in
                Stopping.wasAsked.store(true, ordering: .sequentiallyConsistent)
                let process = Stopping.child.load(ordering: .sequentiallyConsistent)
                if process > 0 { kill(process, SIGTERM) }
            }
        }
    }

    static var isAsked: Bool { wasAsked.load(ordering: .sequentiallyConsistent) }
}
