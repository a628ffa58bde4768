import ActorCore
import Foundation
import Testing

/// Actors of folders beside what is made over HTTP: neither takes anything from the other.
@Suite("folders and what is made over HTTP")
struct DeclaredActorTests {
    private static let script = [
        "actor.yml": "name: NAME\nrun: {command: [/bin/true]}\n", "README.md": "does nothing",
    ]

    private func files(_ name: String) -> [String: String] {
        Self.script.mapValues { $0.replacingOccurrences(of: "NAME", with: name) }
    }

    @Test func neitherTakesTheOthersName() async throws {
        let daemon = try RunningDaemon(
            config: "auth: {users: {ann: {roles: [user], password: correct-horse}}}\n",
            actors: ["first": files("first")],
            shipped: [])
        try await withDaemon(daemon) { daemon in
            try await daemon.start()
            let first = try #require(try await daemon.get("/actors/first")["result"]?["id"]?.string)
            for method in ["PUT", "DELETE"] {
                let refused = try await daemon.request(
                    method, "/actors/first", body: Array(#"{"image": "x", "stateless": true}"#.utf8))
                #expect(refused.status == 409 && refused.text.contains("declared by a folder"))
            }
            // A second name for it, made over HTTP, stays when the folder is read again.
            let alias = try await daemon.post("/actors/aliases", ["alias": "late", "actor_id": .string(first)])
            #expect(alias.status == 200)
            for (path, text) in files("late") { try daemon.write(text, to: "actors/late/\(path)") }
            // Until its actor.yml was there, the folder had another mistake.
            _ = try await daemon.until("/api/v1/actors") { actors in
                let reason = actors["quarantined"]?.array?.first?["reason"]?.string ?? ""
                return reason.contains("the name late is an alias of actor \(first)")
            }
            #expect(try await daemon.get("/actors/late")["result"]?["id"]?.string == first)

            // Permissions of a folder's actor hold over restarts.
            let login = try await daemon.request(
                "POST", "/token", body: Array("grant_type=password&username=ann&password=correct-horse".utf8),
                type: "application/x-www-form-urlencoded", authorised: false)
            let ann = (
                name: "Authorization", value: "Bearer \(try #require(login.json["access_token"]?.string))"
            )
            func read() async throws -> Int {
                try await daemon.request("GET", "/actors/first", headers: [ann], authorised: false).status
            }
            #expect(try await read() == 200)
            _ = try await daemon.post("/actors/first/permissions", ["user": "ann", "level": "NONE"])
            #expect(try await read() == 400)
            await daemon.killNow()
            try await daemon.start()
            #expect(try await read() == 400)
            #expect(try await daemon.get("/actors/late")["result"]?["id"]?.string == first)
            _ = try await daemon.request("DELETE", "/actors/aliases/late")
            await daemon.stop()
            try await daemon.start()
            #expect(try await daemon.get("/api/v1/actors")["quarantined"] == [])
            #expect(try await daemon.get("/actors/late")["result"]?["id"]?.string != first)
        }
    }

    /// Sends a message to an actor of the house, by the token that a script is given, and prints what comes of it.
    private static let sender = """
        import os, urllib.error, urllib.request
        request = urllib.request.Request(
            os.environ["_abaco_api_server"] + "/actors/v2/first/messages", data=b"message=x",
            headers={"Authorization": "Bearer " + os.environ["_abaco_access_token"]})
        try:
            print("status", urllib.request.urlopen(request).status)
        except urllib.error.HTTPError as problem:
            print("status", problem.code)
        """

    @Test func aScriptMayDoNoMoreThanItsOwner() async throws {
        let daemon = try RunningDaemon(
            config: "auth: {users: {ann: {roles: [user]}, lim: {roles: [limited]}}}\n",
            actors: ["first": files("first")], shipped: [])
        try daemon.write(Self.sender, to: "sender.py")
        for owner in ["ann", "lim"] {
            let run = "run: {command: [python3, \(daemon.folder)/sender.py]}"
            try daemon.write("name: of-\(owner)\nowner: \(owner)\n\(run)\n", to: "actors/of-\(owner)/actor.yml")
        }
        try await withDaemon(daemon) { daemon in
            try await daemon.start()
            for (owner, status) in [("ann", 200), ("lim", 400)] {
                let execution = try await daemon.send("of-\(owner)", [:])
                _ = try await daemon.finished(execution)
                let logs = try await daemon.get("/actors/v2/of-\(owner)/executions/\(execution)/logs")
                #expect(logs["result"]?["logs"]?.string == "status \(status)\n")
            }
        }
    }

    @Test func mailWaitsWhileTheDiskOfOneActorIsAway() async throws {
        let daemon = try RunningDaemon(shipped: ["ingest"])
        let manager = FileManager.default
        for (path, text) in files("first") { try daemon.write(text, to: "share/first/\(path)") }
        try manager.createSymbolicLink(
            atPath: "\(daemon.folder)/actors/first", withDestinationPath: "\(daemon.folder)/share/first")
        try await withDaemon(daemon) { daemon in
            try await daemon.start()
            _ = try await daemon.finished(try await daemon.send("first", "before"))
            try manager.moveItem(atPath: "\(daemon.folder)/share", toPath: "\(daemon.folder)/away")
            let list = try await daemon.until("/api/v1/actors") { list in
                list["actors"]?.array?.contains { $0["status"] == "ERROR" } == true
            }
            #expect(list["quarantined"]?.array?.first?["goes_on"] == true)
            let execution = try await daemon.send("first", "meanwhile")
            let why = try await daemon.get("/api/v1/executions/\(execution)/why")
            #expect("\(why)".contains("is its disk mounted?"), "\(why)")
            try manager.moveItem(atPath: "\(daemon.folder)/away", toPath: "\(daemon.folder)/share")
            #expect(try await daemon.finished(execution)["outcome"] == "succeeded")
            #expect(try await daemon.get("/actors/v2/first")["result"]?["revision"] == 1)
        }
    }

    /// A built-in Reactor and a script alike: what they read and run lies on a disk that is not mounted.
    @Test func mailWaitsWhileTheFolderOfTheActorsIsAway() async throws {
        let daemon = try RunningDaemon(actors: ["first": files("first")], shipped: ["ingest"])
        let (actors, away) = ("\(daemon.folder)/actors", "\(daemon.folder)/away")
        let manager = FileManager.default
        try await withDaemon(daemon) { daemon in
            try await daemon.start()
            _ = try await daemon.finished(try await daemon.send("first", "before"))
            for isRunning in [false, true] {
                if !isRunning { await daemon.stop() }
                try manager.moveItem(atPath: actors, toPath: away)
                try manager.createDirectory(atPath: actors, withIntermediateDirectories: false)
                if !isRunning { try await daemon.start() }
                _ = try await daemon.until("/api/v1/actors") { list in
                    list["actors"]?.array?.count { $0["status"] == "ERROR" } == 2 && list["quarantined"] == []
                }
                var waiting: [String] = []
                for name in ["first", "ingest"] {
                    waiting.append(try await daemon.send(name, ["kind": "names", "keys": ["x.zip"]]))
                }
                for execution in waiting {
                    let why = try await daemon.get("/api/v1/executions/\(execution)/why")
                    #expect("\(why)".contains("is its disk mounted?"), "\(why)")
                }
                try manager.removeItem(atPath: actors)
                try manager.moveItem(atPath: away, toPath: actors)
                for execution in waiting { _ = try await daemon.finished(execution) }
            }
        }
    }
}
