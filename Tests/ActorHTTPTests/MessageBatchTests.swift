import ActorCore
import ActorTesting
import HTTPTypes
import Testing

@testable import ActorHTTP

@Suite("POST …/messages/batch")
struct MessageBatchTests {
    private func row(
        _ body: String, path: String = "/actors/v2/hello/messages/batch", type: String = "application/x-ndjson",
        headers: [String: String] = [:], status: Int = 200
    ) -> Row {
        Row(
            name: "batch", method: .post, path: path, token: House.bobToken, type: type, headers: headers, body: body,
            status: status)
    }

    private func send(_ house: House, _ row: Row) async throws -> JSONValue {
        let answer = try await house.test { client in try await row.send(client) }
        row.check(answer, sourceLocation: #_sourceLocation)
        return answer.json
    }

    @Test("each line is accepted or refused on its own, and stored in their order")
    func lines() async throws {
        let house = House()
        let body = "\u{FEFF}{\"a\":1}\n\n  [2] \r\n{\"a\":1,\"a\":2}\nnull\n{\"message\":\"plain\"}"
        let result = try #require(try await send(house, row(body))["result"])
        #expect(result["accepted"] == 4)
        #expect(result["refused"] == 1)
        let results = try #require(result["results"]?.array)
        #expect(results.map { $0["line"]?.int } == [1, 3, 4, 5, 6])
        #expect(results[2]["error"]?.string?.contains("duplicate key") == true)
        #expect(results[2]["offset"] == 7)
        let stored = try await house.store.waiting(for: House.helloID)
        let wanted = ["{\"a\":1}", "[2]", "null", "{\"message\":\"plain\"}"]
        #expect(stored.map { String(decoding: $0.message.body, as: UTF8.self) } == wanted)
        let ids = [0, 1, 3, 4].map { results[$0]["execution_id"]?.string }
        #expect(stored.map { Optional($0.execution.rawValue) } == ids)
    }

    @Test("a schema judges every line")
    func schema() async throws {
        let body = "{\"greeting\":\"hi\"}\n{\"a\":1}\n"
        let result = try await send(House(), row(body, path: "/v3/actors/pipeline-jobs-manager/messages/batch"))[
            "result"]
        #expect(result?["accepted"] == 1)
        #expect(result?["results"]?.array?[1]["error"]?.string?.contains("/greeting") == true)
    }

    @Test("one idempotency key makes every line repeatable; a full mailbox refuses the rest")
    func keysAndBounds() async throws {
        let house = House { $0.maxMailbox = 3 }
        let headers = ["Idempotency-Key": "K"]
        let first = try await send(house, row("1\n2\n", headers: headers))["result"]
        let second = try await send(house, row("1\n3\n", headers: headers))["result"]
        #expect(first?["results"]?.array?[0] == second?["results"]?.array?[0])
        #expect(second?["results"]?.array?[1]["error"]?.string?.contains("another body") == true)
        #expect(second?["results"]?.array?[1]["status"] == 422)
        let full = try await send(house, row("4\n5\n"))["result"]
        #expect(full?["accepted"] == 1)
        #expect(full?["results"]?.array?[1]["error"]?.string?.contains("full") == true)
        #expect(full?["results"]?.array?[1]["status"] == 429, "to be sent again later")
    }

    @Test("the query belongs to what a key is used for, as it does for a single message", arguments: [false, true])
    func keysAndQueries(areEvents: Bool) async throws {
        let house = House()
        let path = "/actors/v2/hello/messages/batch"
        let type = areEvents ? "application/cloudevents-batch+json" : "application/x-ndjson"
        let body = areEvents ? #"[{"specversion":"1.0","id":"1","source":"/s","type":"t"}]"# : "1\n"
        func first(_ query: String) async throws -> JSONValue? {
            try await send(house, row(body, path: path + query, type: type, headers: ["Idempotency-Key": "K"]))[
                "result"]?["results"]?.array?.first
        }
        let one = try await first("?a=1")
        #expect(one?["execution_id"]?.string != nil)
        #expect(try await first("?a=2")?["status"] == 422)
        #expect(try await first("")?["status"] == 422)
        #expect(try await first("?a=1") == one)
        #expect(try await house.store.waiting(for: House.helloID).count == 1)
    }

    /// The same body, signed once, as it may be sent again by who has recorded it.
    private func signed(_ house: House, _ body: String, id: String, path: String, type: String) throws -> Row {
        let secret = try #require(WebhookSecret(House.doorSecret))
        let headers = WebhookSignature.sha256.headers(
            id: id, at: house.clock.now(), body: Array(body.utf8), secrets: [secret])
        var row = row(
            body, path: "/actors/v2/door/\(path)", type: type,
            headers: Dictionary(uniqueKeysWithValues: headers.map { ($0.name, $0.value) }))
        row.token = House.adminToken
        return row
    }

    @Test(
        "a signed message does not come in again the other way",
        arguments: [
            (#"{"opened":true}"#, "application/json"), ("{\"a\":1}\n{\"a\":2}\n", "application/octet-stream"),
            ("no JSON\n{\"a\":2}\n", "application/octet-stream"),
        ])
    func replayedAsBatch(body: String, type: String) async throws {
        let lines = "application/x-ndjson"
        for batchFirst in [false, true] {
            let house = House()
            let single = try signed(house, body, id: "msg_1", path: "messages", type: type)
            let batch = try signed(house, body, id: "msg_1", path: "messages/batch", type: lines)
            if batchFirst {
                let accepted = try await send(house, batch)["result"]?["accepted"]?.int
                var refused = single
                refused.status = 422
                _ = try await send(house, refused)
                #expect(try await house.store.waiting(for: House.doorID).count == accepted)
            } else {
                _ = try await send(house, single)
                let result = try await send(house, batch)["result"]
                #expect(result?["accepted"] == 0)
                #expect(result?["results"]?.array?.last?["status"] == 422)
                #expect(try await house.store.waiting(for: House.doorID).count == 1)
            }
        }
    }

    @Test("a signed batch that comes again gets its first answers, and a full mailbox takes nothing of it")
    func signedAgain() async throws {
        let house = House { $0.maxMailbox = 4 }
        let lines = "application/x-ndjson"
        let batch = try signed(house, "nothing\n1\n2\n3\n", id: "msg_2", path: "messages/batch", type: lines)
        let first = try await send(house, batch)["result"]
        #expect(first?["accepted"] == 3 && first?["refused"] == 1)
        #expect(try await send(house, batch)["result"] == first)
        let changed = try signed(house, "1\n2\n", id: "msg_2", path: "messages/batch", type: lines)
        #expect(try await send(house, changed)["result"]?["accepted"] == 0)
        let more = try signed(house, "4\n", id: "msg_3", path: "messages/batch", type: lines)
        #expect(try await send(house, more)["result"]?["accepted"] == 1)
        let full = try signed(house, "5\n6\n", id: "msg_4", path: "messages/batch", type: lines)
        let results = try await send(house, full)["result"]?["results"]?.array
        #expect(results?.map { $0["status"]?.int } == [429, 429])
        #expect(try await house.store.waiting(for: House.doorID).count == 4)
    }

    @Test("a nonce is used once per line")
    func nonce() async throws {
        let house = House()
        try await house.nonce("DEV-DEVELOP_two", maxUses: 2)
        var row = row("1\n2\n3\n", path: "/actors/v2/R4Xo/messages/batch?x-nonce=DEV-DEVELOP_two")
        row.token = nil
        let result = try await send(house, row)["result"]
        #expect(result?["accepted"] == 2)
        #expect(result?["refused"] == 1)
    }

    private static let events = """
        [{"specversion":"1.0","id":"1","source":"/scope","type":"frame","partitionkey":"plate-1","data":{"n":1}},
         {"specversion":"1.0","id":"2","source":"/scope"},
         {"specversion":"1.0","id":"1","source":"/scope","type":"frame","partitionkey":"plate-1","data":{"n":1}},
         {"specversion":"1.0","id":"3","source":"/scope","type":"frame","data":"text"}]
        """

    @Test("an array of CloudEvents: each is accepted or refused on its own, and counts once")
    func cloudEvents() async throws {
        let house = House()
        let type = "application/cloudevents-batch+json; charset=utf-8"
        let result = try #require(try await send(house, row(Self.events, type: type))["result"])
        #expect(result["accepted"] == 3)
        #expect(result["refused"] == 1)
        let results = try #require(result["results"]?.array)
        #expect(results.map { $0["index"]?.int } == [0, 1, 2, 3])
        #expect(results[1]["error"]?.string?.contains("/1") == true)
        #expect(results[2]["execution_id"] == results[0]["execution_id"])
        let stored = try await house.store.waiting(for: House.helloID)
        #expect(stored.map { String(decoding: $0.message.body, as: UTF8.self) } == ["{\"n\":1}", "\"text\""])
        #expect(stored.map(\.message.key) == ["plate-1", nil])
        #expect(stored[0].message.environment.contains(EnvironmentEntry("CE_ID", "1")))
        // The batch once more is no news.
        let again = try await send(house, row(Self.events, type: type))["result"]?["results"]?.array
        #expect(again?.map { $0["execution_id"] } == results.map { $0["execution_id"] })
        #expect(try await house.store.waiting(for: House.helloID).count == 2)
    }

    @Test("a key of the whole batch stands in for the events' own")
    func keyOfEvents() async throws {
        let house = House()
        let type = "application/cloudevents-batch+json"
        let headers = ["Idempotency-Key": "K"]
        let first = try await send(house, row(Self.events, type: type, headers: headers))["result"]?["results"]?.array
        #expect(first?[0]["execution_id"] != first?[2]["execution_id"])
        let again = try await send(house, row(Self.events, type: type, headers: headers))["result"]?["results"]?.array
        #expect(again?.map { $0["execution_id"] } == first?.map { $0["execution_id"] })
        let other = Self.events.replacing("plate-1", with: "plate-2")
        let changed = try await send(house, row(other, type: type, headers: headers))["result"]?["results"]?.array
        #expect(changed?[0]["error"]?.string?.contains("another body") == true)
    }

    @Test("an actor that takes signed webhooks only takes no other batch")
    func unsigned() async throws {
        let house = House()
        var row = row("1\n", path: "/actors/v2/door/messages/batch", status: 400)
        row.token = House.adminToken
        row.has = ["takes signed webhooks only"]
        _ = try await send(house, row)
        #expect(try await house.store.waiting(for: House.doorID).isEmpty)
    }

    @Test("what is no batch")
    func refusals() async throws {
        let house = House()
        _ = try await send(house, row("{}", type: "application/json", status: 415))
        _ = try await send(house, row("{}", headers: ["Reactord-Priority": "x"], status: 400))
        _ = try await send(house, row(String(repeating: "1\n", count: 10_001), status: 413))
        #expect(try await house.store.waiting(for: House.helloID).isEmpty)
    }
}
