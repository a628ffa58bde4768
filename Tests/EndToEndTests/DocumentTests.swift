import ActorCore
import Foundation
import Testing

/// The document that users of the job catalogue know: its code blocks, run as they stand against the real daemon.
@Suite(.serialized) struct DocumentTests {
    static let manager = "G56vjoAVzGkkq"

    /// A daemon that is set up as the document says; `outlines` are actors, each a `reactor.py`.
    private func daemon(_ document: PipelineJobsDocument, _ outlines: [String: String]) throws -> RunningDaemon {
        let settings = try document.block("Extend the Reactor configuration file", "yaml")
        var actors: [String: [String: String]] = [:]
        for (name, script) in outlines {
            actors[name] = [
                "actor.yml": """
                name: \(name)
                run: {command: [python3, reactor.py]}
                retry: {attempts: 1}
                stateless: false
                secrets: [_REACTOR_PIPELINES_AUTHN, _REACTOR_PIPELINES_UPDATES_NONCE]
                """,
                "config.yml": settings,
                "reactor.py": script,
            ]
        }
        let daemon = try RunningDaemon(actors: actors)
        try daemon.write(try document.block("Add deployment secrets", "json"), to: "secrets.json", mode: 0o600)
        let declaration = "actors/pipeline-jobs-manager/actor.yml"
        let text = try String(contentsOfFile: "\(daemon.folder)/\(declaration)", encoding: .utf8)
        try daemon.write("\(text)id: \(Self.manager)\n", to: declaration)
        return daemon
    }

    /// Sends an outline an empty message; answers what it printed, line by line, without what it logged.
    private func printed(by actor: String, _ daemon: RunningDaemon) async throws -> [String] {
        let execution = try await daemon.finished(try await daemon.send(actor, [:]))
        let log = try await daemon.request("GET", "/api/v1/executions/\(execution["id"]?.string ?? "")/logs")
        let id = execution["actor_id"]?.string ?? "?"
        #expect(execution["outcome"]?.string == "succeeded", "\(execution)\n\(log.text)")
        return log.text.split(separator: "\n").map(String.init).filter { !$0.hasPrefix("\(id) ") }
    }

    // MARK: Outlines

    @Test func whatTheOutlinesPrintIsWhatTheDocumentSays() async throws {
        let document = try PipelineJobsDocument()
        let stub = "Set up a stub PipelineJob"
        let uuid = "print(my_job.uuid)\n"
        let walk = try document.script([
            stub, "Instantiate the PipelineJob", "Start the PipelineJob running", "Update the PipelineJob",
            "Failing a PipelineJob",
        ])
        let outlines = [
            "walk": walk + uuid, "chain": try document.script([stub, "Chaining operations"]) + uuid,
            // The fields that the document names, and the one path that it prints.
            "example": "from reactors.utils import Reactor\n"
                + "from datacatalog.pipelinejobs import PipelineJob\n"
                + "rx = Reactor()\n"
                + "rx.settings.pipelines.pipeline_uuid = '3b98ff33-d982-5cdc-9f02-5a70471e9629'\n"
                + "my_job = PipelineJob(rx, 'emerald', 'Unknown', 'sample', 'measurement')\n"
                + "print(my_job.path)\n",
        ]
        try await withDaemon(try daemon(document, outlines)) { daemon in
            try await daemon.start()
            try await daemon.register(.tacobot)
            let said = document.expectations([
                stub, "Instantiate the PipelineJob", "Start the PipelineJob running", "Update the PipelineJob",
                "Failing a PipelineJob",
            ])
            #expect(said.dropFirst() == ["CREATED", "RUNNING", "FAILED"])
            let lines = try await printed(by: "walk", daemon)
            #expect(Array(lines.dropFirst().dropLast()) == Array(said.dropFirst()), "\(lines)")
            let lab = "55c8d93d-2115-53ba-ba05-446f47d7ff72/aaf646a5-7c05-5ab3-a144-5563fca6830d"
            let pipeline = "f0f417f2-ba8b-5ac4-b421-255b69553391"
            let mine = try Regex("/products/v1/\(lab)/\(pipeline)/[a-z]+-[a-z]+-[0-9]{8}T[0-9]{6}Z")
            #expect(lines.first?.wholeMatch(of: mine) != nil, "\(lines)")
            try await checkWalk(try #require(lines.last), daemon)

            let chained = try await printed(by: "chain", daemon)
            #expect(chained.dropLast().last == document.expectations(["Chaining operations"]).last, "\(chained)")
            let job = try await daemon.get("/api/v1/jobs/\(try #require(chained.last))")
            #expect(job["data"] == ["key1": "value1"])

            let example = try #require(try await printed(by: "example", daemon).first)
            let (path, theirs) = (example.split(separator: "/"), said[0].split(separator: "/"))
            #expect(path.count == theirs.count)
            // The measurement is not known any more, session and time are its own.
            for place in [0, 1, 2, 3, 5] { #expect(path[place] == theirs[place], "\(example)") }
        }
    }

    private func checkWalk(_ uuid: String, _ daemon: RunningDaemon) async throws {
        let job = try await daemon.get("/api/v1/jobs/\(uuid)")
        #expect(job["status"]?.string == "FAILED")
        let names = job["history"]?.array?.compactMap { $0.object?.first?.name }
        #expect(names == ["CREATE", "RUN", "RUN", "RUN", "UPDATE", "FAIL"], "\(job)")
        let actor = try await daemon.get("/api/v1/actors/walk")["id"] ?? .null
        let asked = try await daemon.post(
            "/api/v1/jobs?dry_run=true",
            ["pipeline_uuid": "f0f417f2-ba8b-5ac4-b421-255b69553391", "actor_id": actor])
        #expect(asked.json["uuid"]?.string == uuid, "\(asked.text)")
    }

    /// `setup`, `run` and `update` leave the history that the document shows.
    @Test func theHistoryIsTheOneThatIsShown() async throws {
        let document = try PipelineJobsDocument()
        let script =
            try document.script(["Set up a stub PipelineJob"]) + "my_job.setup()\nmy_job.run()\n"
            + document.code("Update the PipelineJob")
            + "import json\nprint(json.dumps({'history': my_job.history}))\n"
        try await withDaemon(try daemon(document, ["shown": script])) { daemon in
            try await daemon.start()
            try await daemon.register(.tacobot)
            let line = try #require(try await printed(by: "shown", daemon).last)
            let history = try JSONReader.read(Array(line.utf8))
            let shown = try JSONReader.read(Array(try document.block("Update the PipelineJob", "json").utf8))
            #expect(try Self.undated(history) == Self.undated(shown), "\(line)")
        }
    }

    /// The same without its dates, each of which has milliseconds.
    private static func undated(_ history: JSONValue) throws -> JSONValue {
        let date = try Regex("[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}[.][0-9]{3}(Z|[+]0000)?")
        let lines = (history["history"]?.array ?? []).map { line in
            JSONValue.object(
                (line.object ?? []).map { entry in
                    #expect(entry.value["date"]?.string?.wholeMatch(of: date) != nil, "\(entry)")
                    return .init(entry.name, entry.value.removing("date"))
                })
        }
        return .array(lines)
    }

    @Test func cancellingTakesAJobAwayUnlessItRan() async throws {
        let document = try PipelineJobsDocument()
        let cancel = try document.code("Cancel a PipelineJob")
        let stub = try document.script(["Set up a stub PipelineJob"])
        let outlines = [
            "early": stub + "my_job.setup()\nprint(my_job.uuid)\n" + cancel + "print(my_job.status)\n",
            "late": stub + "my_job.setup().run()\nprint(my_job.uuid)\ntry:\n    " + cancel
                + "except Exception as problem:\n    print(problem)\nprint(my_job.status)\n",
        ]
        try await withDaemon(try daemon(document, outlines)) { daemon in
            try await daemon.start()
            try await daemon.register(.tacobot)
            let early = try await printed(by: "early", daemon)
            #expect(early.last == "None")
            let gone = try await daemon.request("GET", "/api/v1/jobs/\(early.dropLast().last ?? "")")
            #expect(gone.status == 404, "\(gone.text)")
            let late = try await printed(by: "late", daemon)
            #expect(late.last == "RUNNING")
            #expect(late.dropLast().last?.contains("Cannot cancel a job once it is running.") == true, "\(late)")
        }
    }

    // MARK: Deferred updates

    @Test func aJobElsewhereMovesThePipelineJobByItsNotification() async throws {
        let document = try PipelineJobsDocument()
        let outline = try document.script(["Set up a stub PipelineJob"]) + "my_job.setup()\nprint(my_job.uuid)\n"
        try await withDaemon(try daemon(document, ["outline": outline])) { daemon in
            try await daemon.start()
            try await daemon.register(.tacobot)
            let uuid = try #require(try await printed(by: "outline", daemon).last)
            let job = try await daemon.get("/api/v1/jobs/\(uuid)")
            let callback = try #require(job["callback"]?.string)
            let token = try #require(job["token"]?.string)

            // The URL of the document with our address, uuid and token in it is the job's callback.
            let blocks = document.blocks("Update from an Agave Job", "json")
            let notification = try JSONReader.read(Array(blocks[1].utf8))
            let url = try #require(notification["url"]?.string)
                .replacing("https://api.sd2e.org", with: daemon.base)
                .replacing("940a5adc78720505", with: token)
                .replacing("58fa9ec7-6c25-5525-94f3-e853335e2f17", with: uuid)
            #expect(url == "\(callback)&status=${STATUS}")

            // What Agave posts is the job as it is then.
            let definition = try JSONReader.read(Array(blocks[0].utf8))
            for status in ["RUNNING", "FINISHED"] {
                let body = definition.setting("status", .string(status))
                let answer = try await daemon.request(
                    "POST", url.replacing("${STATUS}", with: status), body: JSONWriter.bytes(body), authorised: false)
                #expect(answer.status == 200, "\(answer.text)")
                let execution = try #require(answer.json["result"]?["executionId"]?.string)
                #expect(try await daemon.finished(execution)["outcome"]?.string == "succeeded")
            }
            let moved = try await daemon.get("/api/v1/jobs/\(uuid)")
            #expect(moved["status"]?.string == "FINISHED")
            let last = moved["history"]?.array?.last?["FINISH"]
            #expect(last?["data"] == definition.setting("status", "FINISHED"), "\(moved)")
        }
    }

    /// The example message, sent by curl and by another Reactor: neither worked where the document comes from.
    @Test func theExampleMessageUpdatesAJob() async throws {
        let document = try PipelineJobsDocument()
        let outline = try document.script(["Set up a stub PipelineJob"]) + "my_job.setup().run()\nprint(my_job.uuid)\n"
        let other = try document.script(["Update from a Reactor"])
        try await withDaemon(try daemon(document, ["outline": outline, "other": other])) { daemon in
            try await daemon.start()
            try await daemon.register(.tacobot)
            let uuid = try #require(try await printed(by: "outline", daemon).last)
            let token = try #require(try await daemon.get("/api/v1/jobs/\(uuid)")["token"]?.string)
            func ours(_ text: String) -> String {
                text.replacing("58fa9ec7-6c25-5525-94f3-e853335e2f17", with: uuid)
                    .replacing("940a5adc78720505", with: token)
            }
            let message = ours(
                #"{"uuid": "58fa9ec7-6c25-5525-94f3-e853335e2f17", "event": "update", "data": {"key4": "value4"}, "#
                    + #""token": "940a5adc78720505"}"#)
            let url = "\(daemon.base)/actors/v2/\(Self.manager)/messages?x-nonce=SD2E_XqsfKLFd3nrN"
            let answer = try Self.curl(["-H", "Content-Type: application/json", "-d", message, url])
            let execution = try #require(answer["result"]?["executionId"]?.string, "\(answer)")
            #expect(try await daemon.finished(execution)["outcome"]?.string == "succeeded")

            try daemon.write(ours(other), to: "actors/other/reactor.py")
            _ = try await daemon.until("/actors/v2/other") { $0["result"]?["revision"]?.int == 2 }
            _ = try await printed(by: "other", daemon)
            let job = try await daemon.until("/api/v1/jobs/\(uuid)") { $0["history"]?.array?.count == 4 }
            let updates = job["history"]?.array?.compactMap { $0["UPDATE"]?["data"] }
            #expect(updates == [["key4": "value4"], ["key4": "value4"]])
        }
    }

    /// The example actor, as docs/python.md and Examples/README.md have it.
    @Test func theExampleKeepsItsResultAsAJob() async throws {
        let folder = "\(RunningDaemon.root)/Examples/plate-qc"
        var files: [String: String] = [:]
        for name in ["actor.yml", "config.yml", "message.jsonschema", "reactor.py"] {
            files[name] = try String(contentsOfFile: "\(folder)/\(name)", encoding: .utf8)
        }
        let sample = try String(contentsOfFile: "\(folder)/samples/plate.json", encoding: .utf8)
        let plate = try JSONReader.read(Array(sample.utf8))
        try await withDaemon(RunningDaemon(actors: ["plate-qc": files])) { daemon in
            try await daemon.start()
            let registered = try await daemon.runBeside([
                "pipelines", "register", "@\(folder)/pipeline.json", "--url", daemon.base, "--token", daemon.token,
            ])
            #expect(registered.code == 0, "\(registered.output)")
            #expect(registered.output.hasPrefix("c429462d-e7d8-5c17-b6b0-a1beb82d278e\ntoken "))
            let good = try await daemon.finished(try await daemon.send("plate-qc", plate))
            #expect(good["outcome"]?.string == "succeeded", "\(good)")
            let wells = (plate["wells"]?.array ?? []).map { $0.setting("value", 7) }
            let bad = try await daemon.finished(
                try await daemon.send("plate-qc", plate.setting("wells", .array(wells))))
            #expect(bad["exit_code"]?.int == 1, "\(bad)")
            let jobs = try await daemon.get("/api/v1/jobs?history=true")["jobs"]?.array ?? []
            let ends = Dictionary(
                jobs.map { ($0["status"]?.string ?? "", $0["history"]?.array?.last ?? .null) }, uniquingKeysWith: { $1 }
            )
            #expect(ends["FINISHED"]?["FINISH"]?["data"]?["z_prime"] == 0.961, "\(jobs)")
            let reason = ends["FAILED"]?["FAIL"]?["data"]?["reason"]?.string
            #expect(reason == "positive and negative controls have the same mean", "\(jobs)")
        }
    }

    private static func curl(_ arguments: [String]) throws -> JSONValue {
        let process = Process()
        let output = Pipe()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["curl", "--silent", "--show-error", "--max-time", "60"] + arguments
        process.standardOutput = output
        try process.run()
        let bytes = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return try JSONReader.read([UInt8](bytes))
    }

    @Test func aTokenIsGoodFor72HoursAndCanBeRenewed() async throws {
        let document = try PipelineJobsDocument()
        let outline = try document.script(["Set up a stub PipelineJob"]) + "my_job.setup().run()\nprint(my_job.uuid)\n"
        let daemon = try daemon(document, ["outline": outline])
        let clock = try ClockShift(in: daemon.folder)
        daemon.environment = clock.environment
        try await withDaemon(daemon) { daemon in
            try await daemon.start()
            try await daemon.register(.tacobot)
            let uuid = try #require(try await printed(by: "outline", daemon).last)
            let callback = try #require(try await daemon.get("/api/v1/jobs/\(uuid)")["callback"]?.string)
            func update(_ hours: Int64) async throws -> JSONValue {
                clock.set(ahead: hours * ClockShift.hour)
                let answer = try await daemon.request(
                    "POST", "\(callback)&event=update", body: JSONWriter.bytes(["hours": .int(hours)]),
                    authorised: false)
                return try await daemon.finished(try #require(answer.json["result"]?["executionId"]?.string))
            }
            #expect(try await update(71)["outcome"]?.string == "succeeded")
            let expired = try await update(73)
            #expect(expired["outcome"]?.string == "failed")
            // No other words than a wrong one gets: whoever tries tokens learns nothing.
            #expect(expired["reason"]?.string == "Token is not valid", "\(expired)")
            let renewed = try await daemon.post("/api/v1/jobs/\(uuid)/token", [:])
            #expect(renewed.status == 200, "\(renewed.text)")
            #expect(renewed.json["callback"]?.string == callback)
            #expect(try await update(100)["outcome"]?.string == "succeeded")
            let job = try await daemon.get("/api/v1/jobs/\(uuid)")
            let hours = job["history"]?.array?.compactMap { $0["UPDATE"]?["data"]?["hours"]?.int }
            #expect(hours == [71, 100])
        }
    }
}

/// The code blocks of the document, from `Tests/PythonTests/pipelinejobs.rst`: word for word, under their headings.
struct PipelineJobsDocument {
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    struct Block {
        let heading: String
        let language: String
        let text: String
    }

    /// What is misprinted there, so that no Python could read it.
    static let misprints = [
        (wrong: "{'key4': 'value4'}\n", right: "{'key4': 'value4'},\n"),
        (wrong: "update('{key2': 'value2'})", right: "update({'key2': 'value2'})"),
    ]

    let all: [Block]

    init() throws {
        let path = "\(RunningDaemon.root)/Tests/PythonTests/pipelinejobs.rst"
        let lines = try String(contentsOfFile: path, encoding: .utf8)
            .split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        var all: [Block] = []
        var heading = ""
        var index = 0
        while index < lines.count {
            let line = lines[index]
            index += 1
            if let mark = line.first, "=*^~".contains(mark), line.allSatisfy({ $0 == mark }), index > 1 {
                heading = lines[index - 2]
            }
            guard line.hasPrefix(".. code-block:: ") else { continue }
            var text: [Substring] = []
            while index < lines.count, lines[index].hasPrefix("   ") || lines[index].isEmpty {
                text.append(lines[index].dropFirst(3))
                index += 1
            }
            while text.first?.isEmpty == true { text.removeFirst() }
            while text.last?.isEmpty == true { text.removeLast() }
            all.append(
                Block(
                    heading: heading, language: String(line.dropFirst(".. code-block:: ".count)),
                    text: text.joined(separator: "\n") + "\n"))
        }
        self.all = all
        for misprint in Self.misprints where !all.contains(where: { $0.text.contains(misprint.wrong) }) {
            throw Failure(description: "the document does not say \(misprint.wrong)")
        }
    }

    func blocks(_ heading: String, _ language: String) -> [String] {
        all.filter { $0.heading == heading && $0.language == language }.map(\.text)
    }

    func block(_ heading: String, _ language: String) throws -> String {
        guard let text = blocks(heading, language).first else {
            throw Failure(description: "the document has no \(language) under \(heading)")
        }
        return text
    }

    /// What is to be typed under a heading: without what the document says is printed, and without its misprints.
    func code(_ heading: String) throws -> String {
        let parts = all.filter { $0.heading == heading && ["python", "pycon"].contains($0.language) }
        guard !parts.isEmpty else { throw Failure(description: "the document has no Python under \(heading)") }
        let lines = parts.flatMap { $0.text.split(separator: "\n", omittingEmptySubsequences: false) }
        let typed = lines.filter { !$0.hasPrefix(">>> ") }.joined(separator: "\n") + "\n"
        return Self.misprints.reduce(typed) { $0.replacing($1.wrong, with: $1.right) }
    }

    /// The blocks under these headings as one `reactor.py`. Where Reactor comes from the document does not say.
    func script(_ headings: [String]) throws -> String {
        try headings.reduce("from reactors.utils import Reactor\n") { $0 + (try code($1)) }
    }

    /// What the document says is printed, without its quotes.
    func expectations(_ headings: [String]) -> [String] {
        headings.flatMap { heading in
            all.filter { $0.heading == heading && $0.language == "pycon" }.flatMap { $0.text.split(separator: "\n") }
                .filter { $0.hasPrefix(">>> ") }.map { String($0.dropFirst(4)).trimmingCharacters(in: ["'"]) }
        }
    }
}
