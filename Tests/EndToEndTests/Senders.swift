import ActorCore
import Foundation

/// `Tests/CrashSupport/senders.py` in a process of its own: 64 connections that go on whatever happens to the daemon.
final class Senders {
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    /// Longer than anything that works takes, on a slow disk beside a build.
    private static let patience = Duration.seconds(120)
    static let support = "\(RunningDaemon.root)/Tests/CrashSupport"

    private let lines: AsyncStream<String>
    private let orders: Int32
    private let errorFile: String
    private var pid: pid_t = 0

    init(_ plan: JSONValue, in folder: String) throws {
        signal(SIGPIPE, SIG_IGN)
        let planFile = "\(folder)/plan.json"
        errorFile = "\(folder)/senders.log"
        try JSONWriter.string(plan).write(toFile: planFile, atomically: true, encoding: .utf8)
        var down: [Int32] = [0, 0]
        var up: [Int32] = [0, 0]
        guard pipe(&down) == 0, pipe(&up) == 0 else { throw Failure(description: "no pipe") }
        for end in down + up { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, down[0], 0)
        posix_spawn_file_actions_adddup2(&actions, up[1], 1)
        posix_spawn_file_actions_addopen(&actions, 2, errorFile, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        let words = ["python3", "\(Self.support)/senders.py", planFile]
        let argv: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
        defer { argv.forEach { free($0) } }
        let code = posix_spawnp(&pid, "python3", &actions, nil, argv, environ)
        close(down[0])
        close(up[1])
        orders = down[1]
        let (lines, sink) = AsyncStream.makeStream(of: String.self)
        self.lines = lines
        let end = up[0]
        guard code == 0 else { throw Failure(description: "cannot start python3: \(code)") }
        Thread.detachNewThread {
            let file = fdopen(end, "r")
            var line: UnsafeMutablePointer<CChar>?
            var room = 0
            while getline(&line, &room, file) > 0, let text = line {
                sink.yield(String(cString: text).trimmingCharacters(in: .newlines))
            }
            free(line)
            fclose(file)
            sink.finish()
        }
    }

    /// The daemon is (again) at `url`; returns when `count` more messages are acknowledged.
    func reach(_ count: Int, at url: String) async throws {
        tell("at \(url) \(count)")
        try await hear("reached")
    }

    /// Returns when `count` more messages are acknowledged.
    func reach(_ count: Int) async throws {
        tell("reach \(count)")
        try await hear("reached")
    }

    /// Returns when the daemon has refused a message for want of space.
    func refusal() async throws {
        tell("fill")
        try await hear("refused")
    }

    /// Lets every sender finish; answers the totals. By then everything that was begun is acknowledged.
    func stop() async throws -> JSONValue {
        tell("stop")
        let line = try await next()
        guard let totals = try? JSONReader.read(Array(line.utf8)), totals["acknowledged"] != nil else {
            throw Failure(description: "the senders said \"\(line)\"; \(errors)")
        }
        return totals
    }

    /// Whatever its state: nothing of it is left.
    func end() {
        close(orders)
        kill(pid, SIGKILL)
        var status: Int32 = 0
        while waitpid(pid, &status, 0) < 0, errno == EINTR {}
    }

    private var errors: String { (try? String(contentsOfFile: errorFile, encoding: .utf8)) ?? "" }

    private func tell(_ line: String) {
        let bytes = Array("\(line)\n".utf8)
        write(orders, bytes, bytes.count)
    }

    private func hear(_ word: String) async throws {
        let line = try await next()
        guard line == word else { throw Failure(description: "not \(word) but \"\(line)\"; \(errors)") }
    }

    private func next() async throws -> String {
        let lines = self.lines
        let heard = await withTaskGroup(of: String?.self) { group in
            group.addTask {
                for await line in lines { return line }
                return nil
            }
            group.addTask {
                try? await Task.sleep(for: Self.patience)
                return nil
            }
            defer { group.cancelAll() }
            return await group.next() ?? nil
        }
        guard let heard else { throw Failure(description: "the senders say nothing any more: \(errors)") }
        return heard
    }
}
