import ActorCore
import ActorTesting
import Reactors
import Testing

/// The manager as its callers see it.
@Suite struct PipelineJobsReactorTests {
    private static let pipeline = "106c46ff-8186-5756-a934-071f4497b58d"

    private let world = TestWorld()
    private let lab = MemoryLab()
    private let reactor: PipelineJobsReactor

    init() { reactor = PipelineJobsReactor(archive: lab) }

    private func deliver(
        _ body: JSONValue, _ parameters: [(String, String)] = [], sender: String = "alice", nonce: NonceID? = nil,
        _ adjust: (inout TestContext.Setup) -> Void = { _ in }
    ) async throws {
        var setup = TestContext.Setup()
        setup.settings = ["unknown_pipelines": "register"]
        adjust(&setup)
        try await world.deliver(
            envelope(body, parameters: parameters, sender: sender, nonce: nonce), to: reactor, as: setup)
    }

    private var answer: JSONValue { world.read { $0.replies[ExecutionID("execution")] ?? .null } }

    private func makeJob(_ extra: JSONValue = [:]) async throws -> JobRecord {
        var body: JSONValue = ["pipeline_uuid": .string(Self.pipeline), "child_of": [], "data": [:]]
        for member in extra.object ?? [] { body = body.setting(member.name, member.value) }
        try await deliver(body)
        return try #require(world.read { $0.jobs.values.first })
    }

    private func fire(
        _ event: String, _ record: JobRecord, token: String? = nil, data: JSONValue = .null
    ) async throws {
        try await deliver([
            "uuid": .string(record.uuid.rawValue), "event": .string(event),
            "token": .string(token ?? record.token), "data": data,
        ])
    }

    // MARK: Order

    /// Whatever is said of a job, by whichever road, is handled after what was said of it before.
    @Test(
        arguments: [JSONValue.null, ["generation": 1], ["generation": 1, "actor_id": "e5QKEW8L0BeZ4"]],
        ["ada", "actor:e5QKEW8L0BeZ4"])
    func allThatConcernsAJobHasItsKey(form: JSONValue, sender: String) async throws {
        func key(_ body: JSONValue, _ parameters: [(String, String)] = []) -> String? {
            reactor.key(of: envelope(body, parameters: parameters, sender: sender).message)
        }
        let creation = (form.object ?? []).reduce(["pipeline_uuid": .string(Self.pipeline), "data": ["a": 1]]) {
            (body: JSONValue, field) in body.setting(field.name, field.value)
        }
        try await deliver(creation, sender: sender)
        let uuid = try #require(world.read { $0.jobs.values.first }).uuid.rawValue
        #expect(key(creation) == uuid)
        for word in ["run", "delete"] {
            #expect(key(["uuid": .string(uuid.uppercased()), "event": .string(word)]) == uuid)
            #expect(key(["uuid": .string(uuid), "name": .string(word), "token": "t"], [("uuid", "other")]) == uuid)
            #expect(key(["reads": 12], [("uuid", uuid), ("event", word)]) == uuid)
        }
        #expect(key(["uuid": .string(uuid), "action": "cancel"]) == uuid)
        #expect(key(["reads": 12], [("uuid", uuid), ("status", "FINISHED")]) == uuid)
    }

    @Test(
        arguments: [["kind": "stalled", "jobs": ["10792d3c-395c-57e0-a694-006cf03d3970"]], ["uuid": "none"], 12]
            as [JSONValue])
    func whatConcernsNoJobInParticularHasTheSendersKey(body: JSONValue) {
        #expect(reactor.key(of: envelope(body, sender: "ada").message) == nil)
    }

    // MARK: Create

    @Test func createsAJobWithIdPathAndToken() async throws {
        let record = try await makeJob(["session": "solid-snake"])
        #expect(record.uuid.rawValue == "10792d3c-395c-57e0-a694-006cf03d3970")
        #expect(
            record.path == "/products/v2/106c46ff81865756a934071f4497b58d"
                + "/BAkwe8wKZY2NgXyBpX8K5R1D/PAVpwrObxp5YjYRvrJOd5yVp")
        #expect(record.status == .created && record.owner == "alice" && record.actor == nil)
        #expect(record.token.utf8.count == 16)
        #expect(answer.at("uuid").string == record.uuid.rawValue)
        #expect(answer.at("token").string == record.token)
        #expect(answer.at("callback").string?.contains("token=\(record.token)") == true)
        #expect(answer.at("status").string == "CREATED" && answer.at("session").string == "solid-snake")
        #expect(world.read { $0.history[record.uuid]?.map(\.name) } == ["create"])
        #expect(world.read { $0.pipelines[PipelineID(Self.pipeline)]?.components } == [])
        #expect(!world.read { $0.log.contains { $0.contains(record.token) } })
    }

    @Test func theSamePipelineParentsAndDataAreTheSameJob() async throws {
        let record = try await makeJob()
        try await fire("run", record)
        let again = try await makeJob(["session": "other-name"])
        #expect(again.status == .running && again.token == record.token && again.session == record.session)
        #expect(answer.at("status").string == "RUNNING" && answer.at("token").string == record.token)
        #expect(world.read { $0.jobs.count } == 1)
    }

    /// Actor and data are all that the first generation's ids are made from.
    @Test(arguments: [
        ("lab", "lab UW_BIOFAB and not OTHER"), ("experiment", "experiment Yeast-Gates and not OTHER"),
        ("sample", "sample A2 and not OTHER"),
        ("pipeline_uuid", "pipeline f0f417f2-ba8b-5ac4-b421-255b69553391"),
    ])
    func runsOfSomethingElseDoNotBecomeOneJob(field: String, words: String) async throws {
        let body: JSONValue = [
            "pipeline_uuid": "f0f417f2-ba8b-5ac4-b421-255b69553391", "lab": "UW_BIOFAB", "experiment": "Yeast-Gates",
            "sample": "A2", "data": ["n": 1],
        ]
        try await deliver(body)
        try await deliver(body)
        let other = field == "pipeline_uuid" ? "a4609424-508a-555c-9720-5ee3df44e777" : "OTHER"
        let failure = await #expect(throws: ReactorFailure.self) {
            try await deliver(body.setting(field, .string(other)))
        }
        #expect(failure?.message.contains("but \(words): something in data has to tell them apart") == true)
        #expect(world.read { $0.jobs.count } == 1)
        // What does not say cannot contradict.
        if field == "sample" { try await deliver(body.removing("sample")) }
    }

    @Test func whoAsksForSomebodyElsesJobDoesNotGetItsToken() async throws {
        let record = try await makeJob()
        try await deliver(
            ["pipeline_uuid": .string(Self.pipeline), "child_of": [], "data": [:]], sender: "mallory")
        #expect(answer.at("uuid").string == record.uuid.rawValue)
        #expect(!JSONWriter.string(answer).contains(record.token))
    }

    /// Unless the settings say so.
    @Test(arguments: [[:], ["unknown_pipelines": "refuse"]] as [JSONValue])
    func anUnknownPipelineIsRefused(settings: JSONValue) async throws {
        let failure = await #expect(throws: ReactorFailure.self) {
            try await deliver(["pipeline_uuid": .string(Self.pipeline)]) { $0.settings = settings }
        }
        #expect(failure?.kind == .refused)
        #expect(failure?.message.hasPrefix("No pipeline exists with UUID \(Self.pipeline)") == true)
        #expect(world.read { $0.jobs.isEmpty })
    }

    @Test func thePepperIsTheSettingOrKeptInTheState() async throws {
        // Tokens of the second generation have none.
        let first = "f0f417f2-ba8b-5ac4-b421-255b69553391"
        try await deliver(["pipeline_uuid": .string(first)])
        var record = try #require(world.read { $0.jobs.values.first })
        let actor = TestContext.Setup().actor
        let pepper = try #require(world.read { $0.states[actor]?["token_pepper"]?.string })
        #expect(
            record.token
                == JobToken.make(pepper: pepper, pipeline: record.pipeline, job: record.uuid, salt: record.salt))
        let other = TestWorld()
        var setup = TestContext.Setup()
        setup.settings = ["token_pepper": "from the settings", "unknown_pipelines": "register"]
        try await other.deliver(
            envelope(["pipeline_uuid": .string(first)]), to: reactor, as: setup)
        record = try #require(other.read { $0.jobs.values.first })
        #expect(other.read { $0.states.isEmpty })
        #expect(
            record.token
                == JobToken.make(
                    pepper: "from the settings", pipeline: record.pipeline, job: record.uuid, salt: record.salt))
    }

    @Test func aJobMadeByAnActorBelongsToThatActor() async throws {
        try await deliver(["pipeline_uuid": .string(Self.pipeline)], sender: "actor:N4xR1OKaQGVB")
        let record = try #require(world.read { $0.jobs.values.first })
        #expect(record.actor == ActorID("N4xR1OKaQGVB") && record.owner == "owner")
    }

    // MARK: Nonces

    private static let pipelineToken = "fedcba9876543210"

    /// The pipeline with a token, and a job of it.
    private func registered() -> JSONValue {
        world.change { contents in
            let record = PipelineRecord(
                uuid: PipelineID(Self.pipeline), name: "p", generation: .second, components: [],
                token: Self.pipelineToken, created: contents.now)
            contents.pipelines[record.uuid] = record
        }
        return ["pipeline_uuid": .string(Self.pipeline), "child_of": [], "data": ["n": 1]]
    }

    /// The nonce stands in job scripts: who holds it has none of the rights of its owner, who is the manager's as well.
    @Test(arguments: [nil, "", "0000000000000000"])
    func whoHoldsANonceMakesNoJobWithoutThePipelinesToken(token: String?) async throws {
        let body = registered()
        for member in [nil, ("archive_path", "/products/v2"), ("dry_run", .bool(true))] as [(String, JSONValue)?] {
            let message = member.map { body.setting($0.0, $0.1) } ?? body
            let failure = await #expect(throws: ReactorFailure.self) {
                try await deliver(
                    message, token.map { [("token", $0)] } ?? [], sender: "owner", nonce: NonceID("n"))
            }
            #expect(failure?.kind == .refused && failure?.message.hasPrefix("Token is not valid") == true)
        }
        #expect(world.read { $0.jobs.isEmpty })
        #expect(world.read { $0.audits.map(\.action) } == ["job.create", "job.create", "job.create"])
        // A pipeline that nobody registered has no token, and an empty one does not open it.
        world.change { $0.pipelines = [:] }
        await #expect(throws: ReactorFailure.self) {
            try await deliver(body, [("token", "")], sender: "owner", nonce: NonceID("n"))
        }
        #expect(world.read { $0.jobs.isEmpty && $0.pipelines.isEmpty })
    }

    @Test func whoHoldsANonceAndThePipelinesTokenMakesJobsAtItsPathsOnly() async throws {
        let body = registered()
        let token = [("token", Self.pipelineToken)]
        let elsewhere = body.setting("archive_path", "/products/v2")
        let failure = await #expect(throws: ReactorFailure.self) {
            try await deliver(elsewhere, token, sender: "owner", nonce: NonceID("n"))
        }
        #expect(failure?.message.hasPrefix("archive_path: /products/v2 is no path of a job of this pipeline") == true)
        try await deliver(body, token, sender: "owner", nonce: NonceID("n"))
        let record = try #require(world.read { $0.jobs.values.first })
        #expect(answer.at("token").string == record.token)
        // It may be anybody's by now: only its owner itself is told the token again.
        try await deliver(body, token, sender: "owner", nonce: NonceID("n"))
        #expect(answer.at("uuid").string == record.uuid.rawValue)
        #expect(!JSONWriter.string(answer).contains(record.token))
        try await deliver(body, sender: "owner")
        #expect(answer.at("token").string == record.token)
        // By an account of its own the manager's owner chooses paths, as ever.
        try await deliver(elsewhere.setting("data", ["n": 2]), sender: "owner")
        #expect(world.read { $0.jobs.values.contains { $0.path == "/products/v2" } })
    }

    /// The first generation's own creation messages name paths.
    @Test func anyAdminChoosesPathsAndNobodyElseDoes() async throws {
        let body = registered().setting("archive_path", "/products/v2")
        let byAdmin = [(JobAuthority.senderRole, "admin")]
        let byNonce = byAdmin + [("token", Self.pipelineToken)]
        let attempts: [([(String, String)], NonceID?)] = [
            ([], nil), (byNonce, NonceID("n")), ([(JobAuthority.senderRole, "user")], nil),
        ]
        for (parameters, nonce) in attempts {
            await #expect(throws: ReactorFailure.self) {
                try await deliver(body, parameters, sender: "root", nonce: nonce)
            }
        }
        #expect(world.read { $0.jobs.isEmpty })
        try await deliver(body, byAdmin, sender: "root")
        let record = try #require(world.read { $0.jobs.values.first })
        #expect(record.path == "/products/v2" && record.owner == "root")
        // It says who has sent something, and opens no job whose token is not shown.
        let failure = await #expect(throws: ReactorFailure.self) {
            try await deliver(
                ["uuid": .string(record.uuid.rawValue), "event": "run", "token": "0"], byAdmin, sender: "root")
        }
        #expect(failure?.message == "Token is not valid")
    }

    // MARK: Events

    @Test func aLifeByCallbacks() async throws {
        let record = try await makeJob(["token_events": "*"])
        let steps: [(String, String, PipelineJobState)] = [
            ("status", "PENDING", .created), ("event", "run", .running), ("event", "UPDATE", .running),
            ("status", "finished", .finished), ("event", "index", .indexing), ("event", "indexed", .finished),
        ]
        for (name, value, state) in steps {
            try await deliver(
                ["note": .string(value)],
                [("x-nonce", "n"), ("uuid", record.uuid.rawValue), ("token", record.token), (name, value)],
                sender: "owner", nonce: NonceID("n"))
            #expect(world.read { $0.jobs[record.uuid]?.status } == state)
        }
        let history = world.read { $0.history[record.uuid] ?? [] }
        #expect(history.map(\.name) == ["create", "resource", "run", "UPDATE", "finish", "index", "indexed"])
        #expect(history[3].data == ["note": "UPDATE"])
        #expect(history[3].execution == ExecutionID("execution"))
        #expect(world.read { $0.log.contains("info New status for job \(record.uuid) is FINISHED") })
        #expect(answer.at("revision").int == 6)
    }

    @Test(arguments: [nil, "", "0000000000000000", "short"])
    func aWrongOrMissingTokenChangesNothing(token: String?) async throws {
        let record = try await makeJob()
        let failure = await #expect(throws: ReactorFailure.self) {
            try await deliver([
                "uuid": .string(record.uuid.rawValue), "event": "run", "token": JSONValue(token),
            ])
        }
        #expect(failure?.message == "Token is not valid" && failure?.kind == .refused)
        #expect(world.read { $0.history[record.uuid]?.count } == 1)
        #expect(world.read { $0.jobs[record.uuid]?.status } == .created)
    }

    @Test func anUnknownJobIsRefused() async throws {
        let failure = await #expect(throws: ReactorFailure.self) {
            try await deliver(["uuid": "10792d3c-395c-57e0-a694-006cf03d3970", "event": "run", "token": "x"])
        }
        #expect(failure?.message.contains("not a valid job ID") == true)
    }

    @Test(arguments: [
        ("finish", "Can't trigger event finish from state CREATED!"),
        ("updated", "Unknown event updated"),
    ])
    func aRefusedEventIsRecorded(event: String, reason: String) async throws {
        let record = try await makeJob()
        let failure = await #expect(throws: ReactorFailure.self) {
            try await fire(event, record, data: ["k": "v"])
        }
        #expect(failure?.kind == .refused)
        #expect(failure?.message.hasPrefix(reason) == true)
        let last = try #require(world.read { $0.history[record.uuid]?.last })
        #expect(last.name == event && last.data == ["k": "v"])
        #expect(last.refusal?.hasPrefix(reason) == true)
        #expect(world.read { $0.jobs[record.uuid]?.revision } == 0)
    }

    @Test func whoAskedIsTold() async throws {
        let record = try await makeJob(["notify": "e5QKEW8L0BeZ4"])
        try await fire("run", record, data: ["n": 1])
        let mail = try #require(world.read { $0.mail.first })
        #expect(mail.address == .id(ActorID("e5QKEW8L0BeZ4")))
        #expect(mail.key == "\(record.uuid):\(record.created.milliseconds):1")
        #expect(
            mail.body == [
                "kind": "job", "uuid": .string(record.uuid.rawValue), "pipeline_uuid": .string(Self.pipeline),
                "status": "RUNNING", "event": "run",
                "data": ["n": 1],
            ])
    }

    @Test func aCrashBeforeTheCommitLeavesNothingAndTheRepeatMovesOnce() async throws {
        let record = try await makeJob(["notify": "e5QKEW8L0BeZ4"])
        let body: JSONValue = [
            "uuid": .string(record.uuid.rawValue), "event": "run", "token": .string(record.token),
        ]
        await #expect(throws: (any Error).self) { try await deliver(body) { $0.crash = .beforeCommit(1) } }
        #expect(world.read { $0.history[record.uuid]?.count } == 1)
        #expect(world.read { $0.mail.isEmpty })
        try await deliver(body)
        #expect(world.read { $0.history[record.uuid]?.map(\.name) } == ["create", "run"])
        #expect(world.read { $0.mail.count } == 1)
    }
}
