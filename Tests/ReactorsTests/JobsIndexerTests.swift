import ActorCore
import ActorTesting
import Reactors
import Testing

/// Jobs' files on their way into the catalogue, against recorded cases and through a crash.
@Suite struct JobsIndexerTests {
    private static let file = "pipelinejobs-catalogue"
    private static let manager = ActorID("MEzqaw4rkWZoK")

    private let world = TestWorld()
    private let lab = MemoryLab()

    private var tools: ReactorTools {
        ReactorTools(
            files: lab, archive: lab, documents: JSONDocuments(), executor: ModelExecutor(), limits: Limits(),
            home: "/house")
    }

    private func deliver(
        _ body: JSONValue, sender: String = "actor:MEzqaw4rkWZoK", attempts: Int = 0, nonce: NonceID? = nil,
        _ prepare: (inout TestContext.Setup) -> Void = { _ in }
    ) async throws {
        var setup = TestContext.Setup()
        setup.actors = ["pipeline-jobs-manager": Self.manager]
        prepare(&setup)
        try await world.deliver(
            envelope(body, sender: sender, attempts: attempts, nonce: nonce), to: JobsIndexerReactor(tools: tools),
            as: setup)
    }

    /// A job that has gone through `events`, with `listing` below its path.
    private func makeJob(
        _ uuid: String = "1076e56a-fca5-5cb0-ad4f-5626a716e829", path: String = "/sample/tacc-cloud",
        events: [String] = ["create", "run", "finish"], listing: [String] = []
    ) -> JobRecord {
        let now = world.read { $0.now }
        let pipeline = PipelineRecord(uuid: PipelineID("p"), name: "p", components: [], created: now)
        var record = JobRecord(
            uuid: JobID(uuid), pipeline: pipeline.uuid, generation: .second, path: path, data: [:], actor: nil,
            execution: nil, session: "s", owner: "alice",
            key: JobKey(token: "0dc73dc3ff39b49a", salt: "", events: [.run, .index]), created: now, updated: now)
        var machine = PipelineJobMachine()
        for event in events.compactMap(PipelineJobEvent.init(rawValue:)) where event != .create {
            guard case .move(_, let status) = machine.handle(event) else { continue }
            record.move(to: status, by: event, at: now)
        }
        let history = events.map { JobHistoryEntry(name: $0, date: now, data: .null) }
        world.change { [record] contents in
            contents.pipelines[pipeline.uuid] = pipeline
            contents.jobs[record.uuid] = record
            contents.history[record.uuid] = history
        }
        for name in listing { lab.archive(path, String(name.dropFirst(path.count + 1)), "content of \(name)") }
        return record
    }

    private func history(_ record: JobRecord) -> [String] {
        world.read { ($0.history[record.uuid] ?? []).filter { $0.refusal == nil }.map(\.name) }
    }

    /// What differs from the record: a run that goes well ends the indexing by itself, so `indexed` follows `index`;
    /// `generated_by` is written (idx-10), which the predecessor computed and forgot.
    @Test(arguments: Fixture.rows(file, "indexing"))
    func recorded(row: JSONValue) async throws {
        let record = makeJob(
            row.at("job_uuid").string ?? "", path: row.at("archive_path").string ?? "",
            events: row.at("prior_events").texts, listing: row.at("listing").texts)
        let stored = (row.at("archive_patterns").array ?? []) + (row.at("product_patterns").array ?? [])
        world.change { $0.documents["job-patterns/\(record.uuid)"] = ["filters": .array(stored)] }
        var body: JSONValue = ["uuid": .string(record.uuid.rawValue), "name": "index"]
        for member in row.at("call").object ?? [] { body = body.setting(member.name, member.value) }
        if let message = row.at("result", "message").string {
            let failure = await #expect(throws: ReactorFailure.self) { try await deliver(body) }
            #expect(failure?.message == message)
            #expect(world.read { $0.jobs[record.uuid]?.status.rawValue } == row.at("job_state_after").string)
            #expect(history(record) == row.at("history_after").texts)
        } else {
            try await deliver(body)
            #expect(world.read { $0.replies[ExecutionID("execution")]?["names"]?.array } == row.at("result").array)
            #expect(world.read { $0.jobs[record.uuid]?.status } == .finished)
            #expect(history(record) == row.at("history_after").texts + ["indexed"])
            // Every file has its fixity, catalogued or not.
            #expect(world.read { $0.catalogue.jobFiles(of: record.uuid).count } == row.at("listing").array?.count)
        }
        let files = world.read { $0.catalogue.files.values.sorted { $0.name < $1.name } }
        let expected = (row.at("file_records").array ?? []).sorted {
            $0.at("name").string ?? "" < $1.at("name").string ?? ""
        }
        #expect(files.map(\.name) == expected.compactMap { $0.at("name").string })
        for (file, wanted) in zip(files, expected) {
            #expect(file.uuid == wanted.at("uuid").string && file.fileID == wanted.at("file_id").string)
            #expect(file.type == wanted.at("type").string && file.level == wanted.at("level").string)
            #expect(file.system == wanted.at("storage_system").string)
            for kind in [LinkKind.childOf, .derivedFrom, .derivedUsing] {
                let targets = file.links.filter { $0.kind == kind }.map(\.target).sorted()
                #expect(targets == wanted.at(kind.rawValue).texts.sorted(), "\(kind)")
            }
            let generated = row.at("call", "filters").array?.first?.at("generated_by").texts ?? []
            #expect(Set(file.links.filter { $0.kind == .generatedBy }.map(\.target)) == Set(generated))
        }
    }

    @Test(arguments: Fixture.rows(file, "indexer_routing"))
    func routing(row: JSONValue) throws {
        let parameters = (row.at("url_parameters").object ?? []).map {
            EnvironmentEntry($0.name, $0.value.string ?? "")
        }
        let message = try IndexMessage.decode(body: JSONWriter.bytes(row.at("body")), parameters: parameters)
        guard case .index(let request) = message else {
            Issue.record("not to be indexed: \(message)")
            return
        }
        let call = row.at("calls").array?.first?.array?.last ?? .null
        #expect(request.token == call.at("token").string)
        #expect(request.filters.map { .array($0) } ?? .null == call.at("filters"))
        let uuid = row.at("body", "uuid").string ?? row.at("url_parameters", "uuid").string
        #expect(request.job.rawValue == uuid)
    }

    /// The recorded schemas of the indexer. More lenient here: `index` is understood without its name (ms-44), and
    /// `indexed` may bring data (ms-47); stricter: what is no UUID is none (ms-43).
    @Test(
        arguments: Fixture.rows(file, "message_schema").filter {
            ["index", "indexed"].contains($0.at("schema").string)
        })
    func schemas(row: JSONValue) throws {
        let id = row.at("id").string ?? ""
        let body = JSONWriter.bytes(row.at("document"))
        let isTaken = ["ms-44": true, "ms-47": true, "ms-43": false][id] ?? row.at("valid").bool ?? false
        if isTaken {
            _ = try IndexMessage.decode(body: body, parameters: [])
        } else {
            #expect(throws: ReactorFailure.self) { try IndexMessage.decode(body: body, parameters: []) }
        }
    }

    @Test func aTokenHasToAllowIt() async throws {
        let record = makeJob(listing: ["/sample/tacc-cloud/a.txt"])
        for token in ["wrong", nil] {
            let failure = await #expect(throws: ReactorFailure.self) {
                try await deliver(
                    ["uuid": .string(record.uuid.rawValue), "name": "index", "token": JSONValue(token)],
                    sender: "mallory")
            }
            #expect(failure?.message == "Token is not valid")
        }
        #expect(history(record) == ["create", "run", "finish"])
        try await deliver(
            ["uuid": .string(record.uuid.rawValue), "name": "index", "token": "0dc73dc3ff39b49a"], sender: "alice")
        #expect(history(record) == ["create", "run", "finish", "index", "indexed"])
    }

    @Test func whoHoldsANonceIsNotTheManager() async throws {
        let record = makeJob()
        let failure = await #expect(throws: ReactorFailure.self) {
            try await deliver(["uuid": .string(record.uuid.rawValue), "name": "index"], nonce: NonceID("n"))
        }
        #expect(failure?.message == "Token is not valid")
        #expect(history(record) == ["create", "run", "finish"])
    }

    /// Killed before any of its commits, it goes on: nothing is recorded twice, nothing is missing.
    @Test(arguments: 1...6)
    func aCrashIsResumed(at commit: Int) async throws {
        let names = (0..<450).map { "/sample/tacc-cloud/d\($0 % 7)/f\($0).txt" }
        let record = makeJob(listing: names)
        let body: JSONValue = [
            "uuid": .string(record.uuid.rawValue), "name": "index", "filters": [["patterns": ["f1"], "level": "1"]],
        ]
        try? await deliver(body) { $0.crash = .beforeCommit(commit) }
        let before = world.read { $0.catalogue.jobFiles(of: record.uuid).count }
        if !history(record).contains("indexed") { try await deliver(body, attempts: 1) }
        #expect(history(record) == ["create", "run", "finish", "index", "indexed"])
        #expect(world.read { $0.catalogue.jobFiles(of: record.uuid).count } == 450)
        #expect(world.read { $0.catalogue.files.count } == 111)
        // What was on record was not read again.
        let read = world.read { $0.replies[ExecutionID("execution")]?["read"]?.int }
        #expect(read == 450 - before)
    }

    @Test func whatHasGoneIsForgottenAndWhatIsNewIsRead() async throws {
        let record = makeJob(listing: ["/sample/tacc-cloud/a.txt", "/sample/tacc-cloud/b.txt"])
        let body: JSONValue = ["uuid": .string(record.uuid.rawValue), "name": "index"]
        try await deliver(body)
        lab.archive("/sample/tacc-cloud", "c.txt", "new")
        lab.unarchive("/sample/tacc-cloud", "a.txt")
        world.change { contents in
            contents.now = contents.now.adding(milliseconds: 1000)
            contents.steps = [:]
        }
        try await deliver(body)
        #expect(world.read { $0.catalogue.jobFiles(of: record.uuid).map(\.path) } == ["b.txt", "c.txt"])
        #expect(world.read { $0.replies[ExecutionID("execution")]?["read"]?.int } == 1)
        let progress = world.read { $0.documents["job-index/\(record.uuid)"] }
        #expect(progress?.at("state").string == "complete" && progress?.at("files_total").int == 2)
    }

    @Test func aJobWithoutFilesIsIndexedAsWell() async throws {
        let record = makeJob()
        try await deliver(["uuid": .string(record.uuid.rawValue), "name": "index"])
        #expect(history(record) == ["create", "run", "finish", "index", "indexed"])
    }
}
