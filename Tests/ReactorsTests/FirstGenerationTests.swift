import ActorCore
import Reactors
import Testing

/// Ids, paths, tokens and callbacks of the first generation, and what both share, letter by letter (PipelineJobs,
/// section 4).
@Suite struct FirstGenerationTests {
    private static func rows(_ section: String) -> [JSONValue] { Fixture.rows("job-identity", section) }

    @Test(arguments: rows("uuid5_v1"))
    func plainUUID(row: JSONValue) {
        #expect(TypedUUID.plain(row.at("text").string ?? "") == row.at("uuid_seed_era_2109f57c").string)
    }

    @Test(arguments: rows("uuid_type_prefixes"))
    func examplesOfEveryType(row: JSONValue) throws {
        let prefix = try #require(row.at("prefix").string)
        #expect(TypedUUID.make(prefix, row.at("example_text").string ?? "") == row.at("example_uuid").string)
    }

    @Test(arguments: rows("uuid_v1_to_v2"))
    func aTypeOverwritesThreeDigits(row: JSONValue) throws {
        let (old, new) = (try #require(row.at("v1").string), try #require(row.at("v2").string))
        #expect(new.dropFirst(3) == old.dropFirst(3))
        #expect(TypedUUID.normalized(old) == old && TypedUUID.normalized(new) == new)
    }

    @Test(arguments: rows("uuid_validation").filter { $0.at("op") == "validate_uuid5" })
    func validation(row: JSONValue) {
        #expect((row.at("input").string.flatMap(TypedUUID.normalized) != nil) == row.at("valid").bool)
    }

    @Test(arguments: rows("pipeline_uuid_v1"))
    func pipelineUUID(row: JSONValue) throws {
        let components = try #require(row.at("components").array)
        #expect(JobIdentity.pipelineText(.first, id: nil, components: components) == row.at("canonical").string)
        #expect(JobIdentity.pipeline(.first, id: nil, components: components).rawValue == row.at("uuid").string)
    }

    @Test func thePipelineOfTheDocument() {
        let components: [JSONValue] = [
            ["actorId": "eqMyqq4xB1Lqa", "opts": [:]], ["uri": "https://example.org"],
            ["appId": "bbq-brisket-0.5.0", "parameters": ["smoke": true]],
        ]
        #expect(
            JobIdentity.pipeline(.first, id: nil, components: components).rawValue
                == "f0f417f2-ba8b-5ac4-b421-255b69553391")
    }

    @Test(arguments: rows("pipeline_component_class"))
    func componentClass(row: JSONValue) {
        #expect(PipelineComponents.class(of: row.at("component"))?.rawValue == row.at("type").string)
    }

    @Test(arguments: rows("job_uuid_v1"))
    func jobUUID(row: JSONValue) {
        let actor = row.at("actor_id").string.map { ActorID($0) }
        let data = row.at("data").isNull ? nil : row.at("data")
        #expect(JobIdentity.jobText(actor: actor, data: data) == row.at("canonical").string)
        #expect(JobIdentity.job(actor: actor, data: data).rawValue == row.at("uuid").string)
    }

    @Test func aPublishedJob() {
        let uuid = JobIdentity.job(actor: ActorID("e5QKEW8L0BeZ4"), data: ["param1": "value1"])
        #expect(uuid.rawValue == "a7833f39-b676-54c4-8347-be141a5ba105")
    }

    /// The same letters as from Python, also where JSON is not what most JSON looks like.
    @Test(arguments: [
        (#"{"n": 123456789012345678901234567890}"#, #"{"n":123456789012345678901234567890}"#),
        (#"{"ü": 1e16, "a": 1.0, "z": -0.0}"#, #"{"a":1.0,"z":-0.0,"\u00fc":1e+16}"#),
        (#"{"k": "😀\u007f/"}"#, #"{"k":"\ud83d\ude00\u007f/"}"#),
    ])
    func dataIsHashedAsPythonWritesIt(text: String, minified: String) throws {
        let data = try JSONReader.read(Array(text.utf8))
        #expect(JobIdentity.jobText(actor: nil, data: data) == #"{"actor_id":null,"data":"# + minified + "}")
    }

    // MARK: Paths

    @Test(arguments: rows("archive_path_v1"))
    func archivePath(row: JSONValue) throws {
        var input = row.at("input")
        if let moment = row.at("utcnow").string { input = input.setting("time", .string(moment)) }
        let creation = try JobCreation(json: input)
        let draft = creation.draft(
            .first, petName: row.at("petname_when_generated").string ?? "", execution: nil, owner: "o", tenant: "t")
        #expect(draft.archivePath(try #require(creation.time)) == row.at("output").string)
    }

    @Test(
        arguments: [
            (["experiment_reference": "Yeast-Gates"], "lab: lab_name must be specified"),
            (["lab_name": "UW_BIOFAB"], "experiment: experiment_reference must be specified"),
            (["pipeline_uuid": "meep"], "pipeline_uuid: meep is not a valid UUID5"),
        ] as [(JSONValue, String)])
    func whatAPathNeeds(input: JSONValue, problem: String) {
        let base: JSONValue = ["pipeline_uuid": "f0f417f2-ba8b-5ac4-b421-255b69553391"]
        let json = (input.object ?? []).reduce(base) { $0.setting($1.name, $1.value) }
        let failure = #expect(throws: ReactorFailure.self) { try JobCreation(json: json) }
        #expect(failure?.message == problem)
    }

    @Test func withoutLabAndExperimentThePipelineIsEnough() throws {
        let creation = try JobCreation(json: ["pipeline_uuid": "f0f417f2-ba8b-5ac4-b421-255b69553391"])
        let draft = creation.draft(.first, petName: "solid-snake", execution: nil, owner: "o", tenant: "t")
        #expect(
            draft.archivePath(Timestamp(milliseconds: 1_536_856_123_000))
                == "/products/v1/f0f417f2-ba8b-5ac4-b421-255b69553391/solid-snake-20180913T162843Z")
    }

    @Test(arguments: [("abc", "able-adder"), ("abcd", "abcd"), ("ab.c-", "ab.c-")])
    func aShortSessionIsNoName(given: String, used: String) throws {
        let creation = try JobCreation(
            json: ["pipeline_uuid": "f0f417f2-ba8b-5ac4-b421-255b69553391", "session": .string(given)])
        #expect(
            creation.draft(.first, petName: "able-adder", execution: nil, owner: "o", tenant: "t").session == used)
    }

    // MARK: Tokens

    @Test(arguments: rows("token_v1_pipeline"))
    func pipelineToken(row: JSONValue) {
        let token = JobToken.make(
            pepper: row.at("pepper").string ?? "", pipeline: PipelineID(row.at("pipeline_uuid").string ?? ""),
            salt: row.at("record_salt").string ?? "")
        #expect(token == row.at("token").string)
    }

    @Test(arguments: rows("token_v2"))
    func secondGenerationToken(row: JSONValue) {
        #expect(
            JobToken.make(salt: row.at("record_salt").string ?? "", fields: row.at("args").array ?? [])
                == row.at("token").string)
    }

    @Test(arguments: rows("salt_v2"))
    func salts(row: JSONValue) {
        let bytes = row.at("bytes_hex").string ?? ""
        #expect(JobToken.salt(randomHex: bytes, .first) == row.at("salt_v1").string)
        #expect(JobToken.salt(randomHex: bytes, .second) == row.at("salt_v2").string)
    }

    @Test(arguments: rows("token_admin"))
    func adminToken(row: JSONValue) throws {
        let tokens = AdminTokens(
            secret: row.at("secret").string ?? "", key: row.at("key").string ?? "",
            lifetimeSeconds: Int64(row.at("lifetime_s").int ?? 0))
        let now = Timestamp(milliseconds: Int64(try #require(row.at("unix_time").int)) * 1000)
        #expect(tokens.token(at: now, Fingerprint.sha256) == row.at("token_current").string)
        for token in row.at("accepted").texts { #expect(tokens.accepts(token, at: now, Fingerprint.sha256)) }
        #expect(!tokens.accepts("", at: now, Fingerprint.sha256))
        #expect(!tokens.accepts("0123456789abcdef", at: now, Fingerprint.sha256))
    }

    @Test(arguments: rows("token_admin_window"))
    func adminTokenWindow(row: JSONValue) throws {
        let tokens = AdminTokens(
            secret: "test-admin-secret", key: "test-admin-key",
            lifetimeSeconds: Int64(row.at("lifetime_s").int ?? 0))
        let issued = Timestamp(milliseconds: Int64(try #require(row.at("issued_at").int)) * 1000)
        let checked = Timestamp(milliseconds: Int64(try #require(row.at("checked_at").int)) * 1000)
        let token = tokens.token(at: issued, Fingerprint.sha256)
        #expect(token == row.at("token").string)
        #expect(tokens.accepts(token, at: checked, Fingerprint.sha256) == row.at("valid").bool)
        #expect((checked < tokens.end(of: issued)) == row.at("valid").bool)
    }

    // MARK: Callbacks and ids of the actors API

    @Test(arguments: rows("callback_url"))
    func callback(row: JSONValue) {
        var base = row.at("api_server").string ?? ""
        // The doubled slash of the second generation came from its settings; ours never end in one.
        if base.hasSuffix("/") { base.removeLast() }
        let callback = JobCallback(
            base: base, manager: row.at("job_manager_id").string ?? "", nonce: row.at("nonce").string ?? "")
        let url = callback.url(
            token: row.at("token").string ?? "", uuid: JobID(row.at("uuid").string ?? ""),
            session: row.at("session").string)
        #expect(url == row.at("url").string?.replacing("org//actors", with: "org/actors"))
    }

    @Test(arguments: rows("abaco_hashid"))
    func looksLikeAHashid(row: JSONValue) {
        #expect((Hashids.abaco.decode(row.at("id").string ?? "") != nil) == row.at("valid").bool)
    }

    @Test(arguments: rows("abaco_hashid_encode"))
    func hashid(row: JSONValue) throws {
        #expect(Hashids.abaco.encode(try #require(UInt128(row.at("int").string ?? ""))) == row.at("hashid").string)
    }
}
