import ActorCore
import Testing

/// The tables by which the states of job platforms become events.
@Suite struct CallbackMapTests {
    private func map(_ name: String) throws -> CallbackMap { try #require(CallbackMap.builtIn[name]) }

    private func json(_ text: String) throws -> JSONValue { try JSONReader.read(Array(text.utf8)) }

    @Test(arguments: [
        ("agave", "running", "run"), ("agave", "FINISHED", "finish"), ("agave", "KILLED", "fail"),
        ("agave", "UPDATED", "update"), ("agave", "ZAPPED", "update"), ("agave", "DELETED", "fail"),
        ("agave-2019", "KILLED", "update"), ("agave-2019", "UPDATED", "updated"), ("agave-v1", "KILLED", "fail"),
        ("agave-v1", "STAGING_INPUTS", "update"), ("agave-2018", "KILLED", "update"), ("slurm", "CD", "finish"),
        ("slurm", "CANCELLED by 1000", "fail"), ("slurm", "CANCELLED+", "fail"), ("slurm", "OUT_OF_MEMORY", "fail"),
        ("slurm", "PENDING", "resource"), ("kubernetes", "Succeeded", "finish"), ("kubernetes", "Failed", "fail"),
        ("kubernetes", "Error", "fail"), ("argo", "Succeeded", "finish"), ("argo", "Failed", "fail"),
        ("argo", "Error", "fail"), ("argo", "Running", "run"), ("argo", "Pending", "resource"),
        ("nextflow", "started", "run"), ("nextflow", "error", "fail"), ("nextflow", "completed", "finish"),
        ("tes", "COMPLETE", "finish"), ("tes", "EXECUTOR_ERROR", "fail"), ("tes", "PREEMPTED", "fail"),
        ("wes", "INITIALIZING", "resource"), ("wes", "CANCELING", "update"), ("exit-code", "0", "finish"),
        ("exit-code", "137", "fail"),
    ])
    func byTheURL(name: String, status: String, event: String) throws {
        #expect(try map(name).read(status: status, body: .null)?.event == event)
    }

    @Test(arguments: ["CREATED", "PENDING", "RUNNING_X"])
    func whatSaysNothingFallsThrough(status: String) throws {
        let reading = try #require(try map("agave-v1").read(status: status, body: .null))
        #expect(reading.event == (status == "RUNNING_X" ? "update" : nil))
        #expect(reading.status == status)
    }

    @Test(arguments: [
        ("kubernetes", #"{"status":{"conditions":[{"type":"Complete","status":"True"}],"succeeded":1}}"#, "finish"),
        ("kubernetes", #"{"status":{"conditions":[{"type":"Failed","status":"True","reason":"X"}]}}"#, "fail"),
        ("kubernetes", #"{"status":{"conditions":[{"type":"Complete","status":"False"}],"active":2}}"#, "run"),
        ("kubernetes", #"{"type":"MODIFIED","object":{"status":{"active":1}}}"#, "run"),
        ("kubernetes", #"{"kind":"Pod","status":{"phase":"Pending"}}"#, "resource"),
        ("argo", #"{"kind":"Workflow","status":{"phase":"Error"}}"#, "fail"),
        ("argo", #"{"result":{"type":"MODIFIED","object":{"status":{"phase":"Running"}}}}"#, "run"),
        ("nextflow", #"{"runName":"x","event":"started"}"#, "run"),
        ("nextflow", #"{"event":"process_completed","trace":{"exit":0}}"#, "update"),
        ("nextflow", #"{"event":"completed","metadata":{"workflow":{"success":true}}}"#, "finish"),
        ("nextflow", #"{"event":"completed","metadata":{"workflow":{"success":false}}}"#, "fail"),
        ("tes", #"{"id":"1","state":"SYSTEM_ERROR"}"#, "fail"), ("wes", #"{"run_id":"1","state":"RUNNING"}"#, "run"),
        ("slurm", #"{"jobs":[{"job_id":1,"job_state":["COMPLETED"]}]}"#, "finish"),
        ("slurm", #"{"job_state":"R"}"#, "run"), ("exit-code", #"{"exit_code":3}"#, "fail"),
    ])
    func byTheBody(name: String, body: String, event: String) throws {
        #expect(try map(name).read(status: nil, body: try json(body))?.event == event)
    }

    @Test func aProcessThatStartsIsNoNews() throws {
        let reading = try map("nextflow").read(status: nil, body: try json(#"{"event":"process_started"}"#))
        #expect(reading == CallbackMap.Reading(status: "PROCESS_STARTED", event: nil))
        #expect(try map("tes").read(status: nil, body: try json(#"{"a":1}"#)) == nil)
    }

    @Test func aStepThatIsLeftOutIsNoNews() throws {
        for status in ["Skipped", "Omitted"] {
            let reading = try #require(try map("argo").read(status: status, body: .null))
            #expect(reading.event == nil)
        }
    }

    @Test func aTableThatIsNotThere() throws {
        let house: JSONValue = ["callback_maps": ["pbs": [:]]]
        #expect(CallbackMap.refusal(of: "argo", in: house) == nil)
        #expect(CallbackMap.refusal(of: "pbs", in: house) == nil)
        for name in ["pbs", "agro", ""] {
            let refusal = try #require(CallbackMap.refusal(of: name, in: [:]))
            #expect(refusal.hasPrefix("there is no callback map \(name); there are agave, "))
        }
        #expect(CallbackMap.refusal(of: "agro", in: house)?.contains("pbs") == true)
    }

    @Test func repeats() throws {
        let agave = try map("agave")
        #expect(agave.isRepeat("RUNNING", seen: ["RUNNING", "ARCHIVING"]))
        #expect(!agave.isRepeat("FINISHED", seen: ["RUNNING"]))
        let slurm = try map("slurm")
        #expect(slurm.isRepeat("RUNNING", seen: ["PENDING", "RUNNING"]))
        #expect(!slurm.isRepeat("RUNNING", seen: ["RUNNING", "REQUEUED"]))
        #expect(!(try map("nextflow")).isRepeat("PROCESS_COMPLETED", seen: ["PROCESS_COMPLETED"]))
    }

    @Test(arguments: CallbackMap.builtIn.keys.sorted())
    func whatIsPublishedCanBeReadBack(name: String) throws {
        var map = try map(name)
        // Only the table as it was published leads to what is no event.
        if name == "agave-2019" { map.statuses["UPDATED"] = "update" }
        #expect(try CallbackMap(name: name, json: map.json, at: "/maps/\(name)") == map)
        for status in map.statuses.keys {
            if let event = map.statuses[status] ?? nil { #expect(PipelineJobEvent(rawValue: event) != nil) }
        }
    }

    @Test(arguments: [
        (#"{"statuses":{"R":"started"}}"#, "/statuses/R"), (#"{"stati":{}}"#, "/stati"),
        (#"{"status_at":["x"]}"#, "/status_at"), (#"{"repeats":"never"}"#, "/repeats"), (#"[]"#, "/"),
        (#"{"rules":[{"event":"run"}]}"#, "/rules/0/when"),
        (#"{"rules":[{"when":{"/a":[1]},"event":"go"}]}"#, "/rules/0/event"),
    ])
    func aBadTableIsNamed(text: String, place: String) throws {
        let error = #expect(throws: ActorError.self) {
            try CallbackMap(name: "own", json: try json(text), at: "/callback_maps/own")
        }
        #expect(error?.details.first?.place == "/callback_maps/own\(place)")
    }

    @Test func places() throws {
        let value = try json(#"{"a/b":[{"t":"x","v":1},{"t":"y","v":[true]}],"m~n":2}"#)
        #expect(JSONPlace("/a~1b/[t=y]/v/0")?.value(in: value) == true)
        #expect(JSONPlace("/a~1b/1/t")?.value(in: value) == "y")
        #expect(JSONPlace("/m~0n")?.value(in: value) == 2)
        #expect(JSONPlace("/a~1b/[t=z]/v")?.value(in: value) == nil)
        // Nothing, which is not the null that a body may hold.
        let beyond = JSONPlace("/a~1b/7").map { $0.value(in: value) == nil as JSONValue? }
        #expect(beyond == true)
        #expect(JSONPlace("a") == nil)
    }
}
