import ActorCore
import Foundation
import Testing

/// Job files on Kubernetes, on Argo and through the Argo server, by the real daemon and the real command line.
@Suite(.serialized, .timeLimit(.minutes(5))) struct ClusterTests {
    private static let shipped = ["pipeline-jobs-manager", "pipelines-manager", "ingest", "job-runner", "job-engines"]
    private static let example = "\(RunningDaemon.root)/Examples/jobs/sequential.yaml"

    private func play(
        _ options: [String] = [], poll: Double = 0.5, _ body: (RunningDaemon, Cluster) async throws -> Void
    ) async throws {
        let folder = NSTemporaryDirectory() + "reactord-cluster-" + UUID().uuidString
        let cluster = try await Cluster(folder: folder, options)
        let server = "{via: server, server: \"http://127.0.0.1:\(cluster.port)\", token: word, namespace: lab"
        let isServer = options.contains("token=word")
        let daemon = try RunningDaemon(
            config: """
                executors:
                  process: {any_image: true}
                  kubernetes:
                    kubeconfig: \(folder)/kubeconfig
                    namespace: lab
                    poll_seconds: \(poll)
                    shared_volume: {persistentVolumeClaim: {claimName: lab}}
                  argo: \(isServer ? server : "{namespace: lab"), poll_seconds: \(poll)}
                """, shipped: Self.shipped)
        do {
            try await withDaemon(daemon) { daemon in try await body(daemon, cluster) }
        } catch {
            await cluster.stop()
            throw error
        }
        await cluster.stop()
        try? FileManager.default.removeItem(atPath: folder)
    }

    private func run(_ daemon: RunningDaemon, _ words: String...) async throws -> (code: Int32, output: String) {
        try await daemon.runBeside(["run"] + words + ["--url", daemon.base, "--data-dir", daemon.data])
    }

    // MARK: The shipped example

    @Test(arguments: ["kubernetes", "argo", "argo server"])
    func theShippedExampleRunsUnchanged(where place: String) async throws {
        let executor = place.split(separator: " ").map(String.init)[0]
        try await play(place == "argo server" ? ["token=word"] : []) { daemon, cluster in
            try await daemon.start()
            let end = try await run(daemon, Self.example, "--executor", executor, "-v", "UUID=2026-11-21-e-x")
            #expect(end.code == 0, "\(end.output) \(daemon.errors.suffix(2000))")
            #expect(end.output.contains("main/task-done: exit status 0") && end.output.contains("1 files archived"))
            // The Argo server does not show pods, and a node says nothing of its init containers.
            if place != "argo server" { #expect(end.output.contains("init/task2: exit status 0"), "\(end.output)") }
            for line in [
                "init-task1 | Sequential Task 1 for 2026-11-21-e-x ran", "init-task2 | Sequential Task 2 ran, 42",
            ] { #expect(end.output.contains(line), "\(end.output)") }
            #expect(cluster.created.count == 1)
        }
    }

    // MARK: Crashes

    private static let counted = """
        apiVersion: batch/v1
        kind: Job
        metadata: {name: counted}
        spec:
          ttlSecondsAfterFinished: 0
          template:
            spec:
              initContainers: [{name: one, image: i, command: [/bin/sh, -c, "echo init >> LEDGER"]}]
              containers: [{name: two, image: i, command: [/bin/sh, -c, "echo main >> LEDGER; sleep 1; echo done"]}]
        """

    /// The daemon is killed at every kind of request that it makes, before it is done and before it is answered.
    @Test(
        arguments: [
            (
                "kubernetes",
                [
                    "after GET jobs/name", "before POST jobs", "after POST jobs", "after GET jobs", "after GET pods",
                    "after GET pods/name/log", "before DELETE jobs/name", "after DELETE jobs/name",
                ]
            ),
            (
                "argo",
                [
                    "after GET workflows/name", "before POST workflows", "after POST workflows", "after GET workflows",
                    "after GET pods", "after GET pods/name/log", "before DELETE workflows/name",
                    "after DELETE workflows/name",
                ]
            ),
            (
                "argo server",
                [
                    "after GET workflows/name", "before POST workflows", "after POST workflows", "after GET workflows",
                    "after GET workflows/name/log", "before DELETE workflows/name", "after DELETE workflows/name",
                ]
            ),
        ])
    func killedAtEveryStepItSubmitsOnce(place: String, steps: [String]) async throws {
        let executor = place.split(separator: " ").map(String.init)[0]
        try await play(["kill=1"] + (place == "argo server" ? ["token=word"] : [])) { daemon, cluster in
            let ledger = "\(daemon.folder)/ledger"
            try daemon.write(Self.counted.replacing("LEDGER", with: ledger), to: "counted.yaml")
            try await daemon.start()
            let first = try await run(daemon, "counted.yaml", "--executor", executor, "--no-wait")
            let uuid = first.output.trimmingCharacters(in: .whitespacesAndNewlines)
            try #require(first.code == 0 && uuid.hasPrefix("107"), "\(first.output)")
            let strikes = cluster.strikes
            let job = try await daemon.outlive(strikes, until: "/api/v1/jobs/\(uuid)") {
                ["FINISHED", "FAILED"].contains($0["status"]?.string ?? "") && strikes.done.count >= steps.count
            }
            #expect(Set(strikes.done) == Set(steps) && job["status"] == "FINISHED", "\(strikes.done)")
            #expect(cluster.created.count == 1, "\(cluster.created)")
            #expect(try String(contentsOfFile: ledger, encoding: .utf8) == "init\nmain\n")
            let history = try await daemon.get("/api/v1/jobs/\(uuid)/history?form=full")
            let submitted = (history["history"]?.array ?? []).filter { $0["data"]?["engine_id"] != nil }
            #expect(submitted.count == 1, "\(history)")
            #expect(await daemon.stop() == 0)
        }
    }

    // MARK: Watches, logs, stops

    /// Looks far apart: what happens in between is told by watches, and lists are rare.
    @Test(arguments: ["forget=1000000", "forget=1"]) func watchesAreGoneOnWith(option: String) async throws {
        try await play([option], poll: 20) { daemon, cluster in
            let slow = Self.counted.replacing("echo init >> LEDGER", with: "sleep 3")
                .replacing("echo main >> LEDGER; sleep 1; echo done", with: "sleep 3")
            try daemon.write(slow, to: "job.yaml")
            try await daemon.start()
            let clock = ContinuousClock.now
            let end = try await run(daemon, "job.yaml", "--executor", "kubernetes")
            #expect(end.code == 0, "\(end.output) \(daemon.errors.suffix(2000))")
            // Without watches each change would be seen at the next look.
            #expect(ContinuousClock.now - clock < .seconds(18))
            let watches = cluster.requests.filter { $0.contains("/pods watch=true") }
            let versions = Set(
                watches.compactMap { $0.split(separator: "&").first { $0.hasPrefix("resourceVersion") } })
            #expect(versions.count > 1, "\(cluster.requests)")
            let lists = cluster.requests.filter { $0.contains("/jobs labelSelector") }.count
            if option == "forget=1000000" { #expect(lists <= 2, "\(cluster.requests)") }
        }
    }

    @Test func logsAreShownWhileItRuns() async throws {
        try await play { daemon, cluster in
            let go = "\(daemon.folder)/go"
            let script = "echo early; while ! test -e \(go); do sleep 0.1; done; echo late"
            try daemon.write(
                Self.counted.replacing("echo main >> LEDGER; sleep 1; echo done", with: script)
                    .replacing("echo init >> LEDGER", with: "true"), to: "job.yaml")
            try await daemon.start()
            let first = try await run(daemon, "job.yaml", "--executor", "kubernetes", "--no-wait")
            let uuid = first.output.trimmingCharacters(in: .whitespacesAndNewlines)
            let logs = try await daemon.until("/api/v1/jobs/\(uuid)/logs") { JSONWriter.string($0).contains("early") }
            #expect(!JSONWriter.string(logs).contains("late\\n"))
            try daemon.write("", to: "go")
            _ = try await daemon.until("/api/v1/jobs/\(uuid)") { $0["status"] == "FINISHED" }
            let all = try await daemon.get("/api/v1/jobs/\(uuid)/logs")
            #expect(JSONWriter.string(all).contains("early\\nlate\\n"), "\(all)")
        }
    }

    private static let workflow = """
        apiVersion: argoproj.io/v1alpha1
        kind: Workflow
        metadata: {generateName: two-steps-}
        spec:
          entrypoint: both
          templates:
            - name: both
              steps:
                - - {name: convert, template: first}
                - - {name: sort, template: second}
            - name: first
              container: {image: busybox, command: [/bin/echo, converted]}
            - name: second
              script: {image: busybox, command: [/bin/sh], source: "echo sorted ${UUID}; exit ${CODE}"}
        """

    @Test(arguments: ["cluster", "server"]) func aWorkflowAsItIs(way: String) async throws {
        try await play(way == "server" ? ["token=word"] : []) { daemon, cluster in
            try daemon.write(Self.workflow, to: "workflow.yaml")
            try await daemon.start()
            let good = try await run(daemon, "workflow.yaml", "-v", "UUID=u1", "-v", "CODE=0")
            #expect(good.code == 0, "\(good.output) \(daemon.errors.suffix(2000))")
            for line in [
                "submitted to argo as lab/two-steps-", "main/convert: exit status 0", "main/sort: exit status 0",
                "main-convert | converted", "main-sort | sorted u1",
            ] { #expect(good.output.contains(line), "\(good.output)") }
            let bad = try await run(daemon, "workflow.yaml", "-v", "UUID=u2", "-v", "CODE=4", "--exit-status")
            #expect(bad.code == 4 && bad.output.contains("failed: main/sort exited with status 4"), "\(bad.output)")
            let shipped = "\(RunningDaemon.root)/Examples/jobs/two-steps.yaml"
            let example = try await run(daemon, shipped, "-v", "UUID=u3")
            #expect(example.code == 0 && example.output.contains("main-sort | sorted u3"), "\(example.output)")
            #expect(cluster.created.count == 3)
        }
    }

    @Test(arguments: ["kubernetes", "argo", "argo server"])
    func aJobThatIsFailedByHandIsStoppedThere(place: String) async throws {
        let executor = place.split(separator: " ").map(String.init)[0]
        try await play(place == "argo server" ? ["token=word"] : []) { daemon, cluster in
            let long = Self.counted.replacing("echo main >> LEDGER; sleep 1; echo done", with: "exec sleep 600")
                .replacing("echo init >> LEDGER", with: "true")
            try daemon.write(long, to: "long.yaml")
            try await daemon.start()
            let first = try await run(daemon, "long.yaml", "--executor", executor, "--no-wait")
            let uuid = first.output.trimmingCharacters(in: .whitespacesAndNewlines)
            _ = try await daemon.until("/api/v1/jobs/\(uuid)") { $0["status"] == "RUNNING" }
            let end = try await daemon.runBeside(
                ["job", "event", uuid, "fail", "--url", daemon.base, "--data-dir", daemon.data])
            #expect(end.code == 0, "\(end.output)")
            let stop = ["kubernetes": "DELETE ", "argo": "PATCH ", "argo server": "PUT "][place] ?? ""
            for _ in 0..<300 where !cluster.requests.contains(where: { $0.hasPrefix(stop) }) {
                try await Task.sleep(for: .milliseconds(100))
            }
            #expect(cluster.requests.contains { $0.hasPrefix(stop) }, "\(cluster.requests.suffix(20))")
        }
    }

    // MARK: The model

    /// What cluster.py answers is what a recorded cluster answered, as far as it models it.
    @Test func theClusterIsHeldToTheRecords() async throws {
        let file = "\(RunningDaemon.root)/Tests/ActorExecutorsTests/Fixtures/kubernetes_exchanges.json"
        let json = try JSONReader.read(Array(try Data(contentsOf: URL(fileURLWithPath: file))), maxDepth: 128)
        let records = json["exchanges"]?.array ?? []
        let held = [
            "create_refused": [1, 2, 4, 5, 9, 54], "kubectl_create": [6, 8, 10, 12], "kubectl_other": [26, 27],
        ]
        for (scenario, numbers) in held {
            try await play { daemon, cluster in
                for number in numbers {
                    let record = try #require(
                        records.first { $0["scenario"]?.string == scenario && $0["n"]?.int == number })
                    let query = record["query"]?.string ?? ""
                    let path = "\(record["path"]?.string ?? "")\(query.isEmpty ? "" : "?\(query)")"
                    let answer = try await daemon.request(
                        record["method"]?.string ?? "", "http://127.0.0.1:\(cluster.port)\(path)",
                        body: record["body"].map(JSONWriter.bytes) ?? [], authorised: false)
                    #expect(answer.status == record["status"]?.int, "\(scenario) \(number)")
                    #expect(answer.json["kind"] == record["answer"]?["kind"], "\(scenario) \(number)")
                    #expect(answer.json["reason"] == record["answer"]?["reason"], "\(scenario) \(number)")
                    let text = answer.json["message"]?.string ?? ""
                    let theirs = record["answer"]?["message"]?.string
                    #expect(theirs?.hasPrefix(text) ?? text.isEmpty, "\(scenario) \(number): \(text)")
                }
            }
        }
    }
}
