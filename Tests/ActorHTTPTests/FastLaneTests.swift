import ActorCore
import ActorRuntime
import ActorTesting
import NIOCore
import ServiceLifecycle
import Synchronization
import Testing

@testable import ActorHTTP

@Suite("the fast lane: the same answers as the route, in their order", .serialized)
struct FastLaneTests {
    private static let admin = "Authorization: Bearer \(House.adminToken)\r\n"

    struct Case: Sendable, CustomTestStringConvertible {
        var name: String
        var path = "/actors/v2/hello/messages"
        var headers = FastLaneTests.admin + "Content-Type: application/json\r\n"
        var body = #"{"a":1}"#
        var status = 200
        /// Answered by the lane itself when it is on.
        var isFast = true

        var testDescription: String { name }

        func request(_ more: String = "") -> String {
            "POST \(path) HTTP/1.1\r\nHost: localhost\r\n\(headers)\(more)"
                + "Content-Length: \(body.utf8.count)\r\n\r\n\(body)"
        }
    }

    static let cases: [Case] = [
        Case(name: "JSON"),
        Case(name: "null", body: "null"),
        Case(name: "an odd spelling", body: " {\"a\" : 1.50}\n"),
        Case(name: "a text", headers: admin + "Content-Type: application/json\r\n", body: #"{"message":"hi ü \n"}"#),
        Case(
            name: "a form", headers: admin + "Content-Type: application/x-www-form-urlencoded\r\n",
            body: "message=a+b"),
        Case(name: "binary", headers: admin + "Content-Type: application/octet-stream\r\n", body: "\u{1}\u{2}"),
        Case(name: "no content type", headers: admin, body: "[1]"),
        Case(name: "by query", path: "/actors/v2/hello/messages?message=x%20y&uuid=U", headers: admin, body: ""),
        Case(name: "third generation", path: "/v3/actors/hello/messages"),
        Case(name: "behind a gateway", path: "/actors/hello/messages"),
        Case(name: "by id", path: "/actors/v2/R4Xo/messages"),
        Case(name: "a schema that is met", path: "/actors/v2/wK0mvzJx1RkJO/messages", body: #"{"greeting":"hi"}"#),
        Case(name: "a schema that is not met", path: "/actors/v2/wK0mvzJx1RkJO/messages", status: 400, isFast: false),
        Case(
            name: "with options", headers: admin + "Reactord-Priority: 3\r\nReactord-Key: k\r\nReactord-Delay: 2m\r\n"),
        Case(
            name: "with a bad option", headers: admin + "Reactord-Priority: 10\r\n", status: 400, isFast: false),
        Case(name: "nobody", headers: "", status: 400, isFast: false),
        Case(name: "a token in the header of Tapis", headers: "X-Tapis-Token: \(House.adminToken)\r\n", isFast: false),
        Case(name: "a wrong token in it", headers: admin + "X-Tapis-Token: x\r\n", status: 400, isFast: false),
        Case(name: "a wrong token", headers: "Authorization: Bearer x\r\n", status: 400, isFast: false),
        Case(name: "no such actor", path: "/actors/v2/nobody/messages", status: 404, isFast: false),
        Case(name: "not JSON", body: "{", status: 400, isFast: false),
        Case(name: "packed", headers: admin + "Content-Encoding: gzip\r\n", status: 415, isFast: false),
        Case(name: "caused by another message", headers: admin + "Reactord-Hops: 3 guess\r\n", isFast: false),
        Case(name: "large", body: "\"" + String(repeating: "x", count: 20_000) + "\"", isFast: false),
        Case(name: "percent in the name", path: "/actors/v2/hell%6F/messages", isFast: false),
        Case(name: "two slashes", path: "/actors/v2//hello/messages", isFast: false),
        Case(name: "a forbidden variable", path: "/actors/v2/hello/messages?LD_PRELOAD=x", status: 400, isFast: false),
    ]

    /// The lane spells its header names in lower case.
    private static func isFast(_ answer: String) -> Bool { answer.contains("\r\ncontent-type: ") }

    private static func status(_ answer: String) -> String { String(answer.dropFirst(9).prefix(3)) }

    private static func body(_ answer: String) -> JSONValue {
        guard let blank = answer.firstRange(of: "\r\n\r\n") else { return .null }
        return (try? JSONReader.read(Array(answer[blank.upperBound...].utf8))) ?? .null
    }

    /// Without what differs from message to message.
    private static func comparable(_ body: JSONValue) -> JSONValue {
        guard let result = body["result"], !result.isNull, let links = result["_links"] else { return body }
        return body.setting(
            "result",
            result.setting("execution_id", "").setting("executionId", "")
                .setting("_links", links.setting("self", "")))
    }

    private func answers(_ house: House, _ requests: [String]) async throws -> [String] {
        try await LiveServer.run(house) { port, _ in
            var answers: [String] = []
            for request in requests {
                answers.append(
                    try await LiveServer.connect(port).executeThenClose { inbound, outbound in
                        var reader = AnswerReader(inbound)
                        // The first request lets the server look at its tokens.
                        try await outbound.write(
                            ByteBuffer(string: "GET /api/v1/actors HTTP/1.1\r\nHost: localhost\r\n\(Self.admin)\r\n"))
                        _ = try await reader.next()
                        try await outbound.write(ByteBuffer(string: request))
                        return try await reader.next()
                    })
            }
            return answers
        }
    }

    @Test("every kind of message, with the lane and without it", arguments: [false, true])
    func sameAnswers(camelCase: Bool) async throws {
        let fast = House(camelCase: camelCase, port: 0)
        let slow = House(camelCase: camelCase, port: 0, fastLane: false)
        let requests = Self.cases.map { $0.request() }
        let ours = try await answers(fast, requests)
        let theirs = try await answers(slow, requests)
        for (index, row) in Self.cases.enumerated() {
            #expect(Self.status(ours[index]) == String(row.status), "\(row.name): \(ours[index])")
            #expect(Self.status(theirs[index]) == String(row.status), "\(row.name): \(theirs[index])")
            #expect(Self.isFast(ours[index]) == row.isFast, "\(row.name)")
            #expect(!Self.isFast(theirs[index]), "\(row.name)")
            let (one, other) = (Self.body(ours[index]), Self.body(theirs[index]))
            #expect(!one.isNull && Self.comparable(one) == Self.comparable(other), "\(row.name): \(ours[index])")
        }
        for actor in [House.helloID, House.strictID] {
            let one = try await fast.store.waiting(for: actor).map(\.message)
            let other = try await slow.store.waiting(for: actor).map(\.message)
            #expect(one.map(\.body) == other.map(\.body))
            #expect(one.map(\.kind) == other.map(\.kind))
            #expect(one.map(\.environment) == other.map(\.environment))
            #expect(one.map(\.sender) == other.map(\.sender))
            #expect(one.map(\.deliverAt) == other.map(\.deliverAt))
        }
    }

    @Test("the headers of both lanes are the same", arguments: [#"{"a":1}"#])
    func sameHeaders(body: String) async throws {
        func names(_ answer: String) -> [String] {
            let head = answer.firstRange(of: "\r\n\r\n").map { answer[..<$0.lowerBound] } ?? ""
            return head.split(separator: "\r\n").dropFirst().filter { !$0.lowercased().hasPrefix("date") }
                .map { line in
                    let halves = line.split(separator: ":", maxSplits: 1)
                    return halves[0].lowercased() + ":" + halves[1]
                }.sorted()
        }
        let ours = try await answers(House(port: 0), [Case(name: "", body: body).request()])
        let theirs = try await answers(House(port: 0, fastLane: false), [Case(name: "", body: body).request()])
        #expect(names(ours[0]) == names(theirs[0]))
    }

    @Test("what the store refuses is said in the same words", arguments: [false, true])
    func refusals(fastLane: Bool) async throws {
        let house = House(port: 0, fastLane: fastLane) { $0.maxMailbox = 2 }
        try await house.nonce("DEV-DEVELOP_once", maxUses: 1)
        let keyed = { (body: String) in Case(name: "", body: body).request("Idempotency-Key: k\r\n") }
        let nonce = Case(
            name: "", path: "/actors/v2/R4Xo/messages?x-nonce=DEV-DEVELOP_once", headers: "", body: "[1]"
        ).request()
        let found = try await answers(
            house, [keyed("[1]"), keyed("[1]"), keyed("[2]"), nonce, nonce, Case(name: "").request()])
        #expect(found.map(Self.status) == ["200", "200", "422", "200", "400", "429"])
        #expect(Self.body(found[0])["result"]?["execution_id"] == Self.body(found[1])["result"]?["execution_id"])
        #expect(found[2].contains("was used before with another body"))
        #expect(found[5].lowercased().contains("\r\nretry-after: 5\r\n"))
    }

    @Test("blanks around a field's value are no part of it", arguments: [false, true])
    func blanks(fastLane: Bool) async throws {
        let keyed = { (key: String) in Case(name: "").request("Idempotency-Key: \(key)\r\n") }
        let found = try await answers(
            House(port: 0, fastLane: fastLane), [keyed("T"), keyed("T \t "), keyed("\t T")])
        #expect(found.map(Self.status) == ["200", "200", "200"])
        #expect(found.map(Self.isFast) == [fastLane, fastLane, fastLane])
        let first = try #require(Self.body(found[0])["result"]?["execution_id"]?.string)
        for answer in found { #expect(Self.body(answer)["result"]?["execution_id"]?.string == first, "\(answer)") }
    }

    @Test("an unlimited nonce is fast from its second use on, and dead when it is deleted")
    func nonces() async throws {
        let house = House(port: 0)
        try await house.nonce("DEV-DEVELOP_free")
        let send = Case(
            name: "", path: "/actors/v2/R4Xo/messages?x-nonce=DEV-DEVELOP_free", headers: "", body: "[1]"
        ).request()
        let delete =
            "DELETE /actors/v2/R4Xo/nonces/DEV-DEVELOP_free HTTP/1.1\r\nHost: localhost\r\n\(Self.admin)\r\n"
        let found = try await answers(house, [send, send, delete, send])
        #expect(found.map(Self.status) == ["200", "200", "200", "400"])
        #expect(found.map(Self.isFast) == [false, true, false, false])
    }

    @Test("what may take long to check is not checked on the event loop")
    func slowSchemas() async throws {
        let house = House(port: 0)
        var strict = try #require(house.system.spec(House.strictID))
        strict.schemas = [SchemaSource(file: "message_schema", text: [], isForeign: true)]
        house.system.install([strict], quarantined: [])
        let send = Case(name: "", path: "/actors/v2/wK0mvzJx1RkJO/messages", body: #"{"greeting":"hi"}"#).request()
        let found = try await answers(house, [send])
        #expect(found.map(Self.status) == ["200"])
        #expect(found.map(Self.isFast) == [false])
    }

    @Test("pipelined requests of both kinds are answered in their order")
    func pipelining() async throws {
        let house = House(port: 0)
        try await LiveServer.run(house) { port, _ in
            try await LiveServer.connect(port).executeThenClose { inbound, outbound in
                var reader = AnswerReader(inbound)
                let get = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
                let plan = "sfsffgsfgsgfffsfgs" + String(repeating: "f", count: 60)
                var text = ""
                for (number, kind) in plan.enumerated() {
                    switch kind {
                    case "f": text += Case(name: "", body: "[\(number)]").request()
                    case "s": text += Case(name: "", path: "/actors/v2/hell%6F/messages", body: "[\(number)]").request()
                    default: text += get
                    }
                }
                try await outbound.write(ByteBuffer(string: text))
                for (number, kind) in plan.enumerated() {
                    let answer = try await reader.next()
                    #expect(Self.status(answer) == "200")
                    if kind == "g" {
                        #expect(answer.hasSuffix(#"{"status":"ok"}"#))
                    } else {
                        #expect(answer.contains("\"msg\":[\(number)]"), "\(number): \(answer)")
                    }
                }
            }
        }
        let bodies = try await house.store.waiting(for: House.helloID).map(\.message.body)
        #expect(
            bodies
                == bodies.sorted {
                    Int(String(decoding: $0.dropFirst().dropLast(), as: UTF8.self)) ?? 0
                        < Int(String(decoding: $1.dropFirst().dropLast(), as: UTF8.self)) ?? 0
                })
    }

    @Test("a body in single bytes, and one that stops half way")
    func dribble() async throws {
        let house = House(port: 0, idleSeconds: 1)
        try await LiveServer.run(house) { port, _ in
            try await LiveServer.connect(port).executeThenClose { inbound, outbound in
                var reader = AnswerReader(inbound)
                for byte in Case(name: "").request().utf8 { try await outbound.write(ByteBuffer(bytes: [byte])) }
                #expect(Self.status(try await reader.next()) == "200")
            }
            let answer = try await LiveServer.exchange(port, String(Case(name: "").request().dropLast(3)))
            #expect(answer == "", "an idle connection is closed without a word")
        }
        #expect(try await house.store.waiting(for: House.helloID).count == 1)
    }

    @Test("broken input after a request is answered second")
    func endings() async throws {
        let house = House(port: 0)
        let both = try await LiveServer.run(house) { port, _ in
            let look = "GET /api/v1/actors HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\(Self.admin)\r\n"
            _ = try await LiveServer.exchange(port, look)
            return try await LiveServer.exchange(port, Case(name: "").request() + "NONSENSE\r\n\r\n")
        }
        #expect(both.hasPrefix("HTTP/1.1 200 "))
        #expect(both.contains("HTTP/1.1 400 "))
    }

    @Test("clients that vanish do not take their messages with them")
    func vanishing() async throws {
        let house = House(port: 0)
        try await LiveServer.run(house) { port, _ in
            for _ in 0..<50 {
                try await LiveServer.connect(port).executeThenClose { _, outbound in
                    try await outbound.write(ByteBuffer(string: Case(name: "").request()))
                }
            }
            _ = try await LiveServer.connect(port).executeThenClose { inbound, outbound in
                var reader = AnswerReader(inbound)
                try await outbound.write(ByteBuffer(string: Case(name: "", body: "[\"last\"]").request()))
                return try await reader.next()
            }
        }
        let found = try await house.store.waiting(for: House.helloID)
        #expect((1...51).contains(found.count))
    }

    @Test("a stop under load: every message that is stored was answered, and the server ends")
    func stopping() async throws {
        let house = House(port: 0)
        let answered = Counter()
        try await LiveServer.run(house) { port, group in
            await withTaskGroup(of: Void.self) { tasks in
                for client in 0..<16 {
                    tasks.addTask {
                        try? await LiveServer.connect(port).executeThenClose { inbound, outbound in
                            var reader = AnswerReader(inbound)
                            for number in 0..<100_000 {
                                try await outbound.write(ByteBuffer(string: Case(name: "").request()))
                                guard Self.status(try await reader.next()) == "200" else { return }
                                answered.value.withLock { $0 += 1 }
                                if client == 0, number == 50 { await group.triggerGracefulShutdown() }
                            }
                        }
                    }
                }
            }
        }
        let stored = try await house.store.waiting(for: House.helloID).count
        #expect(answered.value.withLock { $0 } == stored)
        #expect(stored > 50)
    }
}

private final class Counter: Sendable {
    let value = Mutex(0)
}

/// Takes answers apart that follow each other on one connection.
struct AnswerReader {
    private var chunks: NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator
    private var text = ""

    init(_ inbound: NIOAsyncChannelInboundStream<ByteBuffer>) { chunks = inbound.makeAsyncIterator() }

    /// Head and body of the next answer; what there is when the connection ends.
    mutating func next() async throws -> String {
        while true {
            if let blank = text.firstRange(of: "\r\n\r\n") {
                let head = text[..<blank.lowerBound].lowercased()
                var length = 0
                if let field = head.firstRange(of: "content-length: ") {
                    length = Int(head[field.upperBound...].prefix { $0.isNumber }) ?? 0
                }
                let rest = text[blank.upperBound...].utf8
                if rest.count >= length,
                    let end = rest.index(rest.startIndex, offsetBy: length, limitedBy: rest.endIndex)
                {
                    let answer = String(text[..<end])
                    text = String(text[end...])
                    return answer
                }
            }
            guard let chunk = try await chunks.next(isolation: #isolation) else { return text }
            text += String(buffer: chunk)
        }
    }
}
