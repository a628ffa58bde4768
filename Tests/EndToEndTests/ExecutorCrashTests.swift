import ActorCore
import ActorTesting
import Foundation
import Testing

/// The daemon is killed at any moment of starting, watching and finishing commands; every command runs once all the
/// same and its job ends as it should.
enum CrashedJobs {
    /// Each step notes that it was started, in a file that no daemon writes to.
    private static func job(_ image: String) -> String {
        """
        apiVersion: batch/v1
        kind: Job
        metadata: {name: "crash-${UUID}"}
        spec:
          template:
            spec:
              restartPolicy: Never
              initContainers:
                - name: prepare
                  image: \(image)
                  args: ["-c", "echo init >> $(REACTORD_WORK)/ledger; sleep 0.3"]
              containers:
                - name: main
                  image: \(image)
                  args:
                    - "-c"
                    - |
                      echo main >> $REACTORD_WORK/ledger
                      sleep 0.4
                      case $UUID in *-bad*) exit 3;; esac
                      echo done > $REACTORD_OUTPUT/done
        """
    }

    /// - Parameter rounds: kills before it is let be.
    static func play(config: String, image: String, rounds: Int, jobs: Int = 4) async throws {
        let seed = Soak.seed(of: "executor crashes")
        var generator = SeededGenerator(seed: seed)
        let script = "import os\nopen(os.environ['LEDGER'], 'a').write(os.environ['_abaco_execution_id'] + '\\n')\n"
        let folder = NSTemporaryDirectory() + "ledger-" + UUID().uuidString
        let actor = """
            name: once
            run: {command: [python3, reactor.py]}
            stateless: true
            max_workers: 2
            environment: {LEDGER: "\(folder)"}
            """
        let daemon = try RunningDaemon(
            config: config,
            actors: ["once": ["actor.yml": actor, "reactor.py": script + "import time\ntime.sleep(0.3)\n"]])
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try FileManager.default.removeItem(atPath: "\(daemon.folder)/actors/ingest/jobs")
        try daemon.write(job(image), to: "actors/ingest/jobs/crash.yaml")
        try await withDaemon(daemon) { daemon in
            try await daemon.start()
            for number in 0..<jobs {
                let name = "2026-11-21-e-\(number == 1 ? "bad" : "good")\(number)"
                // Contents of their own, for the same content runs nothing again.
                let put = try await daemon.request("PUT", "/api/v1/uploads/\(name)/a.txt", body: [UInt8(number)])
                #expect(put.status == 201, "\(put.text)")
                // On a slow machine it may have come to rest by itself and been taken.
                let done = try await daemon.request("POST", "/api/v1/uploads/\(name)/done")
                #expect([202, 404].contains(done.status), "\(done.status) \(done.text)")
            }
            var executions: [String] = []
            for number in 0..<4 { executions.append(try await daemon.send("once", ["n": JSONValue(number)])) }
            for _ in 0..<rounds {
                try await Task.sleep(for: .milliseconds(Int.random(in: 0...600, using: &generator)))
                await daemon.killNow()
                try await daemon.start()
            }
            let ended = try await daemon.until("/api/v1/jobs", seconds: 120) { value in
                let states = (value["jobs"]?.array ?? []).compactMap { $0["status"]?.string }
                return states.count == jobs && states.allSatisfy { ["FINISHED", "FAILED"].contains($0) }
            }
            let states = (ended["jobs"]?.array ?? []).compactMap { $0["status"]?.string }.sorted()
            #expect(states == ["FAILED"] + [String](repeating: "FINISHED", count: jobs - 1), "seed \(seed)")
            for run in ledgers(daemon) { #expect(run == "init\nmain\n", "seed \(seed)") }
            #expect(ledgers(daemon).count == jobs)
            for execution in executions {
                let record = try await daemon.finished(execution)
                #expect(record["outcome"]?.string == "succeeded", "\(record)")
            }
            let lines = (try? String(contentsOfFile: folder, encoding: .utf8))?.split(separator: "\n").map(String.init)
            #expect((lines ?? []).sorted() == executions.sorted(), "seed \(seed)")
            #expect(await daemon.stop() == 0)
        }
    }

    private static func ledgers(_ daemon: RunningDaemon) -> [String] {
        let runs = (try? FileManager.default.contentsOfDirectory(atPath: "\(daemon.data)/runs")) ?? []
        return runs.compactMap {
            try? String(contentsOfFile: "\(daemon.data)/runs/\($0)/work/ledger", encoding: .utf8)
        }
    }
}

@Suite(.serialized) struct ExecutorCrashTests {
    @Test func processesAreStartedOnceWheneverTheDaemonIsKilled() async throws {
        let config = "executors:\n  process:\n    images:\n      local/sh: {command: [/bin/sh]}\n"
        try await CrashedJobs.play(config: config, image: "local/sh", rounds: Soak.rounds(5, soak: 40))
    }

    /// An orderly stop leaves running commands to the next daemon.
    @Test func aStopLeavesCommandsRunning() async throws {
        let actor = """
            name: long
            run: {command: [/bin/sh, -c, "echo start >> runs; while ! test -e go; do sleep 0.05; done; echo end"]}
            """
        let daemon = try RunningDaemon(
            config: "executors:\n  process: {grace_seconds: 0.2}\n", actors: ["long": ["actor.yml": actor]])
        try await withDaemon(daemon) { daemon in
            try await daemon.start()
            let execution = try await daemon.send("long", [:])
            let started = "\(daemon.folder)/actors/long/runs"
            while !FileManager.default.fileExists(atPath: started) { try await Task.sleep(for: .milliseconds(10)) }
            #expect(await daemon.stop() == 0)
            try daemon.write("", to: "actors/long/go")
            try await daemon.start()
            let record = try await daemon.finished(execution)
            #expect(record["outcome"]?.string == "succeeded", "\(record)")
            #expect(try String(contentsOfFile: started, encoding: .utf8) == "start\n")
        }
    }
}

/// Against the engine that `scripts/try-engines` has started.
@Suite(
    .serialized,
    .enabled(
        if: ProcessInfo.processInfo.environment["REACTORD_ENGINE_SOCKET"] != nil,
        "needs a container engine: make engines starts one (scripts/setup --engines installs it)"))
struct ContainerCrashTests {
    private let config = """
        executors:
          container:
            socket: unix://\(ProcessInfo.processInfo.environment["REACTORD_ENGINE_SOCKET"] ?? "/nowhere")
            pull: Never
        """

    @Test func containersAreStartedOnceWheneverTheDaemonIsKilled() async throws {
        try await CrashedJobs.play(config: config, image: "localhost/suite/sh:latest", rounds: 8)
    }

    /// An actor by its image: the message in its environment, its folder read-only, no network.
    @Test func anActorByItsImage() async throws {
        let actor = "name: boxed\nrun: {image: \"localhost/suite/echo:latest\"}\n"
        let lost = "name: lost\nrun: {image: \"localhost/no/such:1\"}\nexecutor: container\n"
        let daemon = try RunningDaemon(
            config: config, actors: ["boxed": ["actor.yml": actor], "lost": ["actor.yml": lost]])
        try await withDaemon(daemon) { daemon in
            try await daemon.start()
            let execution = try await daemon.send("boxed", ["name": "Ada"])
            let record = try await daemon.finished(execution)
            #expect(record["outcome"]?.string == "succeeded", "\(record)")
            let log = try await daemon.request("GET", "/api/v1/executions/\(execution)/logs").text
            #expect(log.contains("MSG={'name': 'Ada'}") && log.contains("_abaco_execution_id=\(execution)"), "\(log)")
            #expect(log.contains("PYTHONPATH=/opt/reactord/python"))
            _ = try await daemon.send("lost", [:])
            let actors = try await daemon.until("/api/v1/actors") { value in
                value["actors"]?.array?.contains { JSONWriter.string($0).contains("is not on this machine") } ?? false
            }
            #expect(!JSONWriter.string(actors).isEmpty)
        }
    }
}

@Suite struct ActorImageTests {
    /// Without an engine, and without a local command for it, an image is an error that says what to do.
    @Test func anImageThatNothingRunsIsAnErrorOfItsActor() async throws {
        let daemon = try RunningDaemon(
            config: "executors:\n  process:\n    images:\n      org/local:1: {command: [/bin/echo, local]}\n",
            actors: [
                "far": ["actor.yml": "name: far\nrun: {image: \"org/far:1\"}\n"],
                "near": ["actor.yml": "name: near\nrun: {image: \"org/local:1\"}\n"],
            ])
        try await withDaemon(daemon) { daemon in
            try await daemon.start()
            let far = try await daemon.get("/actors/v2/far")
            #expect(far["result"]?["status"]?.string == "ERROR", "\(far)")
            let message = far["result"]?["statusMessage"]?.string ?? ""
            #expect(message.contains("executors.container.socket") && message.contains("executors.process.images"))
            let execution = try await daemon.send("near", [:])
            #expect(try await daemon.finished(execution)["outcome"]?.string == "succeeded")
        }
    }
}
