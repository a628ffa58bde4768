import ActorCore
import ActorTesting
import Reactors
import Testing

/// An upload's way from the inbox to its jobs.
@Suite struct IngestReactorTests {
    private static let ephys = "2026-11-21-e-mitbih208"

    private let world = TestWorld()
    private let files = ModelLabFiles()

    private func deliver(
        _ body: JSONValue, execution: String = "execution", attempts: Int = 0, crash: TestContext.CrashPoint? = nil
    ) async throws {
        var setup = TestContext.Setup()
        setup.crash = crash
        setup.folder = "/actors/ingest"
        let reactor = IngestReactor(
            tools: ReactorTools(
                files: files, archive: MemoryLab(), documents: JSONDocuments(), executor: ModelExecutor(),
                limits: Limits(), home: "/house"))
        try await world.deliver(
            envelope(body, sender: "inbox", execution: execution, attempts: attempts), to: reactor, as: setup)
    }

    private func jobFile(_ path: String, name: String = "beats-${UUID}", appliesTo: String? = nil) -> JobFile {
        var metadata: JSONValue = ["name": .string(name)]
        if let appliesTo {
            metadata = metadata.setting("annotations", ["reactord/applies-to": .string(appliesTo)])
        }
        let container: JSONValue = ["name": "c", "image": "i", "args": ["$UUID", "$HOME"]]
        let file: JSONValue = [
            "apiVersion": "batch/v1", "kind": "Job", "metadata": metadata,
            "spec": ["template": ["spec": ["containers": [container]]]],
        ]
        return JobFile(path: path, text: JSONWriter.bytes(file))
    }

    private func land(_ name: String = ephys) {
        files.change {
            $0.inbox[name] = [
                LabFile(path: "rec.i16le", bytes: 10, sha256: "aa"),
                LabFile(path: "metadata.json", bytes: 2, sha256: "bb"),
            ]
        }
    }

    private func upload(_ name: String = ephys) -> JSONValue {
        ["kind": "upload", "name": .string(name), "bytes": 12, "files": 2, "modified": 0]
    }

    private func document(_ id: String = ephys) -> JSONValue { world.read { $0.documents["upload/\(id)"] ?? .null } }

    private var jobs: [JobID] {
        (document().at("jobs").array ?? []).compactMap { $0["uuid"]?.string.map { JobID($0) } }
    }

    @Test func everyJobFileThatAppliesBecomesAJob() async throws {
        land()
        files.change {
            $0.jobFiles = [
                jobFile("ephys/beats.yaml", appliesTo: "*.i16le"), jobFile("all.yaml"),
                jobFile("imaging/cells.yaml"), jobFile("cytometry/stats.yaml", appliesTo: "*.fcs"),
            ]
        }
        try await deliver(upload())
        let document = document()
        #expect(document.at("state") == "processing" && document.at("modality") == "ephys")
        #expect(document.at("number") == 1 && document.at("bytes") == 12 && document.at("file_count") == 2)
        #expect(document.at("jobs").array?.map { $0.at("file").string } == ["all.yaml", "ephys/beats.yaml"])
        let skipped = document.at("skipped").array?.map { $0.at("file").string }
        #expect(skipped == ["cytometry/stats.yaml", "imaging/cells.yaml"])
        #expect(document.at("skipped").array?.allSatisfy { $0.at("reason").string?.isEmpty == false } == true)
        let mail = world.read { $0.mail }
        #expect(mail.map(\.address) == [.alias("job-runner"), .alias("job-runner")])
        #expect(mail.map(\.key) == jobs.map(\.rawValue))
    }

    @Test func theRunnerGetsAllItNeeds() async throws {
        land()
        files.change { $0.jobFiles = [jobFile("ephys/beats.yaml", name: "Beats_${UUID}")] }
        try await deliver(upload())
        let record = try #require(world.read { $0.jobs.values.first })
        let message = try JobRunMessage.decode(try #require(world.read { $0.mail.first?.body }))
        #expect(message.job == record.uuid && message.path == record.path)
        #expect(message.callback.contains("token=\(record.token)"))
        #expect(message.name == "beats-2026-11-21-e-mitbih208")
        #expect(message.upload == .init(name: Self.ephys, folder: "/uploads/\(Self.ephys).1", number: 1))
        #expect(message.spec.containers.first?.args == [Self.ephys, "$HOME"])
        #expect(record.data.at("name") == "Beats_2026-11-21-e-mitbih208")
        #expect(record.notify == TestContext.Setup().actor && record.actor == record.notify)
        #expect(record.session == message.name)
        let pipeline = try #require(world.read { $0.pipelines[record.pipeline] })
        #expect(pipeline.name == "ingest:ephys/beats.yaml")
        #expect(JobIdentity.pipeline(id: pipeline.name, components: pipeline.components) == pipeline.uuid)
    }

    @Test func aBadJobFileDoesNotStopTheOthers() async throws {
        land()
        files.change {
            $0.jobFiles = [
                JobFile(path: "a.yaml", text: Array("{\n\"apiVersion\": oops".utf8)),
                JobFile(path: "b.yaml", text: Array(#"{"apiVersion": "batch/v1", "kind": "Job", "spec": 1}"#.utf8)),
                jobFile("c.yaml"),
            ]
        }
        try await deliver(upload())
        let invalid = document().at("invalid").array ?? []
        #expect(invalid.map { $0.at("file").string } == ["a.yaml", "b.yaml"])
        #expect(invalid.map { $0.at("line").int } == [2, 1])
        #expect(invalid.last?.at("reason").string?.contains("/spec") == true)
        #expect(jobs.count == 1 && document().at("state") == "processing")
    }

    @Test func withoutAnyJobTheUploadIsDone() async throws {
        land()
        files.change { $0.jobFiles = [jobFile("imaging/cells.yaml")] }
        try await deliver(upload())
        #expect(document().at("state") == "done" && document().at("jobs") == [])
        #expect(document().at("finished").string != nil)
    }

    @Test func withNothingButBadJobFilesItFailed() async throws {
        land()
        files.change { $0.jobFiles = [JobFile(path: "a.yaml", text: Array("oops".utf8))] }
        try await deliver(upload())
        #expect(document().at("state") == "failed")
    }

    @Test func whatIsNotInTheInboxIsRefused() async throws {
        let failure = await #expect(throws: ReactorFailure.self) { try await deliver(upload("nowhere")) }
        #expect(failure?.kind == .refused)
        #expect(failure?.message.contains("nowhere") == true)
    }

    @Test(
        arguments: [
            ["kind": "upload", "name": "../etc"], ["kind": "upload"], ["kind": "job", "uuid": "x"], ["kind": "rerun"],
            ["kind": "other"], [], ["kind": "rerun", "upload": "nowhere"],
            ["kind": "job", "uuid": "10792d3c-395c-57e0-a694-006cf03d3970"],
        ] as [JSONValue])
    func nonsenseIsRefused(body: JSONValue) async {
        let failure = await #expect(throws: ReactorFailure.self) { try await deliver(body) }
        #expect(failure?.kind == .refused)
    }

    @Test func aSecondUploadOfOneNameIsAnotherOne() async throws {
        files.change { $0.jobFiles = [jobFile("all.yaml")] }
        land()
        try await deliver(upload())
        land()
        try await deliver(upload(), execution: "second")
        #expect(document("\(Self.ephys).2").at("number") == 2)
        #expect(world.read { $0.jobs.count } == 2)
    }

    // MARK: Crashes

    @Test(arguments: [
        TestContext.CrashPoint.duringStep("claim"), .afterStep("claim"), .beforeCommit(1), .beforeCommit(2),
    ])
    func aCrashAnywhereLosesNothingAndDoublesNothing(point: TestContext.CrashPoint) async throws {
        land()
        files.change { $0.jobFiles = [jobFile("all.yaml"), jobFile("ephys/beats.yaml")] }
        await #expect(throws: (any Error).self) { try await deliver(upload(), crash: point) }
        #expect(world.read { $0.mail.isEmpty && $0.jobs.isEmpty })
        try await deliver(upload(), attempts: 1)
        #expect(world.read { $0.jobs.count } == 2)
        #expect(world.read { $0.mail.count } == 2)
        #expect(document().at("number") == 1)
    }

    // MARK: News of jobs

    private func move(_ job: JobID, _ status: PipelineJobState) async throws {
        world.change { $0.jobs[job]?.status = status }
        try await deliver(
            ["kind": "job", "uuid": .string(job.rawValue), "status": .string(status.rawValue), "event": "update"],
            execution: "news")
    }

    @Test(arguments: [
        ([PipelineJobState.finished, .finished], "done"), ([.finished, .failed], "failed"),
        ([.finalized, .rejected], "failed"), ([.finished, .running], "processing"), ([.indexing, .retired], "done"),
    ])
    func theUploadFollowsItsJobs(statuses: [PipelineJobState], state: String) async throws {
        land()
        files.change { $0.jobFiles = [jobFile("a.yaml"), jobFile("b.yaml")] }
        try await deliver(upload())
        for (job, status) in zip(jobs, statuses) { try await move(job, status) }
        let document = document()
        #expect(document.at("state").string == state)
        #expect(document.at("jobs").array?.map { $0.at("status").string } == statuses.map(\.rawValue))
        #expect((document.at("finished").string != nil) == (state != "processing"))
    }

    @Test func theCatalogueIsBelievedNotTheMessage() async throws {
        land()
        files.change { $0.jobFiles = [jobFile("a.yaml")] }
        try await deliver(upload())
        let job = try #require(jobs.first)
        try await deliver(["kind": "job", "uuid": .string(job.rawValue), "status": "FINISHED"], execution: "news")
        #expect(document().at("state") == "processing")
    }

    // MARK: Again

    @Test func aRerunMakesNewJobsFromTheFilesAsTheyAreNow() async throws {
        land()
        files.change { $0.jobFiles = [jobFile("a.yaml"), jobFile("b.yaml")] }
        try await deliver(upload())
        let old = jobs
        for job in old { try await move(job, .failed) }
        try await deliver(
            ["kind": "rerun", "upload": .string(Self.ephys), "file": "b.yaml"], execution: "again")
        #expect(jobs.count == 2 && jobs.first == old.first && jobs.last != old.last)
        #expect(document().at("state") == "processing" && document().at("run") == 2)
        let job = try #require(jobs.last)
        #expect(world.read { $0.jobs[job]?.data["run"] } == 2)
        let message = try JobRunMessage.decode(try #require(world.read { $0.mail.last?.body }))
        #expect(message.upload.folder == "/uploads/\(Self.ephys).1")
        // News of the run before is no news.
        try await move(try #require(old.last), .retired)
        #expect(document().at("jobs").array?.last?.at("status") == "CREATED")
        await #expect(throws: ReactorFailure.self) {
            try await deliver(
                ["kind": "rerun", "upload": .string(Self.ephys), "file": "c.yaml"], execution: "third")
        }
    }
}
