import ActorCore
import Glibc
import Testing

@testable import ActorExecutors

/// Time-outs, cancellation and what a command leaves running.
extension ProcessExecutorTests {
    @Test(arguments: [
        "sleep 600 & echo $!; sleep 600", "trap '' TERM; sleep 600 & echo $!; sleep 600",
        "set -m; sleep 600 & echo $!; sleep 600",
    ])
    func aTimeOutEndsGrandchildrenToo(_ script: String) async {
        let scene = Scene(graceSeconds: 0.3)
        defer { scene.close() }
        let result = await scene.run(scene.shell(script, timeout: 500))
        #expect(result.end == .timedOut && result.reason == "its time was up")
        #expect(scene.printedPids().count == 1 && scene.printedPids().allSatisfy(Self.isGone))
        #expect(!scene.exists("commands/one"))
    }

    @Test func aStoppedCommandMayCleanUp() async {
        let scene = Scene(graceSeconds: 10)
        defer { scene.close() }
        // The shell dies of SIGTERM at once; the one that it started gets its grace all the same, and one signal only.
        let script = "#!/bin/sh\ntrap 'echo term; sleep 0.3; echo clean; exit' TERM\nwhile :; do sleep 0.02; done\n"
        scene.write("child", script, mode: 0o755)
        let result = await scene.run(scene.shell("./child & wait", timeout: 500))
        #expect(result.end == .timedOut)
        // A shell may report that its `sleep` was terminated too.
        #expect(scene.lines("one.log").filter { $0 != "Terminated" } == ["term", "clean"])
    }

    @Test func cancellingEndsTheCommandAndItsGroup() async {
        let scene = Scene(graceSeconds: 5)
        defer { scene.close() }
        let result = await withTaskGroup(of: WorkResult.self) { group in
            group.addTask { await scene.run(scene.shell("sleep 600 & echo $!; sleep 600", timeout: nil)) }
            #expect(await happens { scene.printedPids().count == 1 && scene.exists("commands/one/started") })
            group.cancelAll()
            return await group.next()
        }
        #expect(result?.end == .cancelled && (result?.logBytes ?? 0) > 0)
        #expect(scene.printedPids().allSatisfy(Self.isGone))
        #expect(!scene.exists("commands/one"))
    }

    @Test func aCancelledCommandThatPrintsWithoutEndStaysBounded() async {
        let scene = Scene(graceSeconds: 0.8)
        defer { scene.close() }
        let result = await withTaskGroup(of: WorkResult.self) { group in
            group.addTask {
                await scene.run(scene.shell("trap '' TERM; echo up > up; yes", maxLogBytes: 10, timeout: nil))
            }
            #expect(await happens { scene.exists("up") })
            group.cancelAll()
            return await group.next()
        }
        #expect(result?.end == .cancelled && result?.logTruncated == true)
        #expect(scene.text("one.log") == "y\ny\ny\ny\ny\n")
    }

    @Test func aWaitingCommandCanBeCancelled() async {
        let scene = Scene(maxRunning: 1)
        defer { scene.close() }
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                #expect(await scene.run(scene.shell("echo up > up; sleep 600")).end == .cancelled)
            }
            #expect(await happens { scene.exists("up") })
            await withTaskGroup(of: WorkResult.self) { second in
                second.addTask { await scene.run(scene.shell("echo no > no", id: "two")) }
                second.cancelAll()
                #expect(await second.next()?.end == .cancelled)
            }
            group.cancelAll()
        }
        #expect(!scene.exists("no"))
        #expect(await scene.run(scene.work(["/bin/true"])).succeeded)
    }

    @Test(arguments: ["", "set -m; ", "exec 3>&1; "])
    func aBackgroundProcessNeitherDelaysNorStays(_ prelude: String) async {
        let scene = Scene()
        defer { scene.close() }
        let result = await scene.run(scene.shell("\(prelude)sleep 600 & echo $!; exit 4"))
        #expect(result.end == .exited(4) && result.milliseconds < 10000)
        #expect(scene.printedPids().count == 1 && scene.printedPids().allSatisfy(Self.isGone))
    }

    /// What a daemon has left running ends when the next one does not want it. The second ignores SIGTERM; the third
    /// has somebody in the background.
    @Test(arguments: ["exec sleep 600", "trap '' TERM; sleep 600; sleep 600", "sleep 600 & sleep 0.1; sleep 600"])
    func reclaimEndsWhatRuns(_ script: String) async throws {
        let scene = Scene(graceSeconds: 0.2)
        defer { scene.close() }
        await withTaskGroup(of: WorkResult.End.self) { group in
            group.addTask { await scene.executor.run(scene.shell("echo $$; \(script)", timeout: nil)).end }
            #expect(await happens { !scene.printedPids().isEmpty })
            scene.executor.detach()
            group.cancelAll()
            #expect(await group.next() == .detached)
        }
        await Scene.executor(scene.commands, images: [:], anyImage: false).reclaim("one")
        #expect(scene.printedPids().allSatisfy(Self.isGroupGone))
        #expect(!scene.exists("commands/one"))
    }

    @Test func reclaimLeavesTheFolder() async {
        let scene = Scene()
        defer { scene.close() }
        scene.write("outside", "")
        for id in ["../outside", "", ".", "..", "a/b", ".hidden"] { await scene.executor.reclaim(id) }
        #expect(scene.exists("outside"))
    }

    /// Its supervisor was killed: what it started is found by its session, and by nothing less.
    @Test func whatHasLostItsSupervisorIsEndedAndStrangersAreSpared() async throws {
        let scene = Scene(graceSeconds: 0.2)
        defer { scene.close() }
        let pid = try await Self.spawnSession("exec sleep 600")
        defer {
            kill(-pid, SIGKILL)
            waitpid(pid, nil, 0)
        }
        let truth = try #require(ProcessName(running: pid))
        let others = [
            ProcessName(pid: pid, startTime: truth.startTime - 1, bootID: truth.bootID),
            ProcessName(pid: pid, startTime: truth.startTime, bootID: "another-boot"),
            ProcessName(pid: getpid(), startTime: 0, bootID: truth.bootID),
            ProcessName(pid: 1, startTime: 0, bootID: truth.bootID),
            ProcessName(pid: -1, startTime: 0, bootID: truth.bootID),
            ProcessName(pid: 0, startTime: 0, bootID: truth.bootID),
        ]
        mkdir(scene.commands, 0o700)
        for record in others {
            scene.writeRecord(record)
            guard case .evicted = await scene.run(scene.work(["/bin/true"])).end else {
                Issue.record("a record without a supervisor was taken for \(record)")
                continue
            }
            #expect(!Self.isGone(pid) && !scene.exists("commands/one"))
        }
        scene.writeRecord(truth)
        await scene.executor.reclaim("one")
        #expect(Self.isGroupGone(pid) && !scene.exists("commands/one"))
    }

    private static func isGone(_ pid: pid_t) -> Bool { ProcessTable.entry(pid).map(\.isDead) ?? true }

    private static func isGroupGone(_ pid: pid_t) -> Bool { ProcessTable.members(of: pid).isEmpty }

    /// A process that leads its own session, as one that another daemon started.
    private static func spawnSession(_ script: String) async throws -> pid_t {
        var pid: pid_t = 0
        let command = ["setsid", "sh", "-c", script]
        var words: [UnsafeMutablePointer<CChar>?] = command.map { word in strdup(word) }
        words.append(nil)
        defer { for word in words { free(word) } }
        try #require(posix_spawnp(&pid, "setsid", nil, nil, &words, environ) == 0)
        #expect(await happens { ProcessTable.entry(pid)?.session == pid })
        return pid
    }
}
