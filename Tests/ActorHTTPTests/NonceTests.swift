import ActorCore
import ActorRuntime
import ActorTesting
import HTTPTypes
import Testing

@testable import ActorHTTP

@Suite("what a nonce passes on")
struct NonceTests {
    private static let unknown = #"{"message":"Nonce does not exist.","#

    static let owners: [(String, PermissionLevel, [Role], Int)] = [
        // The actor's owner, the daemon's own admin, one that the configuration names, a user of the house.
        ("ann", .update, [.user], 200), ("admin", .update, [.admin], 200), ("root", .update, [.user], 200),
        ("bob", .execute, [.user], 200),
        // More than its owner may do; an admin who is none any more; a user who was one and is limited now.
        ("bob", .update, [.user], 400), ("carl", .update, [.admin], 400), ("bob", .update, [.admin], 400),
        ("lim", .execute, [.user], 400),
    ]

    @Test("no more than its owner may do now", arguments: owners)
    func owner(name: String, level: PermissionLevel, roles: [Role], status: Int) async throws {
        let house = House()
        try await house.nonce("DEV-DEVELOP_n", level: level, owner: name, roles: roles)
        try await house.expect(
            Row(
                name: "\(name) \(level)", method: .post, path: "/actors/v2/R4Xo/messages?x-nonce=DEV-DEVELOP_n",
                type: "application/json", body: "[1]", status: status,
                has: [status == 200 ? "execution_id" : Self.unknown]))
    }

    @Test("it ends with its owner's permission, by the id and by an alias, and is counted when it lets in")
    func revoked() async throws {
        let house = House()
        try await house.nonce("DEV-DEVELOP_id", maxUses: 9, owner: "bob")
        try await house.nonce("DEV-DEVELOP_alias", alias: "hello", maxUses: 9, owner: "bob")
        for (level, status) in [(PermissionLevel.execute, 200), (.none, 400), (.execute, 200), (.read, 400)] {
            try await house.grant("bob", level)
            for (word, nonce) in [("R4Xo", "DEV-DEVELOP_id"), ("hello", "DEV-DEVELOP_alias")] {
                for (method, body) in [(HTTPRequest.Method.post, "[1]"), (.get, nil)] {
                    try await house.expect(
                        Row(
                            name: "\(word) \(level)", method: method,
                            path: "/actors/v2/\(word)/messages?x-nonce=\(nonce)", type: "application/json", body: body,
                            status: status, has: status == 200 ? [] : [Self.unknown]))
                }
            }
        }
        for id in ["DEV-DEVELOP_id", "DEV-DEVELOP_alias"] {
            #expect(try await house.store.nonce(NonceID(id))?.currentUses == 4)
        }
    }

    @Test("the house's own for callbacks stays what it is, also when its owner is not the admin any more")
    func callbacks() async throws {
        let house = House()
        try await house.nonce("DEV-DEVELOP_callback", actor: House.strictID, owner: "bob")
        try await house.grant("bob", .none, on: House.strictID)
        try await house.expect(
            Row(
                name: "callback", method: .post,
                path: "/actors/v2/\(House.strictID)/messages?x-nonce=DEV-DEVELOP_callback", type: "application/json",
                body: #"{"greeting":"hi"}"#, status: 200, has: ["execution_id"]))
    }

    @Test("it makes no nonces and changes no permissions")
    func handedOn() async throws {
        let house = House()
        try await house.nonce("DEV-DEVELOP_all", level: .update, maxUses: 1)
        for (path, body) in [
            ("nonces", #"{"level":"READ"}"#), ("nonces", #"{"level":"UPDATE"}"#),
            ("permissions", #"{"user":"eve","level":"UPDATE"}"#),
        ] {
            try await house.expect(
                Row(
                    name: path, method: .post, path: "/actors/v2/R4Xo/\(path)?x-nonce=DEV-DEVELOP_all",
                    type: "application/json", body: body, status: 400,
                    has: ["a nonce can neither make nonces nor change permissions; use a token"]))
            try await house.expect(
                Row(
                    name: "alias, \(path)", method: .post,
                    path: "/actors/v2/aliases/hello/\(path)?x-nonce=DEV-DEVELOP_all", type: "application/json",
                    body: body, status: 404, has: ["Unable to parse actor identifier"]))
        }
        #expect(try await house.store.nonces(of: House.helloID).map(\.remainingUses) == [1])
        #expect(try await house.store.nonces(ofAlias: "hello", tenant: House.tenant).isEmpty)
        #expect(house.system.spec(House.helloID)?.grants.isEmpty == true)
    }

    @Test("it shows no other nonce, whatever its level: another may have more uses")
    func others() async throws {
        let house = House()
        for level in [PermissionLevel.read, .update] {
            let own = "DEV-DEVELOP_\(level.rawValue)"
            let other = "DEV-DEVELOP_free\(level.rawValue)"
            try await house.nonce(own, level: level, maxUses: 3)
            try await house.nonce(other, level: .update)
            let path = "/actors/v2/R4Xo/nonces"
            try await house.expect(
                Row(name: "list", path: "\(path)?x-nonce=\(own)", status: 200, has: [own], lacks: [other]))
            try await house.expect(
                Row(
                    name: "one", path: "\(path)/\(other)?x-nonce=\(own)", status: 400, has: ["Nonce not found."],
                    lacks: [other]))
        }
        try await house.expect(
            Row(
                name: "its owner", path: "/actors/v2/R4Xo/nonces", token: House.annToken, status: 200,
                has: ["DEV-DEVELOP_freeREAD", "DEV-DEVELOP_freeUPDATE"]))
    }

    @Test("it says nothing of other actors: none of them can be linked to by it")
    func links() async throws {
        let house = House()
        let actor = try await house.makeActor()
        try await house.nonce("DEV-DEVELOP_all", level: .update, actor: actor)
        let path = "/v3/actors/\(actor)"
        try await house.expect(
            Row(
                name: "a link", method: .put, path: "\(path)?x-nonce=DEV-DEVELOP_all", type: "application/json",
                body: #"{"image":"lab/any","link":"hello"}"#, status: 400,
                has: ["You must have EXECUTE permission on the linked actor."]))
        try await house.expect(
            Row(
                name: "the owner's", method: .put, path: path, token: House.annToken, type: "application/json",
                body: #"{"image":"lab/any","link":"hello"}"#, status: 200))
    }

    @Test("files come in as long as its owner may send to the ingest")
    func uploads() async throws {
        try await withTemporaryFolder { inbox in
            let house = House(inbox: inbox)
            var ingest = try #require(house.system.spec(House.helloID))
            ingest.name = "ingest"
            house.system.install([ingest], quarantined: [])
            try await house.nonce("DEV-DEVELOP_files", alias: "ingest", owner: "bob")
            for (name, level, status) in [("a", PermissionLevel.execute, 201), ("b", .none, 401), ("c", .read, 401)] {
                try await house.grant("bob", level)
                try await house.expect(
                    Row(
                        name: name, method: .put, path: "/api/v1/uploads/\(name)?x-nonce=DEV-DEVELOP_files",
                        body: "abc", status: status))
            }
        }
    }
}
