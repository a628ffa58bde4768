import ActorCore
import ActorTesting
import Reactors
import Synchronization
import Testing

/// One job, from the message to the archive; failures, crashes, cancellation.
@Suite(.timeLimit(.minutes(1))) struct JobRunnerReactorTests {
    private let world = TestWorld()
    private let files = ModelLabFiles()
    private let executor = ModelExecutor(images: ["local/sh": ["sh"]])

    private static let maker = ActorID("e5QKEW8L0BeZ4")

    private func container(_ name: String, image: String = "local/sh") -> JobSpec.Container {
        JobSpec.Container(name: name, image: image, args: [name])
    }

    private func spec(_ backoffLimit: Int = 0) -> JobSpec {
        JobSpec(
            initContainers: [container("check")], containers: [container("detect")], backoffLimit: backoffLimit)
    }

    /// Makes the job's record and the message that has it run.
    private func order(_ spec: JobSpec) throws -> JSONValue {
        let pipeline = PipelineRecord(
            uuid: PipelineID("106c46ff-8186-5756-a934-071f4497b58d"), name: "p", components: [],
            created: Timestamp(milliseconds: 0))
        let draft = JobDraft(
            pipeline: pipeline.uuid, generation: .second, data: ["upload": "u"], session: "s", actor: Self.maker,
            execution: nil, owner: "owner", tenant: "TEST")
        let record = draft.record(
            pepper: "p", randomHex: String(repeating: "0", count: 32), now: Timestamp(milliseconds: 0))
        world.change {
            $0.pipelines[pipeline.uuid] = pipeline
            $0.jobs[record.uuid] = record
        }
        return JobRunMessage(
            job: record.uuid, path: record.path, callback: "http://127.0.0.1/m?x-nonce=n&uuid=\(record.uuid)",
            name: "beats", upload: .init(name: "2026-11-21-e-x", folder: "/uploads/x", number: 1), spec: spec,
            file: "ephys/beats.yaml"
        ).json
    }

    private func deliver(
        _ order: JSONValue, attempts: Int = 0, sender: String = "actor:e5QKEW8L0BeZ4",
        _ adjust: (inout TestContext.Setup) -> Void = { _ in }
    ) async throws {
        var setup = TestContext.Setup()
        let executor = executor
        setup.run = { await executor.run($0) }
        adjust(&setup)
        let reactor = JobRunnerReactor(
            tools: ReactorTools(
                files: files, archive: MemoryLab(), documents: JSONDocuments(), executor: executor, limits: Limits(),
                home: "/house"))
        try await world.deliver(envelope(order, sender: sender, attempts: attempts), to: reactor, as: setup)
    }

    /// What the job was told, as `status=RUNNING` or `update:init/check`.
    private var told: [String] {
        world.read { contents in
            contents.calls.map { call in
                let verb = call.url.split(separator: "&").last.map(String.init) ?? ""
                guard verb == "event=update" else { return verb }
                return "update:\(call.body["step"]?.string ?? "restarted")"
            }
        }
    }

    private var commands: [String] { executor.works.compactMap(\.command.last) }

    @Test func aJobThatSucceeds() async throws {
        try await deliver(try order(spec()))
        #expect(commands == ["check", "detect"])
        #expect(told == ["status=RUNNING", "update:init/check", "update:main/detect", "status=FINISHED"])
        let last = try #require(world.read { $0.calls.last })
        #expect(last.body.at("files") == [["path": "beats.csv", "bytes": 12, "sha256": "ab"]])
        #expect(last.body.at("archive_path").string?.hasPrefix("/products/v2/") == true)
        #expect(Set(world.read { $0.calls.map(\.order) }).count == 1)
        #expect(files.read { $0.published.count } == 1)
        #expect(world.read { $0.replies[ExecutionID("execution")]?["status"] } == "FINISHED")
        #expect(executor.violations.isEmpty)
    }

    @Test func whatAStepIsGiven() async throws {
        let step = JobSpec.Container(
            name: "detect", image: "local/sh", command: ["python3"],
            args: ["$(REACTORD_HOME)/x.py", "$(UUID)", "$UUID"],
            env: [EnvironmentEntry("RESULT", "$(REACTORD_OUTPUT)/r")])
        try await deliver(try order(JobSpec(containers: [step])))
        let work = try #require(executor.works.first)
        #expect(work.id == "execution-main-detect")
        #expect(work.command == ["python3", "/house/x.py", "2026-11-21-e-x", "$UUID"])
        #expect(work.workingDirectory == "/runs/execution/work")
        #expect(work.logFile == "/runs/execution/logs/main-detect.log")
        let table = JobVariables.table(work.environment)
        #expect(table["REACTORD_INPUT"] == "/uploads/x" && table["HOME"] == "/runs/execution/work")
        #expect(table["RESULT"] == "/runs/execution/output/r" && table["UUID"] == "2026-11-21-e-x")
        #expect(table["REACTORD_JOB_UUID"]?.hasPrefix("107") == true)
        #expect(work.timeoutMilliseconds == nil)
    }

    @Test(arguments: [WorkResult.End.exited(3), .signalled(9), .couldNotStart("no such program")])
    func aFailedInitContainerEndsTheJob(end: WorkResult.End) async throws {
        executor.script(["sh", "check"], .init(end))
        let reason = try #require(
            WorkResult(end: end, logBytes: 0, logTruncated: false, milliseconds: 0).reason)
        let failure = await #expect(throws: ReactorFailure.self) { try await deliver(try order(spec())) }
        #expect(failure?.kind == .refused)
        #expect(failure?.message == "step init/check \(reason)")
        #expect(commands == ["check"])
        #expect(told == ["status=RUNNING", "update:init/check", "status=FAILED"])
        let body = try #require(world.read { $0.calls.last?.body })
        #expect(body.at("step") == "init/check" && body.at("reason").string == reason)
        #expect(body.at("log_tail") == "the last words")
        #expect(world.read { $0.replies[ExecutionID("execution")]?["status"] } == "FAILED")
        #expect(files.read { $0.published.isEmpty })
    }

    @Test func anImageThatNoExecutorKnowsFailsTheJob() async throws {
        let spec = JobSpec(containers: [container("detect", image: "org/unknown:1")])
        await #expect(throws: ReactorFailure.self) { try await deliver(try order(spec)) }
        #expect(told.last == "status=FAILED")
        #expect(world.read { $0.calls.last?.body["reason"]?.string?.contains("org/unknown:1") } == true)
    }

    @Test func anArchiveThatCannotBeWrittenFailsTheJob() async throws {
        files.change { $0.publishError = ActorError(.storageFull, "the disk is full") }
        let failure = await #expect(throws: ReactorFailure.self) { try await deliver(try order(spec())) }
        #expect(failure?.message == "step publish the disk is full")
        #expect(told.last == "status=FAILED")
    }

    @Test func aTryThatFailsIsRepeatedWithEmptyFolders() async throws {
        executor.script(["sh", "detect"], .init(.exited(1)), .init(.exited(0)))
        try await deliver(try order(spec(1)))
        #expect(commands == ["check", "detect", "check", "detect"])
        #expect(
            executor.works.map(\.id) == [
                "execution-init-check", "execution-main-detect", "execution-init-check-2", "execution-main-detect-2",
            ])
        #expect(files.read { $0.prepared } == ["fresh", "again", "fresh", "again"])
        #expect(told.last == "status=FINISHED")
    }

    @Test func theDeadlineIsThatOfTheWholeJob() async throws {
        let limited = JobSpec(
            initContainers: [container("check"), container("convert")], containers: [container("detect")],
            activeDeadlineSeconds: 60, backoffLimit: 3)
        let world = world
        let executor = executor
        let failure = await #expect(throws: ReactorFailure.self) {
            try await deliver(try order(limited)) {
                $0.run = { work in
                    world.change { $0.now = $0.now.adding(milliseconds: 45_000) }
                    return await executor.run(work)
                }
            }
        }
        // The third step finds no time left and is not started.
        #expect(executor.works.map(\.timeoutMilliseconds) == [60_000, 15_000])
        #expect(failure?.message == "step main/detect its time was up (activeDeadlineSeconds: 60)")
    }

    @Test func atTheDeadlineNothingIsTriedAgain() async throws {
        var limited = spec(3)
        limited.activeDeadlineSeconds = 60
        executor.script(["sh", "check"], .init(.timedOut))
        let failure = await #expect(throws: ReactorFailure.self) { try await deliver(try order(limited)) }
        #expect(failure?.message == "step init/check its time was up (activeDeadlineSeconds: 60)")
        #expect(commands == ["check"])
    }

    @Test func mainContainersRunAtTheSameTime() async throws {
        let meeting = Meeting(of: 2)
        let spec = JobSpec(containers: [container("a"), container("b")])
        try await deliver(try order(spec)) {
            $0.run = { _ in
                // Ends only when the other one has begun.
                await meeting.arrive()
                return WorkResult(end: .exited(0), logBytes: 0, logTruncated: false, milliseconds: 1)
            }
        }
        #expect(Set(told) == ["status=RUNNING", "update:main/a", "update:main/b", "status=FINISHED"])
    }

    // MARK: Crashes

    @Test func afterACrashFinishedStepsAreKept() async throws {
        let order = try order(spec())
        await #expect(throws: SimulatedCrash.self) {
            try await deliver(order) { $0.crash = .afterStep("init/check") }
        }
        try await deliver(order, attempts: 1)
        #expect(commands == ["check", "detect"])
        #expect(files.read { $0.prepared } == ["fresh", "again", "again"])
        #expect(executor.forgotten == ["execution-init-check", "execution-main-detect"])
        #expect(
            told == [
                "status=RUNNING", "update:restarted", "status=RUNNING", "update:main/detect", "status=FINISHED",
            ])
        let restart = try #require(world.read { $0.calls.first { $0.body["note"] != nil } })
        #expect(restart.body.at("attempt") == 2)
    }

    /// It ran when the daemon went down: the executor still has its result.
    @Test func theInterruptedStepIsTakenOver() async throws {
        let order = try order(spec())
        await #expect(throws: SimulatedCrash.self) {
            try await deliver(order) { $0.crash = .duringStep("main/detect") }
        }
        #expect(told == ["status=RUNNING", "update:init/check"])
        // As the catalogue is once the callbacks arrived.
        world.change { contents in for id in contents.jobs.keys { contents.jobs[id]?.status = .running } }
        try await deliver(order, attempts: 1)
        #expect(commands == ["check", "detect"])
        #expect(
            told == [
                "status=RUNNING", "update:init/check", "update:restarted", "update:main/detect", "status=FINISHED",
            ])
    }

    /// A daemon that drains gives the message back: the attempt does not count, the work is kept all the same.
    @Test func aReleasedMessageKeepsItsWorkToo() async throws {
        let order = try order(spec())
        executor.script(["sh", "detect"], .init(.cancelled), .init(.exited(0)))
        await #expect(throws: CancellationError.self) { try await deliver(order) }
        #expect(told == ["status=RUNNING", "update:init/check"])
        try await deliver(order)
        #expect(commands == ["check", "detect", "detect"])
        #expect(files.read { $0.prepared.filter { $0 == "fresh" } } == ["fresh"])
        #expect(told.last == "status=FINISHED")
    }

    @Test func aCrashBeforeTheAcknowledgementRunsNothingTwice() async throws {
        let order = try order(spec())
        // Commits: start, two steps, acknowledgement.
        await #expect(throws: (any Error).self) { try await deliver(order) { $0.crash = .beforeCommit(4) } }
        #expect(!told.contains("status=FINISHED"))
        try await deliver(order, attempts: 1)
        #expect(commands == ["check", "detect"])
        #expect(told.filter { $0 == "status=FINISHED" }.count == 1)
    }

    // MARK: Who may

    @Test(arguments: ["alice", "actor:N4xR1OKaQGVB", "inbox"])
    func onlyTheJobsMakerMayHaveItRun(sender: String) async throws {
        let failure = await #expect(throws: ReactorFailure.self) {
            try await deliver(try order(spec()), sender: sender)
        }
        #expect(failure?.kind == .refused)
        #expect(executor.works.isEmpty && told.isEmpty)
    }

    @Test func aJobThatEndedIsNotRunAgain() async throws {
        let order = try order(spec())
        world.change { contents in for id in contents.jobs.keys { contents.jobs[id]?.status = .failed } }
        await #expect(throws: ReactorFailure.self) { try await deliver(order) }
        #expect(executor.works.isEmpty && told.isEmpty)
    }

    @Test func anotherArchivePathIsRefused() async throws {
        var order = try order(spec())
        order = order.setting("job", order.at("job").setting("path", "/products/v2/elsewhere"))
        await #expect(throws: ReactorFailure.self) { try await deliver(order) }
        #expect(executor.works.isEmpty)
    }

    @Test(arguments: ["kind", "job", "upload", "spec"])
    func anIncompleteMessageIsRefused(field: String) throws {
        let whole = try order(spec())
        #expect(try JobRunMessage.decode(whole).json == whole)
        #expect(throws: ReactorFailure.self) { try JobRunMessage.decode(whole.removing(field)) }
    }
}

/// Lets nobody on before all are there.
private final class Meeting: Sendable {
    private let size: Int
    private let waiting = Mutex<[CheckedContinuation<Void, Never>]>([])

    init(of size: Int) { self.size = size }

    func arrive() async {
        await withCheckedContinuation { continuation in
            let all = waiting.withLock { waiting in
                waiting.append(continuation)
                return waiting.count == size ? waiting : []
            }
            for one in all { one.resume() }
        }
    }
}
