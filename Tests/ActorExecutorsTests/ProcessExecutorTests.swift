import ActorCore
import ActorTesting
import Glibc
import Testing

@testable import ActorExecutors

/// One at a time: they start many processes.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct ProcessExecutorTests {
    @Test(arguments: [
        (["/bin/true"], WorkResult.End.exited(0)), (["/bin/sh", "-c", "exit 3"], .exited(3)),
        (["sh", "-c", "exit 255"], .exited(255)), (["/bin/sh", "-c", "kill -9 $$"], .signalled(9)),
        (["/bin/sh", "-c", "kill -TERM $$"], .signalled(15)), (["python3", "-c", "raise SystemExit(7)"], .exited(7)),
        // Nothing to read: the input is empty, not the daemon's.
        (["/bin/cat"], .exited(0)), (["/bin/sh", "-c", "test -t 0 || test ! -p /dev/stdin"], .exited(0)),
    ])
    func ends(_ command: [String], _ end: WorkResult.End) async {
        let scene = Scene()
        defer { scene.close() }
        #expect(await scene.run(scene.work(command)).end == end)
        #expect(!scene.exists("commands/one"))
    }

    @Test func programsAreFoundFromTheWorkingDirectoryAndInPath() async {
        let scene = Scene()
        defer { scene.close() }
        mkdir("\(scene.folder)/bin", 0o700)
        scene.write("bin/tool", "#!/bin/sh\necho \"$0|$*|$(pwd)\"\n", mode: 0o755)
        let commands = [["bin/tool", "a b", "$(c)"], ["./bin/tool", "-x"], ["\(scene.folder)/bin/tool"]]
        for command in commands { #expect(await scene.run(scene.work(command)).succeeded) }
        let path = EnvironmentEntry("PATH", "/nowhere:\(scene.folder)/bin:/bin:/usr/bin")
        #expect(await scene.run(scene.work(["tool", "1"], environment: [path])).succeeded)
        let tails = scene.lines("one.log").map { $0.split(separator: "|", omittingEmptySubsequences: false)[1] }
        #expect(tails == ["a b $(c)", "-x", "", "1"])
        #expect(scene.lines("one.log").allSatisfy { $0.hasSuffix(scene.folder) })
    }

    @Test func whatCannotStartSaysWhatToDo() async {
        let scene = Scene()
        defer { scene.close() }
        scene.write("plain", "#!/bin/sh\n")
        scene.write("lost", "#!/no/such/interpreter\n", mode: 0o755)
        scene.write("bare", "echo no first line\n", mode: 0o755)
        scene.write("windows", "#!/bin/sh\r\necho x\r\n", mode: 0o755)
        scene.write("windows-env", "#!/usr/bin/env python3\r\nprint()\r\n", mode: 0o755)
        mkdir("\(scene.folder)/folder", 0o700)
        let long = String(repeating: "x", count: 131_072)
        let cases: [(Work, String)] = [
            (scene.work([]), "the command is empty"), (scene.work([""]), "the command is empty"),
            (scene.work(["/no/such"]), "/no/such does not exist"),
            (scene.work(["no-such-program"]), "no-such-program does not exist in PATH"),
            (scene.work(["./plain"]), "plain is not executable: chmod +x"),
            (scene.work(["./folder"]), "folder is a folder"),
            (scene.work(["./lost"]), "lost could not be started: the interpreter"),
            (scene.work(["./windows"]), "windows could not be started: its first line ends with CR"),
            (scene.work(["./windows-env"]), "ends with CR"),
            (scene.work(["./bare"]), "first line must be #!"), (scene.work(["/bin/true", "a\0b"]), "NUL"),
            (scene.work(["/bin/true", long]), "argument 1 of the command is longer than 128 KiB"),
            (scene.work(["/bin/true"], environment: [.init("BIG", long)]), "variable BIG is longer than 128 KiB"),
            (scene.work(["/bin/true"], environment: [.init("BAD", "a\0b")]), "variable BAD holds a NUL"),
            (scene.work(["/bin/true"], environment: [.init("A=B", "c")]), "\"A=B\" cannot be the name"),
            (scene.work(["/bin/true"], environment: [.init("", "c")]), "cannot be the name"),
            (scene.work(["/bin/true"], id: "../up"), "the id of a command"),
        ]
        for (work, words) in cases {
            let result = await scene.run(work)
            guard case .couldNotStart(let why) = result.end else {
                Issue.record("\(work.command.map { $0.prefix(20) }) ended \(result.end)")
                continue
            }
            #expect(why.contains(words), "\(why.prefix(300))")
            #expect(why.utf8.count < 1000)
        }
        var work = scene.work(["/bin/true"])
        work.workingDirectory = "\(scene.folder)/missing"
        #expect(await scene.run(work).reason?.contains("missing does not exist: create it") == true)
        work.workingDirectory = "\(scene.folder)/plain"
        #expect(await scene.run(work).reason?.contains("is not a folder") == true)
        work = scene.work(["/bin/true"], id: "linked")
        symlink("\(scene.folder)/plain", work.logFile)
        #expect(await scene.run(work).reason?.contains("symbolic link") == true)
    }

    @Test func theEnvironmentIsExactlyWhatWasGiven() async {
        let scene = Scene()
        defer { scene.close() }
        setenv("EXECUTOR_TEST_LEAK", "leaked", 1)
        let given = [
            EnvironmentEntry("MSG", "{\"a\": \"$(id) ü\"}"), .init("MODE", "old"), .init("EMPTY", ""),
            .init("MODE", "new"),
        ]
        #expect(await scene.run(scene.work(["env"], environment: given)).succeeded)
        #expect(
            Set(scene.lines("one.log")) == [
                "MSG={\"a\": \"$(id) ü\"}", "MODE=new", "EMPTY=", "PATH=\(Launch.defaultPath)", "LANG=C.UTF-8",
            ])
        let own = [EnvironmentEntry("PATH", "/bin:/usr/bin"), .init("LANG", "de_DE.UTF-8")]
        #expect(await scene.run(scene.work(["env"], id: "own", environment: own)).succeeded)
        #expect(Set(scene.lines("own.log")) == ["PATH=/bin:/usr/bin", "LANG=de_DE.UTF-8"])
    }

    @Test func pythonPackagesComeBehindTheActorsOwn() async {
        let scene = Scene(pythonPath: "/lab/sdk/python")
        defer { scene.close() }
        #expect(await scene.run(scene.shell("echo $PYTHONPATH")).succeeded)
        let own = [EnvironmentEntry("PYTHONPATH", "/mine:/theirs")]
        let command = ["/bin/sh", "-c", "echo $PYTHONPATH"]
        #expect(await scene.run(scene.work(command, id: "own", environment: own)).succeeded)
        #expect(scene.lines("one.log") == ["/lab/sdk/python"])
        #expect(scene.lines("own.log") == ["/mine:/theirs:/lab/sdk/python"])
    }

    @Test func outputAndErrorsAreMergedAndAppended() async {
        let scene = Scene()
        defer { scene.close() }
        scene.write("one.log", "before\n")
        let result = await scene.run(scene.shell("echo out; echo err >&2; echo out"))
        #expect(scene.text("one.log") == "before\nout\nerr\nout\n")
        #expect(result.logBytes == 19 && !result.logTruncated)
    }

    @Test func hundredMegabytesLeaveABoundedLog() async {
        let scene = Scene()
        defer { scene.close() }
        let result = await scene.run(
            scene.shell("head -c 104857600 /dev/zero | tr '\\0' x; echo end", maxLogBytes: 1000))
        #expect(result.end == .exited(0) && result.logTruncated && result.logBytes == 1000)
        #expect(scene.text("one.log") == String(repeating: "x", count: 1000))
        #expect(result.milliseconds < 20000)
    }

    @Test func endlessOutputEndsWithItsTime() async {
        let scene = Scene()
        defer { scene.close() }
        let result = await scene.run(scene.work(["yes"], maxLogBytes: 1000, timeout: 700))
        #expect(result.end == .timedOut && result.logTruncated)
        #expect(scene.text("one.log") == String(repeating: "y\n", count: 500))
        #expect((600..<5000).contains(result.milliseconds))
    }

    /// In a process of its own: those of the other tests come and go.
    @Test func noDescriptorAndNoChildIsLeftOver() async {
        await #expect(processExitsWith: .success) {
            let scene = Scene(maxRunning: 16)
            defer { scene.close() }
            _ = await scene.run(scene.work(["/bin/true"]))
            let before = openDescriptors()
            await withTaskGroup(of: WorkResult.self) { group in
                for number in 0..<200 {
                    let command = number % 4 == 0 ? ["/no/such"] : ["/bin/true"]
                    group.addTask { await scene.run(scene.work(command, id: "run-\(number)")) }
                }
            }
            #expect(await happens { openDescriptors().count <= before.count }, "\(openDescriptors())")
            #expect(waitpid(-1, nil, WNOHANG) == -1 && errno == ECHILD)
        }
    }

    @Test func noMoreThanAllowedRunAtOnce() async {
        let scene = Scene(maxRunning: 2)
        defer { scene.close() }
        await withTaskGroup(of: Void.self) { group in
            for number in 0..<8 {
                group.addTask {
                    let script = "echo + >> count; sleep 0.1; echo - >> count"
                    #expect(await scene.run(scene.shell(script, id: "n\(number)")).succeeded)
                }
            }
        }
        var running = 0
        var most = 0
        for line in scene.lines("count") {
            running += line == "+" ? 1 : -1
            most = max(most, running)
        }
        #expect(most == 2 && running == 0)
    }

    @Test func everyExecutorKeepsThePromises() async {
        let images = [ExecutorSuite.image: ImageCommand(command: ExecutorSuite.Command.prints)]
        let scene = Scene(images: images)
        defer { scene.close() }
        #expect(await ExecutorSuite(scene.executor, folder: scene.folder).problems() == [])

        let second = Scene()
        defer { second.close() }
        let model = ModelExecutor(images: [ExecutorSuite.image: ExecutorSuite.Command.prints])
        model.script(ExecutorSuite.Command.fails, .init(.exited(3)))
        model.script(ExecutorSuite.Command.dies, .init(.signalled(9)))
        model.script(ExecutorSuite.Command.prints, .init(output: "0123456789\n"))
        model.script(ExecutorSuite.Command.lasts, .init(length: .held))
        model.script(ExecutorSuite.Command.missing, .init(.couldNotStart("it does not exist")))
        #expect(await ExecutorSuite(model, folder: second.folder).problems() == [])
        #expect(model.violations == [] && model.running == [] && model.reclaimed == ["suite-unknown"])
    }

    @Test(arguments: [
        ("known", [], ["x"], ["/bin/run", "-f", "x"]), ("open", ["own"], ["x"], ["own", "x"]),
        ("open", [], [], ["/bin/any"]),
    ])
    func imagesStandForCommands(_ image: String, _ command: [String], _ arguments: [String], _ words: [String]) throws {
        let executor = Self.imageScene(anyImage: false)
        #expect(try executor.command(of: Self.work(image, command, arguments)) == words)
    }

    @Test(arguments: [
        ("known", ["own"], false, "any_command"), ("other", ["own"], false, "list it under executors.process.images"),
        ("other", [], false, "image other is not known"), ("other", [], true, "no command of its own"),
    ])
    func otherImagesAreRefused(_ image: String, _ command: [String], _ anyImage: Bool, _ words: String) {
        let error = #expect(throws: ActorError.self) {
            try Self.imageScene(anyImage: anyImage).admit(Self.work(image, command, []))
        }
        #expect(error?.code == .invalidInput && error?.message.contains(words) == true)
    }

    @Test func anyImageRunsItsContainersCommand() throws {
        let words = try Self.imageScene(anyImage: true).command(of: Self.work("x/y:z", ["a"], ["b"]))
        #expect(words == ["a", "b"])
    }

    private static func work(_ image: String, _ command: [String], _ arguments: [String]) -> Work {
        var work = Work(
            id: "image", command: command, environment: [], workingDirectory: "/", logFile: "/dev/null",
            maxLogBytes: 0, timeoutMilliseconds: nil)
        work.image = image
        work.arguments = arguments
        return work
    }

    private static func imageScene(anyImage: Bool) -> ProcessExecutor {
        let images = [
            "known": ImageCommand(command: ["/bin/run", "-f"]),
            "open": ImageCommand(command: ["/bin/any"], anyCommand: true),
        ]
        return Scene.executor(images: images, anyImage: anyImage)
    }
}
