import ActorCore
import ActorTesting
import Reactors
import Testing

/// Recorded lives of jobs of both generations, and what was recorded of the pipelines' manager, played through the
/// Reactors that keep them.
@Suite struct JobLifeTests {
    private static let second = "106c46ff-8186-5756-a934-071f4497b58d"
    private static let first = "f0f417f2-ba8b-5ac4-b421-255b69553391"
    private static let settings: JSONValue = ["admin_token_secret": "secret", "admin_token_key": "key"]

    private let world = TestWorld()

    private func deliver(_ body: JSONValue, _ parameters: [(String, String)] = []) async throws {
        var setup = TestContext.Setup()
        setup.settings = Self.settings
        try await world.deliver(
            envelope(body, parameters: parameters), to: PipelineJobsReactor(archive: MemoryLab()), as: setup)
    }

    private func register(_ uuid: String, _ generation: JobGeneration, settings: JSONValue = [:]) {
        world.change { contents in
            var record = PipelineRecord(
                uuid: PipelineID(uuid), name: "p", generation: generation, components: [], created: contents.now)
            record.settings = settings
            contents.pipelines[record.uuid] = record
        }
    }

    /// What a recorded token stands for.
    private func token(_ word: String?, of job: JobID) -> String {
        switch word {
        case nil: world.read { $0.jobs[job]?.token ?? "" }
        case "admin": AdminTokens(settings: Self.settings)?.token(at: world.read { $0.now }, Fingerprint.sha256) ?? ""
        default: "0000000000000000"
        }
    }

    // MARK: Second generation

    /// Where a step ends otherwise than it did there, by job and step:
    /// a job that has not run is cancelled with its own token, as the document has it (lc-02), and one that runs never
    /// is (lc-07); `fail` is an event and takes nothing away (lc-04); a wrong token opens nothing (lc-08); files that
    /// are not there can be cleared (lc-10).
    private static let otherwise: [String: String?] = [
        "lc-02/1": "gone", "lc-02/2": nil, "lc-02/3": nil, "lc-04/1": "FAILED", "lc-04/2": "FAILED",
        "lc-07/4": "Cannot cancel a job once it is running. Send a \"fail\" event instead.",
        "lc-08/1": "Token is not valid", "lc-08/2": "Token is not valid", "lc-10/2": "CREATED",
        "lc-10/3": "Can't trigger event ready from state CREATED!", "lc-16/0": "is not a valid job ID",
    ]

    @Test(arguments: Fixture.rows("job-identity", "job_lifecycle_v2").filter { $0.at("steps").array != nil })
    func recorded(row: JSONValue) async throws {
        register(Self.second, .second, settings: ["token_events": "*"])
        let job = JobID(try #require(row.at("job_uuid").string))
        for (number, step) in (row.at("steps").array ?? []).enumerated() where step.at("op") != "new_object" {
            let place = "\(row.at("id").string ?? "")/\(number)"
            let own = Self.otherwise[place]
            if case .some(.none) = own { continue }
            var problem: String?
            do {
                try await play(step, job)
            } catch let failure as ReactorFailure {
                problem = failure.message
            }
            try check(place, step, own ?? nil, problem, job)
        }
    }

    private func play(_ step: JSONValue, _ job: JobID) async throws {
        let op = step.at("op").string ?? ""
        let arguments = step.at("args")
        let shown = JSONValue.string(token(arguments.at("token").string, of: job))
        let uuid = JSONValue.string(job.rawValue)
        func tell(_ event: JSONValue, _ data: JSONValue = .null) async throws {
            try await deliver(["uuid": uuid, "name": event, "token": shown, "data": data])
        }
        switch op {
        case "setup":
            try await deliver(["pipeline_uuid": .string(Self.second), "child_of": [], "data": [:]])
        case "cancel", "delete": try await deliver(["uuid": uuid, "action": .string(op), "token": shown])
        case "handle": try await tell(arguments.at("name"))
        case "reset":
            // The predecessor's client made it ready as well.
            try await tell("reset")
            try await tell("ready")
        default: try await tell(.string(op), arguments.at("data"))
        }
    }

    private func check(
        _ place: String, _ step: JSONValue, _ own: String?, _ problem: String?, _ job: JobID
    ) throws {
        let record = world.read { $0.jobs[job] }
        if let own {
            #expect(problem?.contains(own) ?? (record.map { $0.status.rawValue } ?? "gone" == own), "\(place)")
            return
        }
        if step.at("ok") == true {
            #expect(problem == nil, "\(place)")
        } else if step.at("cause") == "KeyError" {
            #expect(problem?.hasPrefix("Unknown event") == true, "\(place)")
        } else {
            #expect(problem?.hasPrefix(step.at("message").string ?? "-") == true, "\(place): \(problem ?? "taken")")
        }
        guard step.at("record").object != nil else {
            #expect(record == nil, "\(place)")
            return
        }
        #expect(record?.status.rawValue == step.at("record", "state").string, "\(place)")
        #expect(record?.lastEvent.rawValue == step.at("record", "last_event").string, "\(place)")
        #expect(record?.revision == step.at("record", "revision").int, "\(place)")
        let history = world.read { ($0.history[job] ?? []).filter { $0.refusal == nil }.map(\.name) }
        #expect(history == step.at("record", "history").texts, "\(place)")
    }

    /// The texts of the store's refusals.
    @Test func whatTheStoreRefused() async throws {
        let results = try #require(Fixture.rows("job-identity", "job_lifecycle_v2").last?.at("results"))
        func text(_ name: String) throws -> String {
            let row = results.at(name)
            return try #require(row.at("cause_message").string ?? row.at("message").string)
        }
        func refused(_ body: JSONValue, _ parameters: [(String, String)] = []) async throws -> String {
            let failure = await #expect(throws: ReactorFailure.self) { try await deliver(body, parameters) }
            return failure?.message ?? ""
        }
        register(Self.second, .second)
        try await deliver(["pipeline_uuid": .string(Self.second), "child_of": [], "data": [:]])
        let job = try #require(world.read { $0.jobs.values.first })
        func event(_ name: String, _ token: String) -> JSONValue {
            ["uuid": .string(job.uuid.rawValue), "name": .string(name), "token": .string(token)]
        }
        let unknown = "10797ce0-d130-a738-60d5-9e854adc67dd"
        #expect(
            try await refused(event("run", "x").setting("uuid", .string(unknown))) == text("handle unknown uuid"))
        #expect(
            try await refused(event("validate", token("admin", of: job.uuid)))
                == text("handle refused transition"))
        #expect(
            try await refused(["uuid": .string(job.uuid.rawValue), "action": "delete", "token": .string(job.token)])
                == text("delete without admin token"))
        #expect(
            try await refused(["pipeline_uuid": "106c46ff-8186-5756-a934-071f4497b500", "data": [:]])
                .hasPrefix(text("create unknown pipeline")))
        // Making it again answers it, and overwrites nothing.
        try await deliver(["pipeline_uuid": .string(Self.second), "child_of": [], "data": [:]])
        #expect(world.read { $0.jobs.count } == 1)
        // Parents that are left out take no part in the id.
        try await deliver(["pipeline_uuid": .string(Self.second), "data": [:]])
        #expect(world.read { $0.jobs.count } == 2)
    }

    // MARK: First generation

    /// In its order. It cancels what has not run, and knows no job by other words (l1-08, l1-09); data of an update
    /// that was given stands in the history, null where none was.
    @Test func theFirstGenerationsLife() async throws {
        register(Self.first, .first, settings: ["machine": "v1", "token_events": "*"])
        let recorded = Fixture.rows("job-identity", "job_lifecycle_v1")
        var rows = Dictionary(uniqueKeysWithValues: recorded.map { ($0.at("id").string ?? "", $0) })
        func result(_ id: String) throws -> JSONValue {
            let row = rows.removeValue(forKey: id)
            return try #require(row).at("result")
        }
        try await deliver(["pipeline_uuid": .string(Self.first), "data": ["key1": "value1"]])
        let uuid = try #require(world.read { $0.jobs.values.first?.uuid })
        func tell(_ event: JSONValue, _ data: JSONValue = .null, token shown: String? = nil) async throws -> String? {
            do {
                try await deliver([
                    "uuid": .string(uuid.rawValue), "event": event, "data": data,
                    "token": .string(token(shown, of: uuid)),
                ])
                return nil
            } catch let failure as ReactorFailure {
                return failure.message
            }
        }
        func check(_ id: String) throws {
            let expected = try result(id)
            let record = try #require(world.read { $0.jobs[uuid] })
            #expect(record.status.rawValue == expected.at("status").string, "\(id)")
            if let last = expected.at("last_event").string {
                #expect(record.lastEvent.rawValue.uppercased() == last, "\(id)")
            }
            let line = try #require(world.read { $0.history[uuid]?.last { $0.refusal == nil } })
            if let appended = expected.at("history_appended").object?.first {
                #expect(line.name.uppercased() == appended.name && line.data == appended.value, "\(id)")
            }
        }
        try check("l1-02")
        #expect(world.read { $0.history[uuid]?.map(\.data) } == [.null])
        #expect(try await tell("run", ["key1": "value1"]) == nil)
        try check("l1-04")
        #expect(try await tell("update", ["roadrunner": "meep-meep!"]) == nil)
        try check("l1-05")
        #expect(try await tell("update", token: "wrong") == result("l1-07").at("cause_message").string)
        #expect(try await tell("fail") == nil)
        try check("l1-10")
        #expect(try await tell("fail") == nil)
        try check("l1-11")
        #expect(try await tell("run") == result("l1-12").at("cause_message").string)
        #expect(try await tell("explode")?.hasPrefix("Unknown event explode") == true)
        #expect(try result("l1-13").at("cause") == "KeyError")
        #expect(rows.keys.sorted() == ["l1-08", "l1-09"])
    }

    // MARK: Pipelines

    @Test(arguments: Fixture.rows("job-identity", "pipelines_manager_routing"))
    func pipelinesManager(row: JSONValue) throws {
        let parameters = (row.at("url_parameters").object ?? []).map {
            EnvironmentEntry($0.name, $0.value.string ?? "")
        }
        func decode() throws -> PipelineMessage {
            try PipelineMessage.decode(body: JSONWriter.bytes(row.at("body")), parameters: parameters)
        }
        guard row.at("exit").texts.first != "failure" else {
            let failure = #expect(throws: ReactorFailure.self) { try decode() }
            #expect(failure?.kind == .refused)
            return
        }
        let uuid = PipelineID(row.at("url_parameters", "uuid").string ?? "")
        let token = row.at("url_parameters", "token").string
        let message = try decode()
        switch row.at("action").string {
        case "disable": #expect(message == .enable(uuid, false, token: token))
        case "enable": #expect(message == .enable(uuid, true, token: token))
        // What it is asked to show it shows.
        case "get", "show": #expect(message == .read(uuid))
        default:
            let draft = try PipelineDraft(json: row.at("body"))
            #expect(message == .write(draft, uuid: uuid, token: token))
            #expect(draft.generation == .second && draft.uuid == uuid)
            #expect(row.at("exit").texts.last?.contains(draft.uuid.rawValue) == true)
        }
    }

    /// A document of a pipeline; more lenient here: both generations' documents are taken (ms-49), a level may be any
    /// word (ms-52), and one without components has an id of its own (ms-50).
    @Test(
        arguments: Fixture.rows("pipelinejobs-catalogue", "message_schema").filter {
            $0.at("schema") == "pipeline_create"
        })
    func documentsOfPipelines(row: JSONValue) throws {
        let lenient = ["ms-49", "ms-50", "ms-52"]
        #expect(row.at("valid") == true || lenient.contains(row.at("id").string ?? ""))
        let draft = try PipelineDraft(json: row.at("document"))
        #expect(draft.name == row.at("document", "name").string)
    }
}
