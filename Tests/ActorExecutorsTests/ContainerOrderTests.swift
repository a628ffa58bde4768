import ActorCore
import ActorTesting
import Logging
import Testing

@testable import ActorExecutors

/// What an engine is asked for, what it answers, and who may have what: without an engine.
struct ContainerOrderTests {
    private func work(_ adjust: (inout Work) -> Void = { _ in }) -> Work {
        var work = Work(
            id: "e-1", command: [], environment: [EnvironmentEntry("A", "1"), EnvironmentEntry("A", "2")],
            workingDirectory: "/w", logFile: "/w/log", maxLogBytes: 100, timeoutMilliseconds: nil)
        work.image = "org/tool:1"
        adjust(&work)
        return work
    }

    private func order(_ adjust: (inout ContainerExecutorSettings) -> Void = { _ in }) -> ContainerOrder {
        var settings = ContainerExecutorSettings(socket: "/s", instance: "abc")
        adjust(&settings)
        return ContainerOrder(settings: settings)
    }

    @Test func whatIsAskedFor() throws {
        let order = order {
            $0.runtime = "runsc"
            $0.ulimits = ["nofile": 64]
            $0.pythonPath = "/house/python"
        }
        let body = order.body(
            work {
                $0.folders = [WorkMount(host: "/w", inside: "/w", isReadOnly: false)]
                $0.mounts = [WorkMount(host: "/etc", inside: "/w", isReadOnly: false)]
                $0.memoryBytes = 1_000_000
                $0.cpuMillis = 500
                $0.labels = [EnvironmentEntry("job", "107")]
            }, logOffset: 7)
        #expect(order.name("e-1") == "reactord-abc-e-1")
        #expect(body["Env"] == ["A=2", "PYTHONPATH=/opt/reactord/python"])
        #expect(body["NetworkDisabled"] == true && body["Entrypoint"] == nil && body["Cmd"] == nil)
        #expect(body["Labels"]?["reactord.work"] == "e-1" && body["Labels"]?["reactord.job"] == "107")
        #expect(body["Labels"]?["reactord.log-offset"] == "7")
        let host = try #require(body["HostConfig"])
        #expect(host["NetworkMode"] == "none" && host["CapDrop"] == ["ALL"] && host["Privileged"] == false)
        #expect(host["SecurityOpt"] == ["no-new-privileges"] && host["Runtime"] == "runsc")
        #expect(host["Memory"]?.int == 1_000_000 && host["MemorySwap"]?.int == 1_000_000)
        #expect(host["NanoCpus"]?.int == 500_000_000)
        #expect(host["Ulimits"] == [["Name": "nofile", "Soft": 64, "Hard": 64]])
        // A place inside belongs to the first that claims it: a job cannot cover the house's own folders.
        let targets = host["Mounts"]?.array?.compactMap { $0["Source"]?.string }
        #expect(targets == ["/w", "/house/python"])
        let own = order.body(work { $0.arguments = ["x"] }, logOffset: 0)
        #expect(own["Entrypoint"] == nil && own["Cmd"] == ["x"])
        let replaced = order.body(work { $0.command = ["sh"] }, logOffset: 0)
        #expect(replaced["Entrypoint"] == ["sh"] && replaced["Cmd"] == [])
    }

    @Test(arguments: [
        ("", "needs an image"), ("-rm", "not the name"), ("a b", "not the name"), ("a/../../x?y", "not the name"),
        ("evil/tool:1", "allow_images"), ("org/tool:1", nil), ("org/", nil),
    ])
    func images(_ image: String, _ refusal: String?) {
        let order = order { $0.images = ["org/*"] }
        check(order, work { $0.image = image }, refusal)
    }

    @Test(arguments: [
        ("/data/ref", true, nil), ("/data/ref/a", true, nil), ("/data/ref", false, "for reading only"),
        ("/data/refs", true, "may not be mounted"), ("/data/ref/../../etc", true, "without .."),
        ("data/ref", true, "absolute path"), ("/scratch/x", false, nil), ("/", true, "may not be mounted"),
    ])
    func mounts(_ path: String, _ isReadOnly: Bool, _ refusal: String?) {
        let order = order {
            $0.mounts = [.init(path: "/data/ref", isWritable: false), .init(path: "/scratch", isWritable: true)]
        }
        check(order, work { $0.mounts = [WorkMount(host: path, inside: "/in", isReadOnly: isReadOnly)] }, refusal)
    }

    @Test(arguments: [(nil, nil), ("none", nil), ("bridge", nil), ("host", "allow_networks")])
    func networks(_ network: String?, _ refusal: String?) {
        check(order { $0.networks = ["bridge"] }, work { $0.network = network }, refusal)
    }

    private func check(_ order: ContainerOrder, _ work: Work, _ refusal: String?) {
        do throws(ActorError) {
            try order.check(work)
            #expect(refusal == nil)
        } catch {
            #expect(refusal != nil && error.message.contains(refusal ?? ""), "\(error)")
        }
    }

    private func state(
        _ status: String, code: Int = 0, oom: Bool = false, memory: Int = 0, error: String = "",
        started: String = "2026-11-21T12:00:00.5Z", finished: String = "2026-11-21T12:00:03.123456789Z"
    ) throws -> ContainerState {
        let json: JSONValue = [
            "State": [
                "Status": .string(status), "ExitCode": JSONValue(code), "OOMKilled": .bool(oom),
                "Error": .string(error), "StartedAt": .string(started), "FinishedAt": .string(finished),
            ], "HostConfig": ["Memory": JSONValue(memory)],
            "Config": ["Labels": ["reactord.work": "e-1", "reactord.log-offset": "12"]],
        ]
        return try #require(ContainerState(json: json))
    }

    @Test func howItEnded() throws {
        #expect(try state("running").phase == .running && state("paused").phase == .running)
        #expect(try state("created", started: "0001-01-01T00:00:00Z").phase == .created)
        let plain = try state("exited", code: 3)
        #expect(plain.end(limit: 60000, tellsMemory: true) == .exited(3) && plain.milliseconds == 2623)
        #expect(plain.logOffset == 12 && plain.workID == "e-1")
        #expect(try state("exited", code: 137).end(limit: nil, tellsMemory: true) == .signalled(9))
        #expect(try state("exited", code: 137, oom: true).end(limit: nil, tellsMemory: true) == .outOfMemory)
        // Podman does not say: killed under a limit is taken for it, killed without one is not.
        #expect(try state("exited", code: 137, memory: 9).end(limit: nil, tellsMemory: false) == .outOfMemory)
        #expect(try state("exited", code: 137).end(limit: nil, tellsMemory: false) == .signalled(9))
        #expect(try state("exited", code: 143).end(limit: 2000, tellsMemory: true) == .timedOut)
        #expect(try state("exited", code: 143).end(limit: 9000, tellsMemory: true) == .signalled(15))
        let lost = try state("created", code: 127, error: "exec: \"/no\": executable file not found", started: "")
        guard case .couldNotStart(let why) = lost.end(limit: nil, tellsMemory: true) else {
            Issue.record("\(lost)")
            return
        }
        #expect(why.contains("/no"))
        #expect(ContainerState(json: [:]) == nil)
    }

    @Test func framesAreTakenApartWhereverTheyAreCut() {
        var bytes: [UInt8] = []
        var expected: [UInt8] = []
        for (number, length) in [3, 0, 300, 1, 70000].enumerated() {
            let payload = [UInt8](repeating: UInt8(number + 65), count: length)
            bytes += [UInt8(1 + number % 2), 0, 0, 0]
            bytes += [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: length >> $0) } + payload
            expected += payload
        }
        var generator = SeededGenerator(seed: 7)
        for _ in 0..<50 {
            var frames = LogFrames()
            var output: [UInt8] = []
            var rest = bytes[...]
            while !rest.isEmpty {
                let piece = rest.prefix(Int.random(in: 1...4000, using: &generator))
                output += frames.take(Array(piece))
                rest = rest.dropFirst(piece.count)
            }
            #expect(output == expected)
        }
    }

    @Test(arguments: [
        ("tool", "tool", "latest"), ("host:5000/org/tool", "host:5000/org/tool", "latest"),
        ("host:5000/tool:2", "host:5000/tool", "2"), ("org/tool@sha256:ab", "org/tool", "sha256:ab"),
    ])
    func anImageWithoutATagIsTheLatestNotAllOfThem(_ image: String, _ name: String, _ tag: String) {
        let parts = EngineAPI.parts(of: image)
        #expect(parts.name == name && parts.tag == tag)
    }

    /// An engine that is away is no failure of the work, and says so.
    @Test func anEngineThatDoesNotAnswerIsNoFailureOfTheWork() async {
        let client = ScriptedHTTP { _ in .failure(ActorError(.unavailable, "connection refused")) }
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let executor = ContainerExecutor(
            settings: ContainerExecutorSettings(socket: "/s", instance: "a"), client: client, clock: ManualClock(),
            logger: logger)
        guard case .engineFailed(let why) = await executor.run(work()).end else {
            Issue.record("an engine that is away was taken for something else")
            return
        }
        #expect(why.contains("executors.container.socket"))
        #expect(await executor.kept() == [])
    }

    @Test func whichExecutorRunsWhat() {
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let process = Scene.executor(images: ["org/local:1": ImageCommand(command: ["/bin/true"])], anyImage: false)
        let container = ContainerExecutor(
            settings: ContainerExecutorSettings(socket: "/s", instance: "a"),
            client: ScriptedHTTP { _ in .status(500) },
            clock: ManualClock(), logger: logger)
        let both = StepExecutors(process: process, container: container)
        let alone = StepExecutors(process: process, container: nil)
        func refusal(_ executors: StepExecutors, _ image: String?, _ name: String? = nil) -> String? {
            do throws(ActorError) {
                try executors.admit(
                    work {
                        $0.image = image
                        $0.executor = name
                    })
                return nil
            } catch {
                return error.message
            }
        }
        #expect(refusal(both, "org/tool:1") == nil && refusal(both, "org/local:1") == nil)
        #expect(refusal(both, nil) == nil && refusal(alone, nil) == nil && refusal(alone, "org/local:1") == nil)
        #expect(refusal(alone, "org/tool:1")?.contains("executors.container.socket") == true)
        #expect(refusal(alone, "org/tool:1")?.contains("executors.process.images") == true)
        #expect(refusal(alone, "org/tool:1", "container")?.contains("no container engine is configured") == true)
        #expect(refusal(both, "org/tool:1", "process")?.contains("executors.process.images") == true)
        #expect(refusal(both, nil, "slurm")?.contains("runs no single commands") == true)
    }
}
