import ActorCore
import Reactors
import Testing

/// Which message is which, and what the recorded ones of both generations become.
@Suite struct PipelineJobMessageTests {
    private static let job = "1073f4ff-c2b9-5190-bd9a-e6a406d9796a"

    private func decode(_ body: JSONValue, _ parameters: JSONValue = [:]) throws -> PipelineJobMessage {
        try PipelineJobMessage.decode(
            body: JSONWriter.bytes(body),
            parameters: (parameters.object ?? []).map { EnvironmentEntry($0.name, $0.value.string ?? "") })
    }

    /// What the reactor makes of it where nothing was reported before.
    private func event(
        _ message: PipelineJobMessage, map: String = CallbackMap.standard
    ) throws -> PipelineJobMessage.Event {
        if case .event(let event) = message { return event }
        if case .callback(let callback) = message {
            let table = try #require(CallbackMap.builtIn[map])
            let reader = JobCallbackReader(map: table, seen: [], maxDataBytes: 1_000_000)
            if case .event(let event, _) = reader.read(callback) { return event }
        }
        throw ReactorFailure(.refused, "not an event: \(message)")
    }

    @Test(arguments: Fixture.rows("pipelinejobs-catalogue", "agave_status_map"))
    func agaveStatus(row: JSONValue) throws {
        let status = row.at("status").string ?? ""
        func event(_ map: String) throws -> String? {
            try #require(CallbackMap.builtIn[map]).read(status: status.lowercased(), body: .null)?.event
        }
        // As published, by setting.
        #expect(try event("agave-2018") == row.at("event_v1").string)
        #expect(try event("agave-2019") == row.at("event_v2").string)
        // Its two defects mended: "updated" is no event, and what was killed has failed.
        let mended = ["UPDATED": "update", "KILLED": "fail"]
        #expect(try event("agave") == mended[status] ?? row.at("event_v2").string)
        #expect(try event("agave-v1") == (status == "KILLED" ? "fail" : row.at("event_v1").string))
    }

    // MARK: Recorded routing, first generation

    /// What differs from the record, and why: m1-04 takes `update`, as the documentation does; m1-05 and m1-10 are
    /// taken apart and refused later for want of a token.
    @Test(arguments: Fixture.rows("pipelinejobs-catalogue", "manager_routing_v1"))
    func firstGeneration(row: JSONValue) throws {
        let id = row.at("id").string ?? ""
        let body = row.at("body")
        switch row.at("action").string {
        case "create":
            guard case .create(let creation) = try decode(body) else {
                Issue.record("\(id) is no creation")
                return
            }
            #expect(creation.pipeline.rawValue == body.at("pipeline_uuid").string)
            #expect(creation.archivePath == body.at("archive_path").string)
            #expect(creation.data == body.at("data"))
        case "event":
            let event = try self.event(try decode(body))
            #expect(event.name == body.at("event").string)
            #expect(event.token == body.at("token").string)
            #expect(event.data == body.at("data"))
        case "agavejobs" where row.at("exit").texts.first == "success":
            let event = try self.event(try decode(body, row.at("url_parameters")), map: "agave-v1")
            let wanted = row.at("store_calls").array?.first?.texts[2]
            #expect(event.name.lowercased() == wanted)
            #expect(event.data == body)
        default:
            try refusedOrLenient(id, body, row.at("url_parameters"))
        }
    }

    private func refusedOrLenient(_ id: String, _ body: JSONValue, _ parameters: JSONValue) throws {
        switch id {
        case "m1-04": #expect(try event(try decode(body)).name == "update")
        case "m1-05", "m1-10": #expect(try event(try decode(body, parameters)).token == nil)
        default: #expect(throws: ReactorFailure.self) { try event(try decode(body, parameters)) }
        }
    }

    // MARK: Recorded routing, second generation

    /// What differs from the record: no data is null and not a note; `status` alone is taken (mr-09), and so are
    /// Agave callbacks (mr-15); a callback's body is kept whole; `index` and `indexed` (mr-12, mr-13) are events
    /// like others.
    @Test(arguments: Fixture.rows("pipelinejobs-catalogue", "manager_routing_v2"))
    func secondGeneration(row: JSONValue) throws {
        let id = row.at("id").string ?? ""
        let body = row.at("body")
        // What the original never did: a job is deleted by its manager.
        if id == "mr-23" {
            let job = JobID(body.at("uuid").string ?? "")
            let action = PipelineJobMessage.Action(uuid: job, kind: .delete, token: body.at("token").string)
            #expect(try decode(body) == .action(action))
            return
        }
        if id == "mr-10" {
            #expect(throws: ReactorFailure.self) { try decode(body, row.at("url_parameters")) }
            return
        }
        let event = try self.event(try decode(body, row.at("url_parameters")))
        let own = ["mr-09": "fail", "mr-12": "index", "mr-13": "indexed", "mr-15": "run"]
        #expect(event.name == own[id] ?? row.at("handled_event", "name").string)
        #expect(event.uuid.rawValue == Self.job)
        if id != "mr-13" { #expect(event.token == "0dc73dc3ff39b49a") }
        switch id {
        case "mr-02", "mr-08": #expect(event.data == row.at("handled_event", "data"))
        case "mr-13": #expect(event.data == body.at("data"))
        case _ where body.at("appId").string != nil: #expect(event.data == body)
        default: #expect(event.data.isNull)
        }
    }

    /// A list and a text are no messages; what they are stays what it is.
    @Test(arguments: Fixture.rows("pipelinejobs-catalogue", "message_parse"))
    func parsing(row: JSONValue) throws {
        let body = Array((row.at("MSG").string ?? "").utf8)
        let wanted = row.at("effective_message_in_managers")
        let parsed = (try? JSONReader.read(body)) ?? PythonLiteral.dictionary(body) ?? [:]
        #expect(parsed == wanted)
    }

    @Test func aPythonDictionaryIsAMessage() throws {
        let data = "{'a': [1, 2.5, (True, None)], 'b': 'ä\\n\\u00e9'}"
        let text = "{'uuid': '\(Self.job)', \"event\": 'update', 'token': 'x', 'data': \(data)}"
        let event = try self.event(try PipelineJobMessage.decode(body: Array(text.utf8), parameters: []))
        #expect(event.name == "update" && event.data == ["a": [1, 2.5, [true, nil]], "b": "ä\né"])
    }

    @Test(arguments: [
        #"{"a":{"b":[1,-2.5,"x'y",true,null,{}]},"ä\"\n":"\t"}"#, #"{"":[[],{}]}"#, #"{"n":12345678901}"#,
    ])
    func whatPythonPrintsIsReadBack(json: String) throws {
        let value = try JSONReader.read(Array(json.utf8))
        #expect(PythonLiteral.dictionary(Array(PythonText.repr(value).utf8)) == value)
    }

    @Test(arguments: [
        "", "{", "{'a'}", "{'a': }", "{'a': 1", "{'a': 1} x", "['a']", "'a'", "{'a': 1, 'a': 2}", "{a: 1}", "{'a': b}",
        "{'a': true}",
        "{'a': '\\x4'}", "{'a': 'b\n'}", "{1: 2}", "{'a': 1 2}", String(repeating: "{'a': ", count: 100),
    ])
    func whatIsNoDictionaryIsNone(text: String) { #expect(PythonLiteral.dictionary(Array(text.utf8)) == nil) }

    // MARK: Schemas

    private static let schemas = ["event_v1", "event_v2", "event_2018_12", "create", "delete_2018_12", "aloejobs"]

    /// Here the Reactor is the schema. More lenient than the recorded ones: any case of an event's name, events the
    /// older schemas lack, a creation without data (ms-24), a deletion in the second generation too (ms-18), and a
    /// token of any length, which opens nothing (ms-22). The indexer's schemas are ``JobsIndexerTests``' and those of
    /// pipelines ``JobLifeTests``'.
    @Test(
        arguments: Fixture.rows("pipelinejobs-catalogue", "message_schema").filter {
            schemas.contains($0.at("schema").string ?? "")
        })
    func schema(row: JSONValue) throws {
        let lenient = ["ms-12", "ms-18", "ms-22", "ms-24", "ms-34"]
        let isTaken = row.at("valid").bool == true || lenient.contains(row.at("id").string ?? "")
        func read() throws {
            guard row.at("schema") == "aloejobs" else {
                _ = try decode(row.at("document"))
                return
            }
            // The status in the body counts, if the body is what it should be.
            let event = try self.event(try decode(row.at("document"), ["uuid": .string(Self.job), "token": "t"]))
            #expect(event.name == "run" && event.data == row.at("document"))
        }
        if isTaken {
            try read()
        } else {
            #expect(throws: ReactorFailure.self) { try read() }
        }
    }

    // MARK: Shapes

    @Test func stateStandsInForStatus() throws {
        let event = try self.event(try decode([:], ["uuid": .string(Self.job), "state": "running"]))
        #expect(event.name == "run")
        #expect(event.data.isNull)
        let both = try self.event(
            try decode([:], ["uuid": .string(Self.job), "state": "RUNNING", "status": "FAILED"]))
        #expect(both.name == "fail")
    }

    @Test func aCallbackTakesAnyBody() throws {
        let parameters = [EnvironmentEntry("uuid", Self.job), EnvironmentEntry("event", "update")]
        let expectations: [(String, JSONValue)] = [
            ("", .null), ("{}", .null), ("null", .null), ("\"\"", .null), ("[1]", [1]), ("7", 7),
            ("plain words", "plain words"), (#"{"uuid": 1}"#, ["uuid": 1]),
        ]
        for (body, data) in expectations {
            let message = try PipelineJobMessage.decode(body: Array(body.utf8), parameters: parameters)
            #expect(try event(message).data == data, "\(body)")
        }
        let binary = try PipelineJobMessage.decode(body: [0xff, 0xfe], parameters: parameters)
        #expect(try event(binary).data.isNull)
    }

    @Test func theBodysEventBeatsTheURL() throws {
        let message = try decode(
            ["uuid": .string(Self.job), "event": "run", "token": "body"],
            ["uuid": "107b93f3-1eae-5e79-8a18-0a480f8aa3a5", "event": "fail", "token": "url"])
        let event = try self.event(message)
        #expect(event.name == "run" && event.token == "body" && event.uuid.rawValue == Self.job)
        let borrowed = try decode(["uuid": .string(Self.job), "event": "run"], ["token": "url"])
        #expect(try self.event(borrowed).token == "url")
    }

    @Test func aRecordInACallbacksBodyIsData() throws {
        let body: JSONValue = ["pipeline_uuid": "106c46ff-8186-5756-a934-071f4497b58d", "status": "FINISHED"]
        let message = try decode(body, ["uuid": .string(Self.job), "event": "update"])
        #expect(try event(message).data == body)
    }

    @Test(arguments: [
        (#"{"pipeline_uuid": "x"}"#, "pipeline_uuid"),
        (#"{"pipeline_uuid": "106c46ff-8186-5756-a934-071f4497b58d", "data": []}"#, "data"),
        (#"{"pipeline_uuid": "106c46ff-8186-5756-a934-071f4497b58d", "archive_path": "/a/../b"}"#, "archive_path"),
        (#"{"pipeline_uuid": "106c46ff-8186-5756-a934-071f4497b58d", "session": "a/b"}"#, "session"),
        (#"{"pipeline_uuid": "106c46ff-8186-5756-a934-071f4497b58d", "notify": "not an id"}"#, "notify"),
        (#"{"pipeline_uuid": "106c46ff-8186-5756-a934-071f4497b58d", "child_of": ["x"]}"#, "child_of"),
        (#"{"pipeline_uuid": "106c46ff-8186-5756-a934-071f4497b58d", "actor_id": "abc"}"#, "actor_id"),
        (#"{"uuid": "nonsense", "event": "run"}"#, "uuid"), (#"{"foo": "bar"}"#, "No actionable event was received"),
        ("[]", "No actionable event was received"), ("", "No actionable event was received"),
    ])
    func whatIsWrongIsNamed(body: String, named: String) {
        let failure = #expect(throws: ReactorFailure.self) {
            try PipelineJobMessage.decode(body: Array(body.utf8), parameters: [])
        }
        #expect(failure?.kind == .refused)
        #expect(failure?.message.contains(named) == true)
    }
}
