import ActorCore
import Foundation
import Testing

/// Ways in, and who is told of the end, against the real daemon.
@Suite(.serialized) struct IngestWaysTests {
    private static let job = """
        apiVersion: batch/v1
        kind: Job
        metadata: {name: "count-${UUID}"}
        spec:
          template:
            spec:
              containers:
                - {name: main, image: local/sh, args: ["-c", "ls -R $REACTORD_INPUT > $REACTORD_OUTPUT/list.txt"]}
        """

    private func daemon(_ settings: String, actor: String = "", jobs: [String: String] = ["count.yaml": job]) throws
        -> RunningDaemon
    {
        let daemon = try RunningDaemon(config: IngestTests.config + "\ncallbacks: {allow: [127.0.0.1]}\n")
        try FileManager.default.removeItem(atPath: "\(daemon.folder)/actors/ingest/jobs")
        for (path, text) in jobs { try daemon.write(text, to: "actors/ingest/jobs/\(path)") }
        try daemon.write(settings, to: "actors/ingest/config.yml")
        let shipped = try String(contentsOfFile: "\(daemon.folder)/actors/ingest/actor.yml", encoding: .utf8)
        try daemon.write(shipped + actor, to: "actors/ingest/actor.yml")
        return daemon
    }

    private func ended(_ daemon: RunningDaemon, _ id: String) async throws -> JSONValue {
        try await daemon.until("/api/v1/uploads/\(id)", seconds: 90) {
            ["done", "failed", "partly_failed"].contains($0["state"]?.string)
        }
    }

    /// Nobody looks for an hour: what is heard of is all there is.
    @Test func aChangeInTheInboxIsHeardOf() async throws {
        try await withDaemon(daemon("settle_seconds: 0.2\nscan_seconds: 0.1\nrescan_seconds: 3600\n")) { daemon in
            try await daemon.start()
            // The look of the start is over once this one is there.
            try daemon.write("a", to: "var/inbox/first")
            #expect(try await ended(daemon, "first")["state"]?.string == "done")
            try daemon.write("b", to: "elsewhere")
            let inbox = "\(daemon.data)/inbox"
            try FileManager.default.moveItem(atPath: "\(daemon.folder)/elsewhere", toPath: "\(inbox)/moved")
            #expect(try await ended(daemon, "moved")["bytes"]?.int == 1)
            try daemon.write("c", to: "var/inbox/folder/deep/c.dat")
            try daemon.write("", to: "var/inbox/folder.done")
            #expect(try await ended(daemon, "folder")["file_count"]?.int == 1)
        }
    }

    @Test func whatRunsForADeletedJobIsStoppedAndItsUploadHasFailed() async throws {
        let job = Self.job.replacing(
            "ls -R $REACTORD_INPUT > $REACTORD_OUTPUT/list.txt",
            with: "echo $$$$ > $REACTORD_INPUT/../pid; exec sleep 600")
        try await withDaemon(daemon("settle_seconds: 0.2\nscan_seconds: 0.1\n", jobs: ["long.yaml": job])) { daemon in
            try await daemon.start()
            try daemon.write("a", to: "var/inbox/one")
            let upload = try await daemon.until("/api/v1/uploads/one", seconds: 90) {
                $0["jobs"]?.array?.first?["status"]?.string == "RUNNING"
            }
            let uuid = try #require(upload["jobs"]?.array?.first?["uuid"]?.string)
            let file = "\(daemon.data)/uploads/one/1/pid"
            let process = try await daemon.until("/api/v1/jobs/\(uuid)") { _ in
                (try? String(contentsOfFile: file, encoding: .utf8))?.hasSuffix("\n") == true
            }
            #expect(process["status"]?.string == "RUNNING")
            let text = try String(contentsOfFile: file, encoding: .utf8)
            let pid = try #require(pid_t(text.dropLast()))
            #expect(try await daemon.request("DELETE", "/api/v1/jobs/\(uuid)").status < 300)
            let failed = try await ended(daemon, "one")
            #expect(failed["state"]?.string == "failed")
            #expect(failed["jobs"]?.array?.first?["reason"]?.string?.contains("deleted") == true, "\(failed)")
            let shown = try await daemon.runBeside(
                ["upload", "show", "one", "--url", daemon.base, "--data-dir", daemon.data])
            #expect(shown.output.contains("FAILED: long.yaml: deleted by admin"), "\(shown.output)")
            _ = try await daemon.until("/readyz") { _ in kill(pid, 0) != 0 }
        }
    }

    @Test func aListOfUploadsIsWatched() async throws {
        let daemon = try daemon("settle_seconds: 0.2\nscan_seconds: 0.1\n")
        let list = "\(daemon.folder)/instrument/new.txt"
        try daemon.write(
            "settle_seconds: 0.2\nscan_seconds: 0.1\nallow_paths: [\(daemon.folder)/instrument]\nlists: [\(list)]\n",
            to: "actors/ingest/config.yml")
        try await withDaemon(daemon) { daemon in
            try await daemon.start()
            try daemon.write("a", to: "instrument/run-1/a.dat")
            try daemon.write("b", to: "instrument/run-2.dat")
            try daemon.write("# done\nrun-1\t2026-11-21-e-run1\nrun-2", to: "instrument/new.txt")
            #expect(try await ended(daemon, "2026-11-21-e-run1")["file_count"]?.int == 1)
            // Its second line is not whole yet.
            #expect(try await daemon.request("GET", "/api/v1/uploads/run-2.dat").status == 404)
            await daemon.killNow()
            try daemon.write("# done\nrun-1\t2026-11-21-e-run1\nrun-2.dat\n/etc/passwd\n", to: "instrument/new.txt")
            try await daemon.start()
            #expect(try await ended(daemon, "run-2.dat")["state"]?.string == "done")
            // What is not allowed is refused, and says so.
            _ = try await daemon.until("/api/v1/executions?limit=100") { page in
                (page["executions"]?.array ?? []).contains {
                    $0["reason"]?.string?.contains("/etc/passwd is not below") ?? false
                }
            }
            let all = try await daemon.get("/api/v1/uploads")
            #expect(all["uploads"]?.array?.count == 2, "\(all)")
        }
    }

    /// Without a name a line's upload is called like its file: recordings of one name become uploads all the same.
    @Test func recordingsOfOneNameInAListAreAllTaken() async throws {
        let daemon = try daemon("settle_seconds: 0.2\nscan_seconds: 0.1\n")
        let list = "\(daemon.folder)/instrument/new.txt"
        try daemon.write(
            "settle_seconds: 0.2\nscan_seconds: 0.1\nallow_paths: [\(daemon.folder)/instrument]\nlists: [\(list)]\n",
            to: "actors/ingest/config.yml")
        try await withDaemon(daemon) { daemon in
            try await daemon.start()
            let runs = 1...5
            for run in runs { try daemon.write("content of \(run)", to: "instrument/run\(run)/data.dat") }
            try daemon.write(runs.map { "run\($0)/data.dat\n" }.joined(), to: "instrument/new.txt")
            for id in ["data.dat"] + runs.dropFirst().map({ "data.dat.\($0)" }) {
                #expect(try await ended(daemon, id)["state"]?.string == "done")
            }
        }
    }

    @Test func theEndIsToldByASignedWebhookAndByMail() async throws {
        let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
        let daemon = try daemon("", actor: "secrets: [UPLOAD_HOOK]\n")
        daemon.environment["UPLOAD_HOOK"] = secret
        // Stands for the machine's sendmail: keeps what it is given.
        try daemon.write(
            "#!/bin/sh\nprintf '%s\\n' \"$@\" >> \(daemon.folder)/mail.args\ncat >> \(daemon.folder)/mail.text\n",
            to: "sendmail", mode: 0o755)
        try await withDaemon(daemon) { daemon in
            let sink = try await EventSink(folder: daemon.folder, refusals: 1)
            try daemon.write(
                """
                settle_seconds: 0.2
                scan_seconds: 0.1
                sendmail: \(daemon.folder)/sendmail
                notify:
                  - {webhook: "http://127.0.0.1:\(sink.port)/hook", secret: UPLOAD_HOOK}
                  - {mail: lab@example.org}
                """, to: "actors/ingest/config.yml")
            do {
                try await daemon.start()
                try daemon.write("a", to: "var/inbox/2026-11-21-e-told")
                #expect(try await ended(daemon, "2026-11-21-e-told")["state"]?.string == "done")
                let deadline = ContinuousClock.now + .seconds(60)
                while sink.requests.count < 2, ContinuousClock.now < deadline {
                    try await Task.sleep(for: .milliseconds(50))
                }
                #expect(sink.requests.map { $0["status"]?.int } == [503, 204])
                #expect(try await sink.signed(with: secret) == 2)
                let ids = Set(sink.requests.map { $0["headers"]?["webhook-id"]?.string })
                #expect(ids.count == 1, "the same id on every attempt")
                let mail = try String(contentsOfFile: "\(daemon.folder)/mail.text", encoding: .utf8)
                #expect(mail.contains("To: lab@example.org"), "\(mail)")
                #expect(mail.contains("Upload 2026-11-21-e-told is done."), "\(mail)")
                let log = daemon.errors
                #expect(!log.contains(secret))
            } catch {
                await sink.stop()
                throw error
            }
            await sink.stop()
        }
    }

    /// While a large one is read, and as many others as there are workers less one, a small one comes to its end.
    @Test func aLargeUploadHoldsUpNoOther() async throws {
        let large = Int64(6) << 30
        try await withDaemon(daemon("settle_seconds: 0.2\nscan_seconds: 0.1\n")) { daemon in
            try await daemon.start()
            let file = "\(daemon.folder)/large.dat"
            #expect(FileManager.default.createFile(atPath: file, contents: nil))
            #expect(truncate(file, off_t(large)) == 0)
            try FileManager.default.moveItem(atPath: file, toPath: "\(daemon.data)/inbox/large.dat")
            try daemon.write("", to: "var/inbox/large.dat.done")
            // It is being read once it has left the inbox.
            let original = "\(daemon.data)/uploads/large.dat/1/original/large.dat"
            while !FileManager.default.fileExists(atPath: original) { try await Task.sleep(for: .milliseconds(20)) }
            try daemon.write("small", to: "var/inbox/small")
            try daemon.write("", to: "var/inbox/small.done")
            #expect(try await ended(daemon, "small")["state"]?.string == "done")
            #expect(try await daemon.get("/api/v1/uploads/large.dat")["note"]?.string == "is being read and stored")
            // A kill in the middle of it: it is taken once.
            await daemon.killNow()
            try await daemon.start()
            _ = try await daemon.until("/api/v1/uploads/large.dat") { $0["state"]?.string == "settling" }
            let upload = try await ended(daemon, "large.dat")
            #expect(upload["bytes"]?.int == Int(large) && upload["jobs"]?.array?.count == 1)
            // It was moved, never copied: it has as few blocks as it came with.
            var status = stat()
            #expect(stat(original, &status) == 0 && status.st_blocks < 1024)
        }
    }
}
