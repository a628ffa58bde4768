import ActorCore
import ActorTesting
import Reactors
import Testing

/// What a job that is reset leaves of its earlier run, and where jobs may lie at all.
@Suite struct JobResetTests {
    private static let pipeline = "106c46ff-8186-5756-a934-071f4497b58d"
    private static let indexer = ActorID("MEzqaw4rkWZoK")
    private static let admin = [(JobAuthority.variable, "admin")]

    private let world = TestWorld()
    private let lab = MemoryLab()

    private func deliver(
        _ body: JSONValue, by parameters: [(String, String)] = Self.admin, sender: String = "alice",
        to archive: (any ArchiveFiles)? = nil
    ) async throws {
        var setup = TestContext.Setup()
        setup.settings = ["unknown_pipelines": "register"]
        setup.actors = ["jobs-indexer": Self.indexer]
        try await world.deliver(
            envelope(body, parameters: parameters, sender: sender),
            to: PipelineJobsReactor(archive: archive ?? lab), as: setup)
    }

    private func makeJob(_ extra: JSONValue = [:]) async throws -> JobRecord {
        var body: JSONValue = ["pipeline_uuid": .string(Self.pipeline), "child_of": [], "data": [:]]
        for member in extra.object ?? [] { body = body.setting(member.name, member.value) }
        try await deliver(body)
        let uuid = try #require(answer.at("uuid").string)
        return try #require(world.read { $0.jobs[JobID(uuid)] })
    }

    private func reset(
        _ record: JobRecord, _ data: JSONValue = .null, to archive: (any ArchiveFiles)? = nil
    ) async throws {
        try await deliver(
            ["uuid": .string(record.uuid.rawValue), "event": "reset", "data": data], to: archive)
    }

    private var answer: JSONValue { world.read { $0.replies[ExecutionID("execution")] ?? .null } }

    // MARK: Files

    @Test func aResetMakesRoomForAnotherRun() async throws {
        let record = try await makeJob()
        lab.archive(record.path, "out/beats.csv", "1,2")
        let file = JobFileRecord(
            path: "out/beats.csv", bytes: 3, sha256: "ab", modified: record.created, indexed: record.created)
        world.change { $0.catalogue.store([file], of: record.uuid, run: record.created) }
        try await reset(record)
        #expect(answer.at("cleared") == true && answer.at("status") == "RESET")
        #expect(lab.archived(record.path) == nil)
        #expect(world.read { $0.catalogue.jobFiles(of: record.uuid).isEmpty })
        // What it was is still there until the indexer, which has the time, removes it.
        let name = "\(record.uuid)-1"
        #expect(lab.namesAside == [name])
        let mail = try #require(world.read { $0.mail.last })
        #expect(mail.address == .alias("jobs-indexer") && mail.body == ["discard": .string(name)])
        var setup = TestContext.Setup()
        setup.actor = Self.indexer
        let tools = ReactorTools(
            files: lab, archive: lab, documents: JSONDocuments(), executor: ModelExecutor(), limits: Limits(),
            home: "/house")
        for _ in 0..<2 {
            try await world.deliver(envelope(mail.body), to: JobsIndexerReactor(tools: tools), as: setup)
        }
        #expect(lab.namesAside.isEmpty)
        // A second reset of what is empty is one, too.
        try await reset(record)
        #expect(answer.at("cleared") == true && answer.at("revision").int == 2)
    }

    @Test func filesStayWhereTheyAreWantedOrMayBelongToOthers() async throws {
        let record = try await makeJob()
        lab.archive(record.path, "a", "1")
        try await reset(record, ["no_clear_path": true])
        #expect(answer.at("kept") == "no_clear_path was asked for" && answer.at("status") == "RESET")

        let chosen = try await makeJob(["data": ["n": 1], "archive_path": "/sample/tacc-cloud"])
        lab.archive(chosen.path, "a", "1")
        try await reset(chosen)
        #expect(answer.at("kept").string?.contains("/sample/tacc-cloud was chosen for this job") == true)

        let shared = try await makeJob(["data": ["n": 2], "archive_path": .string(record.path + "/more")])
        try await reset(record)
        #expect(answer.at("kept").string == "\(record.path) is the path of job \(shared.uuid) too")
        #expect(lab.archived(record.path) != nil && lab.archived(chosen.path) != nil && lab.namesAside.isEmpty)
        #expect(world.read { $0.mail.isEmpty })
    }

    /// As it was recorded of the predecessor (lc-10, lc-11): the job is RESET, and ready all the same.
    @Test func whatCannotBeClearedIsSaid() async throws {
        let record = try await makeJob()
        let failure = await #expect(throws: ReactorFailure.self) { try await reset(record, to: BrokenArchive()) }
        #expect(failure?.message.contains("the job is RESET, but") == true)
        #expect(failure?.message.contains("the disk is gone") == true)
        #expect(world.read { $0.jobs[record.uuid]?.status } == .reset)
        try await deliver(["uuid": .string(record.uuid.rawValue), "event": "ready"])
        #expect(world.read { $0.history[record.uuid]?.map(\.name) } == ["create", "reset", "ready"])
        try await reset(record, ["permissive": true], to: BrokenArchive())
        #expect(answer.at("kept") == "the disk is gone" && answer.at("status") == "RESET")
    }

    /// Killed between the taking of the files and the commit, the repeat ends what was begun.
    @Test func aCrashIsMadeUpFor() async throws {
        let record = try await makeJob()
        lab.archive(record.path, "a", "1")
        let body: JSONValue = ["uuid": .string(record.uuid.rawValue), "event": "reset"]
        var setup = TestContext.Setup()
        setup.actors = ["jobs-indexer": Self.indexer]
        setup.crash = .beforeCommit(1)
        let reactor = PipelineJobsReactor(archive: lab)
        await #expect(throws: (any Error).self) {
            try await world.deliver(envelope(body, parameters: Self.admin), to: reactor, as: setup)
        }
        #expect(world.read { $0.jobs[record.uuid]?.status } == .created)
        setup.crash = nil
        try await world.deliver(envelope(body, parameters: Self.admin, attempts: 1), to: reactor, as: setup)
        #expect(world.read { $0.jobs[record.uuid]?.status } == .reset)
        #expect(world.read { $0.mail.last?.body } == ["discard": .string("\(record.uuid)-1")])
    }

    // MARK: Paths

    private static let tacobot = "f0f417f2-ba8b-5ac4-b421-255b69553391"
    private static let lab9 = "55c8d93d-2115-53ba-ba05-446f47d7ff72"

    /// Everybody who reads the job reads what lies at its path: that is no way to what lies elsewhere.
    @Test(arguments: [
        ("/products/v1/\(lab9)/\(lab9)/\(tacobot)/solid-snake-20180913T162843Z", true),
        ("products/v1/\(lab9)/\(lab9)/\(lab9)/\(tacobot)/x", true), ("/products/v1/\(tacobot)/x/y", true),
        ("/products/v2/f0f417f2ba8b5ac4b421255b69553391/x", true),
        ("/products/v2/55c8d93d211553baba05446f47d7ff72/f0f417f2ba8b5ac4b421255b69553391/x", true),
        ("/products/v1/\(tacobot)", false), ("/products/v1/other/\(tacobot)/x", false), ("/products", false),
        ("/products/v1/\(lab9)/\(lab9)/\(lab9)/\(lab9)/\(tacobot)/x", false), ("/products/v3/\(tacobot)/x", false),
        ("/products/v1/\(lab9)/\(lab9)/3b98ff33-d982-5cdc-9f02-5a70471e9629/x", false), ("/sample/tacc-cloud", false),
    ])
    func whoIsNoAdminChoosesAmongThePathsOfThePipeline(path: String, isOwn: Bool) async throws {
        #expect(ArchivePath.isOwn(path, of: PipelineID(Self.tacobot)) == isOwn)
        let body: JSONValue = [
            "pipeline_uuid": .string(Self.tacobot), "data": ["n": 1], "archive_path": .string(path),
        ]
        if isOwn {
            try await deliver(body, by: [])
        } else {
            let failure = await #expect(throws: ReactorFailure.self) { try await deliver(body, by: []) }
            #expect(failure?.message.hasPrefix("archive_path: \(path) is no path of a job of this pipeline") == true)
            #expect(answer.at("error", "code") == "forbidden")
            #expect(world.read { $0.jobs.isEmpty })
            // An admin, and whoever owns the actor that keeps the jobs, knows what lies there.
            try await deliver(body)
            try await deliver(body.setting("data", ["n": 2]), by: [], sender: "owner")
        }
        #expect(world.read { $0.jobs.values.allSatisfy { $0.path == path } && !$0.jobs.isEmpty })
    }
}

/// An archive on a disk that does not answer.
private struct BrokenArchive: ArchiveFiles {
    private let failure = ActorError(.unavailable, "the disk is gone")

    func total(_ archivePath: String) async throws(ActorError) -> (files: Int, bytes: Int64) { throw failure }
    func list(_ archivePath: String, after: String?, limit: Int) async throws(ActorError) -> [ArchivedFile] {
        throw failure
    }
    func file(_ path: String, in archivePath: String) async throws(ActorError) -> ArchivedFile? { throw failure }
    func fixity(
        _ path: String, in archivePath: String
    ) async throws(ActorError) -> (file: ArchivedFile, sha256: String) { throw failure }
    func read(
        _ path: String, in archivePath: String, from offset: Int64, limit: Int
    ) async throws(ActorError) -> [UInt8] { throw failure }
    func setAside(_ archivePath: String, as name: String) async throws(ActorError) -> Bool { throw failure }
    func discard(_ name: String) async throws(ActorError) { throw failure }
    func logs(of run: String, limit: Int) async throws(ActorError) -> [(file: ArchivedFile, tail: String)] {
        throw failure
    }
}
