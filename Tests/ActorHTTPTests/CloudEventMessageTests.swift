import ActorCore
import ActorTesting
import HTTPTypes
import Testing

@testable import ActorHTTP

@Suite("messages that come as CloudEvents")
struct CloudEventMessageTests {
    static let admin = House.adminToken

    private func fields(_ headers: [(String, String)]) throws -> HTTPFields {
        var fields = HTTPFields()
        for (name, value) in headers {
            fields.append(HTTPField(name: try #require(HTTPField.Name(name)), value: value))
        }
        return fields
    }

    private func read(_ headers: [(String, String)], _ body: String) throws -> CloudEventMessage? {
        try CloudEventMessage.interpret(try fields(headers), body: Array(body.utf8), limits: Limits())
    }

    static let head = [("ce-specversion", "1.0"), ("ce-id", "1"), ("ce-source", "/s"), ("ce-type", "t")]
    static let structured = #"{"specversion":"1.0","id":"1","source":"/s","type":"t","data":{"n":1.50}}"#

    @Test("binary mode: attributes in headers, decoded; the body as it came")
    func binaryMode() throws {
        let message = try #require(
            try read(
                Self.head + [
                    ("CE-Subject", "Euro %E2%82%AC %F0%9F%98%80"), ("ce-time", "2026-11-21T09:30:00+01:00"),
                    ("ce-partitionkey", #""a\"b""#), ("Content-Type", "application/json; charset=utf-8"),
                ], "{ \"n\" : 1.50 }"))
        #expect(message.event.subject == "Euro € 😀")
        #expect(message.partitionKey == #"a"b"#)
        #expect(message.body.bytes == Array("{ \"n\" : 1.50 }".utf8))
        #expect(message.body.kind == .json)
        #expect(
            message.environment == [
                EnvironmentEntry("CE_SPECVERSION", "1.0"), EnvironmentEntry("CE_ID", "1"),
                EnvironmentEntry("CE_SOURCE", "/s"), EnvironmentEntry("CE_TYPE", "t"),
                EnvironmentEntry("CE_SUBJECT", "Euro € 😀"), EnvironmentEntry("CE_TIME", "2026-11-21T09:30:00+01:00"),
                EnvironmentEntry("CE_DATACONTENTTYPE", "application/json; charset=utf-8"),
                EnvironmentEntry("CE_PARTITIONKEY", #"a"b"#),
            ])
    }

    @Test("what the data is decides how it is handed on")
    func kinds() throws {
        let text = try read(Self.head + [("Content-Type", "text/plain")], "hello")
        #expect(text?.body == MessageBody(bytes: Array("hello".utf8), kind: .text, shown: Array(#""hello""#.utf8)))
        let bytes = try read(Self.head + [("Content-Type", "image/png")], "{}")
        #expect(bytes?.body.kind == .binary)
        #expect(try read(Self.head, "{}")?.body.kind == .binary)
        #expect(try read(Self.head, "")?.body.bytes == Array("{}".utf8))
        // The attribute `message` of the actors API means nothing in an event's data.
        let data = try read(Self.head + [("Content-Type", "application/json")], #"{"message":"x"}"#)
        #expect(data?.body.bytes == Array(#"{"message":"x"}"#.utf8))
    }

    @Test("structured mode is the same event")
    func structuredMode() throws {
        let type = [("Content-Type", "Application/CloudEvents+JSON; charset=utf-8")]
        let one = try #require(try read(type, Self.structured))
        #expect(one.body.bytes == Array(#"{"n":1.50}"#.utf8))
        let other = try #require(try read(Self.head + [("Content-Type", "application/json")], #"{"n":1.50}"#))
        #expect(one.idempotency == other.idempotency)
        let base64 = try read(
            type, #"{"specversion":"1.0","id":"1","source":"/s","type":"t","data_base64":"AAH/"}"#)
        #expect(base64?.body.bytes == [0, 1, 255])
        #expect(base64?.body.kind == .binary)
        #expect(try read([("Content-Type", "application/json")], Self.structured) == nil)
    }

    @Test("source and id make the key; nothing else does, and no header can hold it")
    func keys() throws {
        func key(_ source: String, _ id: String, _ body: String = "{}") throws -> IdempotencyKey {
            let headers = [("ce-specversion", "1.0"), ("ce-id", id), ("ce-source", source), ("ce-type", "t")]
            return try #require(try read(headers + [("Content-Type", "application/json")], body)).idempotency
        }
        #expect(try key("/a", "1").key != key("/a", "2").key)
        #expect(try key("/a", "1b").key != key("/a1", "b").key)
        #expect(try key("/a", "1").key == key("/a", "1", "[]").key)
        #expect(try key("/a", "1").digest != key("/a", "1", "[]").digest)
        #expect(try key("/a", "1").key.utf8.first == 1)
    }

    static let bad: [(String, [(String, String)], String, String)] = [
        ("no version", [("ce-id", "1"), ("ce-source", "/s"), ("ce-type", "t")], "{}", "ce-specversion"),
        ("old version", [("ce-specversion", "0.3")] + head.dropFirst(), "{}", "ce-specversion"),
        ("no id", head.filter { $0.0 != "ce-id" }, "{}", "ce-id"),
        ("no source", head.filter { $0.0 != "ce-source" }, "{}", "ce-source"),
        ("no type", head.filter { $0.0 != "ce-type" }, "{}", "ce-type"),
        ("id twice", head + [("ce-id", "2")], "{}", "ce-id"),
        ("bad time", head + [("ce-time", "noon")], "{}", "ce-time"),
        ("bad name", head + [("ce-a-b", "x")], "{}", "ce-a-b"),
        ("no UTF-8", head + [("ce-subject", "%FF")], "{}", "ce-subject"),
        ("NUL", head + [("ce-subject", "a%00b")], "{}", "ce-subject"),
        ("bad JSON", head + [("Content-Type", "application/json")], "{", "byte 1"),
        ("content type twice", head + [("ce-datacontenttype", "a/b")], "", "ce-datacontenttype"),
        ("structured", [("Content-Type", "application/cloudevents+json")], "[1,2]", ""),
    ]

    @Test("bad events name the attribute", arguments: bad)
    func refused(name: String, headers: [(String, String)], body: String, place: String) {
        let error = #expect(throws: ActorError.self, "\(name)") { try read(headers, body) }
        #expect(error?.code == .invalidInput)
        #expect(error?.details.first?.place == place, "\(name)")
    }

    @Test("other requests are no events")
    func none() throws {
        #expect(try read([("Content-Type", "application/json")], "{}") == nil)
        #expect(try read([("ce-subject", "x")], "{}") == nil)
    }

    @Test("a batch is split, each event on its own")
    func batch() throws {
        let results = try CloudEventMessage.batch(
            Array("[\(Self.structured), {\"id\":\"2\"}, \(Self.structured)]".utf8), limits: Limits())
        #expect(results.count == 3)
        #expect(try results[0].get() == results[2].get())
        #expect(throws: ActorError.self) { try results[1].get() }
    }

    @Test("an event is a message of its actor, once, however it is spelled")
    func accepted() async throws {
        let house = House()
        let binary = Row(
            name: "binary", method: .post, path: "/actors/v2/hello/messages?CE_ID=forged&a=b", token: Self.admin,
            type: "application/json",
            headers: ["ce-specversion": "1.0", "ce-id": "1", "ce-source": "/s", "ce-type": "t"],
            body: #"{"n":1.50}"#, status: 200)
        let first = try await house.test { try await binary.send($0) }.json["result"]?["execution_id"]
        let structured = Row(
            name: "structured", method: .post, path: "/v3/actors/hello/messages", token: Self.admin,
            type: "application/cloudevents+json", body: Self.structured, status: 200)
        let second = try await house.test { try await structured.send($0) }.json["result"]?["execution_id"]
        #expect(first != nil && first == second)
        let stored = try await house.store.waiting(for: House.helloID)
        #expect(stored.count == 1)
        #expect(stored.first?.parameter("CE_ID") == "1")
        #expect(stored.first?.parameter("a") == "b")
        #expect(stored.first?.message.body == Array(#"{"n":1.50}"#.utf8))
        var other = binary
        other.body = "{}"
        other.status = 422
        try await house.expect(other)
        var bad = binary
        bad.headers["ce-id"] = nil
        bad.status = 400
        bad.has = ["ce-id: is missing"]
        try await house.expect(bad)
    }
}
