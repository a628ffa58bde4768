import ActorCore
import ActorTesting
import FoundationEssentials
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Logging
import NIOPosix
import Testing

@testable import ActorHTTP

@Suite("who is let in")
struct AuthenticationTests {
    private static let messages = "/actors/v2/hello/messages"

    struct Attempt: Sendable, CustomTestStringConvertible {
        var name: String
        var authorization: String?
        var nonce: String?
        /// What the refusal says: of a token nothing, of a nonce what the old service says.
        var says = "Not authorized."
        var testDescription: String { name }
    }

    private static let unknown = "Nonce does not exist."

    static let strangers: [Attempt] = [
        Attempt(name: "no header", says: "No JWT or nonce provided."),
        Attempt(name: "Bearer nothing", authorization: "Bearer nothing"),
        Attempt(name: "Bearer alone", authorization: "Bearer"), Attempt(name: "empty header", authorization: ""),
        Attempt(name: "wrong scheme", authorization: "Basic \(House.adminToken)"),
        Attempt(name: "token without scheme", authorization: House.adminToken),
        Attempt(name: "expired token", authorization: "Bearer \(House.lateToken)"),
        Attempt(name: "no such nonce", nonce: "DEV-DEVELOP_nope", says: unknown),
        Attempt(name: "empty nonce", nonce: "", says: unknown),
        Attempt(
            name: "used-up nonce", nonce: "DEV-DEVELOP_used", says: "No remaining uses left for this nonce."),
        Attempt(name: "nonce of another tenant", nonce: "OTHER_open", says: unknown),
        Attempt(name: "nonce of another actor", nonce: "DEV-DEVELOP_strict", says: unknown),
        Attempt(name: "nonce of the id, used with the alias", nonce: "DEV-DEVELOP_byid", says: unknown),
        Attempt(
            name: "nonce of too low a level", nonce: "DEV-DEVELOP_read",
            says: "Nonce does not have sufficient permissions level."),
        Attempt(name: "nonce beside a wrong token", authorization: "Bearer nothing", nonce: "DEV-DEVELOP_alias"),
    ]

    private func house() async throws -> House {
        let house = House()
        try await house.nonce("DEV-DEVELOP_used", alias: "hello", maxUses: 1)
        _ = try await house.store.useNonce(NonceID("DEV-DEVELOP_used"), at: house.clock.now())
        try await house.nonce("OTHER_open", alias: "hello", tenant: "OTHER")
        try await house.nonce("DEV-DEVELOP_strict", actor: House.strictID)
        try await house.nonce("DEV-DEVELOP_byid")
        try await house.nonce("DEV-DEVELOP_read", level: .read, alias: "hello")
        try await house.nonce("DEV-DEVELOP_alias", alias: "hello")
        return house
    }

    @Test("every stranger gets the answer of the old service, letter by letter", arguments: strangers)
    func stranger(_ attempt: Attempt) async throws {
        let house = try await house()
        let query = attempt.nonce.map { "?x-nonce=\($0)" } ?? ""
        let row = Row(
            name: attempt.name, method: .post, path: Self.messages + query, type: "application/json",
            headers: attempt.authorization.map { ["Authorization": $0] } ?? [:], body: #"{"a":1}"#, status: 400)
        let answer = try await house.test { try await row.send($0) }
        #expect(answer.status == .badRequest)
        #expect(
            answer.text == #"{"message":"\#(attempt.says)","status":"error","version":"dev","result":null}"#)
        #expect(try await house.store.mailboxes().isEmpty)
    }

    @Test(
        "under /api/v1 it is 401, and a nonce opens nothing",
        arguments: ["", "?x-nonce=DEV-DEVELOP_alias"], ["/jobs", "/actors", "/no-such-thing", "/events", "/audit"])
    func api(query: String, path: String) async throws {
        try await house().expect(
            Row(
                name: "stranger", path: "/api/v1\(path)\(query)", status: 401,
                has: [#""type":"urn:reactord:problem:unauthenticated""#, #""detail":"Not authorized.""#],
                answers: ["WWW-Authenticate": "Bearer", "Content-Type": "application/problem+json"]))
    }

    static let friends: [Attempt] = [
        Attempt(name: "admin", authorization: "Bearer \(House.adminToken)"),
        Attempt(name: "owner", authorization: "Bearer \(House.annToken)"),
        Attempt(name: "user", authorization: "Bearer \(House.bobToken)"),
        Attempt(name: "token that has not expired", authorization: "Bearer fresh-token"),
        Attempt(name: "running execution", authorization: "Bearer execution-token"),
        Attempt(name: "lower-case scheme", authorization: "bearer \(House.bobToken)"),
        Attempt(name: "alias nonce", nonce: "DEV-DEVELOP_alias"),
        Attempt(name: "a token wins over a wrong nonce", authorization: "Bearer \(House.bobToken)", nonce: "nope"),
    ]

    @Test("who has a right gets in", arguments: friends)
    func friend(_ attempt: Attempt) async throws {
        let query = attempt.nonce.map { "?x-nonce=\($0)" } ?? ""
        try await house().expect(
            Row(
                name: attempt.name, method: .post, path: Self.messages + query, type: "application/json",
                headers: attempt.authorization.map { ["Authorization": $0] } ?? [:], body: #"{"a":1}"#, status: 200,
                has: ["execution_id"]))
    }

    @Test("who lost the answer to the one use of a nonce gets it by the key of the message, and no other message in")
    func repeatByNonce() async throws {
        let house = House()
        try await house.nonce("DEV-DEVELOP_once", alias: "hello", maxUses: 1)
        @Sendable func attempt(_ key: [String: String], _ body: String, _ status: Int) -> Row {
            Row(
                name: "\(key) \(body)", method: .post, path: Self.messages + "?x-nonce=DEV-DEVELOP_once",
                type: "application/json", headers: key, body: body, status: status)
        }
        let one = ["Idempotency-Key": "one"]
        try await house.test { client in
            let first = try await attempt(one, #"{"a":1}"#, 200).send(client)
            let again = try await attempt(one, #"{"a":1}"#, 200).send(client)
            #expect(first.status == .ok)
            #expect(again.status == .ok)
            #expect(again.text == first.text)
            let other = try await attempt(["Idempotency-Key": "two"], #"{"a":1}"#, 400).send(client)
            #expect(other.text.contains(Nonce.usedUp.message))
            let keyless = try await attempt([:], #"{"a":1}"#, 400).send(client)
            #expect(keyless.text.contains(Nonce.usedUp.message))
            let changed = try await attempt(one, #"{"a":2}"#, 422).send(client)
            #expect(changed.status.code == 422)
        }
        #expect(try await house.store.waiting(for: House.helloID).count == 1)
    }

    @Test("a token that expired or is another's does not keep open what it opened")
    func stillLetIn() async throws {
        let house = House()
        let fields: HTTPFields = [.authorization: "Bearer fresh-token"]
        let ann = Caller(principal: try #require(await house.front.credentials.shown(in: fields)).principal)
        #expect(await house.front.stillLetsIn(ann, by: fields))
        #expect(await !house.front.stillLetsIn(ann, by: [.authorization: "Bearer \(House.bobToken)"]))
        #expect(await !house.front.stillLetsIn(ann, by: [:]))
        house.clock.advance(milliseconds: 10 * 366 * 86_400_000)
        #expect(await !house.front.stillLetsIn(ann, by: fields))
    }

    @Test("the nonce in the callbacks of jobs sends messages, and reads nothing")
    func callbackNonce() async throws {
        let house = House()
        let path = "/actors/v2/\(House.strictID)"
        try await house.nonce("DEV-DEVELOP_callback", actor: House.strictID, owner: "admin")
        try await house.expect(
            Row(
                name: "send", method: .post, path: "\(path)/messages?x-nonce=DEV-DEVELOP_callback",
                type: "application/json", body: #"{"greeting":"hello"}"#, status: 200))
        for part in ["", "/messages", "/executions", "/state", "/permissions", "/nonces", "/workers"] {
            try await house.expect(
                Row(
                    name: part, path: "\(path)\(part)?x-nonce=DEV-DEVELOP_callback", status: 400,
                    has: ["Nonce does not have sufficient permissions level."]))
        }
        // Others of its level read, as they always did.
        try await house.nonce("DEV-DEVELOP_own", actor: House.strictID, owner: "admin")
        try await house.expect(Row(name: "own", path: "\(path)/executions?x-nonce=DEV-DEVELOP_own", status: 200))
    }

    @Test("a nonce is used up by messages and by looks, and never twice")
    func uses() async throws {
        let house = House()
        try await house.nonce("DEV-DEVELOP_three", level: .execute, maxUses: 3)
        let path = "/actors/v2/\(House.helloID)"
        let send = Row(
            name: "send", method: .post, path: "\(path)/messages?x-nonce=DEV-DEVELOP_three", type: "application/json",
            body: "[1]", status: 200)
        try await house.expect(send)
        try await house.expect(Row(name: "look", path: "\(path)/messages?x-nonce=DEV-DEVELOP_three", status: 200))
        try await house.expect(send)
        var refused = send
        refused.status = 400
        refused.has = ["No remaining uses left for this nonce."]
        try await house.expect(refused)
        #expect(try await house.store.nonce(NonceID("DEV-DEVELOP_three"))?.remainingUses == 0)
    }

    static let levels: [(String, HTTPRequest.Method, String, Int)] = [
        ("ann-token", .post, "state", 200), ("bob-token", .post, "state", 400), ("lim-token", .get, "state", 200),
        ("lim-token", .post, "messages", 400), ("bob-token", .get, "state", 200), ("bob-token", .post, "nonces", 400),
        ("bob-token", .delete, "messages", 400), ("ann-token", .delete, "messages", 200),
        ("ann-token", .post, "nonces", 200), (House.adminToken, .post, "state", 200),
    ]

    @Test("levels: owner and admin all, users READ and EXECUTE, limited READ", arguments: levels)
    func level(token: String, method: HTTPRequest.Method, path: String, status: Int) async throws {
        try await House().expect(
            Row(
                name: "\(token) \(method) \(path)", method: method, path: "/v3/actors/hello/\(path)", token: token,
                type: "application/json", body: method == .post ? #"{"x":1}"# : nil, status: status,
                has: status == 400 ? ["Not authorized -- you do not have access to this actor."] : []))
    }

    @Test(
        "changes under /api/v1 need admin",
        arguments: [
            (HTTPRequest.Method.post, "/dead-letters/1/replay"), (.post, "/dead-letters/replay"),
            (.delete, "/dead-letters/1"), (.post, "/actors/hello/nonces"), (.get, "/audit"),
        ])
    func adminOnly(method: HTTPRequest.Method, path: String) async throws {
        try await House().expect(
            Row(
                name: path, method: method, path: "/api/v1\(path)", token: House.bobToken, status: 403,
                has: ["urn:reactord:problem:forbidden"]))
    }

    @Test("with authentication off every caller is admin, but not every web site")
    func off() async throws {
        let house = House(authenticationOff: true)
        try await house.expect(Row(name: "open", path: "/api/v1/audit", status: 200))
        try await house.expect(
            Row(
                name: "cross-site", method: .post, path: Self.messages, type: "text/plain",
                headers: ["Sec-Fetch-Site": "cross-site"], body: "1", status: 403))
        try await house.expect(
            Row(name: "origin", path: "/api/v1/jobs", headers: ["Origin": "https://evil.example"], status: 403))
        try await house.expect(
            Row(name: "same origin", path: "/api/v1/jobs", headers: ["Origin": "http://localhost"], status: 200))
    }
}

@Suite("the tokens file")
struct TokensFileTests {
    private func verifier(_ file: String, _ clock: ManualClock) -> TokenVerifier {
        TokenVerifier(
            adminToken: nil, tokensFile: file, users: ["carol": [.admin]], tenant: "T",
            executionPrincipal: { _ in nil },
            clock: clock, pool: .singleton, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }

    private func write(_ text: String, _ path: String) {
        _ = FileManager.default.createFile(atPath: path, contents: Data(text.utf8))
    }

    private func line(_ token: String, _ user: String) -> String {
        "{\"\(Hexadecimal.text(TokenVerifier.digest(of: token)))\": \"\(user)\"}"
    }

    @Test("is read again when it has changed, at most once a second; a broken one changes nothing")
    func reload() async throws {
        try await withTemporaryFolder { folder in
            let clock = ManualClock()
            let file = folder + "/tokens.json"
            let verifier = verifier(file, clock)
            #expect(await verifier.principal(of: "one") == nil)
            write(line("one", "carol"), file)
            #expect(await verifier.principal(of: "one") == nil, "not before a second has passed")
            clock.advance(milliseconds: 1000)
            #expect(await verifier.principal(of: "one") == Principal(username: "carol", tenant: "T", roles: [.admin]))
            write("{ this is broken", file)
            clock.advance(milliseconds: 1000)
            #expect(await verifier.principal(of: "one")?.username == "carol")
            write(line("three", "dave"), file)
            clock.advance(milliseconds: 1000)
            #expect(await verifier.principal(of: "one") == nil)
            #expect(await verifier.principal(of: "three")?.roles == [.user])
            #expect(await verifier.principal(of: "") == nil)
        }
    }

    @Test("is read before anybody is turned away: the first of many requests at once does not read for itself alone")
    func firstRead() async throws {
        try await withTemporaryFolder { folder in
            let file = folder + "/tokens.json"
            write(line("one", "carol"), file)
            let verifier = verifier(file, ManualClock())
            let known = await withTaskGroup(of: Bool.self) { group in
                for _ in 0..<64 { group.addTask { await verifier.principal(of: "one") != nil } }
                return await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
            }
            #expect(known == 64)
        }
    }

    @Test("is read again also when the clock was set back")
    func clockSetBack() async throws {
        try await withTemporaryFolder { folder in
            let clock = ManualClock()
            let file = folder + "/tokens.json"
            write(line("one", "carol"), file)
            let verifier = verifier(file, clock)
            #expect(await verifier.principal(of: "one") != nil)
            write(line("three", "dave"), file)
            clock.advance(milliseconds: -3_600_000)
            #expect(await verifier.principal(of: "one") == nil, "a token that was taken away")
            #expect(await verifier.principal(of: "three") != nil)
        }
    }

    @Test(
        "what is wrong is told without showing a hash in full",
        arguments: ["[]", "{\"abc\": \"x\"}", "{\"\(String(repeating: "g", count: 64))\": \"x\"}"])
    func broken(text: String) {
        #expect {
            try TokensFile.parse(Array(text.utf8))
        } throws: { error in
            !"\(error)".contains(String(repeating: "g", count: 64))
        }
    }

    @Test("comparison looks at every byte")
    func equality() {
        #expect(ConstantTime.areEqual([1, 2, 3], [1, 2, 3]))
        #expect(!ConstantTime.areEqual([1, 2, 3], [1, 2, 4]))
        #expect(!ConstantTime.areEqual([1, 2], [1, 2, 3]))
    }
}
