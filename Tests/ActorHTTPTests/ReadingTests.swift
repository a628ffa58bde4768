import ActorCore
import ActorRuntime
import ActorTesting
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Testing

@testable import ActorHTTP

@Suite("who may read what happened")
struct ReadingTests {
    private func send(_ house: House, _ actor: ActorID, sender: String = "ann") async throws -> ExecutionID {
        let draft = MessageDraft(actor: actor, body: Array(#"{"greeting":"x"}"#.utf8), sender: sender)
        return try await house.system.send(draft).execution
    }

    @Test("what a deleted actor did is for admins, and for who sent it")
    func deleted() async throws {
        let house = House()
        let actor = try await house.makeActor()
        let execution = try await send(house, actor, sender: "bob")
        try await house.expect(
            Row(name: "delete", method: .delete, path: "/v3/actors/\(actor)", token: House.annToken, status: 200))
        for (token, status) in [
            (House.adminToken, 200), (House.bobToken, 200), (House.annToken, 404), ("lim-token", 404),
        ] {
            for path in ["", "/why", "/logs", "/logs?follow=true"] {
                try await house.expect(
                    Row(
                        name: "\(token) \(path)", path: "/api/v1/executions/\(execution)\(path)", token: token,
                        status: status, has: status == 404 ? ["there is no execution \(execution)"] : []))
            }
        }
    }

    @Test("a list of executions has those of actors that the caller may read, in full pages")
    func executions() async throws {
        let house = House()
        // Of another tenant, where somebody has the caller's name.
        var foreign = try #require(house.system.spec(House.doorID))
        foreign.tenant = "OTHER"
        foreign.owner = "bob"
        let own = [House.helloID, House.strictID].compactMap { house.system.spec($0) }
        house.system.install(own + [foreign], quarantined: [])
        for _ in 0..<2 {
            for actor in [House.helloID, House.strictID, House.doorID] { _ = try await send(house, actor) }
        }
        func actors(_ token: String) async throws -> [String] {
            var found: [String] = []
            var cursor: String? = ""
            while let before = cursor {
                let row = Row(
                    name: "page", path: "/api/v1/executions?limit=1&before=\(before)", token: token, status: 200)
                let json = try await house.test { try await row.send($0) }.json
                found += (json["executions"]?.array ?? []).compactMap { $0["actor_id"]?.string }
                cursor = json["next"]?.string
            }
            return found
        }
        let (hello, strict) = (House.helloID.rawValue, House.strictID.rawValue)
        #expect(try await actors(House.bobToken) == [strict, hello, strict, hello])
        try await house.grant("bob", .none)
        #expect(try await actors(House.bobToken) == [strict, strict])
        #expect(try await actors(House.annToken) == [strict, hello, strict, hello])
        #expect(try await actors(House.adminToken).count == 6)
    }

    @Test("the event stream tells of actors that the reader may read at that moment")
    func events() async throws {
        let house = House()
        let responder = house.front.router().buildResponder()
        func listen(_ token: String) async throws -> Response {
            let request = Request(
                head: HTTPRequest(
                    method: .get, scheme: "http", authority: "localhost", path: "/api/v1/events",
                    headerFields: [.authorization: "Bearer \(token)"]),
                body: RequestBody(buffer: ByteBuffer()))
            return try await responder.respond(to: request, context: TestChannel.context())
        }
        let (bobs, admins) = (try await listen(House.bobToken), try await listen(House.adminToken))
        let before = try await send(house, House.helloID)
        try await house.grant("bob", .none)
        let hidden = try await send(house, House.helloID)
        let other = try await send(house, House.strictID)
        house.system.events.close()
        func text(of answer: Response) async throws -> String {
            let collector = Collector()
            try await answer.body.write(collector)
            return collector.text
        }
        let told = try await text(of: bobs)
        #expect(told.contains(before.rawValue) && told.contains(other.rawValue))
        #expect(!told.contains(hidden.rawValue))
        let all = try await text(of: admins)
        for execution in [before, hidden, other] { #expect(all.contains(execution.rawValue)) }
    }

    @Test("a list of configs has those that the caller may read")
    func configs() async throws {
        let house = House()
        let path = "/v3/actors/configs"
        try await house.expect(
            Row(
                name: "make", method: .post, path: path, token: House.annToken, type: "application/json",
                body: #"{"name":"greeting","value":"salut","actors":"hello"}"#, status: 200))
        func expect(_ token: String, sees: Bool) async throws {
            try await house.expect(
                Row(
                    name: token, path: path, token: token, status: 200, has: sees ? ["salut"] : [],
                    lacks: sees ? [] : ["salut", "greeting"]))
        }
        try await expect(House.adminToken, sees: true)
        try await expect(House.annToken, sees: true)
        try await expect(House.bobToken, sees: false)
        try await house.expect(
            Row(
                name: "share", method: .post, path: "\(path)/greeting/permissions", token: House.annToken,
                type: "application/json", body: #"{"user":"bob","level":"READ"}"#, status: 200))
        try await expect(House.bobToken, sees: true)
        try await expect("lim-token", sees: false)
    }

    @Test("a result is taken by who may see it, and by nobody else")
    func results() async throws {
        let house = House()
        try await house.nonce("DEV-DEVELOP_look", level: .read)
        let execution = try await send(house, House.helloID, sender: "lim")
        let path = "/actors/v2/R4Xo/executions/\(execution)/results"
        house.results.send("first result")
        house.results.send("second result")
        try await house.expect(
            Row(name: "others", path: path, token: House.bobToken, status: 200, lacks: ["result"]))
        try await house.expect(
            Row(name: "a nonce", path: "\(path)?x-nonce=DEV-DEVELOP_look", status: 200, lacks: ["result"]))
        try await house.expect(
            Row(name: "the sender", path: path, token: "lim-token", status: 200, has: ["first result"]))
        try await house.expect(
            Row(name: "the owner", path: path, token: House.annToken, status: 200, has: ["second result"]))
    }

    @Test(
        "a synchronous message that was cancelled or expired is answered with that, not with nothing",
        arguments: [(Outcome.cancelled, 409, "was cancelled"), (.expired, 504, "expired before it could run")])
    func synchronous(outcome: Outcome, status: Int, says: String) async throws {
        let house = House()
        let row = Row(
            name: "\(outcome)", method: .post, path: "/actors/v2/hello/messages?_abaco_synchronous=true",
            token: House.annToken, type: "application/json", body: "[1]", status: status,
            has: [#""status":"error""#, says])
        async let answer = house.test { try await row.send($0) }
        var waiting: Envelope?
        while waiting == nil {
            await Task.yield()
            waiting = try await house.store.waiting(for: House.helloID).first
        }
        let envelope = try #require(waiting)
        if outcome == .cancelled {
            _ = try await house.system.purge(House.helloID)
        } else {
            let now = house.clock.now()
            try await house.store.complete(
                Completion(
                    envelope, hasBegun: false,
                    attempt: AttemptRecord(
                        execution: envelope.execution, number: envelope.attempts, started: now, finished: now,
                        outcome: .expired, reason: "it expired before it could run"),
                    disposition: .acknowledge, status: .complete))
        }
        row.check(try await answer, sourceLocation: #_sourceLocation)
    }
}
