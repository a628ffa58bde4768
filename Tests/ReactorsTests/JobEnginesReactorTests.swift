import ActorCore
import ActorTesting
import Foundation
import Reactors
import Testing

/// One job at an engine, from the message to the archive; trouble, crashes at every step, withdrawal.
@Suite(.timeLimit(.minutes(1))) struct JobEnginesReactorTests {
    private let world = TestWorld()
    private let files = ModelLabFiles()
    private static let maker = ActorID("e5QKEW8L0BeZ4")

    private func spec(_ backoffLimit: Int = 0, main: [String] = ExecutorSuite.Command.succeeds) -> JobSpec {
        var spec = JobSpec(
            initContainers: [.init(name: "check", image: "i", command: ExecutorSuite.Command.succeeds)],
            containers: [.init(name: "detect", image: "i", command: main, args: ["$(UUID)"])],
            backoffLimit: backoffLimit)
        // The model's commands are told apart without their arguments.
        spec.containers[0].args = main == ExecutorSuite.Command.succeeds ? ["$(UUID)"] : []
        spec.executor = "model"
        return spec
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
        _ body: JSONValue, to engine: ModelJobEngine, execution: String, attempts: Int = 0, sender: String,
        crash: TestContext.CrashPoint? = nil
    ) async throws {
        var setup = TestContext.Setup()
        setup.crash = crash
        let rules = JobRules(standard: "model", policies: ["model": JobPolicy(), "process": JobPolicy()])
        let reactor = JobEnginesReactor(
            tools: ReactorTools(
                files: files, archive: MemoryLab(), documents: JSONDocuments(), executor: ModelExecutor(),
                engines: JobEngines([engine], rules: rules), limits: Limits(), home: "/house"))
        try await world.deliver(
            envelope(body, sender: sender, execution: execution, attempts: attempts), to: reactor, as: setup)
    }

    private var note: EngineJobNote? {
        world.read { $0.documents.first { $0.key.hasPrefix("engine-job/") }?.value }.flatMap(EngineJobNote.init(json:))
    }

    /// What the watch of the engine would do, until the job is over or nothing happens any more; `crash` says where the
    /// daemon dies in the how many-th message.
    private func watch(
        _ engine: ModelJobEngine, isWithdrawn: Bool = false, rounds: Int = 60,
        crash: (Int) -> TestContext.CrashPoint? = { _ in nil }
    ) async throws {
        var message = 0
        for _ in 0..<rounds {
            guard let note else { return }
            var sight: EngineWatchRules.Sight?
            if note.isFollowed {
                do throws(EngineFailure) {
                    sight = try await engine.look([note.run])[note.run.job].map { .observed($0) } ?? .absent
                } catch {
                    sight = .unreachable(error.message)
                }
            }
            let now = world.read { $0.now }
            for word in EngineWatchRules.words(of: note, sight: sight, isWithdrawn: isWithdrawn, now: now) {
                message += 1
                let execution = "seen-\(note.revision)"
                do {
                    try await deliver(
                        word.body, to: engine, execution: execution, sender: EngineWatchRules.sender,
                        crash: crash(message))
                } catch {
                    // Redelivered, as after every death of the daemon.
                    try await deliver(
                        word.body, to: engine, execution: execution, attempts: 1, sender: EngineWatchRules.sender)
                }
            }
            world.change { $0.now = $0.now.adding(milliseconds: 20_000) }
        }
    }

    /// What the job was told, as `status=RUNNING` or `update:init/check`.
    private var told: [String] {
        world.read { contents in
            contents.calls.map { call in
                let verb = call.url.split(separator: "&").last.map(String.init) ?? ""
                guard verb == "event=update" else { return verb }
                let body = call.body
                return "update:\(body["step"]?.string ?? body["waits_for"]?.string ?? body["note"]?.string ?? "")"
            }
        }
    }

    private static let goodStory = [
        "update:submitted to model as model-1", "update:Resources", "status=RUNNING", "update:init/check",
        "update:main/detect", "status=FINISHED",
    ]

    private func start(_ engine: ModelJobEngine, _ spec: JobSpec) async throws {
        try await deliver(try order(spec), to: engine, execution: "execution", sender: "actor:e5QKEW8L0BeZ4")
    }

    @Test func aJobThatSucceeds() async throws {
        let engine = ModelJobEngine()
        try await start(engine, spec())
        #expect(note?.isFollowed == true)
        try await watch(engine)
        #expect(told == Self.goodStory)
        #expect(world.read { $0.documents.isEmpty })
        #expect(files.read { $0.published.count } == 1)
        let order = try #require(engine.submissions.first?.order)
        #expect(order.run.name.hasPrefix("beats-") && order.run.name.hasSuffix("-1"))
        #expect(order.steps.map(\.slug) == ["init-check", "main-detect"])
        #expect(order.steps.last?.args == ["2026-11-21-e-x"])
        #expect(engine.kept.count == 1)
        #expect(world.read { Set($0.calls.map(\.order)).count } == 1)
    }

    @Test func aJobThatFails() async throws {
        let engine = ModelJobEngine()
        try await start(engine, spec(main: ExecutorSuite.Command.fails))
        try await watch(engine)
        #expect(told.last == "status=FAILED")
        let body = try #require(world.read { $0.calls.last?.body })
        #expect(body.at("step") == "main/detect" && body.at("exit_code") == 3)
        #expect(body.at("reason") == "exited with status 3" && body.at("log_tail") == "the last words")
        #expect(files.read { $0.published.isEmpty })
    }

    @Test func anEngineThatIsAwayIsAskedAgainAndTheJobSaysSo() async throws {
        let engine = ModelJobEngine()
        let away = ModelJobEngine.Trouble.failure(EngineFailure(.unreachable, "no answer"))
        engine.trouble(away, away, away)
        try await start(engine, spec())
        #expect(told == ["update:model: no answer; it is tried again"])
        try await watch(engine)
        #expect(told == ["update:model: no answer; it is tried again"] + Self.goodStory)
        #expect(engine.submissions.count == 1)
    }

    @Test func aLostAnswerLeadsToNoSecondSubmission() async throws {
        let engine = ModelJobEngine()
        engine.trouble(.none, .answerLost)
        try await start(engine, spec())
        #expect(engine.submissions.count == 1)
        try await watch(engine)
        #expect(told.last == "status=FINISHED" && engine.submissions.count == 1)
    }

    @Test func aJobThatTheEngineLostIsSubmittedUnderAnotherName() async throws {
        let engine = ModelJobEngine()
        try await start(engine, spec())
        engine.lose()
        try await watch(engine)
        #expect(told.last == "status=FINISHED")
        #expect(engine.submissions.map { $0.order.run.attempt } == [1, 2])
        #expect(told.contains("update:submitted again: the engine knows nothing of it any more"))
    }

    @Test func aNodeThatFailsIsNoFailureOfTheJob() async throws {
        let engine = ModelJobEngine()
        engine.end(next: EngineEnd(.nodeFailed), EngineEnd(.preempted))
        try await start(engine, spec())
        try await watch(engine)
        #expect(told.last == "status=FINISHED" && engine.submissions.count == 3)
    }

    @Test func aFailedTryIsRepeated() async throws {
        let engine = ModelJobEngine()
        try await start(engine, spec(2, main: ExecutorSuite.Command.fails))
        try await watch(engine)
        #expect(told.last == "status=FAILED" && engine.submissions.count == 3)
        // Kubernetes does that by itself.
        let other = ModelJobEngine(retriesItself: true)
        try await start(other, spec(2, main: ExecutorSuite.Command.fails))
        try await watch(other)
        #expect(other.submissions.count == 1)
    }

    @Test func aWithdrawnJobIsCancelledAndSaysNothingMore() async throws {
        let engine = ModelJobEngine()
        try await start(engine, spec(main: ExecutorSuite.Command.lasts))
        try await watch(engine, rounds: 5)
        let before = told
        #expect(before.last == "status=RUNNING")
        try await watch(engine, isWithdrawn: true)
        #expect(engine.cancelled.count == 1)
        #expect(told == before)
        #expect(world.read { $0.documents.isEmpty })
    }

    @Test func whatAnEngineKeepsIsForgottenInTime() async throws {
        let engine = ModelJobEngine(leavesThings: true)
        var spec = spec()
        spec.ttlSecondsAfterFinished = 90
        try await start(engine, spec)
        try await watch(engine, rounds: 7)
        #expect(told.last == "status=FINISHED" && engine.forgotten.isEmpty)
        try await watch(engine)
        #expect(engine.forgotten.count == 1 && world.read { $0.documents.isEmpty })
    }

    /// The daemon dies at every step of submitting, following and finishing; nothing is submitted twice, and the story
    /// stays the same.
    @Test(arguments: [
        TestContext.CrashPoint.duringStep("prepare"), .afterStep("prepare"), .duringStep("submit#1"),
        .afterStep("submit#1"), .beforeCommit(1),
    ])
    func theDaemonDiesWhileItSubmits(point: TestContext.CrashPoint) async throws {
        let engine = ModelJobEngine()
        let order = try order(spec())
        _ = try? await deliver(order, to: engine, execution: "execution", sender: "actor:e5QKEW8L0BeZ4", crash: point)
        try await deliver(order, to: engine, execution: "execution", attempts: 1, sender: "actor:e5QKEW8L0BeZ4")
        try await watch(engine)
        #expect(told == Self.goodStory)
        #expect(engine.submissions.count == 1)
    }

    @Test(arguments: [
        TestContext.CrashPoint.duringStep("keep the logs of#1"), .afterStep("keep the logs of#1"),
        .duringStep("publish"), .afterStep("publish"), .beforeCommit(1),
    ])
    func theDaemonDiesWhileItFollowsAndFinishes(point: TestContext.CrashPoint) async throws {
        for message in 1...4 {
            world.change {
                $0.calls = []
                $0.jobs = [:]
                $0.steps = [:]
            }
            let engine = ModelJobEngine()
            try await start(engine, spec())
            try await watch(engine, crash: { $0 == message ? point : nil })
            #expect(told == Self.goodStory, "died in message \(message)")
            #expect(engine.submissions.count == 1)
        }
    }

    @Test func whatIsOutOfDateOrForgedIsPassedOver() async throws {
        let engine = ModelJobEngine()
        try await start(engine, spec())
        let before = try #require(note)
        let word: JSONValue = [
            "kind": "seen", "job": .string(before.run.job.rawValue), "revision": JSONValue(before.revision - 1),
            "observation": EngineObservation(.ended(.exited(1))).json,
        ]
        try await deliver(word, to: engine, execution: "old", sender: EngineWatchRules.sender)
        #expect(note == before)
        let forged = word.setting("revision", JSONValue(before.revision))
        await #expect(throws: ReactorFailure.self) {
            try await deliver(forged, to: engine, execution: "forged", sender: "alice")
        }
        #expect(note == before)
    }

    @Test func anEngineThatIsNotThereFailsTheJobWithAReason() async throws {
        var spec = spec()
        spec.executor = "argo"
        try await start(ModelJobEngine(), spec)
        let body = try #require(world.read { $0.calls.last?.body })
        #expect(told == ["status=FAILED"])
        #expect(
            body.at("reason") == "there is no executor argo here; there is model, process (executors in config.yml)")
    }

    @Test func aJobFileThatIsRunByHand() async throws {
        let engine = ModelJobEngine()
        let text = """
            {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "hello-${UUID}"},
             "spec": {"template": {"spec": {"containers":
              [{"name": "a", "image": "i", "command": ["$UUID", "$HOME", "${OTHER}"]}]}}}}
            """
        let body: JSONValue = [
            "kind": "start", "file": "hello.yaml", "text": .string(text), "variables": ["UUID": "x1"],
            "executor": "model",
        ]
        try await deliver(body, to: engine, execution: "execution", sender: "alice")
        let mail = try #require(world.read { $0.mail.first })
        #expect(mail.body.at("spec", "containers").array?.first?.at("command").texts == ["x1", "$HOME", "${OTHER}"])
        #expect(mail.body.at("spec", "executor") == "model" && mail.body.at("name") == "hello-x1")
        let reply = try #require(world.read { $0.replies[ExecutionID("execution")] })
        #expect(reply.at("uuid").string?.hasPrefix("107") == true)
        let bad = body.setting("text", .string(text.replacing("\"image\": \"i\",", with: "")))
        let failure = await #expect(throws: ReactorFailure.self) {
            try await deliver(bad, to: engine, execution: "bad", sender: "alice")
        }
        #expect(failure?.message.contains("hello.yaml:1: /spec/template/spec/containers/0/image: is missing") == true)
    }

    @Test func theModelKeepsThePort() async throws {
        let logs = NSTemporaryDirectory() + "engine-suite-\(getpid())"
        mkdir(logs, 0o700)
        defer { try? FileManager.default.removeItem(atPath: logs) }
        let folders = RunFolders(work: logs, output: logs, logs: logs)
        #expect(try await JobEngineSuite(ModelJobEngine(), folders: folders, image: "i").problems().isEmpty)
    }
}
