import ActorCore
import Testing

@Suite struct EventFilterTests {
    static let event = CloudEvent(
        id: "e1", source: "http://lab/jobs/107", type: "reactord.job.moved", subject: "107",
        extensions: [CloudEvent.Extension("partitionkey", "k")])

    static let table: [(String, Bool)] = [
        (#"{"exact":{"type":"reactord.job.moved"}}"#, true),
        (#"{"exact":{"type":"reactord.job"}}"#, false),
        (#"{"exact":{"type":"Reactord.job.moved"}}"#, false),
        (#"{"exact":{"type":"reactord.job.moved","subject":"107"}}"#, true),
        (#"{"exact":{"type":"reactord.job.moved","subject":"108"}}"#, false),
        (#"{"exact":{"partitionkey":"k"}}"#, true),
        (#"{"exact":{"absent":"k"}}"#, false),
        (#"{"exact":{"time":"2026"}}"#, false),
        (#"{"prefix":{"type":"reactord.","source":"http://lab/jobs/"}}"#, true),
        (#"{"prefix":{"type":"reactord.","source":"/jobs/"}}"#, false),
        (#"{"prefix":{"subject":"1077"}}"#, false),
        (#"{"suffix":{"source":"/107"}}"#, true),
        (#"{"suffix":{"source":"/jobs"}}"#, false),
        (#"{"suffix":{"dataschema":"x"}}"#, false),
        (#"{"not":{"exact":{"absent":"k"}}}"#, true),
        (#"{"not":{"prefix":{"type":"reactord."}}}"#, false),
        (#"{"all":[{"prefix":{"type":"reactord."}},{"suffix":{"type":".moved"}}]}"#, true),
        (#"{"all":[{"prefix":{"type":"reactord."}},{"suffix":{"type":".refused"}}]}"#, false),
        (#"{"any":[{"exact":{"type":"x"}},{"suffix":{"type":".moved"}}]}"#, true),
        (#"{"any":[{"exact":{"type":"x"}},{"exact":{"type":"y"}}]}"#, false),
        (#"{"not":{"any":[{"exact":{"type":"x"}},{"not":{"all":[{"exact":{"id":"e1"}}]}}]}}"#, true),
    ]

    @Test(arguments: table) func filtersMatchAndReadBack(text: String, expected: Bool) throws {
        let json = try JSONReader.read(Array("[\(text)]".utf8))
        let filter = try #require(try EventFilter.list(json).first)
        #expect(filter.matches(Self.event) == expected)
        #expect(JSONWriter.string(filter.json) == text)
        // A filter and its negation never agree.
        #expect(EventFilter.not(filter).matches(Self.event) != expected)
    }

    static let bad: [(String, String)] = [
        (#"{}"#, "/filters"), (#"[7]"#, "/filters/0"), (#"[{}]"#, "/filters/0"),
        (#"[{"exact":{"type":"a"},"prefix":{"type":"b"}}]"#, "/filters/0"),
        (#"[{"sql":"x"}]"#, "/filters/0/sql"), (#"[{"exact":{}}]"#, "/filters/0/exact"),
        (#"[{"exact":{"type":7}}]"#, "/filters/0/exact/type"), (#"[{"exact":{"type":""}}]"#, "/filters/0/exact/type"),
        (#"[{"exact":{"Type":"a"}}]"#, "/filters/0/exact/Type"), (#"[{"exact":{"":"a"}}]"#, "/filters/0/exact/"),
        (#"[{"all":[]}]"#, "/filters/0/all"), (#"[{"any":{}}]"#, "/filters/0/any"),
        (#"[{"exact":{"type":"a"}},{"not":[]}]"#, "/filters/1/not"),
        (#"[{"all":[{"exact":{"id":"a"}},{"nor":1}]}]"#, "/filters/0/all/1/nor"),
    ]

    @Test(arguments: bad) func whatIsNoFilterIsNamed(text: String, place: String) throws {
        let json = try JSONReader.read(Array(text.utf8))
        let error = #expect(throws: ActorError.self) { try EventFilter.list(json) }
        #expect(error?.code == .invalidInput)
        #expect(error?.details.map(\.place) == [place])
    }

    @Test func depthAndSizeAreBounded() throws {
        func nested(_ depth: Int) -> JSONValue {
            depth == 0 ? ["exact": ["type": "a"]] : ["not": nested(depth - 1)]
        }
        #expect(try EventFilter.list([nested(EventFilter.maxDepth - 1)]).count == 1)
        #expect(throws: ActorError.self) { try EventFilter.list([nested(EventFilter.maxDepth)]) }
        let one: JSONValue = ["exact": ["type": "a"]]
        let many = JSONValue.array(Array(repeating: one, count: EventFilter.maxParts / 2))
        #expect(try EventFilter.list(many).count == EventFilter.maxParts / 2)
        let more = JSONValue.array(Array(repeating: one, count: EventFilter.maxParts / 2 + 1))
        #expect(throws: ActorError.self) { try EventFilter.list(more) }
        let long = String(repeating: "a", count: EventFilter.maxValueBytes + 1)
        #expect(throws: ActorError.self) { try EventFilter.list([["exact": ["type": .string(long)]]]) }
    }

    @Test func canonicallyEqualTextsAreNotTheSame() {
        let composed = CloudEvent(id: "1", source: "/", type: "caf\u{e9}")
        #expect(EventFilter.exact([EventFilter.Term("type", "caf\u{e9}")]).matches(composed))
        #expect(!EventFilter.exact([EventFilter.Term("type", "cafe\u{301}")]).matches(composed))
    }
}
