import ActorCore
import Foundation
import Testing

/// Moving: a dump of the old service, by the command line, into the real daemon.
@Suite("importing from Abaco", .serialized)
struct ImportTests {
    private static let dump = """
        {
          "tenant": "DEV-DEVELOP",
          "actors": [
            {"id": "R4Xo", "image": "abacosamples/test", "name": "by-api", "owner": "ann", "stateless": false,
             "state": {"count": 7}, "createTime": "2020-01-02T03:04:05.678Z", "defaultEnvironment": {"A": "b"},
             "token": "false", "status": "READY", "cronOn": true, "cronSchedule": "2020-01-01 10 + 1 day"},
            {"_id": "DEV-DEVELOP_wK0mvzJx1RkJO", "db_id": "DEV-DEVELOP_wK0mvzJx1RkJO", "id": "wK0mvzJx1RkJO",
             "tenant": "DEV-DEVELOP", "image": "nobody/knows", "owner": "bob", "stateless": "true", "queue": "gpu",
             "mounts": [{"host_path": "/a"}], "create_time": {"$date": "2021-01-01T00:00:00Z"}, "link": "R4Xo"}
          ],
          "aliases": {"message": "ok", "status": "success", "result": [
            {"alias": "my_alias", "actorId": "R4Xo", "owner": "ann"}]},
          "nonces": {"DEV-DEVELOP_R4Xo": {"DEV-DEVELOP_pYGljZZ08BbGN": {
             "id": "DEV-DEVELOP_pYGljZZ08BbGN", "level": "EXECUTE", "max_uses": 3, "remaining_uses": 1, "owner": "ann",
             "roles": ["Internal/everyone", "Internal/abaco-admin"], "last_use_time": "None"}}},
          "permissions": {"DEV-DEVELOP_R4Xo": {"ann": "UPDATE", "carl": "READ"}, "my_alias": {"carl": "EXECUTE"}},
          "configs": [{"name": "plain", "value": "v", "is_secret": false, "actors": "my_alias"},
                      {"name": "hidden", "value": "gAAAA", "is_secret": true, "actors": "R4Xo"}],
          "workers": []
        }
        """

    private func daemon() throws -> RunningDaemon {
        let daemon = try RunningDaemon(shipped: [])
        try daemon.write(
            "tenants: {DEV-DEVELOP: {}}\n" + PeerImages.configuration(in: daemon.folder), to: "config.yml")
        try PeerImages.write(to: daemon)
        try daemon.write(Self.dump, to: "dump.json")
        return daemon
    }

    @Test("ids, states, names, nonces and permissions are what they were, and a second time changes nothing")
    func imported() async throws {
        try await withDaemon(daemon()) { daemon in
            try await daemon.start()
            let command = ["import", "abaco", "dump.json", "--url", daemon.base]
            let dry = try await daemon.runBeside(command + ["--dry-run", "--json"])
            #expect(dry.code == 0, "\(dry.output)")
            let plan = try JSONReader.read(Array(dry.output.utf8))
            #expect(plan["actors"]?["new"] == 2 && plan["nonces"]?["new"] == 1 && plan["configs"]?["new"] == 1)
            let places = (plan["warnings"]?.array ?? []).compactMap { $0["place"]?.string }
            #expect(Set(places) == ["/workers", "/actors/1/queue", "/actors/1/mounts", "/configs/1"], "\(places)")
            #expect(try await daemon.get("/actors/v2")["result"] == [], "nothing was done")

            let first = try await daemon.runBeside(command)
            #expect(first.code == 0 && first.output.contains("actors"), "\(first.output)")
            #expect(plan["permissions"]?["new"] == 3 && plan["permissions"]?["present"] == 0)
            #expect(first.output.contains("permissions  3    0"), "\(first.output)")
            #expect(daemon.errors.contains("nobody/knows"), "an image that is not known is named")
            try await check(daemon)
            await daemon.killNow()
            try await daemon.start()
            try await check(daemon)
            let again = try await daemon.runBeside(["import", "abaco", "dump.json", "--json", "--url", daemon.base])
            let counts = try JSONReader.read(Array(again.output.utf8))
            for part in ["actors", "aliases", "nonces", "permissions", "configs"] {
                #expect(counts[part]?["new"] == 0, "\(part): \(again.output)")
            }
            // The old callback URL works, once: that is what was left of it.
            let url = "/actors/v2/R4Xo/messages?x-nonce=DEV-DEVELOP_pYGljZZ08BbGN"
            let call = try await daemon.request("POST", url, body: Array(#"{"a": 1}"#.utf8), authorised: false)
            #expect(call.status == 200, "\(call.text)")
            let used = try await daemon.request("POST", url, body: Array(#"{"a": 1}"#.utf8), authorised: false)
            #expect(used.text.contains("No remaining uses left"))
        }
    }

    private func check(_ daemon: RunningDaemon) async throws {
        let actor = try await daemon.get("/actors/v2/R4Xo")["result"]
        #expect(actor?["name"] == "by-api" && actor?["owner"] == "ann" && actor?["state"]?["count"] == 7)
        #expect(actor?["createTime"] == "2020-01-02T03:04:05.678Z" && actor?["token"] == "false")
        #expect(actor?["defaultEnvironment"]?["A"] == "b" && actor?["cronOn"] == true)
        #expect(actor?["status"] == "READY")
        #expect(try await daemon.get("/actors/v2/my_alias")["result"]?["id"] == "R4Xo")
        let other = try await daemon.get("/actors/v2/wK0mvzJx1RkJO")["result"]
        #expect(other?["status"] == "ERROR" && other?["queue"] == "default" && other?["link"] == "R4Xo")
        let levels = try await daemon.get("/actors/v2/R4Xo/permissions")["result"]
        #expect(levels == ["ann": "UPDATE", "carl": "READ"])
        let aliased = try await daemon.get("/actors/v2/aliases/my_alias/permissions")["result"]
        #expect(aliased?["carl"] == "EXECUTE")
        let config = try await daemon.get("/actors/v2/configs/plain")["result"]
        #expect(config?["value"] == "v" && config?["actors"] == "my_alias")
    }

    /// Tokens of the specification of Fernet, the second with a value of our own.
    @Test("secret configs come along with the key of the old service, and are named without it")
    func secrets() async throws {
        let key = "cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4="
        let closed =
            "gAAAAAAdwJ6wAAECAwQFBgcICQoLDA0ODy021cpGVWKZ_eEwCGM4BLLF_5CV9dOPmrhuVUPgJobwOz7JcbmrR64jVmpU4IwqDA=="
        let dump = """
            {"tenant": "DEV-DEVELOP",
             "actors": [{"id": "R4Xo", "image": "abacosamples/test", "owner": "ann"}],
             "configs": [{"name": "closed", "value": "\(closed)", "is_secret": true, "actors": "R4Xo"},
                         {"name": "plain-secret", "value": "hunter2", "is_secret": true, "actors": "R4Xo"}]}
            """
        try await withDaemon(daemon()) { daemon in
            try await daemon.start()
            try daemon.write(dump, to: "secrets.json")
            try daemon.write(key + "\n", to: "right.key", mode: 0o600)
            try daemon.write(key.replacing("cw_0", with: "cw_1") + "\n", to: "wrong.key", mode: 0o600)
            try daemon.write("hunter2", to: "none.key", mode: 0o600)
            let command = ["import", "abaco", "secrets.json", "--json", "--url", daemon.base]
            for (file, says) in [
                ("wrong.key", "/configs/0/value: was not closed with the key"), ("none.key", "is no Fernet key"),
                ("missing.key", "missing.key"),
            ] {
                let run = try await daemon.runBeside(command + ["--config-key-file", file])
                #expect(run.code != 0 && daemon.errors.contains(says), "\(file): \(daemon.errors.suffix(500))")
                #expect(try await daemon.get("/actors/v2")["result"] == [])
            }
            let without = try JSONReader.read(Array(try await daemon.runBeside(command + ["--dry-run"]).output.utf8))
            #expect(without["configs"]?["new"] == 1)
            #expect(without["warnings"]?.array?.first?["place"] == "/configs/0")

            let run = try await daemon.runBeside(command + ["--config-key-file", "right.key"])
            #expect(run.code == 0 && !run.output.contains("hunter2"), "\(run.output)")
            #expect(!daemon.errors.contains(key))
            let shown = try await daemon.get("/actors/v2/configs")["result"]
            let text = JSONWriter.string(shown ?? .null)
            #expect(shown?.array?.count == 2 && !text.contains("hunter2") && !text.contains(closed), "\(text)")
            let sent = try await daemon.post("/actors/v2/R4Xo/messages", ["message": "go"])
            let execution = try #require(sent.json["result"]?["executionId"]?.string, "\(sent.text)")
            _ = try await daemon.finished(execution)
            let log = try await daemon.get("/actors/v2/R4Xo/executions/\(execution)/logs")["result"]?["logs"]?.string
            #expect(log?.contains("'closed': 'hello'") == true, "\(log ?? "")")
        }
    }

    @Test(
        "a dump with a mistake is refused as a whole, and the mistake is named with its place",
        arguments: [
            (
                #"{"actors": [{"id":"R4Xo","owner":"a","image":"x"}, {"id":"R4Xo","owner":"a","image":"x"}]}"#,
                "/actors/1/id: R4Xo is there twice"
            ),
            (#"{"actors": [{"id": "a-word", "owner": "a", "image": "x"}]}"#, "/actors/0/id: is no id of an actor"),
            (#"{"actors": [{"id": "R4Xo", "owner": "a"}]}"#, "/actors/0: Invalid actor description: {'image'"),
            (#"{"actors": [{"id": "R4Xo", "owner": "a", "image": "x", "tenant": "ELSE"}]}"#, "add it under tenants:"),
            (#"{"aliases": [{"alias": "x", "actor_id": "R4Xo"}]}"#, "/aliases/0/actor_id: there is no actor R4Xo"),
            (#"{"nonces": [{"id": "N_1", "alias": "x"}]}"#, "which this daemon does not have"),
            (
                #"{"permissions": {"R4Xo": {"a": "ALL"}}, "actors": [{"id": "R4Xo", "owner": "a", "image": "x"}]}"#,
                "/permissions/R4Xo/a: is none of NONE, READ, EXECUTE, UPDATE"
            ),
            (#"[1]"#, "a dump is an object"), (#"{"actors": ["#, "no acceptable JSON"),
        ])
    func refused(text: String, says: String) async throws {
        try await withDaemon(daemon()) { daemon in
            try await daemon.start()
            try daemon.write(text, to: "broken.json")
            let run = try await daemon.runBeside(["import", "abaco", "broken.json", "--url", daemon.base])
            #expect(run.code == 1)
            #expect(daemon.errors.contains(says), "\(daemon.errors.suffix(1000))")
            #expect(try await daemon.get("/actors/v2")["result"] == [])
        }
    }
}
