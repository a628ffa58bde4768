import ActorCore
import Foundation
import Testing

/// Every bad input that the daemon must survive, sent to the real one.
@Suite(.serialized) struct BadInputTests {
    private static let schema = """
        {"type": "object", "required": ["name"], "additionalProperties": false,
         "properties": {"name": {"type": "string"}, "age": {"type": "integer"}}}
        """
    private static let config = "limits:\n  max_body_bytes: 100000\n  max_log_bytes: 100000\n"
    private static let actors: [String: [String: String]] = [
        "strict": ["actor.yml": "name: strict\nrun: {command: [/bin/echo, ok]}\n", "message.jsonschema": schema],
        "missing": ["actor.yml": "name: missing\nrun: {command: [./nowhere.sh]}\n"],
        "locked": ["actor.yml": "name: locked\nrun: {command: [./locked.sh]}\n", "locked.sh": "#!/bin/sh\n"],
        "killed": [
            "actor.yml":
                "name: killed\nrun: {command: [/bin/sh, -c, 'echo before; kill -9 $$']}\nretry: {attempts: 1}\n"
        ],
        "loud": [
            "actor.yml":
                "name: loud\nrun: {command: [/bin/sh, -c, 'head -c 100000000 /dev/zero | tr \"\\\\0\" x']}\n"
        ],
        "endless": [
            "actor.yml":
                "name: endless\nrun: {command: [/bin/sh, -c, 'while true; do echo more; sleep 1 & wait; done']}\n"
                + "timeout_seconds: 1\nretry: {attempts: 1}\n"
        ],
        "failing": [
            "actor.yml":
                "name: failing\nrun: {command: [/bin/sh, -c, 'echo try $REACTORD_ATTEMPT; exit 3']}\n"
                + "retry: {attempts: 2, backoff_seconds: 0.05}\n"
        ],
    ]

    @Test func theDoorAnswersAndStaysUp() async throws {
        try await withDaemon(RunningDaemon(config: Self.config, actors: Self.actors)) { daemon in
            try await daemon.start()
            let path = "/actors/v2/strict/messages"
            let tooLarge = try await daemon.request("POST", path, body: Array(repeating: 0x20, count: 100_001))
            #expect(tooLarge.status == 413)
            let deep = Array((String(repeating: "[", count: 100) + String(repeating: "]", count: 100)).utf8)
            #expect(try await daemon.request("POST", path, body: deep).status == 400)
            #expect(try await daemon.request("POST", path, body: Array(#"{"a":1,"a":2}"#.utf8)).status == 400)
            let violation = try await daemon.post(path, ["age": "old"])
            #expect(violation.status == 400)
            #expect(violation.text.contains("/age"), "\(violation.text)")
            #expect(violation.text.contains("name"))
            #expect(try await daemon.post("/actors/v2/nobody/messages", [:]).status == 404)
            // Wrong nonce, no nonce, unknown token: refused in the words of the old service.
            let open = try await daemon.request("POST", path, body: Array("{}".utf8), authorised: false)
            let wrong = try await daemon.request(
                "POST", "\(path)?x-nonce=LAB_nothing", body: Array("{}".utf8), authorised: false)
            let stranger = try await daemon.request(
                "POST", path, body: Array("{}".utf8),
                headers: [(name: "Authorization", value: "Bearer nothing")], authorised: false)
            for (answer, text) in [
                (open, "No JWT or nonce provided."), (wrong, "Nonce does not exist."), (stranger, "Not authorized."),
            ] {
                #expect(answer.status == 400 && answer.json["message"]?.string == text, "\(answer.text)")
            }
            let fine = try await daemon.send("strict", ["name": "Ada"])
            #expect(try await daemon.finished(fine)["outcome"]?.string == "succeeded")
        }
    }

    @Test func whatScriptsDoIsRecordedAndTheDaemonGoesOn() async throws {
        try await withDaemon(RunningDaemon(config: Self.config, actors: Self.actors)) { daemon in
            try await daemon.start()
            func run(_ actor: String) async throws -> (record: JSONValue, log: String) {
                let execution = try await daemon.send(actor, ["a": 1])
                let record = try await daemon.finished(execution)
                return (record, try await daemon.request("GET", "/api/v1/executions/\(execution)/logs").text)
            }
            let killed = try await run("killed")
            #expect(killed.record["reason"]?.string == "ended by signal 9")
            #expect(killed.record["exit_code"]?.int == 137)
            #expect(killed.log == "before\n")
            let loud = try await run("loud")
            #expect(loud.record["outcome"]?.string == "succeeded")
            #expect(loud.log.hasSuffix(Limits.truncationNotice))
            #expect(loud.log.utf8.count < 100_200)
            let endless = try await run("endless")
            #expect(endless.record["outcome"]?.string == "timed_out")
            #expect(endless.log.hasPrefix("more\n"))
            let failing = try await run("failing")
            #expect(failing.record["attempts"]?.int == 2)
            #expect(failing.record["exit_code"]?.int == 3)
            #expect(failing.log == "try 1\ntry 2\n")
            // Each that could not be done is parked, with its reason, and can be put back.
            let letters = try await daemon.get("/api/v1/dead-letters")["dead_letters"]?.array ?? []
            let parked = Set(letters.compactMap { $0["actor"]?.string })
            #expect(parked == ["killed", "endless", "failing"])
            let letter = try #require(letters.first { $0["actor"]?.string == "failing" })
            let replayed = try await daemon.request(
                "POST", "/api/v1/dead-letters/\(letter["id"]?.int ?? 0)/replay", body: Array("{}".utf8))
            #expect(replayed.status == 202)
            let again = try #require(replayed.json["execution_id"]?.string)
            let record = try await daemon.finished(again)
            #expect(record["cause"]?.string == letter["execution_id"]?.string)
        }
    }

    @Test func anActorThatCannotStartKeepsItsMailUntilItCan() async throws {
        try await withDaemon(RunningDaemon(config: Self.config, actors: Self.actors)) { daemon in
            try await daemon.start()
            for (actor, reason) in [("missing", "does not exist"), ("locked", "not executable")] {
                let execution = try await daemon.send(actor, ["a": 1])
                _ = try await daemon.until("/api/v1/executions/\(execution)/why") { why in
                    let first = why["waits_for"]?.array?.first
                    return first?["reason"]?.string == "actor_stopped"
                        && first?["text"]?.string?.contains(reason) == true
                }
                // Now and then it is tried again meanwhile.
                let waiting = try await daemon.until("/api/v1/executions/\(execution)") {
                    $0["status"]?.string == "SUBMITTED"
                }
                #expect(waiting["finished"]?.isNull == true)
                // What was wrong is mended; nobody has to send the message again.
                let script = actor == "missing" ? "nowhere.sh" : "locked.sh"
                try daemon.write("#!/bin/sh\necho there now\n", to: "actors/\(actor)/\(script)", mode: 0o755)
                let record = try await daemon.finished(execution)
                #expect(record["outcome"]?.string == "succeeded", "\(record)")
                #expect(record["attempts"]?.int == 1)
            }
            #expect(try await daemon.get("/api/v1/dead-letters")["dead_letters"]?.array?.isEmpty == true)
        }
    }

    @Test func aBadJobFileIsNamedAndTheOthersRun() async throws {
        let config = "executors:\n  process:\n    images:\n      local/sh: {command: [/bin/sh]}\n"
        let good = """
            apiVersion: batch/v1
            kind: Job
            metadata: {name: good}
            spec:
              template:
                spec:
                  restartPolicy: Never
                  containers: [{name: main, image: local/sh, args: ["-c", "echo fine > $(REACTORD_OUTPUT)/fine.txt"]}]
            """
        let daemon = try RunningDaemon(config: config)
        try FileManager.default.removeItem(atPath: "\(daemon.folder)/actors/ingest/jobs")
        try daemon.write(good, to: "actors/ingest/jobs/good.yaml")
        try daemon.write("a: 1\n b: [\n", to: "actors/ingest/jobs/notyaml.yaml")
        try daemon.write("apiVersion: v1\nkind: Pod\n", to: "actors/ingest/jobs/notjob.yaml")
        try await withDaemon(daemon) { daemon in
            try await daemon.start()
            let name = "2026-11-21-e-x"
            _ = try await daemon.request("PUT", "/api/v1/uploads/\(name)/a.txt", body: [1])
            _ = try await daemon.request("POST", "/api/v1/uploads/\(name)/done")
            let upload = try await daemon.until("/api/v1/uploads/\(name)") {
                ["done", "failed", "partly_failed"].contains($0["state"]?.string)
            }
            let invalid = upload["invalid"]?.array ?? []
            #expect(Set(invalid.compactMap { $0["file"]?.string }) == ["notyaml.yaml", "notjob.yaml"], "\(upload)")
            for problem in invalid { #expect(problem["line"]?.int ?? 0 >= 1, "\(problem)") }
            #expect(upload["state"]?.string == "partly_failed", "\(upload)")
            #expect(upload["jobs"]?.array?.first?["status"]?.string == "FINISHED", "\(upload)")
        }
    }

    static let canMount: Bool = {
        let folder = NSTemporaryDirectory() + "reactord-mount-" + UUID().uuidString
        mkdir(folder, 0o700)
        defer { rmdir(folder) }
        guard mount("tmpfs", folder, "tmpfs", 0, "size=64k") == 0 else { return false }
        return umount2(folder, Int32(MNT_DETACH)) == 0
    }()

    /// A disk that is full: 507 to new messages, nothing corrupted, and on it goes when there is room again.
    @Test(.enabled(if: canMount, "a small disk can only be mounted by root"))
    func aFullDiskIsAnAnswer() async throws {
        let daemon = try RunningDaemon(actors: [
            "echo": ["actor.yml": "name: echo\nrun: {command: [/bin/echo, ok]}\n"]
        ])
        try FileManager.default.createDirectory(atPath: daemon.data, withIntermediateDirectories: true)
        #expect(mount("tmpfs", daemon.data, "tmpfs", 0, "size=3m") == 0)
        defer {
            umount2(daemon.data, Int32(MNT_DETACH))
            try? FileManager.default.removeItem(atPath: daemon.folder)
        }
        try await withDaemon(daemon) { daemon in
            try await daemon.start()
            let before = try await daemon.send("echo", ["n": 1])
            _ = try await daemon.finished(before)
            let filler = DiskFiller(path: "\(daemon.data)/filler")
            filler.fill()
            let body = JSONWriter.bytes(["text": .string(String(repeating: "y", count: 200_000))])
            var answer = try await daemon.request("POST", "/actors/v2/echo/messages", body: body)
            for _ in 0..<20 where answer.status != 507 {
                answer = try await daemon.request("POST", "/actors/v2/echo/messages", body: body)
            }
            #expect(answer.status == 507, "\(answer.status) \(answer.text)")
            filler.makeRoom()
            let after = try await daemon.send("echo", ["n": 2])
            #expect(try await daemon.finished(after)["outcome"]?.string == "succeeded")
            #expect(await daemon.stop() == 0)
            try await daemon.start()
            #expect(try await daemon.get("/api/v1/executions/\(before)")["outcome"]?.string == "succeeded")
        }
    }
}
