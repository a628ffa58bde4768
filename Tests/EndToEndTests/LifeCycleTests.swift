import ActorCore
import Foundation
import Testing

/// The data life cycle against the real daemon, by the commands that an administrator types.
@Suite(.serialized) struct LifeCycleTests {
    private static let job = """
        apiVersion: batch/v1
        kind: Job
        metadata: {name: "copy-${UUID}"}
        spec:
          template:
            spec:
              containers:
                - {name: main, image: local/sh, args: ["-c", "cp -r $REACTORD_INPUT/. $REACTORD_OUTPUT/"]}
        """
    private static let rules = """
        keep_tags: [keep]
        rules:
          - {name: raw, uploads: "*-e-*", delete_after_days: 30}
        """

    private func ended(_ daemon: RunningDaemon, _ id: String) async throws -> JSONValue {
        try await daemon.until("/api/v1/uploads/\(id)") { $0["state"]?.string == "done" }
    }

    private func retention(_ daemon: RunningDaemon, _ words: String...) async throws -> JSONValue {
        let connection = ["--url", daemon.base, "--data-dir", daemon.data, "--json"]
        let answer = try await daemon.runBeside(["retention"] + words + connection)
        #expect(answer.code == 0, "\(words): \(answer.output) \(daemon.errors.suffix(500))")
        return try JSONReader.read(Array(answer.output.utf8))
    }

    @Test func oldUploadsGoByAPlanAnApprovalAndARowForEachFile() async throws {
        let daemon = try RunningDaemon(
            config: IngestTests.config,
            shipped: ["pipeline-jobs-manager", "pipelines-manager", "ingest", "job-runner", "retention"])
        try FileManager.default.removeItem(atPath: "\(daemon.folder)/actors/ingest/jobs")
        try daemon.write(Self.job, to: "actors/ingest/jobs/copy.yaml")
        try daemon.write("settle_seconds: 0.3\nscan_seconds: 0.2\n", to: "actors/ingest/config.yml")
        try daemon.write(Self.rules, to: "actors/retention/config.yml")
        try await withDaemon(daemon) { daemon in
            try await daemon.start()
            let names = ["2026-01-01-e-old", "2026-01-01-e-kept", "2026-01-01-e-new"]
            for name in names {
                try daemon.write("content of \(name)", to: "var/inbox/\(name)/raw/rec.dat")
                try daemon.write("", to: "var/inbox/\(name).done")
                let upload = try await ended(daemon, name)
                #expect(upload["jobs"]?.array?.count == 1)
            }
            for name in names.prefix(2) {
                try FileManager.default.setAttributes(
                    [.modificationDate: Date(timeIntervalSinceNow: -40 * 86_400)],
                    ofItemAtPath: "\(daemon.data)/uploads/\(name)/1/claim.json")
            }
            let original = "\(daemon.data)/uploads/\(names[0])/1/original"
            _ = try await retention(daemon, "tag", names[1], "keep")
            let plan = try await retention(daemon, "plan")
            #expect(plan["items"]?.array?.compactMap { $0["upload"]?.string } == [names[0]], "\(plan)")
            let id = try #require(plan["id"]?.string)
            // Not approved: nothing goes.
            let connection = ["--url", daemon.base, "--data-dir", daemon.data]
            let early = try await daemon.runBeside(["retention", "apply", id] + connection)
            #expect(early.code == 1 && daemon.errors.contains("retention approve \(id)"), "\(daemon.errors)")
            #expect(FileManager.default.fileExists(atPath: "\(original)/raw/rec.dat"))
            #expect(try await retention(daemon, "approve", id)["state"]?.string == "approved")
            // A kill in between changes nothing of that.
            await daemon.killNow()
            try await daemon.start()
            let applied = try await retention(daemon, "apply", id)
            #expect(applied["items"]?.array?.compactMap { $0["progress"]?.string } == ["done"], "\(applied)")
            #expect(!FileManager.default.fileExists(atPath: original))
            #expect(FileManager.default.fileExists(atPath: "\(daemon.data)/uploads/\(names[1])/1/original/raw/rec.dat"))
            let audit = try await daemon.get("/api/v1/audit?limit=100")
            let rows = (audit["audit"]?.array ?? []).filter { $0["action"]?.string == "retention.delete" }
            let file = try #require(rows.first { $0["target"]?.string == "\(names[0])/1/raw/rec.dat" }, "\(audit)")
            #expect(file["outcome"]?.string?.contains("approved by admin") == true, "\(file)")
            try await whatIsLeft(daemon, names[0])
        }
    }

    /// What is known stays; its jobs run again once the same content has come again.
    private func whatIsLeft(_ daemon: RunningDaemon, _ name: String) async throws {
        let connection = ["--url", daemon.base, "--data-dir", daemon.data]
        let upload = try await daemon.until("/api/v1/uploads/\(name)") { $0["removed"]?["plan"] != nil }
        let job = try #require(upload["jobs"]?.array?.first?["uuid"]?.string)
        let archive = try #require(try await daemon.get("/api/v1/jobs/\(job)")["archive_folder"]?.string)
        #expect(FileManager.default.fileExists(atPath: "\(archive)/raw/rec.dat"))
        #expect(FileManager.default.fileExists(atPath: "\(daemon.data)/uploads/\(name)/1/derived/copy/raw/rec.dat"))
        let shown = try await daemon.runBeside(["upload", "show", name] + connection)
        #expect(shown.output.contains("removed"), "\(shown.output)")
        let refused = try await daemon.runBeside(["upload", "rerun", name] + connection)
        #expect(refused.code == 1 && daemon.errors.contains("upload them again"), "\(daemon.errors)")
        try daemon.write("content of \(name)", to: "var/inbox/\(name)/raw/rec.dat")
        try daemon.write("", to: "var/inbox/\(name).done")
        _ = try await daemon.until("/api/v1/uploads/\(name)") { $0["removed"]?.isNull ?? true }
        let again = try await daemon.runBeside(["upload", "rerun", name] + connection)
        #expect(again.code == 0, "\(again.output)")
        _ = try await daemon.until("/api/v1/uploads/\(name)") {
            $0["run"]?.int == 2 && $0["state"]?.string == "done"
        }
    }
}
