import ActorCore
import ActorTesting
import FoundationEssentials
import Glibc
import Testing

@testable import ActorExecutors

/// What is submitted to Slurm and what is made of its answers, without one.
struct SlurmTests {
    private let scene = Scene()

    private static func order(
        _ folder: String, _ steps: [JobOrder.Step], deadlineSeconds: Int? = nil, options: [String: String] = [:]
    ) -> JobOrder {
        let job = JobID("107acb37-3a5c-57b3-a0ff-a07b67e85ca2")
        let run = EngineRun(
            job: job, attempt: 1, name: EngineRun.name("beats", job: job, attempt: 1), logs: "\(folder)/logs")
        return JobOrder(
            run: run, steps: steps, environment: [],
            folders: RunFolders(work: "\(folder)/work", output: "\(folder)/output", logs: "\(folder)/logs"),
            deadlineSeconds: deadlineSeconds, options: options)
    }

    private static func step(
        _ phase: JobPhase, _ name: String, _ command: [String], _ environment: [(String, String)] = [],
        _ resources: JobResources = JobResources()
    ) -> JobOrder.Step {
        JobOrder.Step(
            phase: phase, name: name, slug: phase.slug(name, attempt: 1), image: "i", command: command, args: [],
            environment: environment.map { EnvironmentEntry($0.0, $0.1) }, resources: resources)
    }

    private static func script(_ order: JobOrder, _ settings: SlurmEngineSettings = .init()) -> SlurmScript {
        SlurmScript(order: order, settings: settings, resolve: { _, command, arguments in command + arguments })
    }

    /// Runs the script as a node would.
    private func run(_ order: JobOrder, job: Int = 7) async throws -> ShortCommand.Answer {
        let folder = SlurmScript.folder(of: order.run)
        for path in [order.folders.work, order.folders.logs, folder] { mkdir(path, 0o700) }
        #expect(SmallFile.write(Array(try Self.script(order).text().utf8), to: "\(folder)/script"))
        return try await ShortCommand().run(
            "env", ["SLURM_JOB_ID=\(job)", "/bin/sh", "\(folder)/script"])
    }

    private func text(_ path: String) -> String {
        String(decoding: SmallFile.read("\(scene.folder)/\(path)") ?? [], as: UTF8.self)
    }

    @Test func stepsRunInOrderAndNoteTheirEnds() async throws {
        defer { scene.close() }
        let order = Self.order(
            scene.folder,
            [
                Self.step(.initial, "a", ["/bin/sh", "-c", "echo one; echo made > made"]),
                Self.step(.initial, "b", ["/bin/cat", "made"]), Self.step(.main, "c", ["/bin/sh", "-c", "exit 4"]),
                Self.step(.main, "d", ["/bin/echo", "side by side"]),
            ])
        #expect(try await run(order).status == 4)
        #expect(text("logs/init-a.log") == "one\n" && text("logs/init-b.log") == "made\n")
        #expect(text("logs/main-d.log") == "side by side\n")
        let note = try #require(SlurmStepNote(text("logs/.slurm-1/2.main-c.step")))
        #expect(note.phase == .main && note.name == "c" && note.code == 4 && note.ended != nil)
        #expect(text("logs/.slurm-1/end").hasPrefix("4 "))
    }

    @Test func aFailedInitStepEndsTheJob() async throws {
        defer { scene.close() }
        let order = Self.order(
            scene.folder, [Self.step(.initial, "a", ["/bin/false"]), Self.step(.main, "b", ["/bin/true"])])
        #expect(try await run(order).status == 1)
        #expect(text("logs/.slurm-1/1.main-b.step").isEmpty)
    }

    /// A job file is data: nothing in it is read by the shell.
    @Test(arguments: [
        "$(touch HACKED)", "`touch HACKED`", "'; touch HACKED; '", "\"; touch HACKED; \"", "a\nb\ttouch HACKED",
        "$HOME",
        "\\", "*", "it's", "''", "", "-n", "💡 ü",
    ])
    func nothingIsReadByTheShell(value: String) async throws {
        defer { scene.close() }
        let order = Self.order(
            scene.folder,
            [
                Self.step(
                    .main, "a", ["/bin/sh", "-c", "printf '%s|%s' \"$1\" \"$VALUE\"", "sh", value], [("VALUE", value)])
            ])
        #expect(try await run(order).status == 0)
        #expect(text("logs/main-a.log") == "\(value)|\(value)")
        #expect(SmallFile.read("\(scene.folder)/work/HACKED") == nil)
    }

    @Test func namesThatNoShellTakesAreRefused() {
        let order = Self.order("/d", [Self.step(.main, "a", ["x"], [("A B", "1")])])
        #expect(throws: EngineFailure(.unacceptable, "main/a: A B cannot be a variable of a shell")) {
            try Self.script(order).text()
        }
    }

    @Test func aSecondSubmissionOfTheSameAttemptRunsNothing() async throws {
        defer { scene.close() }
        let order = Self.order(scene.folder, [Self.step(.main, "a", ["/bin/echo", "ran"])])
        #expect(try await run(order, job: 7).status == 0)
        #expect(try await run(order, job: 8).output == "this attempt runs as job 7 already\n")
        #expect(text("logs/main-a.log") == "ran\n")
        // Requeued by Slurm: the same number.
        #expect(try await run(order, job: 7).status == 0)
        #expect(text("logs/main-a.log") == "ran\nran\n")
    }

    @Test func whatSbatchIsAskedFor() {
        let order = Self.order(
            "/d",
            [
                Self.step(.initial, "a", ["x"], [], JobResources(cpuMillis: 100, memoryBytes: 8 << 30)),
                Self.step(.main, "b", ["x"], [], JobResources(cpuMillis: 1500, memoryBytes: 1 << 30, gpus: 1)),
                Self.step(.main, "c", ["x"], [], JobResources(cpuMillis: 1000, memoryBytes: 1 << 20)),
            ], deadlineSeconds: 61, options: ["partition": "gpu"])
        let words = Self.script(order, .init(partition: "main", account: "lab", options: ["--nice"])).arguments()
        for word in [
            "--parsable", "--job-name=beats-a07b67e85ca2-1", "--cpus-per-task=3", "--mem=8192M", "--gres=gpu:1",
            "--time=2", "--partition=gpu", "--account=lab", "--nice",
        ] {
            #expect(words.contains(word), "\(word)")
        }
        #expect(words.last == "/d/logs/.slurm-1/script")
    }

    // MARK: Answers

    /// The notes of steps are files of the job's own: no number in them ends the daemon.
    @Test func absurdTimesOfStepsAreTaken() throws {
        let note = try #require(SlurmStepNote("main a 0 ended \(Int64.min) 3 \(Int64.max)"))
        let seen = try #require(SlurmReports.observation([], steps: [note], end: 0))
        #expect(seen.steps.first?.milliseconds == Int64.max)
    }

    private static let done = [SlurmStepNote("main a 0 ended 100 3 105")].compactMap { $0 }

    @Test(arguments: [
        ("PENDING|Resources", "pending Resources"), ("PENDING|BeginTime", "pending BeginTime"),
        ("CONFIGURING|None", "pending configuring"), ("RUNNING|None", "running"), ("COMPLETING|None", "running"),
        ("SUSPENDED|None", "running suspended"), ("COMPLETED|None", "succeeded"),
        ("FAILED|NonZeroExitCode", "failed 3"), ("TIMEOUT|TimeLimit", "timed_out"),
        ("OUT_OF_MEMORY|OutOfMemory", "out_of_memory 3"), ("NODE_FAIL|None", "node_failed"),
        ("PREEMPTED|None", "preempted"), ("CANCELLED|None", "cancelled"), ("BOOT_FAIL|None", "node_failed"),
        ("DEADLINE|None", "timed_out"), ("SOMETHING_NEW|None", "failed"),
    ])
    func statesOfTheQueue(line: String, expected: String) throws {
        let parts = line.split(separator: "|")
        let row = try #require(SlurmRow(queue: "12|\(parts[0])|\(parts[1])|n1|name"))
        let seen = try #require(SlurmReports.observation([row], steps: Self.done, end: nil))
        let shown: String
        switch seen.phase {
        case .pending: shown = "pending \(seen.reason ?? "")"
        case .running: shown = seen.reason.map { "running \($0)" } ?? "running"
        case .ended(let end): shown = end.kind.rawValue + (end.exitCode.map { $0 == 0 ? "" : " \($0)" } ?? "")
        }
        #expect(shown == expected)
        #expect(seen.node == "n1")
    }

    @Test func whatAccountingSays() throws {
        let killed = try #require(SlurmRow(accounting: "12_3|n|CANCELLED by 0|0:15|None assigned|None"))
        #expect(killed.id == "12" && killed.state == "CANCELLED" && killed.node == nil)
        let row = try #require(SlurmRow(accounting: "12|n|FAILED|0:9|n1|None"))
        let seen = SlurmReports.observation([row], steps: [], end: nil)
        #expect(seen?.phase == .ended(EngineEnd(.failed, exitCode: 137, signal: 9)))
        // Nobody knows it but what it noted itself.
        #expect(SlurmReports.observation([], steps: Self.done, end: 3)?.phase == .ended(.exited(3)))
        #expect(SlurmReports.observation([], steps: [], end: nil) == nil)
    }

    @Test func anArrayEndsWhenAllOfItHasEnded() throws {
        func rows(_ states: String...) throws -> [SlurmRow] {
            try states.map { try #require(SlurmRow(queue: "12|\($0)|None|n1|name")) }
        }
        #expect(SlurmReports.observation(try rows("COMPLETED", "PENDING"), steps: [], end: nil)?.phase == .pending)
        #expect(SlurmReports.observation(try rows("PENDING", "RUNNING"), steps: [], end: nil)?.phase == .running)
        let mixed = SlurmReports.observation(try rows("COMPLETED", "NODE_FAIL"), steps: [], end: nil)
        #expect(mixed?.phase == .ended(EngineEnd(.nodeFailed, message: "n1")))
    }

    @Test(arguments: [
        (
            "sbatch: error: Batch job submission failed: Unable to contact slurm controller (connect failure)",
            "unreachable"
        ),
        ("slurm_load_jobs error: Socket timed out on send/recv operation", "unreachable"),
        ("sbatch: error: invalid partition specified: x", "refused"),
        ("sbatch: error: Batch job submission failed: Requested node configuration is not available", "unacceptable"),
        (
            "sbatch: error: Batch job submission failed: Job violates accounting/QOS policy (job submit limit, …)",
            "quota"
        ),
    ])
    func failuresOfItsPrograms(text: String, kind: String) {
        #expect(SlurmReports.failure("sbatch", text).kind.rawValue == kind)
    }

    @Test func aMachineWithoutSlurmSaysWhatToInstall() async {
        let engine = SlurmEngine(settings: .init(binaries: "/nowhere"), resolve: { _, command, _ in command })
        let failure = await #expect(throws: EngineFailure.self) { _ = try await engine.look([]) }
        #expect(failure?.kind == .unreachable && failure?.message.contains("executors.slurm.binaries") == true)
    }
}

/// The port's promises against a real cluster of one node, which this test starts and ends: `make engines`.
@Suite(.serialized, .enabled(if: SlurmCluster.obstacle == nil, Comment(rawValue: SlurmCluster.obstacle ?? "")))
struct SlurmClusterTests {
    @Test(.timeLimit(.minutes(5))) func aRealClusterKeepsThePort() async throws {
        let cluster = try await SlurmCluster.start()
        do {
            let found = try await JobEngineSuite(
                cluster.engine, folders: cluster.folders, image: "i", salt: "\(getpid())", patience: 300
            ).problems()
            #expect(found.isEmpty)
            try await memoryAndTime(cluster)
            try await refusals(cluster)
        } catch {
            Issue.record(error)
        }
        await cluster.end()
    }

    private func memoryAndTime(_ cluster: SlurmCluster) async throws {
        let hungry = JobOrder.Step(
            phase: .main, name: "hungry", slug: "main-hungry", image: "i",
            command: ["python3", "-c", "x = bytearray(400 << 20); print(len(x))"], args: [],
            environment: [EnvironmentEntry("PATH", Launch.defaultPath)],
            resources: JobResources(memoryBytes: 60 << 20))
        let seen = try await cluster.end(of: hungry, title: "hungry")
        #expect(seen.isOutOfMemory, "\(String(describing: seen))")
    }

    private func refusals(_ cluster: SlurmCluster) async throws {
        let step = JobOrder.Step(
            phase: .main, name: "a", slug: "main-a", image: "i", command: ["/bin/true"], args: [], environment: [])
        var order = cluster.order(step, title: "nowhere")
        order.options = ["partition": "nowhere"]
        let failure = await #expect(throws: EngineFailure.self) { _ = try await cluster.engine.submit(order) }
        #expect(failure?.kind == .refused)
        order = cluster.order(step, title: "huge")
        order.steps[0].resources.memoryBytes = 1 << 50
        let huge = await #expect(throws: EngineFailure.self) { _ = try await cluster.engine.submit(order) }
        #expect(huge?.kind == .unacceptable)
        // A closed partition: it waits, and says for what.
        order = cluster.order(step, title: "closed")
        order.options = ["partition": "closed"]
        var run = order.run
        run.id = try await cluster.engine.submit(order)
        let seen = try await cluster.engine.look([run])[run.job]
        #expect(seen?.phase == .pending && seen?.reason?.isEmpty == false)
        try await cluster.engine.cancel(run, graceSeconds: 1)
    }
}

extension EngineObservation? {
    fileprivate var isOutOfMemory: Bool {
        if case .ended(let end) = self?.phase { end.kind == .outOfMemory } else { false }
    }
}

/// A Slurm of one node, by `scripts/engines/slurm`.
struct SlurmCluster {
    private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().path
    private static let script = "\(root)/scripts/engines/slurm"

    /// Why there is none; nil when there can be one.
    static let obstacle: String? = {
        guard ProcessInfo.processInfo.environment["REACTORD_ENGINES"] != nil else {
            return "a real Slurm is started by `make engines` only (after scripts/setup --engines)"
        }
        for program in ["/usr/sbin/slurmctld", "/usr/sbin/slurmd", "/usr/sbin/slurmdbd", "/usr/sbin/mariadbd"] {
            if access(program, X_OK) != 0 { return "\(program) is not there: scripts/setup --engines" }
        }
        return geteuid() == 0 ? nil : "Slurm's daemons are started as root"
    }()

    let folder: String
    let engine: SlurmEngine
    let folders: RunFolders

    static func start() async throws -> SlurmCluster {
        let folder = "\(FileManager.default.temporaryDirectory.path)/slurm-\(getpid())"
        let answer = try await ShortCommand(timeout: .seconds(120)).run(script, ["up", folder])
        try #require(answer.status == 0, "\(answer.errors)")
        setenv("SLURM_CONF", "\(folder)/conf/slurm.conf", 1)
        let runs = "\(folder)/runs"
        for path in [runs, "\(runs)/work", "\(runs)/output", "\(runs)/logs"] { mkdir(path, 0o755) }
        return SlurmCluster(
            folder: folder,
            engine: SlurmEngine(settings: .init(), resolve: { _, command, arguments in command + arguments }),
            folders: RunFolders(work: "\(runs)/work", output: "\(runs)/output", logs: "\(runs)/logs"))
    }

    func order(_ step: JobOrder.Step, title: String) -> JobOrder {
        let job = JobID("107acb37-3a5c-57b3-a0ff-00000000\(title.utf8.count)0ff")
        let run = EngineRun(
            job: job, attempt: 1, name: EngineRun.name("\(title)-\(getpid())", job: job, attempt: 1),
            logs: "\(folders.logs)/\(title)")
        mkdir(run.logs, 0o755)
        return JobOrder(run: run, steps: [step], environment: [], folders: folders)
    }

    func end(of step: JobOrder.Step, title: String) async throws -> EngineObservation? {
        let order = order(step, title: title)
        var run = order.run
        run.id = try await engine.submit(order)
        for _ in 0..<300 {
            if let seen = try await engine.look([run])[run.job], case .ended = seen.phase { return seen }
            try await engine.pause(milliseconds: 200)
        }
        return nil
    }

    func end() async {
        _ = try? await ShortCommand(timeout: .seconds(120)).run(Self.script, ["down", folder])
        try? FileManager.default.removeItem(atPath: folder)
    }
}
