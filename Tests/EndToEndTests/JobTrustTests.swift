import ActorCore
import Foundation
import HTTPTransport
import Testing

/// What a lab asks of its job catalogue, over HTTP and by the command line, of the real daemon.
@Suite(.serialized) struct JobTrustTests {
    private static let pipeline = "f0f417f2-ba8b-5ac4-b421-255b69553391"
    private static let ann = "token-of-ann-1234567890"

    /// A daemon that has the documented pipeline, and a user beside the admin.
    private func withCatalogue(_ body: @escaping (RunningDaemon) async throws -> Void) async throws {
        let daemon = try RunningDaemon()
        try daemon.writeUsers([Self.ann: "ann"])
        try await withDaemon(daemon) { daemon in
            try await daemon.start()
            let made = try await daemon.register(.tacobot)
            #expect(made["token"]?.string?.utf8.count == 16)
            try await body(daemon)
        }
    }

    private func byAnn(
        _ daemon: RunningDaemon, _ method: String, _ path: String, _ body: JSONValue = [:]
    ) async throws -> RunningDaemon.Answer {
        try await daemon.request(
            method, path, body: JSONWriter.bytes(body),
            headers: [(name: "Authorization", value: "Bearer \(Self.ann)")], authorised: false)
    }

    private func makeJob(
        _ daemon: RunningDaemon, _ data: JSONValue, _ extra: JSONValue = [:]
    ) async throws -> (uuid: String, token: String, callback: String) {
        var body: JSONValue = ["pipeline_uuid": .string(Self.pipeline), "data": data]
        for member in extra.object ?? [] { body = body.setting(member.name, member.value) }
        let made = try await daemon.post("/api/v1/jobs", body)
        #expect(made.status == 201, "\(made.text)")
        return (
            try #require(made.json["uuid"]?.string), try #require(made.json["token"]?.string),
            try #require(made.json["callback"]?.string)
        )
    }

    /// Calls a callback; answers what became of it.
    private func call(_ daemon: RunningDaemon, _ url: String, _ body: JSONValue = [:]) async throws -> JSONValue {
        let answer = try await daemon.request("POST", url, body: JSONWriter.bytes(body), authorised: false)
        #expect(answer.status == 200, "\(answer.text)")
        return try await daemon.finished(try #require(answer.json["result"]?["executionId"]?.string))
    }

    // MARK: Identity

    @Test func aDryRunTheCommandLineAndTheJobItselfAgree() async throws {
        try await withCatalogue { daemon in
            let body: JSONValue = [
                "pipeline_uuid": .string(Self.pipeline), "lab": "UW_BIOFAB", "experiment": "Yeast-Gates",
                "sample": "sample.uw_biofab.133737/A2", "session": "solid-snake", "actor_id": "e5QKEW8L0BeZ4",
                "data": ["param1": "value1"],
            ]
            let time = "2018-09-13T16:28:43Z"
            let planned = try await daemon.post("/api/v1/jobs?dry_run=true", body.setting("time", .string(time)))
            #expect(planned.status == 200, "\(planned.text)")
            let path =
                "/products/v1/55c8d93d-2115-53ba-ba05-446f47d7ff72/aaf646a5-7c05-5ab3-a144-5563fca6830d/"
                + "\(Self.pipeline)/solid-snake-20180913T162843Z"
            #expect(planned.json["uuid"] == "a7833f39-b676-54c4-8347-be141a5ba105")
            #expect(planned.json["path"]?.string == path && planned.json["exists"] == false)
            #expect(planned.json["instance"] == "solid-snake-20180913T162843Z")
            #expect(try await daemon.get("/api/v1/jobs")["jobs"] == [])

            let identified = try await daemon.runBeside([
                "job", "identify", "--pipeline-uuid", Self.pipeline, "--lab", "UW_BIOFAB", "--experiment",
                "Yeast-Gates", "--session", "solid-snake", "--actor-id", "e5QKEW8L0BeZ4", "--data",
                #"{"param1": "value1"}"#, "--time", time, "--json",
            ])
            #expect(identified.code == 0, "\(identified.output)")
            let answer = try JSONReader.read(Array(identified.output.utf8))
            for name in ["uuid", "path", "instance", "session", "generation", "identity"] {
                #expect(answer[name] == planned.json[name], "\(name)")
            }

            let made = try await daemon.post("/api/v1/jobs", body)
            #expect(made.json["uuid"] == planned.json["uuid"])
            let callback = try #require(made.json["callback"]?.string)
            #expect(
                planned.json["callback"]?.string?.replacing("${TOKEN}", with: made.json["token"]?.string ?? "")
                    == callback)
            // A second setup with the same actor and data is the same job, token and all.
            let again = try await daemon.post("/api/v1/jobs", body.setting("session", "other-name"))
            #expect(again.json["token"] == made.json["token"] && again.json["session"] == "solid-snake")
            #expect(try await daemon.post("/api/v1/jobs?dry_run=true", body).json["exists"] == true)
        }
    }

    // MARK: Tokens

    /// One answer for a wrong token, one that has expired, and none; nothing changes.
    @Test func whatDoesNotOpenIsOneAnswer() async throws {
        try await withCatalogue { daemon in
            let job = try await makeJob(daemon, ["n": 1])
            let bare = job.callback.replacing("&token=\(job.token)", with: "")
            var reasons: [JSONValue?] = []
            for url in [bare, job.callback.replacing(job.token, with: "0123456789abcdef")] {
                let ended = try await call(daemon, "\(url)&event=run")
                #expect(ended["outcome"] == "failed" && ended["result"]?["legal_events"] == nil)
                reasons.append(ended["reason"])
            }
            // Over since it was made.
            let renewed = try await daemon.post("/api/v1/jobs/\(job.uuid)/token", ["hours": 1e-9])
            #expect(renewed.status == 200, "\(renewed.text)")
            reasons.append(try await call(daemon, "\(job.callback)&event=run")["reason"])
            #expect(reasons == ["Token is not valid", "Token is not valid", "Token is not valid"])
            let refused = try await daemon.post(
                "/api/v1/jobs/\(job.uuid)/events", ["event": "run", "token": .string(job.token)])
            #expect(refused.status == 403 && refused.json["detail"] == "Token is not valid")
            let stranger = try await byAnn(daemon, "POST", "/api/v1/jobs/\(job.uuid)/events", ["event": "run"])
            #expect(stranger.status == 403 && stranger.json["detail"] == "Token is not valid")
            #expect(try await daemon.get("/api/v1/jobs/\(job.uuid)")["status"] == "CREATED")

            // For 72 hours again, and for another event.
            let again = try await daemon.post("/api/v1/jobs/\(job.uuid)/token", ["token_events": ["run", "retire"]])
            #expect(again.json["token"]?.string == job.token)
            #expect(try await call(daemon, "\(job.callback)&event=run")["outcome"] == "succeeded")
            let notAllowed = try await call(daemon, "\(job.callback)&event=fail")
            #expect(notAllowed["reason"]?.string?.contains("may not send fail, only run, retire") == true)
            let rotated = try await daemon.post("/api/v1/jobs/\(job.uuid)/token", ["rotate": true])
            #expect(rotated.json["token"]?.string != job.token)
            #expect(try await call(daemon, "\(job.callback)&event=run")["reason"] == "Token is not valid")
            let other = try await byAnn(daemon, "POST", "/api/v1/jobs/\(job.uuid)/token")
            #expect(other.status == 403)
        }
    }

    @Test func anAdminResetsReadiesAndDeletes() async throws {
        try await withCatalogue { daemon in
            let job = try await makeJob(daemon, ["n": 2])
            for event in ["reset", "ready"] {
                let refused = try await call(daemon, "\(job.callback)&event=\(event)")
                #expect(refused["reason"]?.string?.hasPrefix("Administrative token was not valid") == true)
            }
            let issued = try await daemon.post("/api/v1/admin-token", [:])
            let token = try #require(issued.json["token"]?.string)
            #expect(try await byAnn(daemon, "POST", "/api/v1/admin-token").status == 403)
            let byToken = job.callback.replacing(job.token, with: token)
            #expect(try await call(daemon, "\(byToken)&event=reset")["outcome"] == "succeeded")
            #expect(try await daemon.get("/api/v1/jobs/\(job.uuid)")["status"] == "RESET")
            // An admin by name needs none.
            let ready = try await daemon.post("/api/v1/jobs/\(job.uuid)/events", ["event": "READY"])
            #expect(ready.json["status"] == "CREATED", "\(ready.text)")
            _ = try await call(daemon, "\(job.callback)&event=run")

            let message = try await daemon.send(
                "pipeline-jobs-manager",
                ["uuid": .string(job.uuid), "action": "delete", "token": .string(job.token)])
            #expect(try await daemon.finished(message)["reason"] == "Administrative token was not valid")
            let deleted = try await daemon.send(
                "pipeline-jobs-manager", ["uuid": .string(job.uuid), "action": "delete", "token": .string(token)])
            #expect(try await daemon.finished(deleted)["outcome"] == "succeeded")
            #expect(try await daemon.request("GET", "/api/v1/jobs/\(job.uuid)").status == 404)

            // A callback of a job that is gone says so, and what it brought is kept.
            let late = try await call(daemon, "\(job.callback)&event=finish", ["result": 42])
            #expect(late["reason"]?.string?.contains("job \(job.uuid) was deleted at 20") == true)
            let letters = try await daemon.get("/api/v1/dead-letters")
            let letter = try #require(letters["dead_letters"]?.array?.first)
            #expect(letter["message"]?.string == #"{"result":42}"#)
            let wrong = try await call(daemon, "\(byToken.replacing(token, with: "0123456789abcdef"))&event=finish")
            #expect(wrong["reason"] == "Token is not valid")
            // To delete it once more is no news of the job: there is nothing to keep.
            let again = try await daemon.request("DELETE", "/api/v1/jobs/\(job.uuid)")
            #expect(again.status == 404 && again.json["detail"]?.string?.contains("was deleted at 20") == true)
            #expect(try await daemon.get("/api/v1/dead-letters")["dead_letters"]?.array?.count == 1)
        }
    }

    // MARK: Refusals

    @Test func aRefusedEventIsAnsweredWithWhatIsLegalAndAudited() async throws {
        try await withCatalogue { daemon in
            let job = try await makeJob(daemon, ["n": 3])
            let refused = try await daemon.post(
                "/api/v1/jobs/\(job.uuid)/events", ["name": "finish", "data": ["a": 1]])
            #expect(refused.status == 409, "\(refused.text)")
            #expect(refused.json["detail"] == "Can't trigger event finish from state CREATED!")
            #expect(refused.json["state"] == "CREATED")
            #expect(refused.json["legal_events"] == ["create", "run", "update", "resource", "fail", "reset"])
            let unknown = try await daemon.post("/api/v1/jobs/\(job.uuid)/events", ["event": "explode"])
            #expect(unknown.status == 400 && unknown.json["detail"]?.string?.hasPrefix("Unknown event explode") == true)
            let audit = JSONWriter.string(try await daemon.get("/api/v1/audit"))
            #expect(
                audit.contains(
                    #""action":"job.finish","target":"\#(job.uuid)","outcome":"refusedTransition: Can't trigger"#))
            let record = try await daemon.get("/api/v1/jobs/\(job.uuid)")
            #expect(record["status"] == "CREATED" && record["revision"] == 0)
            let history = try await daemon.get("/api/v1/jobs/\(job.uuid)/history")
            #expect(history["refused"]?.array?.first?["FINISH"]?["data"] == ["a": 1])

            let nobody = "a7833f39-b676-54c4-8347-be141a5ba100"
            let noJob = try await daemon.post("/api/v1/jobs/\(nobody)/events", ["event": "run"])
            #expect(noJob.status == 404 && noJob.json["detail"]?.string == "\(nobody) is not a valid job ID")
            let malformed = try await daemon.post(
                "/api/v1/jobs", ["pipeline_uuid": "f0f417f2-ba8b-5ac4-b421", "data": [:]])
            #expect(malformed.status == 400 && malformed.json["detail"]?.string?.contains("not a valid UUID5") == true)
        }
    }

    @Test func cancellingIsForWhatNeverRan() async throws {
        try await withCatalogue { daemon in
            let first = try await makeJob(daemon, ["n": 4])
            #expect(try await call(daemon, "\(first.callback)&event=cancel")["outcome"] == "succeeded")
            let gone = try await daemon.request("GET", "/api/v1/jobs/\(first.uuid)")
            #expect(gone.status == 404 && gone.json["detail"]?.string?.contains("was cancelled at") == true)
            // It may be made again.
            let again = try await makeJob(daemon, ["n": 4])
            #expect(again.uuid == first.uuid && again.token != first.token)
            _ = try await call(daemon, "\(again.callback)&event=run")
            let refused = try await daemon.send(
                "pipeline-jobs-manager",
                ["uuid": .string(again.uuid), "action": "cancel", "token": .string(again.token)])
            #expect(
                try await daemon.finished(refused)["reason"]
                    == "Cannot cancel a job once it is running. Send a \"fail\" event instead.")
            #expect(try await daemon.get("/api/v1/jobs/\(again.uuid)")["status"] == "RUNNING")
        }
    }

    // MARK: Pipelines

    @Test func pipelinesAreRegisteredChangedAndDisabled() async throws {
        try await withCatalogue { daemon in
            let unknown = try await daemon.post(
                "/api/v1/jobs", ["pipeline_uuid": "a4609424-508a-555c-9720-5ee3df44e777", "data": [:]])
            #expect(unknown.status == 400, "\(unknown.text)")
            #expect(unknown.json["detail"]?.string?.hasPrefix("No pipeline exists with UUID a4609424") == true)
            let twice = try await daemon.post("/api/v1/pipelines", KnownPipeline.tacobot.document)
            #expect(twice.status == 409)
            #expect(twice.json["detail"]?.string?.contains("with this distinct set of components already") == true)

            let second = try await daemon.post(
                "/api/v1/pipelines",
                [
                    "name": "Managed", "id": "sd2e/managedpipelinejob:101", "processing_levels": ["1"],
                    "components": [
                        ["id": "D0ZxR0wPLpoJA", "image": "index.docker.io/sd2e/jobs-demo-1:latest", "options": [:]]
                    ], "settings": ["machine": "v1", "token_events": "*"],
                ])
            let uuid = "106c46ff-8186-5756-a934-071f4497b58d"
            #expect(second.status == 201 && second.json["uuid"]?.string == uuid, "\(second.text)")
            let job = try await daemon.post(
                "/api/v1/jobs", ["pipeline_uuid": .string(uuid), "child_of": [], "data": [:]])
            #expect(job.json["uuid"] == "10792d3c-395c-57e0-a694-006cf03d3970" && job.json["generation"] == 2)
            // Its machine is the one of its pipeline.
            let early = try await daemon.post(
                "/api/v1/jobs/10792d3c-395c-57e0-a694-006cf03d3970/events", ["event": "update"])
            #expect(early.json["detail"] == "Can't trigger event update from state created!")

            let token = try #require(second.json["token"]?.string)
            for (shown, outcome) in [("0123456789abcdef", "failed"), (token, "succeeded")] {
                let message = try await daemon.send(
                    "pipelines-manager",
                    ["uuid": .string(uuid), "action": "disable", "token": .string(shown)])
                #expect(try await daemon.finished(message)["outcome"]?.string == outcome)
            }
            let disabled = try await daemon.post("/api/v1/jobs", ["pipeline_uuid": .string(uuid), "data": ["n": 5]])
            #expect(disabled.status == 409 && disabled.json["detail"]?.string?.contains("is disabled") == true)
            #expect(try await byAnn(daemon, "POST", "/api/v1/pipelines/\(uuid)/enable").status == 403)
            #expect(try await daemon.post("/api/v1/pipelines/\(uuid)/enable", [:]).json["enabled"] == true)
            let renamed = try await daemon.request(
                "PUT", "/api/v1/pipelines/\(uuid)", body: Array(#"{"description": "what it is for"}"#.utf8))
            #expect(renamed.json["description"] == "what it is for" && renamed.json["name"] == "Managed")
            let other = try await daemon.request(
                "PUT", "/api/v1/pipelines/\(uuid)", body: Array(#"{"components": [{"uri": "x"}]}"#.utf8))
            #expect(other.status == 409 && other.json["detail"]?.string?.contains("!= document.uuid") == true)
            try await byCommand(daemon, uuid)
            let list = try await daemon.get("/api/v1/pipelines")
            #expect(list["pipelines"]?.array?.count == 2 && list["next"] == .null)
            #expect(!JSONWriter.string(list).contains(token))
        }
    }

    private func byCommand(_ daemon: RunningDaemon, _ uuid: String) async throws {
        func run(_ words: String...) async throws -> (code: Int32, output: String) {
            try await daemon.runBeside(
                ["pipelines"] + words + ["--url", daemon.base, "--token", daemon.token])
        }
        let listed = try await run()
        #expect(listed.code == 0 && listed.output.contains("\(uuid)  Managed"), "\(listed.output)")
        let page = try await run("list", "--limit", "1", "--json")
        #expect(try JSONReader.read(Array(page.output.utf8))["pipelines"]?.array?.count == 1)
        let changed = try await run("update", uuid, #"{"settings": {"callbacks": "slurm"}}"#)
        #expect(changed.output == "updated \(uuid)\n")
        #expect(try await run("disable", uuid).output == "disabled \(uuid)\n")
        let shown = try JSONReader.read(Array(try await run("show", uuid).output.utf8))
        #expect(shown["enabled"] == false && shown["settings"]?["callbacks"] == "slurm")
        #expect(try await run("enable", uuid).code == 0)
        let made = try await daemon.runBeside([
            "job", "create", #"{"pipeline_uuid": "\#(uuid)", "child_of": [], "data": {"n": 9}}"#, "--url", daemon.base,
            "--token", daemon.token,
        ])
        let lines = made.output.split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
        #expect(made.code == 0 && lines.map(\.first) == ["uuid", "path", "callback"], "\(made.output)")
        #expect(lines.last?.last?.hasPrefix("\(daemon.base)/actors/v2/") == true)
        for (words, code) in [(["show", "nothing"], 1), (["register", "{}"], 1), (["register", "{"], 2)] {
            let ended = try await daemon.runBeside(
                ["pipelines"] + words + ["--url", daemon.base, "--token", daemon.token])
            #expect(ended.code == Int32(code), "\(words): \(ended.output)")
        }
    }

    // MARK: History

    @Test func historiesAreSerialisedChainedAndDrawn() async throws {
        try await withCatalogue { daemon in
            let job = try await makeJob(daemon, ["n": 6])
            _ = try await call(daemon, "\(job.callback)&event=run")
            // From many at once: each is decided on what the one before it left.
            let (client, url) = (daemon.client, "\(daemon.base)/api/v1/jobs/\(job.uuid)/events")
            let headers = [
                (name: "Authorization", value: "Bearer \(daemon.token)"),
                (name: "Content-Type", value: "application/json"),
            ]
            try await withThrowingTaskGroup(of: Int.self) { group in
                for number in 0..<32 {
                    group.addTask {
                        let body: JSONValue = ["event": "update", "data": ["n": JSONValue(number)]]
                        return try await client.send(
                            OutgoingRequest(
                                method: "POST", url: url, headers: headers, body: JSONWriter.bytes(body),
                                timeoutMilliseconds: 60000, maxResponseBytes: 1_000_000),
                            policy: .anywhere
                        ).status
                    }
                }
                for try await status in group { #expect(status == 200) }
            }
            let finish = try await daemon.post("/api/v1/jobs/\(job.uuid)/events", ["event": "finish"])
            #expect(finish.json["revision"] == 34)
            let first = try await daemon.get("/api/v1/jobs/\(job.uuid)/history")["history"]?.array ?? []
            #expect(first.count == 35)
            #expect(first.first?["CREATE"]?["data"] == .null)
            #expect(first.last?["FINISH"]?["date"]?.string?.wholeMatch(of: #/\d{4}-.*T.*\.\d{3}\+0000/#) != nil)
            let numbers = first.compactMap { $0["UPDATE"]?["data"]?["n"]?.int }
            #expect(numbers.count == 32 && Set(numbers).count == 32)
            let second = try await daemon.get("/api/v1/jobs/\(job.uuid)?form=2")
            #expect(second["state"] == "FINISHED" && second["last_event"] == "finish")
            let line = try #require(second["history"]?.array?.last)
            #expect(line.object?.map(\.name) == ["name", "date", "data", "uuid"])
            #expect(line["uuid"]?.string?.hasPrefix("108") == true)
            #expect(line["date"]?.string?.hasSuffix(".000+0000") == true)

            let verified = try await daemon.get("/api/v1/jobs/\(job.uuid)/verify")
            #expect(verified["ok"] == true && verified["lines"] == 35)
            let offline = try await daemon.runBeside(["job", "verify", "--all", "--data-dir", daemon.data, "--json"])
            #expect(offline.code == 0, "\(offline.output)")
            #expect(try JSONReader.read(Array(offline.output.utf8))["lines"] == 35)

            let drawing = try await daemon.request("GET", "/api/v1/jobs/\(job.uuid)/fsm.svg")
            #expect(drawing.status == 200)
            #expect(drawing.text.contains(#"<g class="arrow lit" data-from="CREATED" data-to="RUNNING">"#))
            #expect(drawing.text.contains(#"<g class="state visited current" data-state="FINISHED">"#))
            #expect(drawing.text.contains(#"<g class="arrow" data-from="RUNNING" data-to="FAILED">"#))
        }
    }
}
