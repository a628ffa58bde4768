import ActorAPI
import ActorCore
import ActorTesting
import HTTPTypes
import Testing

@testable import ActorHTTP

@Suite("/api/v1/subscriptions")
struct SubscriptionTests {
    static let admin = House.adminToken
    static let path = "/api/v1/subscriptions"

    private func send(
        _ house: House, _ method: HTTPRequest.Method, _ path: String, token: String = House.adminToken,
        _ body: String? = nil,
        status: Int = 200, sourceLocation: SourceLocation = #_sourceLocation
    ) async throws -> JSONValue {
        let row = Row(
            name: "\(method) \(path)", method: method, path: path, token: token, type: "application/json", body: body,
            status: status)
        let answer = try await house.test { try await row.send($0) }
        row.check(answer, sourceLocation: sourceLocation)
        return answer.json
    }

    @Test("one job or one pipeline may be named instead of a filter")
    func ofAJob() async throws {
        let uuid = "106c46ff-8186-5756-a934-071f4497b58d"
        let house = House()
        for (field, attribute) in [("job", "subject"), ("pipeline", "pipeline")] {
            let body = #"{"sink":"https://example.org/hook","\#(field)":"\#(uuid)"}"#
            let made = try await send(house, .post, Self.path, body, status: 201)
            #expect(made["filters"] == [["exact": .object([.init(attribute, .string(uuid))])]])
        }
        _ = try await send(house, .post, Self.path, #"{"sink":"https://example.org/hook","job":"x"}"#, status: 400)
    }

    @Test("made, read, changed, rotated, deleted; the secret is shown once and nowhere else")
    func life() async throws {
        let house = House()
        let made = try await send(
            house, .post, Self.path,
            #"{"sink":"https://example.org/hook","types":["reactord.job.moved"],"#
                + #""filters":[{"prefix":{"source":"/jobs/"}}]}"#,
            status: 201)
        let id = try #require(made["id"]?.string)
        let secret = try #require(made["secret"]?.string)
        #expect(WebhookSecret(secret)?.key.count == 32)
        #expect(made["protocol"] == "HTTP")
        #expect(made["owner"] == "admin")
        #expect(made["filters"] == [["prefix": ["source": "/jobs/"]]])
        let one = "\(Self.path)/\(id)"
        #expect(try await send(house, .get, one).setting("secret", .string(secret)) == made)
        let list = try await send(house, .get, Self.path)
        #expect(list["subscriptions"]?.array?.compactMap { $0["id"]?.string } == [id])

        let changed = try await send(house, .patch, one, #"{"description":"d","enabled":false}"#)
        #expect(changed["description"] == "d")
        #expect(changed["enabled"] == false)
        #expect(changed["types"] == ["reactord.job.moved"])
        let replaced = try await send(house, .put, one, #"{"sink":"https://example.org/other"}"#)
        #expect(replaced["types"] == [])
        #expect(replaced["filters"] == [])
        #expect(replaced["enabled"] == true)
        #expect(replaced["description"] == "")
        // An answer can be edited and sent back as it is.
        _ = try await send(house, .put, one, JSONWriter.string(replaced))

        let rotated = try await send(house, .post, "\(one)/rotate", #"{"grace_hours":2}"#)
        #expect(rotated["secret"]?.string != secret && rotated["secret"] != nil)
        #expect(rotated["previous_secret_expires"]?.string != nil)
        let stored = try #require(try await house.store.subscription(SubscriptionID(id)))
        #expect(stored.liveSecrets(at: house.clock.now()).count == 2)
        #expect(stored.liveSecrets(at: house.clock.now().adding(seconds: 7200)).count == 1)
        _ = try await send(house, .post, "\(one)/rotate", #"{"grace_hours":1000}"#, status: 400)

        let test = try await send(house, .post, "\(one)/test", status: 202)
        let deliveries = try await send(house, .get, "\(one)/deliveries")
        let delivery = try #require(deliveries["deliveries"]?.array?.first)
        #expect(delivery["event_id"] == test["event_id"])
        #expect(delivery["type"] == "reactord.test")
        #expect(delivery["state"] == "waiting")
        let number = try #require(delivery["id"]?.int)
        _ = try await send(house, .post, "\(one)/deliveries/\(number)/resend", status: 202)
        _ = try await send(house, .post, "\(one)/deliveries/999/resend", status: 404)
        _ = try await send(house, .post, "\(one)/deliveries/x/resend", status: 404)

        for path in [Self.path, one, "\(one)/deliveries", "/api/v1/audit"] {
            let text = JSONWriter.string(try await send(house, .get, path))
            #expect(!text.contains("whsec_"), "\(path)")
        }
        try await house.expect(
            Row(
                name: "audit", path: "/api/v1/audit", token: Self.admin, status: 200,
                has: [
                    #""action":"subscription.create","target":"\#(id)","outcome":"ok""#, "subscription.rotate",
                    "subscription.change", "subscription.test", "subscription.resend",
                ]))
        try await house.expect(
            Row(name: "delete", method: .delete, path: one, token: Self.admin, status: 204))
        _ = try await send(house, .get, one, status: 404)
        _ = try await send(house, .delete, one, status: 404)
    }

    static let bad: [(String, String)] = [
        ("{}", "/sink"), (#"{"sink":7}"#, "/sink"), (#"{"sink":"ftp://h/"}"#, "/sink"),
        (#"{"sink":"http:///x"}"#, "/sink"), (#"{"sink":"http://u:p@h/"}"#, "/sink"),
        (#"{"sink":"http://h/ x"}"#, "/sink"), (#"{"sink":"http://h/#x"}"#, "/sink"),
        (#"{"sink":"http://lab.example:8000/actors/v2/hello/messages"}"#, "/sink"),
        (#"{"sink":"http://LAB.example:8000"}"#, "/sink"), (#"{"sink":"http://localhost:8000/x"}"#, "/sink"),
        (#"{"sink":"http://[::1]:8000/x"}"#, "/sink"), (#"{"sink":"http://127.0.0.7:8000/x"}"#, "/sink"),
        (#"{"sink":"http://h/","filter":[]}"#, "/filter"),
        (#"{"sink":"http://h/","filters":[{"exact":{}}]}"#, "/filters/0/exact"),
        (#"{"sink":"http://h/","types":"a"}"#, "/types"), (#"{"sink":"http://h/","types":["a"]}"#, "/types/0"),
        (#"{"sink":"http://h/","source":7}"#, "/source"), (#"{"sink":"http://h/","enabled":"yes"}"#, "/enabled"),
        (#"{"sink":"http://h/","protocol":"MQTT"}"#, "/protocol"),
        (#"{"sink":"http://h/","secret":"whsec_x"}"#, "/secret"),
    ]

    @Test("what is no subscription is named", arguments: bad)
    func refused(body: String, place: String) async throws {
        let problem = try await send(House(), .post, Self.path, body, status: 400)
        #expect(problem["errors"]?.array?.first?["place"]?.string == place, "\(problem)")
        #expect(problem["type"] == "urn:reactord:problem:invalid-input")
    }

    @Test("for admins and owners; to others what is not theirs is not there")
    func access() async throws {
        let house = House()
        _ = try await send(
            house, .post, Self.path, token: House.bobToken, #"{"sink":"http://h/"}"#, status: 403)
        let made = try await send(house, .post, Self.path, #"{"sink":"http://h/"}"#, status: 201)
        let one = "\(Self.path)/\(try #require(made["id"]?.string))"
        for (method, path) in [
            (.get, one), (.patch, one), (.delete, one), (.post, "\(one)/rotate"), (.post, "\(one)/test"),
            (.get, "\(one)/deliveries"), (.post, "\(one)/deliveries/1/resend"),
        ] as [(HTTPRequest.Method, String)] {
            _ = try await send(house, method, path, token: House.bobToken, method == .get ? nil : "{}", status: 404)
        }
        let list = try await send(house, .get, Self.path, token: House.bobToken)
        #expect(list["subscriptions"] == [])
        try await house.expect(Row(name: "nobody", path: Self.path, status: 401))
    }

    /// The example of the specification, computed again with another program.
    @Test("signatures are those of Standard Webhooks")
    func vector() throws {
        let secret = try #require(WebhookSecret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"))
        let body = Array(#"{"test": 2432232314}"#.utf8)
        let now = Timestamp(milliseconds: 1_614_265_330_000)
        let headers = WebhookSignature.sha256.headers(
            id: "msg_p5jXN8AQM9LWM0D4loKWxJek", at: now, body: body, secrets: [secret])
        #expect(headers.last?.value == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=")
        let verdict = WebhookSignature.sha256.check(
            header: { name in headers.first { $0.name == name }?.value }, body: body, secrets: [.fresh(), secret],
            at: now)
        #expect(verdict == .valid)
    }

    @Test("an actor that asks for signatures takes nothing else, and a webhook that comes again once")
    func incoming() async throws {
        let house = House()
        let secret = try #require(WebhookSecret(House.doorSecret))
        func row(_ name: String, _ secret: WebhookSecret?, at now: Timestamp, status: Int, _ has: String...) -> Row {
            let body = #"{"opened":true}"#
            var headers: [String: String] = [:]
            if let secret {
                for header in WebhookSignature.sha256.headers(
                    id: "msg_1", at: now, body: Array(body.utf8), secrets: [secret])
                { headers[header.name] = header.value }
            }
            return Row(
                name: name, method: .post, path: "/actors/v2/door/messages", token: Self.admin,
                type: "application/json", headers: headers, body: body, status: status, has: has)
        }
        let now = house.clock.now()
        try await house.expect(row("unsigned", nil, at: now, status: 400, "webhook-id is missing"))
        try await house.expect(row("foreign", .fresh(), at: now, status: 400, "no signature"))
        let old = now.adding(seconds: -301)
        try await house.expect(row("recorded", secret, at: old, status: 400, "300 seconds away"))
        let good = row("good", secret, at: now, status: 200)
        let first = try await house.test { try await good.send($0) }.json["result"]?["execution_id"]
        let later = row("again", secret, at: now.adding(seconds: 60), status: 200)
        let second = try await house.test { try await later.send($0) }.json["result"]?["execution_id"]
        #expect(first != nil && first == second)
        var keyed = good
        keyed.headers["Idempotency-Key"] = "another"
        let third = try await house.test { [keyed] in try await keyed.send($0) }.json["result"]?["execution_id"]
        #expect(third == first, "what is signed tells it from others, and nothing beside it")
        for query in ["message=forged", "PLATE=forged", "x-nonce=none&message=forged"] {
            var forged = good
            forged.path += "?\(query)"
            (forged.name, forged.status, forged.has) = (query, 400, ["takes only what is signed"])
            try await house.expect(forged)
        }
        let stored = try await house.store.waiting(for: House.doorID)
        #expect(stored.count == 1)
    }
}
