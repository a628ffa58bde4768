import ActorCore
import Foundation
import Testing

/// The daemon is killed at every request to a container engine, against the one that `scripts/try-engines` has started.
@Suite(
    .serialized, .timeLimit(.minutes(5)),
    .enabled(
        if: ProcessInfo.processInfo.environment["REACTORD_ENGINE_SOCKET"] != nil,
        "needs a container engine: make engines starts one (scripts/setup --engines installs it)"))
struct ContainerStepTests {
    /// A container is waited for when its output has ended: who was killed before that finds its end by inspecting it.
    private static let steps =
        [
            "POST /containers/create", "POST /containers/NAME/start", "GET /containers/NAME/logs",
            "DELETE /containers/NAME",
        ]
        .flatMap { ["before \($0)", "after \($0)"] } + ["before POST /containers/NAME/wait"]

    @Test func theShippedExampleRunsUnchanged() async throws {
        let socket = ProcessInfo.processInfo.environment["REACTORD_ENGINE_SOCKET"] ?? ""
        let daemon = try RunningDaemon(
            config: "executors:\n  container: {socket: \"unix://\(socket)\", pull: Never}\n",
            shipped: CrashLedger.shipped)
        try await withDaemon(daemon) { daemon in
            try await daemon.start()
            let end = try await daemon.runBeside([
                "run", "\(RunningDaemon.root)/Examples/jobs/sequential.yaml", "--executor", "container", "-v",
                "UUID=u1",
                "--url", daemon.base, "--data-dir", daemon.data,
            ])
            #expect(end.code == 0, "\(end.output) \(daemon.errors.suffix(2000))")
            for line in [
                "init-task1 | Sequential Task 1 for u1 ran", "init-task2 | Sequential Task 2 ran, 42",
                "main/task-done: exit status 0", "finished, 1 files archived",
            ] { #expect(end.output.contains(line), "\(end.output)") }
        }
    }

    @Test func killedAtEveryStepItStartsOnce() async throws {
        let folder = NSTemporaryDirectory() + "reactord-proxy-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let script = try String(
            contentsOfFile: "\(RunningDaemon.root)/Tests/EndToEndTests/Fixtures/engine_proxy.py", encoding: .utf8)
        let socket = ProcessInfo.processInfo.environment["REACTORD_ENGINE_SOCKET"] ?? ""
        let proxy = try spawnPython([script, folder, socket], output: "\(folder)/ready")
        _ = try await EventSink.port(in: "\(folder)/ready")
        let daemon = try RunningDaemon(
            config: "executors:\n  container: {socket: \"unix://\(folder)/s\", pull: Never}\n",
            shipped: CrashLedger.shipped)
        do {
            try await withDaemon(daemon) { daemon in
                let uuid = try await CrashLedger.begin(daemon, "container", image: "localhost/suite/sh:latest")
                try await CrashLedger.end(daemon, uuid, Strikes(folder: folder), steps: Self.steps)
            }
        } catch {
            kill(proxy, SIGKILL)
            _ = await ended(proxy)
            throw error
        }
        kill(proxy, SIGKILL)
        _ = await ended(proxy)
        try? FileManager.default.removeItem(atPath: folder)
    }
}

/// The daemon is killed before and after each of Slurm's programs, on the cluster that `scripts/try-engines` started.
@Suite(
    .serialized, .timeLimit(.minutes(5)),
    .enabled(
        if: ProcessInfo.processInfo.environment["REACTORD_SLURM"] != nil,
        "needs a Slurm: make engines starts one (scripts/setup --engines installs it)"))
struct SlurmStepTests {
    private static func wrapper(_ folder: String) -> String {
        """
        #!/bin/sh
        name=${0##*/}
        strike() {
            mkdir "\(folder)/$1-$name" 2>/dev/null || return 1
            tries=0
            until [ -e "\(folder)/pid" ]; do
                sleep 0.02; tries=$((tries + 1)); [ $tries -lt 1500 ] || return 1
            done
            pid=$(cat "\(folder)/pid"); rm "\(folder)/pid"; echo "$1 $name" >> "\(folder)/killed"; kill -9 "$pid"
        }
        strike before && exit 1
        "$(PATH=/usr/bin:/usr/local/bin command -v "$name")" "$@"; code=$?
        strike after && exit 1
        exit $code
        """
    }

    @Test func killedAtEveryStepItSubmitsOnce() async throws {
        let folder = NSTemporaryDirectory() + "reactord-strikes-" + UUID().uuidString
        let daemon = try RunningDaemon(
            config: """
                executors:
                  process: {any_image: true}
                  slurm: {binaries: \(folder)/bin, poll_seconds: 0.5}
                """, shipped: CrashLedger.shipped)
        try FileManager.default.createDirectory(atPath: "\(folder)/bin", withIntermediateDirectories: true)
        for name in ["sbatch", "squeue", "sacct", "scancel"] {
            let file = "\(folder)/bin/\(name)"
            try Self.wrapper(folder).write(toFile: file, atomically: true, encoding: .utf8)
            try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: file)
        }
        try await withDaemon(daemon) { daemon in
            let uuid = try await CrashLedger.begin(daemon, "slurm", image: "busybox")
            let steps = ["squeue", "sbatch"].flatMap { ["before \($0)", "after \($0)"] }
            try await CrashLedger.end(daemon, uuid, Strikes(folder: folder), steps: steps)
        }
        try? FileManager.default.removeItem(atPath: folder)
    }
}

/// A job that notes each start of its steps where the test can count them.
enum CrashLedger {
    static let shipped = ["pipeline-jobs-manager", "pipelines-manager", "ingest", "job-runner", "job-engines"]

    static func begin(_ daemon: RunningDaemon, _ executor: String, image: String) async throws -> String {
        try daemon.write(
            """
            apiVersion: batch/v1
            kind: Job
            metadata: {name: counted}
            spec:
              template:
                spec:
                  initContainers:
                    - {name: one, image: "\(image)", command: [/bin/sh, -c, "echo init >> $REACTORD_WORK/ledger"]}
                  containers:
                    - name: two
                      image: "\(image)"
                      command: [/bin/sh, -c, "echo main >> $REACTORD_WORK/ledger; sleep 6; echo x > $REACTORD_OUTPUT/x"]
            """, to: "counted.yaml")
        try await daemon.start()
        let first = try await daemon.runBeside([
            "run", "counted.yaml", "--executor", executor, "--no-wait", "--url", daemon.base, "--data-dir", daemon.data,
        ])
        let uuid = first.output.trimmingCharacters(in: .whitespacesAndNewlines)
        try #require(first.code == 0 && uuid.hasPrefix("107"), "\(first.output) \(daemon.errors.suffix(2000))")
        return uuid
    }

    /// Killed at all of these, and maybe at others, it ended well and ran once.
    static func end(_ daemon: RunningDaemon, _ uuid: String, _ strikes: Strikes, steps: [String]) async throws {
        let job = try await daemon.outlive(strikes, until: "/api/v1/jobs/\(uuid)") {
            ["FINISHED", "FAILED"].contains($0["status"]?.string ?? "") && Set(strikes.done).isSuperset(of: steps)
        }
        #expect(job["status"] == "FINISHED", "\(strikes.done)")
        let runs = try FileManager.default.contentsOfDirectory(atPath: "\(daemon.data)/runs")
        let ledgers = runs.compactMap {
            try? String(contentsOfFile: "\(daemon.data)/runs/\($0)/work/ledger", encoding: .utf8)
        }
        #expect(ledgers == ["init\nmain\n"], "\(strikes.done)")
        #expect(await daemon.stop() == 0)
    }
}
