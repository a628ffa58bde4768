import ActorCore
import Reactors
import Testing

/// Ids, paths and tokens, letter by letter (PipelineJobs, section 4).
@Suite struct JobIdentityTests {
    private static let prefixes = [
        "challenge_problem": "101", "experiment_design": "114", "experiment": "102", "sample": "103",
        "measurement": "104", "file": "105", "process": "117", "reference": "109", "generic": "100",
    ]

    @Test(arguments: Fixture.rows("pipelinejobs", "uuid5_typed_v2"))
    func typedUUID(row: JSONValue) throws {
        let prefix = try #require(Self.prefixes[row.at("type").string ?? ""])
        #expect(TypedUUID.make(prefix, row.at("text").string ?? "") == row.at("uuid").string)
    }

    @Test(arguments: Fixture.rows("pipelinejobs", "job_uuid_v2"))
    func jobUUID(row: JSONValue) throws {
        let pipeline = PipelineID(try #require(row.at("pipeline_uuid").string))
        let childOf = row.at("child_of").array?.compactMap(\.string)
        #expect(
            JobIdentity.job(pipeline: pipeline, childOf: childOf, data: row.at("data")).rawValue
                == row.at("uuid").string)
    }

    @Test(arguments: Fixture.rows("pipelinejobs", "pipeline_uuid_v2"))
    func pipelineUUID(row: JSONValue) throws {
        let components = try #require(row.at("components").array)
        let id = row.at("pipeline_id").string
        #expect(
            JobIdentity.pipelineText(.second, id: id, components: components) == row.at("canonical").string)
        #expect(
            JobIdentity.pipeline(.second, id: id, components: components).rawValue == row.at("uuid").string)
        #expect(
            components.map { PipelineComponents.class(of: $0)?.rawValue }
                == row.at("component_types").array?.map(\.string))
    }

    @Test(arguments: Fixture.rows("pipelinejobs", "archive_path_element_v2"))
    func pathElement(row: JSONValue) {
        #expect(ArchivePath.element(row.at("text").string ?? "") == row.at("hashid").string)
        #expect(TypedUUID.make(TypedUUID.generic, row.at("text").string ?? "") == row.at("generic_uuid").string)
    }

    @Test(arguments: Fixture.rows("pipelinejobs", "archive_path_v2"))
    func archivePath(row: JSONValue) throws {
        var draft = JobDraft(
            pipeline: PipelineID(row.at("pipeline_uuid").string ?? ""), generation: .second,
            childOf: row.at("child_of").texts, data: row.at("data_at_init"),
            session: row.at("session").string ?? "any", actor: nil, execution: nil, owner: "alice", tenant: "sd2e")
        draft.isInstanced = row.at("instanced").bool ?? false
        // 2019-02-15T21:30:09Z, the moment of the only instanced case.
        let now = Timestamp(milliseconds: 1_550_266_209_000)
        let record = draft.record(pepper: "p", randomHex: String(repeating: "0", count: 32), now: now)
        #expect(record.path == row.at("output").string)
    }

    @Test func emptyParentsAndData() {
        #expect(ArchivePath.element("") == "BAkwe8wKZY2NgXyBpX8K5R1D")
        #expect(ArchivePath.element("{}") == "PAVpwrObxp5YjYRvrJOd5yVp")
    }

    @Test(
        arguments: zip(
            Fixture.rows("pipelinejobs", "instance_directory"),
            [1_536_856_123_000, 1_544_220_030_000, 1_543_339_963_000, 1_550_266_209_000] as [Int64]))
    func instance(row: JSONValue, milliseconds: Int64) {
        let now = Timestamp(milliseconds: milliseconds)
        #expect(ArchivePath.instance(session: row.at("session").string ?? "", at: now) == row.at("name").string)
    }

    @Test func aSessionThatEndsInAHyphenGetsNoSecond() {
        let now = Timestamp(milliseconds: 1_536_856_123_000)
        #expect(ArchivePath.instance(session: "solid-", at: now) == "solid-20180913T162843Z")
    }

    @Test(arguments: Fixture.rows("pipelinejobs", "token_v1_job"))
    func token(row: JSONValue) {
        let token = JobToken.make(
            pepper: row.at("pepper").string ?? "", pipeline: PipelineID(row.at("pipeline_uuid").string ?? ""),
            job: JobID(row.at("job_uuid").string ?? ""), salt: row.at("record_salt").string ?? "")
        #expect(token == row.at("token").string)
        #expect(JobToken.matches(token, token))
        #expect(!JobToken.matches(String(token.dropLast()), token))
        #expect(!JobToken.matches("", token))
        #expect(!JobToken.matches(token.uppercased(), token))
    }

    @Test func saltIsBase64OfTheRandomBytes() {
        #expect(JobToken.salt(randomHex: "30313233343536373839616263646566") == "MDEyMzQ1Njc4OWFiY2RlZg==")
    }

    @Test func sessionsAreTwoShortWords() {
        for first in UInt8.min...UInt8.max {
            let words = SessionName.make([first, first]).split(separator: "-")
            #expect(words.count == 2)
            #expect(words.allSatisfy { (2...8).contains($0.count) })
        }
    }

    @Test(arguments: [
        ("/products/v2/a/b", true), ("products/v1/x", true), ("/x", true), ("/products/../etc", false), ("", false),
        ("/", false), ("/a//b", false), ("//a", false), ("/a/.hidden", false), ("/a\u{0}", false), ("/a/b;c", false),
    ])
    func acceptablePaths(path: String, isAcceptable: Bool) {
        #expect(ArchivePath.isAcceptable(path) == isAcceptable)
    }

    @Test(arguments: [
        ("1073f4ff-c2b9-5190-bd9a-e6a406d9796a", "1073f4ff-c2b9-5190-bd9a-e6a406d9796a"),
        ("uri:urn:1073F4FF-c2b9-5190-bd9a-e6a406d9796a", "1073f4ff-c2b9-5190-bd9a-e6a406d9796a"),
        ("1073f4ffc2b95190bd9ae6a406d9796a", nil), ("1073f4ff-c2b9-5190-bd9a-e6a406d9796g", nil), ("", nil),
        ("1073f4ff-c2b9-5190-bd9a-e6a406d9796a/..", nil),
    ])
    func normalized(text: String, uuid: String?) {
        #expect(TypedUUID.normalized(text) == uuid)
    }
}
