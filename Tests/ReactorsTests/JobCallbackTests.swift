import ActorCore
import ActorTesting
import Reactors
import Testing

/// Callbacks of job platforms, as the manager takes them: tables, repeats, bounds, who is told.
@Suite struct JobCallbackTests {
    private static let pipeline = "106c46ff-8186-5756-a934-071f4497b58d"
    private static let job = JobID("10792d3c-395c-57e0-a694-006cf03d3970")
    private static let watcher = ActorID("e5QKEW8L0BeZ4")

    private let world = TestWorld()
    private let reactor = PipelineJobsReactor(archive: MemoryLab())

    private func deliver(
        _ body: JSONValue, _ parameters: [(String, String)] = [], settings: JSONValue = [:],
        actors: [String: ActorID] = [:], sender: String = "alice"
    ) async throws {
        var setup = TestContext.Setup()
        setup.settings = settings.setting("unknown_pipelines", "register")
        setup.actors = actors
        try await world.deliver(envelope(body, parameters: parameters, sender: sender), to: reactor, as: setup)
    }

    private func makeJob(_ settings: JSONValue = [:], data: JSONValue = [:]) async throws -> JobRecord {
        try await deliver(
            ["pipeline_uuid": .string(Self.pipeline), "child_of": [], "data": data, "token_events": "*"],
            settings: settings)
        return try #require(world.read { $0.jobs.values.first })
    }

    private func call(
        _ record: JobRecord, _ parameters: [(String, String)], _ body: JSONValue = .null, settings: JSONValue = [:],
        actors: [String: ActorID] = [:]
    ) async throws {
        let own = [("uuid", record.uuid.rawValue), ("token", record.token)]
        try await deliver(body, own + parameters, settings: settings, actors: actors)
    }

    private var history: [String] {
        world.read { $0.history.values.first?.filter { $0.refusal == nil } ?? [] }.map(\.name)
    }
    private var answer: JSONValue { world.read { $0.replies[ExecutionID("execution")] ?? .null } }

    @Test func aRepeatedStatusIsRecordedOnce() async throws {
        let record = try await makeJob()
        for status in ["PENDING", "pending", "RUNNING", "PENDING", "RUNNING", "FINISHED", "FINISHED"] {
            try await call(record, [("status", status)], ["id": "agave-1"])
        }
        #expect(history == ["create", "resource", "run", "finish"])
        #expect(answer.at("repeated").bool == true && answer.at("status").string == "FINISHED")
        try await call(record, [("status", "FINISHED"), ("persistent", "true")])
        #expect(history.count == 5)
    }

    @Test func aRefusedStatusIsNotTakenForSeen() async throws {
        let record = try await makeJob()
        await #expect(throws: ReactorFailure.self) { try await call(record, [("status", "FINISHED")]) }
        try await call(record, [("status", "RUNNING")])
        try await call(record, [("status", "FINISHED")])
        #expect(history == ["create", "run", "finish"])
    }

    @Test func anotherRunTellsTheSameStatusesAnew() async throws {
        let record = try await makeJob()
        let admin: [(String, String)] = [(JobAuthority.variable, "admin")]
        for parameters in [
            [("status", "RUNNING")], [("status", "FAILED")], [("event", "reset")] + admin, [("event", "ready")] + admin,
            [("status", "RUNNING")], [("status", "FINISHED")],
        ] {
            try await call(record, parameters)
        }
        #expect(history == ["create", "run", "fail", "reset", "ready", "run", "finish"])
    }

    @Test func nextflowTellsItsRun() async throws {
        let settings: JSONValue = ["callbacks": "nextflow"]
        let record = try await makeJob(settings)
        let bodies: [JSONValue] = [
            ["event": "started", "runName": "x"], ["event": "process_submitted", "trace": ["task_id": 1]],
            ["event": "process_completed", "trace": ["task_id": 1]],
            ["event": "process_completed", "trace": ["task_id": 2]],
            ["event": "completed", "metadata": ["workflow": ["success": true]]],
        ]
        for body in bodies { try await call(record, [], body, settings: settings) }
        #expect(history == ["create", "run", "update", "update", "finish"])
        #expect(world.read { $0.history.values.first?[2].data } == bodies[2])
    }

    @Test func aTableOfOnesOwnAndOneByTheURL() async throws {
        let settings: JSONValue = [
            "callbacks": "pbs",
            "callback_maps": [
                "pbs": ["statuses": ["R": "run", "F": "finish"], "status_at": ["/job_state"], "otherwise": nil]
            ],
        ]
        let record = try await makeJob(settings)
        try await call(record, [], ["job_state": "R"], settings: settings)
        try await call(record, [("status", "X")], settings: settings)
        #expect(answer.at("repeated").bool == false && answer.at("reported").string == "X")
        try await call(record, [("status", "CD"), ("map", "slurm")], settings: settings)
        #expect(history == ["create", "run", "finish"])
        let failure = await #expect(throws: ReactorFailure.self) {
            try await call(record, [("status", "R"), ("map", "lsf")], settings: settings)
        }
        #expect(failure?.message.contains("pbs") == true && failure?.message.contains("slurm") == true)
    }

    /// The platform has its 200, and nobody looks into an execution.
    @Test func aTableThatIsNotThereStandsInTheHistory() async throws {
        let record = try await makeJob()
        await #expect(throws: ReactorFailure.self) { try await call(record, [("status", "Error"), ("map", "agro")]) }
        let refused = try #require(world.read { $0.history.values.first?.first { $0.refusal != nil } })
        #expect(refused.name == "callback" && refused.refusal?.hasPrefix("there is no callback map agro") == true)
        #expect(refused.data == ["map": "agro", "status": "Error"])
        // A stranger leaves nothing there.
        await #expect(throws: ReactorFailure.self) {
            try await deliver(
                .null, [("uuid", record.uuid.rawValue), ("token", "0"), ("status", "Error"), ("map", "lsf")])
        }
        #expect(world.read { $0.history.values.first?.count { $0.refusal != nil } } == 1)
    }

    @Test func anArgoWorkflowThatErredHasFailed() async throws {
        let record = try await makeJob()
        for parameters in [[("event", "run")], [("status", "Error"), ("map", "argo")]] {
            try await call(record, parameters)
        }
        #expect(history == ["create", "run", "fail"])
    }

    /// Else every callback of its jobs would be lost, and nobody would hear of it.
    @Test func aPipelineNamesATableThatIsThere() async throws {
        let house: JSONValue = ["callback_maps": ["pbs"]]
        func register(_ table: String, _ house: JSONValue = [:]) async throws {
            var setup = TestContext.Setup()
            setup.settings = house
            let pipeline: JSONValue = [
                "name": "line", "components": [["id": .string(table)]], "settings": ["callbacks": .string(table)],
            ]
            try await world.deliver(envelope(pipeline), to: PipelinesReactor(), as: setup)
        }
        let failure = await #expect(throws: ReactorFailure.self) { try await register("slrum", house) }
        #expect(failure?.message.contains("no table slrum; there are agave, ") == true)
        #expect(failure?.message.contains("pbs, slurm") == true)
        await #expect(throws: ReactorFailure.self) { try await register("pbs") }
        #expect(world.read { $0.pipelines.isEmpty })
        try await register("slurm")
        try await register("pbs", house)
        #expect(world.read { $0.pipelines.count } == 2)
        let uuid = try #require(world.read { $0.pipelines.keys.first })
        let change: JSONValue = [
            "uuid": .string(uuid.rawValue), "action": "update", "body": ["settings": ["callbacks": "slrum"]],
        ]
        let refused = await #expect(throws: ReactorFailure.self) {
            try await world.deliver(envelope(change), to: PipelinesReactor(), as: TestContext.Setup())
        }
        #expect(refused?.message.contains("slrum") == true)
    }

    @Test func whoHasNoTokenLearnsNothing() async throws {
        let record = try await makeJob()
        try await call(record, [("status", "RUNNING")])
        for status in ["RUNNING", "FINISHED"] {
            let failure = await #expect(throws: ReactorFailure.self) {
                try await deliver([:], [("uuid", record.uuid.rawValue), ("token", "wrong"), ("status", status)])
            }
            #expect(failure?.message == "Token is not valid")
        }
        #expect(history == ["create", "run"])
    }

    @Test func aLongBodyDoesNotKeepTheJobFromMoving() async throws {
        let settings: JSONValue = ["max_data_bytes": 600]
        let record = try await makeJob(settings)
        let long = JSONValue.string(String(repeating: "x", count: 700))
        try await call(record, [("status", "RUNNING")], ["log": long], settings: settings)
        let data = try #require(world.read { $0.history.values.first?.last?.data })
        #expect(data.at("bytes").int == 710 && data.at("limit").int == 600 && data.at("sha256").string?.count == 64)
        // A message that is an event is refused, and says by how much.
        let failure = await #expect(throws: ReactorFailure.self) {
            try await deliver(
                [
                    "uuid": .string(record.uuid.rawValue), "event": "update", "token": .string(record.token),
                    "data": ["x": long],
                ],
                settings: settings)
        }
        #expect(failure?.message.contains("708 bytes") == true && failure?.message.contains("at most 600") == true)
        #expect(history == ["create", "run"])
        #expect(world.read { $0.history.values.first?.last?.refusal?.contains("max_data_bytes") } == true)
    }

    // MARK: Who is told

    @Test func watchersOfTheJobAndItsPipelineAreToldOnce() async throws {
        let record = try await makeJob()
        for (id, target) in [
            ("w1", JobWatch.Target.job(record.uuid)), ("w2", .pipeline(record.pipeline)),
        ] {
            world.change {
                _ = $0.catalogue.add(
                    JobWatch(
                        id: WatchID(id), target: target, actor: Self.watcher, owner: "alice", created: record.created))
            }
        }
        try await call(record, [("event", "run")], ["n": 1])
        let mail = world.read(\.mail)
        #expect(mail.map(\.address) == [.id(Self.watcher)])
        #expect(mail[0].body.at("event").string == "run" && mail[0].body.at("data") == ["n": 1])
        #expect(mail[0].body.at("pipeline_uuid").string == Self.pipeline)
    }

    @Test func theEventsManagerIsToldBeforeAndAfter() async throws {
        let settings: JSONValue = ["events_manager": "events-manager.prod", "state_enter": true]
        let record = try await makeJob(settings)
        try await call(record, [("event", "run")], settings: settings)
        let bodies = world.read(\.mail).map(\.body)
        #expect(world.read(\.mail).map(\.address) == [.alias("events-manager.prod"), .alias("events-manager.prod")])
        #expect(
            bodies == [
                [
                    "job_uuid": .string(record.uuid.rawValue), "event_name": "run", "job_state": "CREATED",
                    "data": ["last_event": "create"],
                ],
                [
                    "job_uuid": .string(record.uuid.rawValue), "event_name": "run", "job_state": "RUNNING",
                    "data": ["last_event": "run"],
                ],
            ])
    }

    /// As recorded (mr-12, mr-13), and the job moves.
    @Test func indexAndIndexedGoOnToTheIndexer() async throws {
        let settings: JSONValue = ["job_indexer": "jobs-indexer.prod"]
        let actors = ["jobs-indexer.prod": ActorID("MEzqaw4rkWZoK")]
        let record = try await makeJob(settings)
        for event in ["run", "finish", "index", "indexed"] {
            try await call(record, [("event", event)], settings: settings, actors: actors)
        }
        let expected: [JSONValue] = ["index", "indexed"].map {
            ["name": .string($0), "uuid": .string(record.uuid.rawValue), "token": .string(record.token)]
        }
        #expect(world.read(\.mail).map(\.body) == expected)
        #expect(history == ["create", "run", "finish", "index", "indexed"])
    }

    @Test func aFinishedJobIsIndexedByItself() async throws {
        let settings: JSONValue = ["index_when_finished": true]
        let actors = ["jobs-indexer": ActorID("MEzqaw4rkWZoK")]
        let record = try await makeJob(settings)
        try await call(record, [("event", "run")], settings: settings, actors: actors)
        try await call(record, [("status", "FINISHED")], settings: settings, actors: actors)
        #expect(world.read(\.mail).map(\.body) == [["name": "index", "uuid": .string(record.uuid.rawValue)]])
    }

    // MARK: Standing still

    @Test func aJobThatStandsStillIsFlaggedAndSaysSo() async throws {
        let settings: JSONValue = ["stalled_after_hours": 2]
        let record = try await makeJob(settings)
        world.change {
            _ = $0.catalogue.add(
                JobWatch(
                    id: WatchID("w"), target: .job(record.uuid), actor: Self.watcher, owner: "alice",
                    created: record.created))
        }
        let message: JSONValue = ["kind": "stalled", "jobs": [.string(record.uuid.rawValue), "nobody"]]
        world.change { $0.now = $0.now.adding(milliseconds: 7_199_000) }
        try await deliver(message, settings: settings)
        #expect(world.read { $0.catalogue.stalls.isEmpty })
        world.change { $0.now = $0.now.adding(milliseconds: 1000) }
        for _ in 0..<2 { try await deliver(message, settings: settings) }
        let stall = try #require(world.read { $0.catalogue.stalls[record.uuid] })
        #expect(stall.since == record.updated && stall.limitMilliseconds == 7_200_000)
        #expect(world.read(\.mail).map { $0.body.at("event").string } == ["stalled"])
        try await call(record, [("event", "run")], settings: settings)
        #expect(world.read { $0.catalogue.stalls.isEmpty })
    }

    // MARK: What describes a new job

    @Test func patternsAreReadAtOnce() async throws {
        let patterns: JSONValue = [["patterns": [".csv$"], "level": "1"]]
        try await deliver([
            "pipeline_uuid": .string(Self.pipeline), "archive_patterns": patterns,
            "product_patterns": [["patterns": ["x"], "derived_from": ["./a"]]],
        ])
        let kept = world.read { $0.documents.first { $0.key.hasPrefix("job-patterns/") }?.value }
        #expect(kept?.at("filters").array?.count == 2)
        let failure = await #expect(throws: ReactorFailure.self) {
            try await deliver([
                "pipeline_uuid": .string(Self.pipeline), "archive_patterns": [["patterns": ["("], "level": "1"]],
            ])
        }
        #expect(failure?.message.hasPrefix("archive_patterns/0: pattern") == true)
    }

    @Test func filesThatItsParametersNameAreLinked() async throws {
        let file = CatalogueFile.record("/uploads/a.fcs", at: Timestamp(milliseconds: 1))
        world.change { $0.catalogue.store(file) }
        let record = try await makeJob(data: [
            "inputs": ["agave://data-sd2e-community/uploads/a.fcs", "/uploads/unknown.fcs"],
            "parameters": ["w": "https://www.rcsb.org/structure/6N0V"],
        ])
        let links = world.read { $0.catalogue.links[record.uuid] ?? [] }
        #expect(links.contains(CatalogueLink(.actedOn, file.uuid)))
        #expect(links.count { $0.kind == .actedOn } == 1 && links.count { $0.kind == .actedUsing } == 1)
    }
}
