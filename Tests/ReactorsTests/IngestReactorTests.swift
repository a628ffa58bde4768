import ActorCore
import ActorTesting
import Reactors
import Testing

/// An upload's way from the inbox to its jobs.
@Suite struct IngestReactorTests {
    private static let ephys = "2026-11-21-e-mitbih208"

    private let world = TestWorld()
    private let files = ModelLabFiles()
    private let repositories = ModelRepositories()
    private let mailer = ModelMailer()
    private let secrets = Kept(["HOOK": "whsec_" + String(repeating: "AAAA", count: 8)])

    private func deliver(
        _ body: JSONValue, execution: String = "execution", attempts: Int = 0, settings: JSONValue = [:],
        crash: TestContext.CrashPoint? = nil
    ) async throws {
        var setup = TestContext.Setup()
        setup.settings = settings
        setup.crash = crash
        setup.folder = "/actors/ingest"
        setup.secrets = secrets.value
        let reactor = IngestReactor(
            tools: ReactorTools(
                files: files, archive: MemoryLab(), documents: JSONDocuments(), repositories: repositories,
                mailer: mailer, executor: ModelExecutor(),
                limits: Limits(), home: "/house"))
        try await world.deliver(
            envelope(body, sender: "inbox", execution: execution, attempts: attempts), to: reactor, as: setup)
    }

    private func jobFile(
        _ path: String, name: String = "beats-${UUID}", appliesTo: String? = nil, after: String? = nil,
        condition: String? = nil
    ) -> JobFile {
        var annotations: JSONValue = [:]
        if let appliesTo { annotations = annotations.setting("reactord/applies-to", .string(appliesTo)) }
        if let after { annotations = annotations.setting("reactord/depends-on", .string(after)) }
        if let condition { annotations = annotations.setting("reactord/applies-if", .string(condition)) }
        let metadata: JSONValue = ["name": .string(name), "annotations": annotations]
        let container: JSONValue = ["name": "c", "image": "i", "args": ["$UUID", "$HOME"]]
        let file: JSONValue = [
            "apiVersion": "batch/v1", "kind": "Job", "metadata": metadata,
            "spec": ["template": ["spec": ["containers": [container]]]],
        ]
        return JobFile(path: path, text: JSONWriter.bytes(file))
    }

    private func land(_ name: String = ephys, hash: String = "aa") {
        files.change {
            $0.inbox[name] = [
                LabFile(path: "rec.i16le", bytes: 10, sha256: hash),
                LabFile(path: "metadata.json", bytes: 2, sha256: "bb"),
            ]
        }
    }

    private func upload(_ name: String = ephys) -> JSONValue {
        ["kind": "upload", "name": .string(name), "bytes": 12, "files": 2, "modified": 0]
    }

    private func document(_ id: String = ephys) -> JSONValue { world.read { $0.documents["upload/\(id)"] ?? .null } }

    private var jobs: [JobID] {
        (document().at("jobs").array ?? []).compactMap { $0["uuid"]?.string.map { JobID($0) } }
    }

    @Test func everyJobFileThatAppliesBecomesAJob() async throws {
        land()
        files.change {
            $0.jobFiles = [
                jobFile("ephys/beats.yaml", appliesTo: "*.i16le"), jobFile("all.yaml"),
                jobFile("imaging/cells.yaml"), jobFile("cytometry/stats.yaml", appliesTo: "*.fcs"),
            ]
        }
        try await deliver(upload())
        let document = document()
        #expect(document.at("state") == "running" && document.at("modality") == "ephys")
        #expect(document.at("number") == 1 && document.at("bytes") == 12 && document.at("file_count") == 2)
        #expect(document.at("jobs").array?.map { $0.at("file").string } == ["all.yaml", "ephys/beats.yaml"])
        let skipped = document.at("skipped").array?.map { $0.at("file").string }
        #expect(skipped == ["cytometry/stats.yaml", "imaging/cells.yaml"])
        #expect(document.at("skipped").array?.allSatisfy { $0.at("reason").string?.isEmpty == false } == true)
        let mail = world.read { $0.mail }
        #expect(mail.map(\.address) == [.alias("job-runner"), .alias("job-runner")])
        #expect(mail.map(\.key) == jobs.map(\.rawValue))
    }

    @Test func theRunnerGetsAllItNeeds() async throws {
        land()
        files.change { $0.jobFiles = [jobFile("ephys/beats.yaml", name: "Beats_${UUID}")] }
        try await deliver(upload())
        let record = try #require(world.read { $0.jobs.values.first })
        let message = try JobRunMessage.decode(try #require(world.read { $0.mail.first?.body }))
        #expect(message.job == record.uuid && message.path == record.path)
        #expect(message.callback.contains("token=\(record.token)"))
        #expect(message.name == "beats-2026-11-21-e-mitbih208")
        #expect(message.upload == .init(name: Self.ephys, folder: "/uploads/\(Self.ephys).1", number: 1))
        #expect(message.spec.containers.first?.args == [Self.ephys, "$HOME"])
        #expect(record.data.at("name") == "Beats_2026-11-21-e-mitbih208")
        #expect(record.notify == TestContext.Setup().actor && record.actor == record.notify)
        #expect(record.session == message.name)
        let pipeline = try #require(world.read { $0.pipelines[record.pipeline] })
        #expect(pipeline.name == "ingest:ephys/beats.yaml")
        #expect(JobIdentity.pipeline(id: pipeline.name, components: pipeline.components) == pipeline.uuid)
    }

    @Test func aBadJobFileDoesNotStopTheOthers() async throws {
        land()
        files.change {
            $0.jobFiles = [
                JobFile(path: "a.yaml", text: Array("{\n\"apiVersion\": oops".utf8)),
                JobFile(path: "b.yaml", text: Array(#"{"apiVersion": "batch/v1", "kind": "Job", "spec": 1}"#.utf8)),
                jobFile("c.yaml"),
            ]
        }
        try await deliver(upload())
        let invalid = document().at("invalid").array ?? []
        #expect(invalid.map { $0.at("file").string } == ["a.yaml", "b.yaml"])
        #expect(invalid.map { $0.at("line").int } == [2, 1])
        #expect(invalid.last?.at("reason").string?.contains("/spec") == true)
        #expect(jobs.count == 1 && document().at("state") == "running")
    }

    @Test func withoutAnyJobTheUploadIsDone() async throws {
        land()
        files.change { $0.jobFiles = [jobFile("imaging/cells.yaml")] }
        try await deliver(upload())
        #expect(document().at("state") == "done" && document().at("jobs") == [])
        #expect(document().at("finished").string != nil)
    }

    @Test func withNothingButBadJobFilesItFailed() async throws {
        land()
        files.change { $0.jobFiles = [JobFile(path: "a.yaml", text: Array("oops".utf8))] }
        try await deliver(upload())
        #expect(document().at("state") == "failed")
    }

    @Test func whatIsNotInTheInboxIsRefused() async throws {
        let failure = await #expect(throws: ReactorFailure.self) { try await deliver(upload("nowhere")) }
        #expect(failure?.kind == .refused)
        #expect(failure?.message.contains("nowhere") == true)
    }

    @Test(
        arguments: [
            ["kind": "upload", "name": "../etc"], ["kind": "upload"], ["kind": "job", "uuid": "x"], ["kind": "rerun"],
            ["kind": "other"], [], ["kind": "rerun", "upload": "nowhere"],
            ["kind": "job", "uuid": "10792d3c-395c-57e0-a694-006cf03d3970"],
        ] as [JSONValue])
    func nonsenseIsRefused(body: JSONValue) async {
        let failure = await #expect(throws: ReactorFailure.self) { try await deliver(body) }
        #expect(failure?.kind == .refused)
    }

    @Test(arguments: [ActorError.Code.tooLarge, .invalidInput, .notFound])
    func whatCannotBeTakenIsRefusedAtOnce(code: ActorError.Code) async throws {
        land()
        files.change { $0.claimError = ActorError(code, "deeper than 64 folders") }
        let failure = await #expect(throws: ReactorFailure.self) { try await deliver(upload()) }
        #expect(failure?.kind == .refused && failure?.message.contains("deeper than 64") == true)
    }

    /// Files that went by the retention and came back under another name belong to the old record; what has its name in
    /// the inbox meanwhile does not.
    @Test func aRerunTakesTheFilesThatCameBackAndNothingElse() async throws {
        files.change { $0.jobFiles = [jobFile("a.yaml")] }
        land("ok.dat")
        try await deliver(upload("ok.dat"))
        let job = JobID(try #require(document("ok.dat").at("jobs").array?.first?.at("uuid").string))
        try await move(job, .finished)
        try await deliver(
            ["kind": "removed", "upload": "ok.dat", "key": "execution", "action": "delete", "plan": "p"],
            execution: "gone")
        files.change { $0.claims = [:] }
        land("third.dat")
        try await deliver(upload("third.dat"), execution: "back")
        #expect(document("ok.dat").at("removed").isNull && document("ok.dat").at("place") == "third.dat")
        // The repeat of a message that came back runs nothing.
        try await deliver(upload("third.dat"), execution: "back", attempts: 1)
        #expect(world.read { $0.jobs.count } == 1 && document("ok.dat").at("state") == "done")
        land("ok.dat", hash: "a new recording")
        try await deliver(["kind": "rerun", "upload": "ok.dat"], execution: "again")
        let order = try JobRunMessage.decode(try #require(world.read { $0.mail.last?.body }))
        #expect(order.upload.folder == "/uploads/third.dat.1" && order.upload.name == "ok.dat")
        #expect(files.read { $0.inbox["ok.dat"] != nil })
        // As an earlier version has stored it: the name stands among the repeats only.
        world.change { contents in
            contents.documents["upload/ok.dat"] = contents.documents["upload/ok.dat"]?.removing("place")
        }
        try await deliver(["kind": "rerun", "upload": "ok.dat"], execution: "third")
        #expect(document("ok.dat").at("run") == 3)
        // The new recording becomes an upload of its own.
        try await deliver(upload("ok.dat"), execution: "new")
        #expect(document("ok.dat.2").at("number") == 2 && files.read { $0.inbox["ok.dat"] == nil })
    }

    @Test func filesThatAreGoneAreNotLookedForInTheInbox() async throws {
        files.change { $0.jobFiles = [jobFile("a.yaml")] }
        land()
        try await deliver(upload())
        files.change { $0.claims = [:] }
        land(hash: "another")
        let failure = await #expect(throws: ReactorFailure.self) {
            try await deliver(["kind": "rerun", "upload": .string(Self.ephys)], execution: "again")
        }
        #expect(failure?.kind == .refused && files.read { $0.inbox[Self.ephys] != nil })
    }

    @Test func aChangedFileIsTheSecondVersion() async throws {
        files.change { $0.jobFiles = [jobFile("all.yaml")] }
        land()
        try await deliver(upload())
        land(hash: "changed")
        try await deliver(upload(), execution: "second")
        #expect(document("\(Self.ephys).2").at("number") == 2)
        #expect(world.read { $0.jobs.count } == 2)
    }

    @Test func theSameContentRunsNothingAgainWhateverItIsCalled() async throws {
        files.change { $0.jobFiles = [jobFile("all.yaml")] }
        land()
        try await deliver(upload())
        land()
        try await deliver(upload(), execution: "again")
        #expect(world.read { $0.replies[ExecutionID("again")]?.at("duplicate_of") } == .string(Self.ephys))
        land("2026-11-21-e-renamed")
        try await deliver(upload("2026-11-21-e-renamed"), execution: "renamed")
        // The repeat of a repeat after a crash is noted once.
        try await deliver(upload("2026-11-21-e-renamed"), execution: "renamed", attempts: 1)
        #expect(world.read { $0.jobs.count } == 1 && document("\(Self.ephys).2").isNull)
        #expect(
            document().at("duplicates").array?.map { $0.at("upload").string } == [Self.ephys, "2026-11-21-e-renamed"])
        // By force it runs again, as the next version; a changed file after that is the one after.
        land()
        try await deliver(upload().setting("force", true), execution: "forced")
        #expect(document("\(Self.ephys).2").at("sha256") == document().at("sha256"))
        #expect(world.read { $0.jobs.count } == 2)
        land(hash: "changed")
        try await deliver(upload(), execution: "changed")
        #expect(document("\(Self.ephys).3").at("number") == 3)
    }

    @Test func onlyWhatFailedRunsAgain() async throws {
        land()
        files.change { $0.jobFiles = [jobFile("a.yaml"), jobFile("b.yaml")] }
        try await deliver(upload())
        let old = jobs
        await #expect(throws: ReactorFailure.self) {
            try await deliver(["kind": "rerun", "upload": .string(Self.ephys), "failed": true], execution: "early")
        }
        try await move(old[0], .finished)
        try await move(old[1], .failed)
        #expect(document().at("state") == "partly_failed" && document().at("counts", "failed") == 1)
        try await deliver(["kind": "rerun", "upload": .string(Self.ephys), "failed": true], execution: "again")
        #expect(jobs[0] == old[0] && jobs[1] != old[1] && document().at("state") == "running")
        try await move(jobs[1], .finished)
        #expect(document().at("state") == "done" && document().at("counts", "succeeded") == 2)
    }

    // MARK: Job files that wait for others

    @Test func aJobFileWaitsForThoseItDependsOn() async throws {
        land()
        files.change {
            $0.jobFiles = [
                jobFile("ephys/a.yaml"), jobFile("ephys/b.yaml", after: "a.yaml"),
                jobFile("ephys/c.yaml", after: "b.yaml, a.yaml"), jobFile("d.yaml", after: "imaging/x.yaml"),
                jobFile("imaging/x.yaml"), jobFile("r.yaml", after: "s.yaml"), jobFile("s.yaml", after: "r.yaml"),
            ]
        }
        try await deliver(upload())
        #expect(started == ["ephys/a.yaml"])
        #expect(document().at("invalid").array?.map { $0.at("file").string } == ["r.yaml", "s.yaml"])
        #expect(document().at("counts", "waiting") == 2 && document().at("counts", "blocked") == 1)
        try await move(jobs[0], .failed)
        #expect(document().at("state") == "failed" && started.count == 1)
        // What is blocked goes on when the job it waits for has been run again with success.
        try await deliver(
            ["kind": "rerun", "upload": .string(Self.ephys), "file": "ephys/a.yaml"], execution: "again")
        try await move(jobs[0], .finished, execution: "n1")
        #expect(started == ["ephys/a.yaml", "ephys/b.yaml"] && document().at("state") == "running")
        try await move(jobs[1], .finished, execution: "n2")
        #expect(started == ["ephys/a.yaml", "ephys/b.yaml", "ephys/c.yaml"])
        try await move(jobs[2], .finished, execution: "n3")
        #expect(
            document().at("state") == "partly_failed", "d waits for what is not for this upload; r and s for each other"
        )
    }

    private var started: [String] { (document().at("jobs").array ?? []).compactMap { $0.at("file").string } }

    @Test func aConditionOfAJobFileIsAsked() async throws {
        land()
        files.change {
            $0.jobFiles = [
                jobFile("a.yaml", condition: #"file ~ "*.i16le" and name[11] == "e""#),
                jobFile("b.yaml", condition: "bytes > 1000"), jobFile("c.yaml", condition: "bytes >"),
            ]
        }
        try await deliver(upload())
        #expect(started == ["a.yaml"])
        #expect(document().at("skipped").array?.map { $0.at("file").string } == ["b.yaml"])
        #expect(document().at("invalid").array?.map { $0.at("file").string } == ["c.yaml"])
    }

    @Test func namesThatLookAlikeOnceTheyAreLegalAreToldApart() async throws {
        files.change { $0.jobFiles = [jobFile("a.yaml", name: "x-${UUID}")] }
        for (name, hash) in [("exp_1", "h1"), ("exp-1", "h2"), ("EXP_1", "h3")] {
            land(name, hash: hash)
            try await deliver(upload(name), execution: name)
        }
        let names = ["exp_1", "exp-1", "EXP_1"].map {
            document($0).at("jobs").array?.first?.at("job_name").string ?? ""
        }
        #expect(names[0] == "x-exp-1" && Set(names).count == 3)
        #expect(names.allSatisfy { JobName.isLegal($0) && $0.hasPrefix("x-exp-1") })
    }

    // MARK: Other ways in, and questions

    @Test func whatLiesOnTheMachineIsBroughtIn() async throws {
        try await deliver(
            ["uuid": "exp", "path": "/data/instrument/x"], settings: ["allow_paths": ["/data/instrument"]])
        #expect(files.read { $0.inbox["exp"] != nil })
        let failure = await #expect(throws: ReactorFailure.self) {
            try await deliver(["uuid": "exp2", "path": "/etc/passwd"], execution: "e2")
        }
        #expect(failure?.kind == .refused && failure?.message.contains("/path") == true)
        // A house that fetches nothing says so, and may be mended: no reason to refuse the message.
        await #expect(throws: ActorError.self) {
            try await deliver(["uuid": "exp3", "url": "https://data.example.org/x"], execution: "e3")
        }
    }

    @Test func whatWouldRunCanBeAsked() async throws {
        files.change {
            $0.jobFiles = [
                jobFile("ephys/b.yaml", after: "a.yaml"), jobFile("ephys/a.yaml"), jobFile("imaging/i.yaml"),
                JobFile(path: "bad.yaml", text: Array("oops".utf8)),
            ]
        }
        let plan = try await ask(["kind": "plan", "uuid": "2020-04-28-e-silicon"])
        #expect(plan.at("modality") == "ephys" && plan.at("problem").isNull)
        #expect(plan.at("files").array?.map { $0.at("file").string } == ["ephys/a.yaml", "ephys/b.yaml"])
        #expect(plan.at("invalid").array?.count == 1 && plan.at("skipped").array?.count == 1)
        let refused = try await ask(["kind": "plan", "uuid": "2020-04-28-x-foo"])
        #expect(refused.at("problem") == .string("the 12th character is \"x\", none of e, i, f"))
        let tree = try await ask([
            "kind": "plan", "uuid": "2020-04-28-e-silicon",
            "tree": ["jobs/ephys": ["b.yaml", "a.yaml"], "jobs/imaging": ["i.yaml"]],
        ])
        #expect(tree.at("files") == ["ephys/a.yaml", "ephys/b.yaml"])
        #expect(try await ask(["kind": "names", "keys": ["b.zip", "a/x"]]).at("names") == ["a", "b"])
        let rendered = try await ask([
            "kind": "render", "text": "$UUID $HOME $X", "uuid": "u", "mode": "envsubst", "variables": ["HOME": "/root"],
        ])
        #expect(rendered.at("text") == "u /root ")
        #expect(files.read { $0.inbox.isEmpty } && world.read { $0.documents.isEmpty && $0.mail.isEmpty })
    }

    @Test func aBackfillIsPlannedFirst() async throws {
        files.change { $0.jobFiles = [jobFile("a.yaml")] }
        land()
        try await deliver(upload())
        land("2026-11-21-i-x", hash: "other")
        try await deliver(upload("2026-11-21-i-x"), execution: "second")
        files.change { $0.jobFiles.append(jobFile("ephys/new.yaml")) }
        let plan = try await ask([
            "kind": "plan", "file": "ephys/new.yaml", "uploads": [.string(Self.ephys), "2026-11-21-i-x", "none"],
        ])
        #expect(plan.at("uploads").array?.map { $0.at("action").string } == ["run", "skip", "skip"])
        let again = try await ask(["kind": "plan", "file": "a.yaml", "uploads": [.string(Self.ephys)]])
        #expect(again.at("uploads").array?.first?.at("action") == "skip")
    }

    @Test func mailIsSentOnceAndItsFailureHarmsNothing() async throws {
        land()
        files.change { $0.jobFiles = [jobFile("a.yaml")] }
        let settings: JSONValue = [
            "sendmail": "/bin/mailer",
            "notify": [["mail": "lab@example.org"], ["mail": "boss@example.org", "only_failures": true]],
        ]
        try await deliver(upload(), settings: settings)
        try await move(jobs[0], .finished, settings: settings)
        #expect(mailer.read { $0.map(\.to) } == ["lab@example.org"])
        #expect(mailer.read { $0.first?.subject } == "\(Self.ephys): done")
        mailer.refuse()
        land("other", hash: "other")
        try await deliver(upload("other"), execution: "second", settings: settings)
        let job = try #require(document("other").at("jobs").array?.first?.at("uuid").string)
        try await move(JobID(job), .failed, execution: "n2", settings: settings)
        #expect(document("other").at("state") == "failed")
        #expect(world.read { $0.log.contains { $0.contains("could not be told") } })
    }

    @Test func anActorIsToldOfTheEnd() async throws {
        land()
        files.change { $0.jobFiles = [jobFile("a.yaml")] }
        let settings: JSONValue = ["notify": [["actor": "lab-notes"]]]
        try await deliver(upload(), settings: settings)
        try await move(jobs[0], .failed, settings: settings)
        let news = try #require(world.read { $0.mail.last })
        #expect(news.address == .alias("lab-notes") && news.body.at("state") == "failed")
        #expect(news.body.at("counts", "failed") == 1 && world.read { $0.mail.count } == 2)
    }

    @Test func resultsAreShownBesideTheUpload() async throws {
        land()
        files.change {
            $0.jobFiles = [jobFile("ephys/beats.yaml"), jobFile("ephys/beats/more.yml"), jobFile("x.yaml")]
        }
        try await deliver(upload())
        for (index, job) in jobs.enumerated() {
            try await move(job, index == 2 ? .failed : .finished, execution: "n\(index)")
        }
        let first = jobs[0]
        let derived = files.read { $0.derived.keys.sorted() }
        #expect(derived == ["\(Self.ephys)/ephys/beats.yaml", "\(Self.ephys)/ephys/beats/more.yml"])
        #expect(files.read { $0.derived["\(Self.ephys)/ephys/beats.yaml"] } == world.read { $0.jobs[first]?.path })
    }

    /// What is posted is signed with a secret that is looked up when it leaves: the call holds its name only.
    @Test func aWebhookIsToldOfTheEnd() async throws {
        files.change { $0.jobFiles = [jobFile("a.yaml")] }
        let settings: JSONValue = [
            "notify": [["webhook": "https://hooks.example.org/x?k=1", "secret": "HOOK", "only_failures": true]]
        ]
        for (name, state) in [("one", PipelineJobState.finished), ("two", .failed)] {
            land(name, hash: name)
            try await deliver(upload(name), execution: name, settings: settings)
            let job = try #require(document(name).at("jobs").array?.first?.at("uuid").string)
            try await move(JobID(job), state, execution: "\(name)-job", settings: settings)
        }
        let calls = world.read { $0.calls }
        let order = OutgoingCall.signedKey(of: TestContext.Setup().actor, secret: "HOOK", order: "0")
        #expect(calls.map(\.url) == ["https://hooks.example.org/x?k=1"] && calls.first?.order == order)
        let body = try #require(calls.first?.body)
        #expect(body.at("type") == "reactord.upload.finished" && body.at("data", "upload") == "two")
        let call = OutgoingCall(
            url: "https://h/", contentType: "", body: [], orderKey: order, idempotencyKey: "")
        #expect(call.signer?.secret == "HOOK" && call.signer?.actor == TestContext.Setup().actor)
        // Without its secret nothing is sent, and why is said.
        secrets.change { $0 = [:] }
        land("three", hash: "three")
        files.change { $0.jobFiles = [JobFile(path: "bad.yaml", text: Array("a: [".utf8))] }
        try await deliver(upload("three"), execution: "three", settings: settings)
        #expect(document("three").at("state") == "failed" && world.read { $0.calls.count } == 1)
        #expect(world.read { $0.log.contains { $0.contains("HOOK") && !$0.contains("hooks.example.org") } })
        for bad: JSONValue in [["webhook": "ftp://x", "secret": "A"], ["webhook": "https://x"], ["web": 1]] {
            #expect(throws: ActorError.self) { try IngestSettings(json: ["notify": [bad]]) }
        }
    }

    // MARK: Lists of uploads

    @Test func eachLineOfAListIsTakenOnce() async throws {
        let settings: JSONValue = ["lists": ["/srv/lists/new.txt", "/srv/none.txt"], "allow_paths": ["/srv"]]
        files.change {
            $0.lists["/srv/lists/new.txt"] = [
                "# today", "", "/srv/run-7", "run-8\t2026-11-21-e-x", "https://h.example.org/a.zip?sig=1", "/srv/a(b)",
            ]
        }
        try await deliver(["kind": "lists"], execution: "1", settings: settings)
        let reply = world.read { $0.replies[ExecutionID("1")] ?? .null }
        #expect(reply.at("taken") == 3)
        #expect(reply.at("problems").texts.first?.hasPrefix("/srv/lists/new.txt:6: \"a(b)\"") == true, "\(reply)")
        let sent = world.read { $0.mail.map(\.body) }
        #expect(sent.map { $0.at("uuid").string } == ["run-7", "2026-11-21-e-x", "a.zip"])
        #expect(sent[1].at("path") == "/srv/lists/run-8" && sent[2].at("url") == "https://h.example.org/a.zip?sig=1")
        files.change { $0.lists["/srv/lists/new.txt"]?.append("/srv/run-9") }
        try await deliver(["kind": "lists"], execution: "2", settings: settings)
        #expect(world.read { $0.mail.dropFirst(3).map { $0.body.at("uuid").string } } == ["run-9"])
        // A crash before the commit takes nothing; the repeat takes it.
        files.change { $0.lists["/srv/lists/new.txt"]?.append("/srv/run-10") }
        await #expect(throws: (any Error).self) {
            try await deliver(["kind": "lists"], execution: "3", settings: settings, crash: .beforeCommit(1))
        }
        try await deliver(["kind": "lists"], execution: "3", attempts: 1, settings: settings)
        #expect(world.read { $0.mail.count } == 5)
    }

    // MARK: Crashes

    /// Whatever was committed is not done again: neither a new run of a rerun, nor news of the same end.
    @Test(arguments: 1...3)
    func theDaemonDies(beforeCommit number: Int) async throws {
        land()
        files.change { $0.jobFiles = [jobFile("a.yaml"), jobFile("b.yaml")] }
        await #expect(throws: (any Error).self) { try await deliver(upload(), crash: .beforeCommit(number)) }
        try await deliver(upload(), attempts: 1)
        #expect(document().at("jobs").array?.count == 2 && world.read { $0.jobs.count } == 2)
        #expect(document().at("run") == 1)
        guard number < 3 else { return }
        let rerun: JSONValue = ["kind": "rerun", "upload": .string(Self.ephys)]
        await #expect(throws: (any Error).self) {
            try await deliver(rerun, execution: "again", crash: .beforeCommit(number))
        }
        try await deliver(rerun, execution: "again", attempts: 1)
        #expect(document().at("run") == 2 && world.read { $0.jobs.count } == 4)
    }

    // MARK: Job sets

    private static let sets: JSONValue = [
        "job_sets": [
            ["name": "lab", "git": "https://git.example.org/lab.git", "branch": "main", "path": "jobs"],
            ["name": "shared", "folder": "/srv/jobs"],
        ]
    ]
    private static let repository = JobRepository(url: "https://git.example.org/lab.git", branch: "main", path: "jobs")

    @Test func jobFilesOfARepositoryRunAtTheCommitThatIsThere() async throws {
        repositories.change {
            $0.heads[Self.repository] = "c1"
            $0.commits["c1"] = [
                jobFile("ephys/a.yaml"), jobFile("ephys/b.yaml", after: "a.yaml"), jobFile("imaging/i.yaml"),
            ]
        }
        files.change {
            $0.jobFiles = [jobFile("own.yaml")]
            $0.otherFolders["/srv/jobs"] = [jobFile("s.yaml")]
        }
        land()
        try await deliver(upload(), settings: Self.sets)
        #expect(started == ["lab:ephys/a.yaml", "own.yaml", "shared:s.yaml"])
        let job = try #require(document().at("jobs").array?.first)
        #expect(job.at("commit") == "c1")
        let record = try #require(world.read { $0.jobs[JobID(job.at("uuid").string ?? "")] })
        #expect(record.data.at("commit") == "c1" && record.data.at("file") == "lab:ephys/a.yaml")
        // What waits runs as it was, whatever came after.
        repositories.change {
            $0.heads[Self.repository] = "c2"
            $0.commits["c2"] = [JobFile(path: "ephys/b.yaml", text: Array("oops".utf8))]
        }
        try await move(JobID(job.at("uuid").string ?? ""), .finished, settings: Self.sets)
        #expect(started.contains("lab:ephys/b.yaml"))
        let set = world.read { $0.documents["job-set/lab"] ?? .null }
        #expect(set.at("commit") == "c1" && set.at("files") == 3 && set.at("state") == "good")
    }

    @Test func aBadFileIsToldAtTheCommitThatBringsIt() async throws {
        repositories.change {
            $0.heads[Self.repository] = "c1"
            $0.commits["c1"] = [
                jobFile("a.yaml"), JobFile(path: "bad.yaml", text: Array("{\n\"kind\": oops".utf8)),
                jobFile("lost.yaml", after: "none.yaml"),
            ]
        }
        files.change { $0.otherFolders["/srv/jobs"] = [] }
        func refresh(_ execution: String) async throws -> JSONValue {
            try await deliver(["kind": "refresh"], execution: execution, settings: Self.sets)
            return world.read { $0.replies[ExecutionID(execution)]?.at("job_sets").array?[1] ?? .null }
        }
        let bad = try await refresh("r1")
        #expect(bad.at("state") == "invalid" && bad.at("commit") == "c1")
        #expect(bad.at("invalid").array?.map { $0.at("file").string } == ["lab:bad.yaml", "lab:lost.yaml"])
        #expect(bad.at("invalid").array?.first?.at("line") == 2)
        // Nobody answers: what was there goes on, and it is said.
        repositories.change { $0.heads = [:] }
        let lost = try await refresh("r2")
        #expect(lost.at("state") == "unreachable" && lost.at("commit") == "c1")
        land()
        try await deliver(upload(), settings: Self.sets)
        #expect(started == ["lab:a.yaml"])
        #expect(document().at("counts", "blocked") == 1 && document().at("counts", "invalid") == 1)
    }

    private func ask(_ body: JSONValue) async throws -> JSONValue {
        let execution = "ask-\(UInt64.random(in: .min ... .max))"
        try await deliver(body, execution: execution)
        return world.read { $0.replies[ExecutionID(execution)] ?? .null }
    }

    // MARK: Crashes

    @Test(arguments: [
        TestContext.CrashPoint.duringStep("claim"), .afterStep("claim"), .beforeCommit(1), .beforeCommit(2),
    ])
    func aCrashAnywhereLosesNothingAndDoublesNothing(point: TestContext.CrashPoint) async throws {
        land()
        files.change { $0.jobFiles = [jobFile("all.yaml"), jobFile("ephys/beats.yaml")] }
        await #expect(throws: (any Error).self) { try await deliver(upload(), crash: point) }
        #expect(world.read { $0.mail.isEmpty && $0.jobs.isEmpty })
        try await deliver(upload(), attempts: 1)
        #expect(world.read { $0.jobs.count } == 2)
        #expect(world.read { $0.mail.count } == 2)
        #expect(document().at("number") == 1)
    }

    // MARK: News of jobs

    private func move(
        _ job: JobID, _ status: PipelineJobState, execution: String = "news", settings: JSONValue = [:]
    ) async throws {
        world.change { $0.jobs[job]?.status = status }
        try await deliver(
            ["kind": "job", "uuid": .string(job.rawValue), "status": .string(status.rawValue), "event": "update"],
            execution: execution, settings: settings)
    }

    @Test(arguments: [
        ([PipelineJobState.finished, .finished], "done"), ([.finished, .failed], "partly_failed"),
        ([.finalized, .rejected], "partly_failed"),
        ([.failed, .rejected], "failed"), ([.finished, .running], "running"), ([.indexing, .retired], "done"),
    ])
    func theUploadFollowsItsJobs(statuses: [PipelineJobState], state: String) async throws {
        land()
        files.change { $0.jobFiles = [jobFile("a.yaml"), jobFile("b.yaml")] }
        try await deliver(upload())
        for (job, status) in zip(jobs, statuses) { try await move(job, status) }
        let document = document()
        #expect(document.at("state").string == state)
        #expect(document.at("jobs").array?.map { $0.at("status").string } == statuses.map(\.rawValue))
        #expect((document.at("finished").string != nil) == (state != "running"))
    }

    /// As `reactord job rm` does it: the manager tells of the deletion, and the upload comes to its end.
    @Test func aDeletedJobHasFailed() async throws {
        land()
        files.change {
            $0.jobFiles = [jobFile("a.yaml"), jobFile("b.yaml", after: "a.yaml"), jobFile("c.yaml")]
        }
        let settings: JSONValue = ["notify": [["actor": "lab-notes"]]]
        try await deliver(upload(), settings: settings)
        let (job, done) = (jobs[0], jobs[1])
        try await move(done, .finished, settings: settings)
        for id in [job, done] {
            let body: JSONValue = ["uuid": .string(id.rawValue), "action": "delete"]
            let parameters = [(JobAuthority.variable, "admin")]
            var setup = TestContext.Setup()
            setup.execution = ExecutionID("delete-\(id)")
            try await world.deliver(
                envelope(body, parameters: parameters, execution: "delete-\(id)"),
                to: PipelineJobsReactor(archive: MemoryLab()), as: setup)
            let told = try #require(world.read { $0.mail.last })
            #expect(told.address == .id(setup.actor) && told.body.at("event") == "delete")
            for attempt in 0..<2 {
                try await deliver(told.body, execution: "told-\(id)", attempts: attempt, settings: settings)
            }
        }
        let document = document()
        #expect(document.at("jobs").array?.map { $0.at("status").string } == ["FAILED", "FINISHED"])
        #expect(document.at("jobs").array?.first?.at("reason") == "deleted by alice")
        #expect(document.at("state") == "partly_failed" && document.at("counts", "blocked") == 1)
        #expect(world.read { $0.mail.count { $0.address == .alias("lab-notes") } } == 1)
        // Nobody can say that of a job that never was.
        let lie: JSONValue = [
            "kind": "job", "uuid": "10792d3c-395c-57e0-a694-006cf03d3970",
            "data": ["job_data": ["upload": .string(Self.ephys)]],
        ]
        await #expect(throws: ReactorFailure.self) { try await deliver(lie, execution: "lie") }
    }

    @Test func theCatalogueIsBelievedNotTheMessage() async throws {
        land()
        files.change { $0.jobFiles = [jobFile("a.yaml")] }
        try await deliver(upload())
        let job = try #require(jobs.first)
        try await deliver(["kind": "job", "uuid": .string(job.rawValue), "status": "FINISHED"], execution: "news")
        #expect(document().at("state") == "running")
    }

    // MARK: Again

    @Test func aRerunMakesNewJobsFromTheFilesAsTheyAreNow() async throws {
        land()
        files.change { $0.jobFiles = [jobFile("a.yaml"), jobFile("b.yaml")] }
        try await deliver(upload())
        let old = jobs
        for job in old { try await move(job, .failed) }
        try await deliver(
            ["kind": "rerun", "upload": .string(Self.ephys), "file": "b.yaml"], execution: "again")
        #expect(jobs.count == 2 && jobs.first == old.first && jobs.last != old.last)
        #expect(document().at("state") == "running" && document().at("run") == 2)
        let job = try #require(jobs.last)
        #expect(world.read { $0.jobs[job]?.data["run"] } == 2)
        let message = try JobRunMessage.decode(try #require(world.read { $0.mail.last?.body }))
        #expect(message.upload.folder == "/uploads/\(Self.ephys).1")
        // News of the run before is no news.
        try await move(try #require(old.last), .retired)
        #expect(document().at("jobs").array?.last?.at("status") == "CREATED")
        await #expect(throws: ReactorFailure.self) {
            try await deliver(
                ["kind": "rerun", "upload": .string(Self.ephys), "file": "c.yaml"], execution: "third")
        }
    }
}
