import ActorCore
import Foundation
import Testing

/// What is wrong with what a job or a pipeline is asked, each with its one answer, and nothing lost by it. What tokens
/// refuse, deleted jobs and disabled pipelines is with the rest of ``JobTrustTests``.
@Suite(.serialized) struct JobBadInputTests {
    private func withJob(
        _ config: String = "", settings: String = "",
        _ body: (RunningDaemon, _ uuid: String, _ callback: String) async throws -> Void
    ) async throws {
        let daemon = try RunningDaemon(config: config)
        if !settings.isEmpty { try daemon.write(settings, to: "actors/pipeline-jobs-manager/config.yml") }
        try await withDaemon(daemon) { daemon in
            try await daemon.start()
            try await daemon.register(.tacobot)
            let made = try await daemon.post(
                "/api/v1/jobs", ["pipeline_uuid": .string(KnownPipeline.tacobot.rawValue), "data": ["n": 1]])
            #expect(made.status == 201, "\(made.text)")
            let uuid = try #require(made.json["uuid"]?.string)
            _ = try await daemon.post("/api/v1/jobs/\(uuid)/events", ["event": "run"])
            try await body(daemon, uuid, try #require(made.json["callback"]?.string))
        }
    }

    private func names(_ daemon: RunningDaemon, _ uuid: String) async throws -> [String] {
        let history = try await daemon.get("/api/v1/jobs/\(uuid)/history")
        return (history["history"]?.array ?? []).compactMap { $0.object?.first?.name }
    }

    @Test func dataOverTheLimit() async throws {
        let limits = "limits: {max_body_bytes: 20000}\n"
        try await withJob(limits, settings: "max_data_bytes: 600\n") { daemon, uuid, callback in
            let long = JSONValue.string(String(repeating: "x", count: 700))
            // An event's own data is refused, by the owner's request and by a message, and says by how much.
            let asked = try await daemon.post(
                "/api/v1/jobs/\(uuid)/events", ["event": "update", "data": ["log": long]])
            #expect(asked.status == 413, "\(asked.text)")
            let detail = try #require(asked.json["detail"]?.string)
            #expect(detail.hasPrefix("data has 710 bytes, and an event carries at most 600 (max_data_bytes)"))
            #expect(asked.json["state"] == "RUNNING")
            let sent = try await daemon.finished(
                try await daemon.send(
                    "pipeline-jobs-manager",
                    [
                        "uuid": .string(uuid), "event": "update", "data": ["log": long],
                        "token": try await daemon.get("/api/v1/jobs/\(uuid)")["token"] ?? .null,
                    ]))
            #expect(sent["outcome"] == "failed" && sent["reason"]?.string == detail, "\(sent)")
            // Longer than the door takes.
            let huge = JSONValue.string(String(repeating: "x", count: 20001))
            let stopped = try await daemon.post(
                "/api/v1/jobs/\(uuid)/events", ["event": "update", "data": ["log": huge]])
            #expect(stopped.status == 413 && stopped.text.contains("20000"), "\(stopped.text)")
            #expect(try await names(daemon, uuid) == ["CREATE", "RUN"])
            let refused = try await daemon.get("/api/v1/jobs/\(uuid)/history")["refused"]?.array ?? []
            #expect(refused.count == 2)
            #expect(refused.allSatisfy { $0["UPDATE"]?["data"]?["bytes"] == 710 }, "\(refused)")

            // A platform's callback moves the job all the same: its body is told by size and hash.
            let called = try await daemon.request(
                "POST", "\(callback)&status=FINISHED", body: JSONWriter.bytes(["log": long]), authorised: false)
            let ended = try await daemon.finished(try #require(called.json["result"]?["executionId"]?.string))
            #expect(ended["outcome"] == "succeeded", "\(ended)")
            let job = try await daemon.get("/api/v1/jobs/\(uuid)")
            #expect(job["status"] == "FINISHED")
            let data = job["history"]?.array?.last?["FINISH"]?["data"]
            #expect(data?["bytes"] == 710 && data?["limit"] == 600 && data?["sha256"]?.string?.utf8.count == 64)
        }
    }

    @Test func malformedUUIDs() async throws {
        try await withJob { daemon, uuid, callback in
            for bad in ["x", "58fa9ec7-6c25-5525-94f3", "58fa9ec76c25552594f3e853335e2f17", "..%2f..%2fadmin.token"] {
                let asked = try await daemon.post("/api/v1/jobs/\(bad)/events", ["event": "run"])
                #expect(asked.status == 400 && asked.json["detail"]?.string?.contains("is no UUID of a job") == true)
                #expect(try await daemon.request("GET", "/api/v1/jobs/\(bad)").status == 404)
                let made = try await daemon.post("/api/v1/jobs", ["pipeline_uuid": .string(bad), "data": [:]])
                #expect(made.status == 400 && made.text.contains("is not a valid UUID5"), "\(made.text)")
                for parent in [.string(bad), [.string(bad)]] as [JSONValue] {
                    let child = try await daemon.post(
                        "/api/v1/jobs",
                        [
                            "pipeline_uuid": .string(KnownPipeline.tacobot.rawValue), "data": [:], "child_of": parent,
                        ])
                    #expect(child.status == 400 && child.text.contains("child_of: must be a UUID"), "\(child.text)")
                }
                let message = try await daemon.send("pipeline-jobs-manager", ["uuid": .string(bad), "event": "run"])
                #expect(try await daemon.finished(message)["reason"] == "uuid: must be the UUID of a job")
                let called = try await daemon.request(
                    "POST", "\(callback.replacing(uuid, with: bad))&event=run", authorised: false)
                let ended = try await daemon.finished(try #require(called.json["result"]?["executionId"]?.string))
                #expect(ended["reason"] == "uuid: must be the UUID of a job", "\(ended)")
            }
            #expect(try await names(daemon, uuid) == ["CREATE", "RUN"])
        }
    }

    /// The folder behind a path is read by all who read the job: only those of the pipeline can be chosen.
    @Test func aPathThatIsNotThePipelines() async throws {
        let ann = "token-of-ann-1234567890"
        let daemon = try RunningDaemon()
        try daemon.writeUsers([ann: "ann"])
        try await withDaemon(daemon) { daemon in
            try await daemon.start()
            try await daemon.register(.tacobot)
            try daemon.write("secret", to: "var/archive/private/notes.txt")
            func make(_ path: String, by token: String) async throws -> RunningDaemon.Answer {
                let body: JSONValue = [
                    "pipeline_uuid": .string(KnownPipeline.tacobot.rawValue), "data": ["path": .string(path)],
                    "archive_path": .string(path),
                ]
                return try await daemon.request(
                    "POST", "/api/v1/jobs", body: JSONWriter.bytes(body),
                    headers: [(name: "Authorization", value: "Bearer \(token)")], authorised: false)
            }
            let refused = try await make("/private", by: ann)
            #expect(refused.status == 403, "\(refused.text)")
            #expect(refused.text.contains("archive_path: /private is no path of a job of this pipeline"))
            #expect(try await daemon.get("/api/v1/jobs")["jobs"] == [])
            let own = "/products/v1/\(KnownPipeline.tacobot.rawValue)/solid-snake"
            #expect(try await make(own, by: ann).json["path"]?.string == own)
            // An admin knows what lies there, and shows it.
            let made = try await make("/private", by: daemon.token)
            #expect(made.status == 201, "\(made.text)")
            let uuid = made.json["uuid"]?.string ?? ""
            #expect(try await daemon.request("GET", "/api/v1/jobs/\(uuid)/files/notes.txt").text == "secret")
        }
    }

    /// What a run has left does not stand in the way of the next.
    @Test func aResetTakesTheFilesOfTheEarlierRunAway() async throws {
        let daemon = try RunningDaemon(
            shipped: ["pipeline-jobs-manager", "pipelines-manager", "jobs-indexer"])
        try await withDaemon(daemon) { daemon in
            try await daemon.start()
            try await daemon.register(.managed)
            let made = try await daemon.post(
                "/api/v1/jobs",
                [
                    "pipeline_uuid": .string(KnownPipeline.managed.rawValue), "child_of": [], "data": [:],
                    "token_events": "*",
                ])
            let uuid = try #require(made.json["uuid"]?.string)
            let path = try #require(made.json["path"]?.string)
            try daemon.write("1,2", to: "var/archive\(path)/out/beats.csv")
            for event in ["run", "finish"] {
                _ = try await daemon.post("/api/v1/jobs/\(uuid)/events", ["event": .string(event)])
            }
            let reset = try await daemon.post("/api/v1/jobs/\(uuid)/events", ["event": "reset"])
            #expect(reset.json["status"] == "RESET" && reset.json["cleared"] == true, "\(reset.text)")
            #expect(!FileManager.default.fileExists(atPath: "\(daemon.data)/archive\(path)"))
            #expect(try await daemon.get("/api/v1/jobs/\(uuid)/files")["files"] == [])
            _ = try await daemon.until("/api/v1/executions?actor=jobs-indexer") {
                $0["executions"]?.array?.first?["outcome"] == "succeeded"
            }
            let aside = try FileManager.default.contentsOfDirectory(atPath: "\(daemon.data)/archive/.aside")
            #expect(aside.isEmpty)
            let ready = try await daemon.post("/api/v1/jobs/\(uuid)/events", ["event": "ready"])
            #expect(ready.json["status"] == "CREATED")
            #expect(try await names(daemon, uuid) == ["CREATE", "RUN", "FINISH", "RESET", "READY"])
        }
    }
}
