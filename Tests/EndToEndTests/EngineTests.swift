import ActorCore
import Foundation
import Testing

/// Job files run by hand, by the real daemon and the real command line, on processes and on a Slurm of shell scripts.
@Suite(.serialized, .timeLimit(.minutes(5))) struct EngineTests {
    private static let example = "\(RunningDaemon.root)/Examples/jobs/sequential.yaml"
    private static let shipped = ["pipeline-jobs-manager", "pipelines-manager", "ingest", "job-runner", "job-engines"]

    private func daemon() throws -> RunningDaemon {
        let programs = "\(RunningDaemon.root)/Tests/EndToEndTests/Fixtures/slurm"
        let daemon = try RunningDaemon(
            config: """
                executors:
                  process: {any_image: true}
                  slurm: {binaries: \(programs), poll_seconds: 0.5}
                """, shipped: Self.shipped)
        let state = "\(daemon.folder)/slurm"
        try FileManager.default.createDirectory(atPath: state, withIntermediateDirectories: true)
        daemon.environment["SLURM_FAKE"] = state
        return daemon
    }

    private func run(_ daemon: RunningDaemon, _ words: String...) async throws -> (code: Int32, output: String) {
        try await daemon.runBeside(["run"] + words + ["--url", daemon.base, "--data-dir", daemon.data])
    }

    private func submissions(_ daemon: RunningDaemon) -> Int {
        Int(
            (try? String(contentsOfFile: "\(daemon.folder)/slurm/last", encoding: .utf8))?
                .trimmingCharacters(in: .whitespacesAndNewlines) ?? "") ?? 0
    }

    @Test(arguments: ["process", "slurm"]) func theShippedExampleRunsUnchanged(executor: String) async throws {
        try await withDaemon(try daemon()) { daemon in
            try await daemon.start()
            let end = try await run(daemon, Self.example, "--executor", executor, "-v", "UUID=2026-11-21-e-x")
            #expect(end.code == 0, "\(end.output) \(daemon.errors.suffix(2000))")
            for line in ["init/task1: exit status 0", "main/task-done: exit status 0", "finished, 1 files archived"] {
                #expect(end.output.contains(line), "\(end.output)")
            }
            let uuid = try #require(end.output.split(separator: "\n").first?.split(separator: " ").last)
            let logs = try await daemon.get("/api/v1/jobs/\(uuid)/logs")
            #expect(JSONWriter.string(logs).contains("Sequential Task 1 for 2026-11-21-e-x ran"), "\(logs)")
            #expect(JSONWriter.string(logs).contains("Sequential Task 2 ran, 42"))
            #expect(submissions(daemon) == (executor == "slurm" ? 1 : 0))
        }
    }

    @Test func aFailingJobEndsTheCommandWithItsStatus() async throws {
        try await withDaemon(try daemon()) { daemon in
            try daemon.write(Self.job("exit 7"), to: "fails.yaml")
            try await daemon.start()
            let end = try await run(daemon, "fails.yaml", "--executor", "slurm", "--exit-status")
            #expect(end.code == 7 && end.output.contains("failed: main/a exited with status 7"), "\(end.output)")
            let plain = try await run(daemon, "fails.yaml", "--executor", "slurm", "--json")
            #expect(plain.code == 1)
            let json = try JSONReader.read(Array(plain.output.utf8))
            #expect(json["status"] == "FAILED" && json["exit_code"] == 7)
        }
    }

    @Test func aFileWithMistakesIsRefusedWithAllOfThem() async throws {
        try await withDaemon(try daemon()) { daemon in
            try daemon.write(
                Self.job("true").replacing("image: busybox", with: "images: busybox"), to: "bad.yaml")
            try await daemon.start()
            for words in [["run", "--url", daemon.base, "--data-dir", daemon.data], ["run", "--dry-run"], ["render"]] {
                let end = try await daemon.runBeside([words[0], "bad.yaml"] + words.dropFirst())
                #expect(end.code == 1, "\(words)")
            }
            let errors = daemon.errors
            #expect(
                errors.contains("bad.yaml:7: /spec/template/spec/containers/0/images: images is no field"), "\(errors)")
        }
    }

    @Test func whatWouldBeSubmitted() async throws {
        try await withDaemon(try daemon()) { daemon in
            let words = [Self.example, "-v", "UUID=u1"]
            let slurm = try await daemon.runBeside(["run", "--dry-run", "--executor", "slurm"] + words)
            #expect(slurm.code == 0 && slurm.output.contains("sbatch '--parsable'"), "\(slurm.output)")
            #expect(slurm.output.contains("'--job-name=sequential-u1-job-1'"))
            let process = try await daemon.runBeside(["run", "--dry-run"] + words)
            #expect(process.output.contains("init/task1\n    /bin/sh -c echo \"Sequential Task 1 for u1 ran\""))
            let rendered = try await daemon.runBeside(["render"] + words)
            #expect(rendered.output.contains("name: sequential-u1") && rendered.output.contains("$(expr 40 + 2)"))
            #expect(rendered.output.contains("$REACTORD_OUTPUT"))
        }
    }

    /// The daemon dies again and again while a job is submitted, runs and ends: it is submitted once.
    @Test func aDaemonThatDiesSubmitsOnce() async throws {
        try await withDaemon(try daemon()) { daemon in
            try daemon.write(Self.job("sleep 4; echo done"), to: "slow.yaml")
            try await daemon.start()
            let first = try await run(daemon, "slow.yaml", "--executor", "slurm", "--no-wait")
            let uuid = first.output.trimmingCharacters(in: .whitespacesAndNewlines)
            try #require(first.code == 0 && uuid.hasPrefix("107"), "\(first.output)")
            await daemon.killNow()
            for pause in [50, 250, 500, 900] { try await daemon.startAndKill(after: pause) }
            try await daemon.start()
            let job = try await daemon.until("/api/v1/jobs/\(uuid)") {
                ["FINISHED", "FAILED"].contains($0["status"]?.string ?? "")
            }
            #expect(job["status"] == "FINISHED")
            #expect(submissions(daemon) == 1)
        }
    }

    @Test func aClusterThatIsAwayIsWaitedFor() async throws {
        try await withDaemon(try daemon()) { daemon in
            try daemon.write("", to: "slurm/down")
            try daemon.write(Self.job("true"), to: "job.yaml")
            try await daemon.start()
            let first = try await run(daemon, "job.yaml", "--executor", "slurm", "--no-wait")
            let uuid = first.output.trimmingCharacters(in: .whitespacesAndNewlines)
            _ = try await daemon.until("/api/v1/jobs/\(uuid)/history") {
                JSONWriter.string($0).contains("Unable to contact slurm controller")
            }
            try FileManager.default.removeItem(atPath: "\(daemon.folder)/slurm/down")
            _ = try await daemon.until("/api/v1/jobs/\(uuid)") { $0["status"] == "FINISHED" }
            #expect(submissions(daemon) == 1)
        }
    }

    @Test func aJobThatIsFailedByHandIsCancelledThere() async throws {
        try await withDaemon(try daemon()) { daemon in
            try daemon.write(Self.job("sleep 600"), to: "long.yaml")
            try await daemon.start()
            let first = try await run(daemon, "long.yaml", "--executor", "slurm", "--no-wait")
            let uuid = first.output.trimmingCharacters(in: .whitespacesAndNewlines)
            _ = try await daemon.until("/api/v1/jobs/\(uuid)") { $0["status"] == "RUNNING" }
            let end = try await daemon.runBeside(
                ["job", "event", uuid, "fail", "--url", daemon.base, "--data-dir", daemon.data])
            #expect(end.code == 0, "\(end.output)")
            let state = "\(daemon.folder)/slurm/1.state"
            for _ in 0..<200 where (try? String(contentsOfFile: state, encoding: .utf8)) != "CANCELLED\n" {
                _ = try await daemon.get("/api/v1/jobs/\(uuid)")
                try await Task.sleep(for: .milliseconds(100))
            }
            #expect(try String(contentsOfFile: state, encoding: .utf8) == "CANCELLED\n")
        }
    }

    private static func job(_ script: String) -> String {
        """
        apiVersion: batch/v1
        kind: Job
        metadata: {name: by-hand}
        spec:
          template:
            spec:
              containers: [{name: a, image: busybox, command: [/bin/sh, -c, "\(script)"]}]
        """
    }
}
