import ActorCore
import ActorTesting
import FoundationEssentials
import Glibc
import HTTPTransport
import Logging
import Testing

@testable import ActorExecutors

/// The engine that `scripts/try-engines` has started; nil when the tests run without one.
enum Engine {
    static let socket = getenv("REACTORD_ENGINE_SOCKET").map { String(cString: $0) }
    static let name = getenv("REACTORD_ENGINE").map { String(cString: $0) } ?? "none"
    static let reason: Comment =
        "needs a container engine: make engines starts one (scripts/setup --engines installs it)"
}

private struct WallClock: Timekeeper {
    func now() -> Timestamp {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(milliseconds: Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000)
    }
}

extension WallClock {
    func uptime() -> Int64 { now().milliseconds }
    func sleep(until deadline: Timestamp) async throws { try await sleep(milliseconds: deadline.since(now())) }
    func sleep(milliseconds: Int64) async throws { try await Task.sleep(for: .milliseconds(max(0, milliseconds))) }
}

/// The container executor against a real engine.
@Suite(.serialized, .enabled(if: Engine.socket != nil, Engine.reason), .timeLimit(.minutes(5)))
struct ContainerEngineTests {
    private static let base = "localhost/suite/base:latest"
    private let folder: String
    private let client: CurlClient
    private let instance = String(UInt64.random(in: 0...UInt64.max), radix: 36)

    init() throws {
        folder = "\(FileManager.default.temporaryDirectory.path)/container-\(UInt64.random(in: 0...UInt64.max))"
        mkdir(folder, 0o755)
        client = try CurlClient(logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }

    private func executor(_ adjust: (inout ContainerExecutorSettings) -> Void = { _ in }) -> ContainerExecutor {
        var settings = ContainerExecutorSettings(socket: Engine.socket ?? "/nowhere", instance: instance)
        settings.pull = .never
        settings.graceSeconds = 1
        adjust(&settings)
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        return ContainerExecutor(settings: settings, client: client, clock: WallClock(), logger: logger)
    }

    private func work(_ script: String, id: String = "one", timeout: Int64? = 60000) -> Work {
        var work = Work(
            id: id, command: ["/bin/sh", "-c", script], environment: [EnvironmentEntry("GREETING", "hello")],
            workingDirectory: folder, logFile: "\(folder)/\(id).log", maxLogBytes: 10000,
            timeoutMilliseconds: timeout)
        work.image = Self.base
        work.folders = [WorkMount(host: folder, inside: folder, isReadOnly: false)]
        return work
    }

    private func log(_ id: String = "one") -> String {
        FileManager.default.contents(atPath: "\(folder)/\(id).log").map { String(decoding: $0, as: UTF8.self) } ?? ""
    }

    private func run(_ executor: ContainerExecutor, _ work: Work) async -> WorkResult {
        let result = await executor.run(work)
        await executor.forget(work.id)
        return result
    }

    private func close() async {
        await client.shutdown()
        try? FileManager.default.removeItem(atPath: folder)
    }

    @Test func itKeepsThePromisesOfEveryExecutor() async {
        let suite = ExecutorSuite(
            executor(), folder: folder, base: Self.base, printing: "localhost/suite/prints:latest")
        let problems = await suite.problems()
        #expect(problems == [])
        await close()
    }

    @Test func whatAContainerIsGivenAndNotGiven() async {
        let script = """
            echo $GREETING; id -u; pwd; echo err >&2; test -e /sys/class/net/eth0 && echo net
            grep CapEff /proc/self/status; grep NoNewPrivs /proc/self/status; echo in > written; exit 4
            """
        let result = await run(executor(), work(script.replacing("grep", with: "/bin/busybox grep")))
        #expect(result.end == .exited(4), "\(result)")
        let lines = Set(log().split(separator: "\n").map(String.init))
        #expect(
            lines == ["hello", "0", folder, "err", "CapEff:\t0000000000000000", "NoNewPrivs:\t1"], "\(log())")
        #expect(FileManager.default.fileExists(atPath: "\(folder)/written"))
        var mounted = work("cat /data/x; touch /data/y || exit 9")
        mkdir("\(folder)/ref", 0o755)
        try? "x".write(toFile: "\(folder)/ref/x", atomically: true, encoding: .utf8)
        mounted.mounts = [WorkMount(host: "\(folder)/ref", inside: "/data", isReadOnly: true)]
        #expect(await executor().run(mounted).reason?.contains("executors.container.mounts") == true)
        let folder = folder
        let allowing = executor { $0.mounts = [.init(path: folder, isWritable: false)] }
        #expect(await run(allowing, mounted).end == .exited(9))
        symlink("/etc", "\(folder)/link")
        mounted.mounts = [WorkMount(host: "\(folder)/link", inside: "/data", isReadOnly: true)]
        #expect(await run(allowing, mounted).reason?.contains("symbolic link") == true)
        await close()
    }

    @Test func memoryTimeAndPrograms() async {
        var greedy = work("x=$(head -c 100000000 /dev/zero | tr '\\0' x); echo ${#x}")
        greedy.memoryBytes = 32_000_000
        let killed = await run(executor(), greedy)
        #expect(killed.end == .outOfMemory, "\(killed) \(log())")
        let late = await run(executor(), work("echo up; sleep 600", id: "late", timeout: 1500))
        #expect(late.end == .timedOut && late.logBytes == 3, "\(late)")
        var lost = work("true", id: "lost")
        lost.command = ["/no/such"]
        guard case .couldNotStart = await run(executor(), lost).end else {
            Issue.record("a missing program was started")
            return
        }
        var unknown = work("true", id: "unknown")
        unknown.image = "localhost/no/such:1"
        #expect(await run(executor(), unknown).reason?.contains("is not on this machine") == true)
        await close()
    }

    @Test func aRunningContainerIsTakenOverAndItsLogIsWhole() async {
        let first = executor()
        let work = work("echo one; while ! test -e go; do sleep 0.05; done; echo two; exit 6")
        let end = await withTaskGroup(of: WorkResult.End.self) { group in
            group.addTask { await first.run(work).end }
            #expect(await happens { log().contains("one") })
            first.detach()
            group.cancelAll()
            return await group.next()
        }
        #expect(end == .detached)
        let next = executor()
        #expect(await next.kept() == ["one"])
        async let result = next.run(work)
        try? "".write(toFile: "\(folder)/go", atomically: true, encoding: .utf8)
        #expect(await result.end == .exited(6))
        #expect(log() == "one\ntwo\n")
        // Found again until its result is on record.
        #expect(await executor().run(work).end == .exited(6))
        #expect(log() == "one\ntwo\n")
        await next.forget("one")
        #expect(await next.kept() == [])
        await close()
    }

    @Test func aContainerThatSomebodyRemovesWasTakenAway() async throws {
        let executor = executor()
        async let result = executor.run(work("echo up; sleep 600"))
        #expect(await happens { log().contains("up") })
        let name = executor.order.name("one")
        try await executor.engine.remove(name)
        guard case .evicted = await result.end else {
            Issue.record("it ended \(await result.end)")
            return
        }
        await close()
    }

    @Test func anotherDaemonsContainersAreLeftAlone() async {
        let mine = executor()
        let other = executor { $0.instance += "x" }
        _ = await mine.run(work("true"))
        #expect(await other.kept() == [])
        await other.reclaim("one")
        #expect(await mine.kept() == ["one"])
        await mine.reclaim("one")
        #expect(await mine.kept() == [])
        await close()
    }
}
