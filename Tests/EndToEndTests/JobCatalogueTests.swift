import ActorCore
import Foundation
import Testing

/// A job from its first callback to a research object on disk, through the real daemon and its command line.
@Suite(.serialized) struct JobCatalogueTests {
    private static let pipeline = "106c46ff-8186-5756-a934-071f4497b58d"

    private func daemon() throws -> RunningDaemon {
        let reactor = "import ast, os\nmessage = ast.literal_eval(os.environ['MSG'])\nprint('told', message['event'])\n"
        return try RunningDaemon(
            actors: [
                "listener": [
                    "actor.yml": "name: listener\nrun: {command: [python3, reactor.py]}\n", "reactor.py": reactor,
                ]
            ],
            shipped: ["pipeline-jobs-manager", "pipelines-manager", "jobs-indexer", "ingest", "job-runner"])
    }

    private func makeJob(_ daemon: RunningDaemon, _ more: JSONValue) async throws -> JSONValue {
        var body: JSONValue = ["pipeline_uuid": .string(Self.pipeline), "token_events": "*"]
        for member in more.object ?? [] { body = body.setting(member.name, member.value) }
        let made = try await daemon.post("/api/v1/jobs", body)
        #expect(made.status == 201, "\(made.text)")
        return made.json
    }

    /// By the callback URL alone, as a job platform does it.
    private func tell(_ daemon: RunningDaemon, _ job: JSONValue, _ query: String, _ body: String = "") async throws {
        let callback = try #require(job["callback"]?.string)
        let answer = try await daemon.request(
            "POST", "\(callback)&\(query)", body: Array(body.utf8), authorised: false)
        let id = try #require(answer.json["result"]?["executionId"]?.string, "\(answer.text)")
        let execution = try await daemon.finished(id)
        #expect(execution["outcome"]?.string == "succeeded", "\(JSONWriter.string(execution))")
    }

    private func leave(_ daemon: RunningDaemon, _ job: JSONValue, _ files: [String: String]) throws {
        let path = try #require(job["path"]?.string)
        for (name, text) in files { try daemon.write(text, to: "var/archive\(path)/\(name)") }
    }

    /// Its files are left, its events told by the callback; ends with the index.
    private func indexedJob(_ daemon: RunningDaemon) async throws -> String {
        try await daemon.register(.managed)
        let job = try await makeJob(
            daemon,
            [
                "data": ["alpha": 0.5, "sample": "sample.uw_biofab.133737/A2", "nested": ["a": [1, 2]]],
                "archive_patterns": [["patterns": [".csv$"], "level": "2"]],
                "product_patterns": [["patterns": ["^plot"], "derived_from": ["./out/beats.csv"]]],
            ])
        let uuid = try #require(job["uuid"]?.string)
        // Told by Nextflow's weblog, by the table that the URL names.
        try await tell(daemon, job, "map=nextflow", #"{"event":"started","runName":"x"}"#)
        try leave(
            daemon, job, ["out/beats.csv": "t,v\n1,2\n", "plot 1.png": "png", "ä&b.txt": "umlaut", "run.log": ""])
        try await tell(
            daemon, job, "map=nextflow", #"{"event":"completed","metadata":{"workflow":{"success":true}}}"#)
        try await tell(daemon, job, "event=index")
        _ = try await daemon.until("/api/v1/jobs/\(uuid)") {
            $0["status"]?.string == "FINISHED" && $0["last_event"]?.string?.lowercased() == "indexed"
        }
        return uuid
    }

    @Test func fromACallbackToAResearchObject() async throws {
        try await withDaemon(daemon()) { daemon in
            try await daemon.start()
            let uuid = try await indexedJob(daemon)
            let files = try await daemon.get("/api/v1/jobs/\(uuid)/files")
            let paths = files["files"]?.array?.compactMap { $0["path"]?.string }
            #expect(paths == ["out/beats.csv", "plot 1.png", "run.log", "ä&b.txt"])
            let beats = try #require(files["files"]?.array?.first)
            #expect(beats["level"]?.string == "2" && beats["type"]?.string == "CSV" && beats["bytes"]?.int == 8)
            #expect(beats["child_of"] == [.string(uuid)])
            // Of a file called "plot 1.png" the catalogue knows "plot-1.png".
            #expect(files["total"]?["files"]?.int == 4 && files["index"]?["state"]?.string == "complete")
            let content = try await daemon.request("GET", "/api/v1/jobs/\(uuid)/files/%C3%A4%26b.txt")
            #expect(content.text == "umlaut")
            for path in ["..%2f..%2fadmin.token", "../../admin.token", "%2e%2e/%2e%2e/admin.token", "none"] {
                let answer = try await daemon.request("GET", "/api/v1/jobs/\(uuid)/files/\(path)")
                #expect(answer.status == 404 || answer.status == 400, "\(path): \(answer.status)")
            }
            let logs = try await daemon.get("/api/v1/jobs/\(uuid)/logs")
            let actors = Set((logs["logs"]?.array ?? []).compactMap { $0["actor"]?.string })
            #expect(actors.isSuperset(of: ["pipeline-jobs-manager", "jobs-indexer"]))
            let crate = try await export(daemon, uuid)
            let text = try String(contentsOfFile: "\(crate)/files/ä&b.txt", encoding: .utf8)
            #expect(text == "umlaut")
            let job = try String(contentsOfFile: "\(crate)/job.json", encoding: .utf8)
            #expect(!job.contains("\"token\""))
        }
    }

    private func export(_ daemon: RunningDaemon, _ uuid: String) async throws -> String {
        let crate = "\(daemon.folder)/crate"
        let export = try await daemon.runBeside([
            "job", "export", uuid, crate, "--license", "https://spdx.org/licenses/CC-BY-4.0", "--url", daemon.base,
            "--token", daemon.token,
        ])
        #expect(export.code == 0, "\(export.output)")
        return crate
    }

    private static let missing: Comment = "rocrate and roc-validator are missing: scripts/setup --tests installs them"

    /// What every crate has to have is ``WorkflowRunCrateTests``' business, without any package.
    @Test(.enabled(if: PythonTools.hasCrates, missing))
    func theResearchObjectIsReadAndValidated() async throws {
        let python = try #require(PythonTools.program("python3", in: PythonTools.crates))
        try await withDaemon(daemon()) { daemon in
            try await daemon.start()
            let uuid = try await indexedJob(daemon)
            let script = "\(RunningDaemon.root)/Tests/EndToEndTests/Fixtures/check_crate.py"
            let check = try await PythonTools.run(
                python, [script, try await export(daemon, uuid), uuid], in: daemon.folder)
            #expect(check.code == 0, "\(check.output)")
        }
    }

    @Test func jobsAreFoundCountedRelatedAndWatched() async throws {
        try await withDaemon(daemon()) { daemon in
            try await daemon.start()
            try await daemon.register(.managed)
            let parent = try await makeJob(
                daemon, ["data": ["run": "first otter"], "child_of": ["102e95e6-67a8-5a06-9484-3131c6907890"]])
            let uuid = try #require(parent["uuid"]?.string)
            let child = try await makeJob(daemon, ["data": ["run": 2], "child_of": [.string(uuid)]])
            let watch = try await daemon.post(
                "/api/v1/watches", ["pipeline": .string(Self.pipeline), "actor": "listener"])
            #expect(watch.status == 201, "\(watch.text)")
            try await tell(daemon, child, "status=RUNNING")
            _ = try await daemon.until("/api/v1/executions?actor=listener") {
                $0["executions"]?.array?.first?["outcome"]?.string == "succeeded"
            }
            func found(_ query: String) async throws -> [String] {
                let page = try await daemon.get("/api/v1/jobs?\(query)")
                return (page["jobs"]?.array ?? []).compactMap { $0["uuid"]?.string }
            }
            #expect(try await found("text=otter") == [uuid])
            #expect(try await found("child_of=\(uuid)") == [child["uuid"]?.string])
            #expect(try await found("state=RUNNING&created_from=2026-01-01") == [child["uuid"]?.string])
            #expect(try await found("created_before=2020-01-01") == [])
            let wrong = try await daemon.request("GET", "/api/v1/jobs?created_from=yesterday")
            #expect(wrong.status == 400 && wrong.text.contains("created_from"))
            let counts = try await daemon.get("/api/v1/jobs/counts")
            #expect(counts["counts"]?["RUNNING"]?.int == 1 && counts["counts"]?["CREATED"]?.int == 1)
            #expect(counts["total"]?.int == 2 && counts["stalled"]?.int == 0)
            let graph = try await daemon.get("/api/v1/jobs/\(uuid)/graph")
            #expect(
                graph["nodes"]?.array?.compactMap { $0["type"]?.string } == [
                    "pipelinejob", "experiment", "pipelinejob",
                ])
            #expect(graph["edges"]?.array?.count == 2)
            let id = try #require(watch.json["id"]?.string)
            #expect(try await daemon.request("DELETE", "/api/v1/watches/\(id)").status == 204)
            let nobody = try await daemon.post(
                "/api/v1/watches", ["pipeline": .string(Self.pipeline), "actor": "nobody"])
            #expect(nobody.status == 404)
        }
    }

    @Test func aJobThatStandsStillIsFlagged() async throws {
        let daemon = try daemon()
        let config = "stalled_after_hours: 0.0001\nstall_check_seconds: 1\n"
        try daemon.write(config, to: "actors/pipeline-jobs-manager/config.yml")
        try await withDaemon(daemon) { daemon in
            try await daemon.start()
            try await daemon.register(.managed)
            let job = try await makeJob(daemon, ["data": ["a": 1]])
            let uuid = try #require(job["uuid"]?.string)
            let found = try await daemon.until("/api/v1/jobs/\(uuid)") { $0["stalled"]?.object != nil }
            #expect(found["stalled"]?["since"]?.string == found["updated"]?.string)
            let page = try await daemon.get("/api/v1/jobs?stalled=true")
            #expect(page["jobs"]?.array?.count == 1)
        }
    }
}
