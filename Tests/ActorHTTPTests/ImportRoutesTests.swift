import ActorCore
import ActorRuntime
import ActorTesting
import HTTPTypes
import Testing

@testable import ActorHTTP

@Suite("POST /api/v1/import/abaco")
struct ImportRoutesTests {
    private static let actor = Hashids.abaco.encode(123_456_789)

    private func take(_ house: House, _ dump: String, isDryRun: Bool = false) async throws -> [String: String] {
        let row = Row(
            name: "import", method: .post, path: "/api/v1/import/abaco?dry_run=\(isDryRun)", token: House.adminToken,
            type: "application/json", body: dump, status: 200)
        let answer = try await house.test { try await row.send($0) }
        row.check(answer, sourceLocation: #_sourceLocation)
        return (answer.json["warnings"]?.array ?? []).reduce(into: [:]) { places, warning in
            places[warning["place"]?.string ?? ""] = warning["problem"]?.string
        }
    }

    @Test("nonces that lead nowhere without their admin go on as the actor's owner's; others that do are named")
    func nonces() async throws {
        let house = House()
        let roles = #""roles":["Internal/everyone","Internal/abaco-admin"]"#
        let dump = """
            {"actors":[{"id":"\(Self.actor)","owner":"alice","image":"lab/any"}],
             "aliases":[{"alias":"door_1","actor_id":"\(Self.actor)","owner":"alice"}],
             "permissions":{"\(Self.actor)":{"carl":"EXECUTE"}},
             "nonces":[
              {"id":"DEV-DEVELOP_a1","actor_id":"\(Self.actor)","level":"EXECUTE","owner":"jadmin",\(roles)},
              {"id":"DEV-DEVELOP_a2","alias":"door_1","level":"EXECUTE","owner":"jadmin",\(roles)},
              {"id":"DEV-DEVELOP_a3","actor_id":"\(Self.actor)","level":"EXECUTE","owner":"carl",\(roles)},
              {"id":"DEV-DEVELOP_a4","actor_id":"\(Self.actor)","level":"EXECUTE","owner":"dora"},
              {"id":"DEV-DEVELOP_a5","actor_id":"R4Xo","level":"UPDATE","owner":"jadmin",\(roles)}]}
            """
        let dry = try await take(house, dump, isDryRun: true)
        // No image stands for a command here, which is told when the actor is made.
        let warnings = try await take(house, dump).filter { $0.key.hasPrefix("/") }
        #expect(dry == warnings)
        #expect(Set(warnings.keys) == ["/nonces/0/owner", "/nonces/1/owner", "/nonces/3", "/nonces/4/owner"])
        #expect(warnings["/nonces/0/owner"]?.contains("taken over as one of alice") == true)
        #expect(warnings["/nonces/3"]?.contains("dora has the permission EXECUTE") == true)
        for (word, nonce, status) in [
            (Self.actor, "a1", 200), ("door_1", "a2", 200), (Self.actor, "a3", 200), (Self.actor, "a4", 400),
            ("R4Xo", "a5", 200),
        ] {
            try await house.expect(
                Row(
                    name: nonce, method: .post, path: "/actors/v2/\(word)/messages?x-nonce=DEV-DEVELOP_\(nonce)",
                    type: "application/json", body: "[1]", status: status))
        }
        let sent = try await house.store.waiting(for: ActorID(Self.actor)).map(\.message.sender)
        #expect(sent == ["alice", "alice", "carl"])
    }

    @Test(
        "a variable that no actor may have is left out, and named",
        arguments: ["default_environment", "defaultEnvironment"])
    func variables(name: String) async throws {
        let house = House()
        let dump = """
            {"actors":[{"id":"\(Self.actor)","owner":"alice","image":"lab/any",
              "\(name)":{"LD_PRELOAD":"/x.so","A=B":"1","PLATE":"7"}}]}
            """
        let row = Row(
            name: "import", method: .post, path: "/api/v1/import/abaco", token: House.adminToken,
            type: "application/json", body: dump, status: 200,
            has: ["LD_PRELOAD may not be set", "A=B cannot become an environment variable", "\"new\":1"])
        try await house.expect(row)
        let spec = try #require(house.system.spec(ActorID(Self.actor)))
        #expect(spec.environment == [EnvironmentEntry("PLATE", "7")])
    }
}
