import ActorCore
import Glibc
import Testing

@testable import ActorExecutors

/// What outlives the daemon: the supervisor, its record, and what a later daemon makes of them.
extension ProcessExecutorTests {
    /// Another daemon on the same folder: it knows nothing but what lies there.
    private func nextDaemon(_ scene: Scene) -> ProcessExecutor {
        Scene.executor(scene.commands, graceSeconds: 0.3, images: [:], anyImage: false)
    }

    /// Leaves the command running and answers as the daemon does that ends.
    private func leave(_ scene: Scene, _ work: Work, when isUp: () -> Bool) async -> WorkResult.End? {
        await withTaskGroup(of: WorkResult.End.self) { group in
            group.addTask { await scene.executor.run(work).end }
            #expect(await happens(isUp))
            scene.executor.detach()
            group.cancelAll()
            return await group.next()
        }
    }

    @Test func aRunningCommandIsTakenOver() async {
        let scene = Scene()
        defer { scene.close() }
        let work = scene.shell("echo up >> up; while ! test -e go; do sleep 0.02; done; echo done; exit 5")
        #expect(await leave(scene, work) { scene.exists("up") } == .detached)
        let next = nextDaemon(scene)
        #expect(await next.kept() == ["one"])
        async let result = next.run(work)
        scene.write("go", "")
        #expect(await result.end == .exited(5))
        // It ran once, and its result stays until somebody has it on record.
        #expect(await nextDaemon(scene).run(work).end == .exited(5))
        #expect(scene.lines("up") == ["up"] && scene.lines("one.log") == ["done"])
        await next.forget("one")
        #expect(await next.kept() == [] && !scene.exists("commands/one"))
    }

    @Test func whatEndedWhileNoDaemonRanIsFound() async {
        let scene = Scene()
        defer { scene.close() }
        let work = scene.shell("echo up >> up; sleep 0.3; exit 7")
        #expect(await leave(scene, work) { scene.exists("up") } == .detached)
        #expect(await happens { scene.exists("commands/one/ended") })
        #expect(await nextDaemon(scene).run(work).end == .exited(7))
        #expect(scene.lines("up") == ["up"])
    }

    @Test func timeAndLogAreBoundedWithoutADaemon() async {
        let scene = Scene(graceSeconds: 0.2)
        defer { scene.close() }
        let work = scene.shell("echo up > up; exec yes", maxLogBytes: 1000, timeout: 1000)
        #expect(await leave(scene, work) { scene.exists("up") } == .detached)
        #expect(await happens { scene.exists("commands/one/ended") })
        let result = await nextDaemon(scene).run(work)
        #expect(result.end == .timedOut && result.logTruncated && result.logBytes == 1000)
        #expect(scene.text("one.log").utf8.count == 1000)
    }

    @Test func aCommandThatWasTakenOverCanBeCancelled() async {
        let scene = Scene(graceSeconds: 0.2)
        defer { scene.close() }
        let work = scene.shell("setsid sleep 600 & echo $!; echo up > up; sleep 600", timeout: nil)
        #expect(await leave(scene, work) { scene.exists("up") } == .detached)
        let next = nextDaemon(scene)
        let end = await withTaskGroup(of: WorkResult.End.self) { group in
            group.addTask { await next.run(work).end }
            group.cancelAll()
            return await group.next()
        }
        #expect(end == .cancelled)
        #expect(scene.printedPids().count == 1)
        #expect(scene.printedPids().allSatisfy { ProcessTable.entry($0).map(\.isDead) ?? true })
    }

    /// A process in a session of its own, whose parent is gone, is found all the same.
    @Test(arguments: [
        "setsid sleep 600 & echo $!; exit 3", "(setsid sh -c 'sleep 600 & echo $!' &); sleep 0.2; exit 3",
        "setsid sh -c 'trap \"\" TERM; echo $$; setsid sleep 600 & sleep 600' & sleep 0.2; exit 3",
    ])
    func nothingOutlivesItsCommand(_ script: String) async {
        let scene = Scene(graceSeconds: 0.2)
        defer { scene.close() }
        #expect(await scene.run(scene.shell(script)).end == .exited(3))
        #expect(!scene.printedPids().isEmpty)
        #expect(scene.printedPids().allSatisfy { ProcessTable.entry($0).map(\.isDead) ?? true })
    }

    /// In whichever session it was used, and by whom.
    @Test func whatACommandUsesIsMeasured() async {
        let scene = Scene()
        defer { scene.close() }
        let script = "setsid head -c 3000000 /dev/zero > big; n=0; while [ $n -lt 100000 ]; do n=$((n + 1)); done"
        let busy = await scene.run(scene.shell(script))
        #expect(busy.end == .exited(0))
        #expect(busy.use.io >= 6_000_000 && busy.use.io < 8_000_000, "\(busy.use)")
        #expect(busy.use.cpu >= 10_000_000 && busy.use.cpu < 60_000_000_000, "\(busy.use)")
        let idle = await scene.run(scene.work(["/bin/true"]))
        #expect(idle.use.io < 100_000 && idle.use.cpu < 1_000_000_000, "\(idle.use)")
    }

    @Test func theRecordOfAnEndThatWasHalfWrittenIsNone() async {
        let scene = Scene()
        defer { scene.close() }
        mkdir(scene.commands, 0o700)
        let whole = "end exited 0\nmilliseconds 1\nlog_bytes 0\nlog_truncated 0\nstuck 0\n"
        #expect(SupervisedRun.result(Array(whole.utf8))?.result.end == .exited(0))
        for length in stride(from: 0, to: whole.utf8.count - 2, by: 3) {
            scene.writeRecord(ProcessName(pid: 1, startTime: 0, bootID: "another-boot"))
            scene.write("commands/one/ended", String(whole.prefix(length)))
            guard case .evicted = await scene.run(scene.work(["/bin/true"])).end else {
                Issue.record("\(length) bytes of a record were taken for a result")
                continue
            }
            #expect(!scene.exists("commands/one"))
        }
        // Begun and never started: a room for the result, and nothing else.
        mkdir("\(scene.commands)/one", 0o700)
        scene.write("commands/one/ended.new", "\n\n")
        scene.write("commands/one/lock", "")
        #expect(await scene.run(scene.work(["/bin/true"])).end == .exited(0))
    }

    /// Were its traces gone before that is on record, it would look like one that never began.
    @Test func whatWasLostIsLostUntilItIsForgotten() async {
        let scene = Scene()
        defer { scene.close() }
        mkdir(scene.commands, 0o700)
        scene.writeRecord(ProcessName(pid: 1, startTime: 0, bootID: "another-boot"))
        let work = scene.shell("echo up >> up")
        for _ in 0..<2 {
            guard case .evicted = await nextDaemon(scene).run(work).end else {
                Issue.record("it was taken for one that never began")
                return
            }
        }
        let next = nextDaemon(scene)
        #expect(await next.isLost("one"))
        #expect(!scene.exists("up"))
        await next.forget("one")
        #expect(await !next.isLost("one"))
        #expect(await next.run(work).end == .exited(0))
        #expect(await !next.isLost("one"))
        #expect(scene.lines("up") == ["up"])
    }

    /// By a daemon that did not live to note that.
    @Test func whatWasStoppedAndNotNotedIsLost() async {
        let scene = Scene()
        defer { scene.close() }
        mkdir(scene.commands, 0o700)
        scene.writeRecord(ProcessName(pid: 1, startTime: 0, bootID: "another-boot"))
        scene.write("commands/one/ended", "end cancelled\nmilliseconds 1\nlog_bytes 0\nlog_truncated 0\nstuck 0\n")
        #expect(await scene.executor.isLost("one"))
        await scene.executor.reclaim("one")
        #expect(!scene.exists("commands/one"))
        for id in ["one", "", "..", "a/b"] { #expect(await !scene.executor.isLost(id)) }
    }

    @Test func aSupervisorThatIsKilledIsNoFailureOfTheCommand() async throws {
        let scene = Scene(graceSeconds: 0.2)
        defer { scene.close() }
        let work = scene.shell("echo $$; echo up > up; sleep 600", timeout: nil)
        async let result = scene.executor.run(work)
        #expect(await happens { scene.exists("up") })
        let command = try #require(scene.printedPids().first)
        let parent = try #require(ProcessTable.entry(command)?.parent)
        kill(parent, SIGKILL)
        guard case .evicted = await result.end else {
            Issue.record("it ended \(await result.end)")
            return
        }
        #expect(ProcessTable.entry(command).map(\.isDead) ?? true)
    }

    @Test func limitsAreKept() async {
        let scene = Scene { $0.limits = ["nofile": 64, "fsize": 1_000_000] }
        defer { scene.close() }
        let result = await scene.run(scene.shell("ulimit -n; ulimit -f; head -c 2000000 /dev/zero > big"))
        #expect(!result.succeeded)
        #expect(scene.lines("one.log").first == "64")
    }

    @Test(.enabled(if: geteuid() == 0, "only root can run commands as somebody else"))
    func commandsMayRunAsSomebodyElse() async {
        let scene = Scene { $0.account = .init(user: 65534, group: 65534) }
        defer { scene.close() }
        chmod(scene.folder, 0o755)
        #expect(await scene.run(scene.shell("id -u; id -g; id -G; grep NoNewPrivs /proc/self/status")).succeeded)
        #expect(scene.lines("one.log") == ["65534", "65534", "65534", "NoNewPrivs:\t1"])
    }

    /// A control group of version 1 limits memory here; where none can be made the test says so.
    @Test(.enabled(if: MemoryGroup.parent != nil, "no control group can be made: needs root and a cgroup file system"))
    func whoUsesMoreMemoryThanItWasGivenRanOutOfMemory() async {
        let scene = Scene { $0.cgroup = MemoryGroup.parent }
        defer { scene.close() }
        var work = scene.work(["python3", "-c", "print('up', flush=True); x = bytearray(200_000_000); print(len(x))"])
        work.memoryBytes = 64_000_000
        let result = await scene.run(work)
        #expect(result.end == .outOfMemory && result.exitCode == 137, "\(result) \(scene.text("one.log"))")
        #expect(!MemoryGroup.exists("reactord-one"))
        work.memoryBytes = 500_000_000
        #expect(await scene.run(work).succeeded)
    }
}

/// A control group in which the tests may make others.
private enum MemoryGroup {
    static let parent: String? = {
        for root in ["/sys/fs/cgroup/memory", "/sys/fs/cgroup"] {
            let path = "\(root)/reactord-tests"
            guard mkdir(path, 0o755) == 0 || errno == EEXIST else { continue }
            let names = ["memory.limit_in_bytes", "memory.max"]
            if names.contains(where: { access("\(path)/\($0)", W_OK) == 0 }) { return path }
        }
        return nil
    }()

    static func exists(_ name: String) -> Bool { access("\(parent ?? "")/\(name)", F_OK) == 0 }
}
