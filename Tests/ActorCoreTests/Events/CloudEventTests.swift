import ActorCore
import Testing

@Suite struct CloudEventTests {
    private func event(_ text: String) throws -> CloudEvent {
        try CloudEvent(structured: Array(text.utf8), maxDepth: 64)
    }

    private let head = #""specversion":"1.0","id":"A-1","source":"/s","type":"t""#

    @Test func everythingIsReadAndWrittenBack() throws {
        let text = """
            {"specversion":"1.0","id":"A-1","source":"/s","type":"t","subject":"ä","time":"2018-04-05T17:31:00Z",\
            "dataschema":"http://x/y","datacontenttype":"application/json","comexampleextension1":"value",\
            "data":{"big": 12345678901234567890123, "x" :[1.50]}}
            """
        let read = try event(text)
        #expect(read.subject == "ä")
        #expect(read.attribute("comexampleextension1") == "value")
        // Bytes as they came: no digit is lost.
        #expect(read.payload == .json(Array(#"{"big": 12345678901234567890123, "x" :[1.50]}"#.utf8)))
        #expect(String(decoding: read.structured, as: UTF8.self) == text)
    }

    @Test func payloads() throws {
        #expect(try event("{\(head)}").payload == .none)
        #expect(try event(#"{\#(head),"data":null}"#).payload == .json(Array("null".utf8)))
        #expect(try event(#"{"data":"a,b}",\#(head)}"#).payload == .json(Array(#""a,b}""#.utf8)))
        #expect(
            try event(#"{"datacontenttype":"text/plain","data":"a\nb",\#(head)}"#).payload == .text("a\nb"))
        #expect(
            try event(#"{"datacontenttype":"a/b+json; c=d","data":"x",\#(head)}"#).payload
                == .json(Array(#""x""#.utf8)))
        #expect(try event(#"{\#(head),"data_base64":"AAH/"}"#).payload == .binary([0, 1, 255]))
        // Under an escaped name the value is still found.
        #expect(try event(#"{"d\u0061ta":[1, 2],\#(head)}"#).payload == .json(Array("[1,2]".utf8)))
        let binary = CloudEvent(id: "1", source: "/", type: "t", payload: .binary([0, 1, 255]))
        #expect(try CloudEvent(structured: binary.structured, maxDepth: 9) == binary)
        let text = CloudEvent(id: "1", source: "/", type: "t", dataContentType: "text/plain", payload: .text("\u{1}ä"))
        #expect(try CloudEvent(structured: text.structured, maxDepth: 9) == text)
    }

    @Test func extensionsMayBeTruthsAndNumbers() throws {
        let read = try event(#"{\#(head),"sequence":7,"flag":true,"none":null}"#)
        #expect(read.extensions == [CloudEvent.Extension("sequence", "7"), CloudEvent.Extension("flag", "true")])
    }

    static let bad: [(String, String)] = [
        (#"{"id":"1","source":"/","type":"t"}"#, "/specversion"),
        (#"{"specversion":"0.3","id":"1","source":"/","type":"t"}"#, "/specversion"),
        (#"{"specversion":"1.0","source":"/","type":"t"}"#, "/id"),
        (#"{"specversion":"1.0","id":"","source":"/","type":"t"}"#, "/id"),
        (#"{"specversion":"1.0","id":7,"source":"/","type":"t"}"#, "/id"),
        (#"{"specversion":"1.0","id":"1","type":"t"}"#, "/source"),
        (#"{"specversion":"1.0","id":"1","source":"a b","type":"t"}"#, "/source"),
        (#"{"specversion":"1.0","id":"1","source":"/"}"#, "/type"),
        (#"{"specversion":"1.0","id":"1","source":"/","type":"t","time":"yesterday"}"#, "/time"),
        (#"{"specversion":"1.0","id":"1","source":"/","type":"t","time":"2026-13-01T00:00:00Z"}"#, "/time"),
        (#"{"specversion":"1.0","id":"1","source":"/","type":"t","subject":""}"#, "/subject"),
        (#"{"specversion":"1.0","id":"1","source":"/","type":"t","Upper":"x"}"#, "/Upper"),
        (#"{"specversion":"1.0","id":"1","source":"/","type":"t","ext":{}}"#, "/ext"),
        (#"{"specversion":"1.0","id":"1","source":"/","type":"t","ext":1.5}"#, "/ext"),
        (#"{"specversion":"1.0","id":"1\u0000","source":"/","type":"t"}"#, "/id"),
        (#"{"specversion":"1.0","id":"1","source":"/","type":"t","data_base64":"A"}"#, "/data_base64"),
        (#"{"specversion":"1.0","id":"1","source":"/","type":"t","data_base64":"AA==","data":1}"#, "/data_base64"),
        (#"[]"#, ""), (#"{"#, ""),
    ]

    @Test(arguments: bad) func whatIsNoEventIsNamed(text: String, place: String) {
        let error = #expect(throws: ActorError.self) { try event(text) }
        #expect(error?.code == .invalidInput)
        #expect(error?.details.map(\.place) == [place], "\(String(describing: error))")
    }

    @Test func aBatchIsTakenOneByOne() throws {
        let text = #" [ {\#(head),"data":{"a":[1,2]}} , {"id":"2"}, 7 ,{\#(head)}]"#
        let results = try CloudEvent.batch(Array(text.utf8), maxDepth: 9)
        #expect(results.count == 4)
        #expect(try results[0].get().payload == .json(Array(#"{"a":[1,2]}"#.utf8)))
        #expect(throws: ActorError.self) { try results[1].get() }
        if case .failure(let error) = results[1] { #expect(error.details.first?.place == "/1/specversion") }
        if case .failure(let error) = results[2] { #expect(error.details.first?.place == "/2") }
        #expect(try results[3].get().id == "A-1")
        #expect(try CloudEvent.batch(Array("[]".utf8), maxDepth: 9).isEmpty)
        #expect(throws: ActorError.self) { try CloudEvent.batch(Array("{}".utf8), maxDepth: 9) }
    }

    @Test func committedEventsSayWhereAndToWhat() throws {
        let now = Timestamp(milliseconds: 0)
        let actor = ActorID("R4Xo")
        let execution = ExecutionID("e1")
        let finished = CloudEvent(
            .executionFinished(actor: actor, execution: execution, status: .complete, outcome: .succeeded),
            id: "evt_1", base: "https://lab.example", at: now)
        #expect(finished.type == "reactord.execution.finished")
        #expect(finished.source == "https://lab.example/actors/R4Xo")
        #expect(finished.subject == "e1")
        #expect(finished.time == "1970-01-01T00:00:00.000Z")
        let json = try JSONReader.read(finished.structured)
        #expect(json["data"]?["outcome"]?.string == "succeeded")
        #expect(json["specversion"]?.string == "1.0")
        let moved = CloudEvent(
            .jobMoved(JobID("107"), pipeline: PipelineID("106"), status: .running, event: .run), id: "evt_2", base: "",
            at: now)
        #expect(moved.source == "/jobs/107")
        #expect(moved.subject == "107")
        let changed = CloudEvent(.documentChanged(kind: "a b/ä", id: "x"), id: "evt_3", base: "", at: now)
        #expect(changed.source == "/documents/a%20b%2F%C3%A4")
        #expect(CloudEvent(.actorsChanged, id: "e", base: "", at: now).subject == nil)
    }

    @Test func base64() {
        let pairs = [
            ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE="),
        ]
        for (plain, encoded) in pairs {
            #expect(Base64.encode(Array(plain.utf8)) == encoded)
            #expect(Base64.decode(encoded) == Array(plain.utf8))
        }
        let all = Array(UInt8.min...UInt8.max)
        #expect(Base64.decode(Base64.encode(all)) == all)
        for wrong in ["A", "AA", "AAA", "A===", "====", "Zg=A", "Zh==", "Zm9=", "Zm 9", "Zg==Zg=="] {
            #expect(Base64.decode(wrong) == nil, "\(wrong)")
        }
    }
}
