import ActorCore
import ActorRuntime
import ActorTesting
import HTTPTypes
import Testing

@testable import ActorHTTP

@Suite("dead letters")
struct DeadLetterTests {
    /// A message of ann's that has used up its attempts.
    private func park(_ house: House, to actor: ActorID = House.helloID, _ body: String) async throws -> Int64 {
        let now = house.clock.now()
        let receipt = try await house.system.send(MessageDraft(actor: actor, body: Array(body.utf8), sender: "ann"))
        let waiting = try await house.store.waiting(for: actor)
        let envelope = try #require(waiting.first { $0.execution == receipt.execution })
        try await house.store.begin(envelope, attempt: 1, at: now)
        let log = Array("it said: no".utf8)
        try await house.store.complete(
            Completion(
                envelope,
                attempt: AttemptRecord(
                    execution: envelope.execution, number: 1, started: now, finished: now, outcome: .failed,
                    exitCode: 3, reason: "exited with status 3"),
                disposition: .park(reason: "exited with status 3 (attempt 1 of 1)"), status: .complete,
                log: LogRecord(
                    execution: envelope.execution, place: .inline(log), bytes: log.count, truncated: false)))
        return try #require(try await house.store.deadLetters(limit: 1).first).id
    }

    @Test("one is shown with its message, attempts and log, to those who may see them")
    func show() async throws {
        let house = House()
        let id = try await park(house, #"{"secret":"s3"}"#)
        for token in [House.adminToken, House.annToken] {
            try await house.expect(
                Row(
                    name: "owner", path: "/api/v1/dead-letters/\(id)", token: token, status: 200,
                    has: [
                        #""actor":"hello""#, #""reason":"exited with status 3 (attempt 1 of 1)""#, #""sender":"ann""#,
                        #""message":"{\"secret\":\"s3\"}""#, #""attempt_list":[{"number":1"#, #""exit_code":3"#,
                        #""log":"it said: no""#, #""cause":null"#,
                    ]))
        }
        try await house.expect(
            Row(
                name: "others", path: "/api/v1/dead-letters/\(id)", token: House.bobToken, status: 200,
                has: [#""message":"""#], lacks: ["s3"]))
    }

    @Test("a list can be of one actor, and comes in pages")
    func list() async throws {
        let house = House()
        let first = try await park(house, "[1]")
        let strict = try await park(house, to: House.strictID, #"{"greeting":"x"}"#)
        let last = try await park(house, "[2]")
        func ids(_ query: String) async throws -> (ids: [Int], next: String?) {
            let row = Row(
                name: query, path: "/api/v1/dead-letters\(query)", token: House.adminToken, status: 200)
            let json = try await house.test { try await row.send($0) }.json
            return ((json["dead_letters"]?.array ?? []).compactMap { $0["id"]?.int }, json["next"]?.string)
        }
        #expect(try await ids("").ids == [Int(last), Int(strict), Int(first)])
        #expect(try await ids("?actor=hello").ids == [Int(last), Int(first)])
        #expect(try await ids("?actor=\(House.strictID)").ids == [Int(strict)])
        let page = try await ids("?limit=2")
        #expect(page.ids == [Int(last), Int(strict)])
        #expect(try await ids("?limit=2&before=\(page.next ?? "")").ids == [Int(first)])
    }

    @Test("a list has those of actors that the caller may read, in full pages")
    func readable() async throws {
        let house = House()
        var seen: [Int] = []
        for number in 0..<3 {
            _ = try await park(house, "[\(number)]")
            seen.append(Int(try await park(house, to: House.strictID, #"{"greeting":"x"}"#)))
        }
        try await house.grant("bob", .none)
        func ids(_ query: String, _ token: String) async throws -> (ids: [Int], next: String?) {
            let row = Row(name: query, path: "/api/v1/dead-letters\(query)", token: token, status: 200)
            let json = try await house.test { try await row.send($0) }.json
            return ((json["dead_letters"]?.array ?? []).compactMap { $0["id"]?.int }, json["next"]?.string)
        }
        #expect(try await ids("", House.adminToken).ids.count == 6)
        #expect(try await ids("", House.annToken).ids.count == 6)
        let page = try await ids("?limit=2", House.bobToken)
        #expect(page.ids == [seen[2], seen[1]])
        #expect(try await ids("?limit=2&before=\(page.next ?? "")", House.bobToken).ids == [seen[0]])
        try await house.expect(
            Row(name: "asked for", path: "/api/v1/dead-letters?actor=hello", token: House.bobToken, status: 403))
    }

    @Test("all are replayed in their old order, page by page, each once, those parked meanwhile not")
    func replayAll() async throws {
        let house = House()
        var parked: [Int64] = []
        for number in 0..<5 { parked.append(try await park(house, "[\(number)]")) }
        let strict = try await park(house, to: House.strictID, #"{"greeting":"x"}"#)
        var replayed: [Int] = []
        var after: String?
        repeat {
            let cursor = after.map { "&after=\($0)" } ?? ""
            let row = Row(
                name: "replay", method: .post, path: "/api/v1/dead-letters/replay?actor=hello&limit=2\(cursor)",
                token: House.adminToken, status: 202)
            let json = try await house.test { try await row.send($0) }.json
            replayed += (json["replayed"]?.array ?? []).compactMap { $0["id"]?.int }
            after = json["next"]?.string
            // It fails again at once: the calls that follow leave it alone.
            _ = try await park(house, "[9]")
        } while after != nil && replayed.count < 20
        #expect(replayed == parked.map(Int.init))
        let bodies = try await house.store.waiting(for: House.helloID).map(\.message.body)
        #expect(bodies == (0..<5).map { Array("[\($0)]".utf8) })
        #expect(try await house.store.deadLetter(strict)?.replayedAs == nil)
        try await house.expect(
            Row(
                name: "only admins", method: .post, path: "/api/v1/dead-letters/replay", token: House.bobToken,
                status: 403))
    }
}
