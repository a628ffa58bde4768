import ActorCore
import Foundation
import Testing

/// The walk of the README: a job from CREATED to FINISHED by plain HTTP, and one step that is refused.
@Suite(.serialized) struct JobWalkTests {
    @Test func aJobWalksThroughItsStatesByItsCallbackAlone() async throws {
        try await withDaemon(RunningDaemon()) { daemon in
            try await daemon.start()
            try await daemon.register(.tacobot)
            let made = try await daemon.post(
                "/api/v1/jobs",
                ["pipeline_uuid": "f0f417f2-ba8b-5ac4-b421-255b69553391", "data": ["sample": "A2"]])
            #expect(made.status == 201, "\(made.text)")
            let uuid = try #require(made.json["uuid"]?.string)
            let callback = try #require(made.json["callback"]?.string)
            #expect(made.json["status"]?.string == "CREATED")

            func tell(_ query: String, _ body: JSONValue?) async throws -> JSONValue {
                // The callback is all that a job needs: no token of a user.
                let answer = try await daemon.request(
                    "POST", "\(callback)&\(query)", body: body.map(JSONWriter.bytes) ?? [],
                    type: body == nil ? nil : "application/json", authorised: false)
                #expect(answer.status == 200, "\(answer.text)")
                let id = try #require(answer.json["result"]?["executionId"]?.string)
                return try await daemon.finished(id)
            }
            // Finishing what never ran is refused, recorded, and changes nothing.
            let refused = try await tell("event=finish", nil)
            #expect(refused["outcome"]?.string == "failed")
            #expect(refused["exit_code"]?.int == 1)
            #expect(try await daemon.get("/api/v1/jobs/\(uuid)")["status"]?.string == "CREATED")

            _ = try await tell("status=RUNNING", ["id": "agave-1"])
            _ = try await tell("event=update", ["roadrunner": "meep-meep!"])
            _ = try await tell("status=FINISHED", nil)
            let job = try await daemon.get("/api/v1/jobs/\(uuid)")
            #expect(job["status"]?.string == "FINISHED")
            let history = try await daemon.get("/api/v1/jobs/\(uuid)/history")
            #expect(
                history["history"]?.array?.compactMap { $0.object?.first?.name }
                    == ["CREATE", "RUN", "UPDATE", "FINISH"])
            #expect(history["history"]?.array?[2]["UPDATE"]?["data"] == ["roadrunner": "meep-meep!"])
            #expect(
                history["refused"]?.array?.first?["FINISH"]?["reason"]?.string
                    == "Can't trigger event finish from state CREATED!")
            #expect(refused["result"]?["legal_events"] == ["create", "run", "update", "resource", "fail", "reset"])

            // Another token opens nothing.
            let forged = callback.replacing("&token=", with: "&token=0")
            let answer = try await daemon.request(
                "POST", "\(forged)&event=fail", body: Array("{}".utf8), authorised: false)
            let id = try #require(answer.json["result"]?["executionId"]?.string)
            #expect(try await daemon.finished(id)["reason"]?.string?.contains("not valid") == true)
            #expect(try await daemon.get("/api/v1/jobs/\(uuid)")["status"]?.string == "FINISHED")
        }
    }

    @Test func cancellingARunMakesItsJobFail() async throws {
        let config = "executors:\n  process:\n    images:\n      local/sh: {command: [/bin/sh]}\n    grace_seconds: 1\n"
        let job = """
            apiVersion: batch/v1
            kind: Job
            metadata: {name: slow}
            spec:
              template:
                spec:
                  restartPolicy: Never
                  containers: [{name: main, image: local/sh, args: ["-c", "exec sleep 300"]}]
            """
        let daemon = try RunningDaemon(config: config)
        try FileManager.default.removeItem(atPath: "\(daemon.folder)/actors/ingest/jobs")
        try daemon.write(job, to: "actors/ingest/jobs/slow.yaml")
        try await withDaemon(daemon) { daemon in
            try await daemon.start()
            let name = "2026-11-21-e-slow"
            _ = try await daemon.request("PUT", "/api/v1/uploads/\(name)/a.txt", body: [1])
            _ = try await daemon.request("POST", "/api/v1/uploads/\(name)/done")
            _ = try await daemon.until("/api/v1/jobs") {
                $0["jobs"]?.array?.first?["status"]?.string == "RUNNING"
            }
            let running = try await daemon.get("/api/v1/executions?actor=job-runner")
            let id = try #require(running["executions"]?.array?.first?["id"]?.string)
            #expect(try await daemon.request("DELETE", "/api/v1/executions/\(id)").json["cancelled"]?.bool == true)
            _ = try await daemon.until("/api/v1/jobs") {
                $0["jobs"]?.array?.first?["status"]?.string == "FAILED"
            }
            let upload = try await daemon.until("/api/v1/uploads/\(name)") { $0["state"]?.string == "failed" }
            #expect(upload["jobs"]?.array?.first?["status"]?.string == "FAILED")
        }
    }
}
