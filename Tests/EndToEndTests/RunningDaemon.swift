import ActorCore
import Foundation
import HTTPTransport
import Logging

/// A real `reactord serve` in a process of its own, with a folder of its own.
final class RunningDaemon {
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    let folder: String
    let client: CurlClient
    private(set) var pid: pid_t = 0
    private(set) var base = ""
    /// The port that it listens on; 0 before its start.
    var port: UInt16 { base.split(separator: ":").last.flatMap { UInt16($0) } ?? 0 }
    private let options: [String]
    /// What its standard input is.
    var input = "/dev/null"
    /// Variables that the daemon gets beside those of the test.
    var environment: [String: String] = [:]

    var data: String { "\(folder)/var" }
    var errors: String { (try? String(contentsOfFile: "\(folder)/stderr.log", encoding: .utf8)) ?? "" }

    /// The repository, and the binary that `swift build` made of it.
    static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().path
    static let binary: String = {
        // The soak asks for the release build: what ships is what is maltreated.
        if let named = ProcessInfo.processInfo.environment["REACTORD_BINARY"] { return named }
        // The test bundle lies beside the binary.
        let bundle = CommandLine.arguments.first { $0.hasSuffix(".xctest") } ?? CommandLine.arguments[0]
        let beside = URL(fileURLWithPath: bundle).deletingLastPathComponent().appendingPathComponent("reactord").path
        return FileManager.default.isExecutableFile(atPath: beside) ? beside : "\(root)/.build/debug/reactord"
    }()

    /// - Parameters:
    ///   - config: text of `config.yml`; `actors.folder` is set to `<folder>/actors` when `actors` are given.
    ///   - actors: folder name to files (relative path to text). The shipped ones named in `shipped` are linked in.
    init(
        config: String = "", actors: [String: [String: String]] = [:],
        shipped: [String] = ["pipeline-jobs-manager", "pipelines-manager", "ingest", "job-runner"],
        options: [String] = []
    ) throws {
        self.folder = NSTemporaryDirectory() + "reactord-e2e-" + UUID().uuidString
        self.options = options
        self.client = try CurlClient(logger: Logger(label: "e2e"))
        try FileManager.default.createDirectory(atPath: "\(folder)/actors", withIntermediateDirectories: true)
        try config.write(toFile: "\(folder)/config.yml", atomically: true, encoding: .utf8)
        for name in shipped {
            try FileManager.default.copyItem(
                atPath: "\(Self.root)/actors/\(name)", toPath: "\(folder)/actors/\(name)")
        }
        for (name, files) in actors {
            for (path, text) in files { try write(text, to: "actors/\(name)/\(path)") }
        }
    }

    func write(_ text: String, to path: String, mode: Int = 0o644) throws {
        let file = URL(fileURLWithPath: "\(folder)/\(path)")
        try FileManager.default.createDirectory(
            at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try text.write(to: file, atomically: true, encoding: .utf8)
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: file.path)
    }

    /// Starts it and returns when it says that it is ready.
    func start(port: Int = 0) async throws {
        var ends: [Int32] = [0, 0]
        guard pipe(&ends) == 0 else { throw Failure(description: "no pipe") }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        pid = try spawn(serving(port: port), output: ends[1])
        close(ends[1])
        let end = ends[0]
        let line = await withCheckedContinuation { (continuation: CheckedContinuation<String, Never>) in
            Thread.detachNewThread {
                var bytes: [UInt8] = []
                var byte: UInt8 = 0
                while true {
                    let count = read(end, &byte, 1)
                    if count < 0, errno == EINTR { continue }
                    guard count == 1, byte != 0x0a else { break }
                    bytes.append(byte)
                }
                close(end)
                continuation.resume(returning: String(decoding: bytes, as: UTF8.self))
            }
        }
        let mark = "reactord ready at "
        guard line.hasPrefix(mark) else {
            throw Failure(description: "not ready: \"\(line)\"; it said: \(errors.suffix(2000))")
        }
        base = String(line.dropFirst(mark.count))
    }

    /// Starts it and kills it a moment later, however far it has come by then.
    func startAndKill(after milliseconds: Int) async throws {
        let nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC)
        pid = try spawn(serving(port: 0), output: nowhere)
        close(nowhere)
        try await Task.sleep(for: .milliseconds(milliseconds))
        await killNow()
    }

    private func serving(port: Int) -> [String] {
        ["serve", "--port", String(port), "--data-dir", data] + options
    }

    /// Runs it to its end; answers exit code and what it wrote to standard error.
    func runToEnd(_ arguments: [String]) async throws -> (code: Int32, errors: String, output: String) {
        let output = "\(folder)/stdout.log"
        let descriptor = open(output, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        pid = try spawn(arguments, output: descriptor)
        close(descriptor)
        let code = await waitForEnd()
        return (code, errors, (try? String(contentsOfFile: output, encoding: .utf8)) ?? "")
    }

    private func spawn(_ arguments: [String], output: Int32) throws -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, input, O_RDONLY | O_NOCTTY, 0)
        posix_spawn_file_actions_adddup2(&actions, output, 1)
        posix_spawn_file_actions_addopen(
            &actions, 2, "\(folder)/stderr.log", O_WRONLY | O_CREAT | O_APPEND, 0o600)
        var environment = ProcessInfo.processInfo.environment.filter { !$0.key.hasPrefix("_REACTOR") }
        // REACTORD_BACKTRACE asks for the stack of a daemon that crashes: it takes a minute, which most tests have not.
        environment["SWIFT_BACKTRACE"] = environment["REACTORD_BACKTRACE"] ?? "enable=no"
        environment.merge(self.environment) { $1 }
        // env changes the folder and then becomes the daemon: the process id stays.
        let argv = (["env", "-C", folder, Self.binary] + arguments).map { strdup($0) } + [nil]
        let envp = environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { (argv + envp).forEach { free($0) } }
        var child: pid_t = 0
        let code = posix_spawn(&child, "/usr/bin/env", &actions, nil, argv, envp)
        guard code == 0 else { throw Failure(description: "cannot start \(Self.binary): \(code)") }
        return child
    }

    /// Runs another command of the binary while the daemon goes on.
    func runBeside(_ arguments: [String]) async throws -> (code: Int32, output: String) {
        let end = try await runBeside(arguments) {}
        return (end.code, end.output)
    }

    /// The same; `body` is done while it runs.
    func runBeside<Value>(
        _ arguments: [String], body: () async throws -> Value
    ) async throws -> (code: Int32, output: String, value: Value) {
        let file = "\(folder)/stdout-\(UUID().uuidString).log"
        let descriptor = open(file, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        let child = try spawn(arguments, output: descriptor)
        close(descriptor)
        let value: Value
        do {
            value = try await body()
        } catch {
            _ = await Self.end(of: child)
            throw error
        }
        let code = await Self.end(of: child)
        return (code, (try? String(contentsOfFile: file, encoding: .utf8)) ?? "", value)
    }

    func signal(_ number: Int32) { kill(pid, number) }

    /// The exit code, or 128 + the signal.
    @discardableResult func waitForEnd() async -> Int32 {
        let child = pid
        guard child != 0 else { return 0 }
        pid = 0
        return await Self.end(of: child)
    }

    private static func end(of child: pid_t) async -> Int32 {
        await withCheckedContinuation { continuation in
            Thread.detachNewThread {
                var status: Int32 = 0
                while waitpid(child, &status, 0) < 0, errno == EINTR {}
                continuation.resume(returning: status & 0x7f == 0 ? (status >> 8) & 0xff : 128 + (status & 0x7f))
            }
        }
    }

    /// How it ended when nobody asked it to; nil while it lives. It is still to be reaped.
    var endSoFar: String? {
        guard pid != 0 else { return nil }
        var end = siginfo_t()
        guard waitid(P_PID, id_t(pid), &end, WEXITED | WNOHANG | WNOWAIT) == 0, end.si_code != 0 else { return nil }
        return end.si_code == Int32(CLD_EXITED)
            ? "exit code \(end._sifields._sigchld.si_status)" : "signal \(end._sifields._sigchld.si_status)"
    }

    @discardableResult func stop() async -> Int32 {
        signal(SIGTERM)
        return await waitForEnd()
    }

    func killNow() async {
        signal(SIGKILL)
        await waitForEnd()
    }

    /// Ends it and what it has started, and removes its folder.
    func tearDown() async {
        if pid != 0 { await killNow() }
        await client.shutdown()
        // Jobs outlive their daemon, as they should; they are not to outlive the test.
        LeftProcesses.kill(of: folder)
        try? FileManager.default.removeItem(atPath: folder)
    }

    // MARK: Requests

    var token: String {
        ((try? String(contentsOfFile: "\(data)/admin.token", encoding: .utf8)) ?? "")
            .trimmingCharacters(in: .whitespacesAndNewlines)
    }

    struct Answer {
        let status: Int
        let body: [UInt8]
        let headers: [(name: String, value: String)]

        var text: String { String(decoding: body, as: UTF8.self) }
        var json: JSONValue { (try? JSONReader.read(body)) ?? .null }
    }

    func request(
        _ method: String, _ path: String, body: [UInt8] = [], type: String? = "application/json",
        headers: [(name: String, value: String)] = [], authorised: Bool = true, limit: Int = 8_000_000
    ) async throws -> Answer {
        var all = headers
        if let type, method != "GET" { all.append((name: "Content-Type", value: type)) }
        if authorised { all.append((name: "Authorization", value: "Bearer \(token)")) }
        let url = path.hasPrefix("http") ? path : base + path
        let response = try await client.send(
            OutgoingRequest(
                method: method, url: url, headers: all, body: body, timeoutMilliseconds: 60000,
                maxResponseBytes: limit),
            policy: .anywhere)
        return Answer(status: response.status, body: response.body, headers: response.headers)
    }

    /// - Parameter limit: most bytes of an answer that are taken.
    func get(_ path: String, limit: Int = 8_000_000) async throws -> JSONValue {
        try await request("GET", path, limit: limit).json
    }

    func post(_ path: String, _ body: JSONValue) async throws -> Answer {
        try await request("POST", path, body: JSONWriter.bytes(body))
    }

    /// Sends a message to an actor; answers the execution's id.
    func send(_ actor: String, _ body: JSONValue) async throws -> String {
        let answer = try await post("/actors/v2/\(actor)/messages", body)
        guard answer.status == 200, let id = answer.json["result"]?["executionId"]?.string else {
            throw Failure(description: "\(answer.status) \(answer.text)")
        }
        return id
    }

    /// Asks until `condition` holds; the daemon's event stream says when to ask again.
    func until(
        _ path: String, seconds: Double = 60, _ condition: (JSONValue) -> Bool
    ) async throws -> JSONValue {
        let deadline = ContinuousClock.now + .seconds(seconds)
        while true {
            let value = try await get(path)
            if condition(value) { return value }
            guard ContinuousClock.now < deadline else {
                throw Failure(description: "\(path) did not come so far: \(JSONWriter.string(value).prefix(3000))")
            }
            try await Task.sleep(for: .milliseconds(30))
        }
    }

    func finished(_ execution: String, seconds: Double = 60) async throws -> JSONValue {
        try await until("/api/v1/executions/\(execution)", seconds: seconds) { $0["finished"]?.string != nil }
    }
}

/// Runs `body` with a daemon's folder and cleans up behind it, whatever happens.
func withDaemon(_ daemon: RunningDaemon, _ body: (RunningDaemon) async throws -> Void) async throws {
    do {
        try await body(daemon)
    } catch {
        let errors = daemon.errors
        let end = daemon.endSoFar.map { "\nit ended by itself: \($0)" } ?? ""
        await daemon.tearDown()
        throw RunningDaemon.Failure(description: "\(error)\(end)\nthe daemon said:\n\(errors.suffix(4000))")
    }
    await daemon.tearDown()
}
