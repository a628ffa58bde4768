import ActorCore
import Subprocess
import SystemPackage

/// The `git` program: words only, no shell, nothing of the caller's environment, no questions, an end to every wait.
struct GitProgram: Sendable {
    /// Longest that one command may take.
    private static let limit = Duration.seconds(180)

    /// Fetched repositories are data: no hooks, no filters, no submodules, and only these ways of getting there.
    private static let settings = [
        "core.hooksPath=/dev/null", "core.fsmonitor=false", "protocol.allow=never", "protocol.https.allow=always",
        "protocol.ssh.allow=always", "protocol.file.allow=always", "submodule.recurse=false",
        "fetch.recurseSubmodules=false", "gc.auto=0", "maintenance.auto=false",
        "credential.helper=",
    ]

    /// Where it runs, and where what it says is written.
    let folder: String
    /// For ssh keys and `.netrc`.
    let home: String

    /// What it printed. Throws `unavailable` with the end of what it complained about.
    @discardableResult
    func run(_ words: [String], what: String) async throws(ActorError) -> String {
        let output = "\(folder)/said"
        let errors = "\(folder)/complained"
        let result: Result<TerminationStatus, any Error>
        do {
            let out = try Self.open(output)
            defer { try? out.close() }
            let err = try Self.open(errors)
            defer { try? err.close() }
            var options = PlatformOptions()
            options.createSession = true
            let grace = TeardownStep.gracefulShutDown(toProcessGroup: true, allowedDurationToNextStep: .seconds(2))
            options.teardownSequence = [grace]
            // Signal 0 is sent to no one: the step only waits, for the end or until the time is up.
            let life: [TeardownStep] = [
                .send(signal: Signal(rawValue: 0), allowedDurationToNextStep: Self.limit), grace,
            ]
            let outcome = try await Subprocess.run(
                .name("git"), arguments: Arguments(Self.settings.flatMap { ["-c", $0] } + words),
                environment: .custom(environment), workingDirectory: FilePath(folder), platformOptions: options,
                input: .none, output: .fileDescriptor(out, closeAfterSpawningProcess: false),
                error: .fileDescriptor(err, closeAfterSpawningProcess: false)
            ) { execution in
                await execution.teardown(using: life)
            }
            result = .success(outcome.terminationStatus)
        } catch {
            result = .failure(error)
        }
        switch result {
        case .success(.exited(0)): return Self.read(output)
        case .success(let status):
            let words = Self.read(errors).split(separator: "\n").suffix(3).joined(separator: "; ")
            throw ActorError(.unavailable, "\(what): git ended with \(status): \(words.suffix(500))")
        case .failure(let error):
            throw ActorError(.unavailable, "\(what): git could not be run, is it installed? (\(error))")
        }
    }

    private var environment: [Environment.Key: String] {
        [
            "PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": home, "LANG": "C.UTF-8", "GIT_TERMINAL_PROMPT": "0",
            "GIT_ASKPASS": "/bin/false", "SSH_ASKPASS": "/bin/false", "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_SSH_COMMAND": "ssh -oBatchMode=yes -oConnectTimeout=20",
            "GIT_HTTP_LOW_SPEED_LIMIT": "1000", "GIT_HTTP_LOW_SPEED_TIME": "30",
        ]
    }

    private static func open(_ path: String) throws -> FileDescriptor {
        try FileDescriptor.open(
            FilePath(path), .writeOnly, options: [.create, .truncate, .closeOnExec, .noFollow],
            permissions: [.ownerReadWrite])
    }

    /// The begin of a file, as far as anybody needs it.
    private static func read(_ path: String) -> String {
        guard let file = try? FileDescriptor.open(FilePath(path), .readOnly) else { return "" }
        defer { try? file.close() }
        var bytes = [UInt8](repeating: 0, count: 65536)
        let count = (try? bytes.withUnsafeMutableBytes { try file.read(into: $0) }) ?? 0
        return String(decoding: bytes.prefix(count), as: UTF8.self)
    }
}
