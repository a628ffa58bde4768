import ActorCore
import ActorDaemon
import ActorTesting
import Foundation
import Testing

@Suite("actor folders")
struct FolderTests {
    private func context(_ secrets: [String: String] = [:], _ environment: [String: String] = [:]) -> ActorFolderLoader
    {
        ActorFolderLoader(
            context: ActorFolderLoader.Context(
                tenant: "LAB", owner: "admin", environment: environment,
                secrets: SecretsFile(values: secrets.mapValues { Secret($0) }), builtins: ["ingest", "pipeline-jobs"]))
    }

    @Test("every key is read")
    func whole() throws {
        let folder = try TemporaryFolder()
        try folder.write(
            "hello/actor.yml",
            """
            name: hello
            id: \(Hashids.abaco.encode(12345))
            description: says hello
            run: {command: [python3, reactor.py]}
            executor: process
            stateless: true
            max_workers: 3
            retry: {attempts: 5, backoff_seconds: 0.5, max_backoff_seconds: 9}
            timeout_seconds: 60
            environment: {GREETING: hello, NUMBER: 5}
            secrets: [GREETING_TOKEN]
            webhook_secrets: [DOOR, OLD_DOOR]
            schedule: "*/10 * * * *"
            timezone: Europe/Berlin
            overlap: queue
            limits: {mailbox: 7}
            link: other
            owner: alice
            """)
        try folder.write("hello/config.yml", "greeting: ~\nlog: {level: INFO}\n")
        try folder.write("hello/message.jsonschema", "{\"type\": \"object\"}")
        try folder.write("hello/schemas/b.jsonschema", "{}")
        try folder.write("hello/schemas/a.jsonschema", "{}")
        try folder.write("hello/samples/one.json", "{}")
        let loaded = context([
            "GREETING_TOKEN": "t", "_REACTOR_GREETING": "general", "_REACTOR_HELLO_GREETING": "own",
            "DOOR": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        ]).load(folder: folder.path)
        #expect(loaded.quarantined.isEmpty)
        let actor = try #require(loaded.actors.first)
        let spec = actor.spec
        #expect(actor.declaredID == ActorID(Hashids.abaco.encode(12345)))
        #expect(spec.run == .command(["python3", "reactor.py"]))
        #expect(spec.retry == RetryPolicy(attempts: 5, backoffSeconds: 0.5, maxBackoffSeconds: 9))
        #expect(spec.environment == [EnvironmentEntry("GREETING", "hello"), EnvironmentEntry("NUMBER", "5")])
        #expect(spec.schedule?.description == "*/10 * * * * Europe/Berlin")
        #expect(spec.overlap == .queue && spec.maxMailbox == 7)
        #expect(spec.webhookSecrets == ["DOOR", "OLD_DOOR"])
        #expect(spec.owner == "alice" && spec.link == "other" && spec.maxWorkers == 3 && spec.timeoutSeconds == 60)
        #expect(spec.settings == ["greeting": "own", "log": ["level": "INFO"]])
        #expect(
            spec.schemas.map { ($0.file as NSString).lastPathComponent } == [
                "message.jsonschema", "a.jsonschema", "b.jsonschema",
            ])
        #expect(actor.samples.count == 1)
        #expect(actor.warnings.map(\.reason).map { $0.contains("OLD_DOOR") } == [true])
        #expect(spec.folder == folder.path + "/hello")
    }

    @Test(
        "a bad folder is named with file, line and reason, and the good one beside it runs",
        arguments: [
            ("name: x\n", 1, "run takes one of"),
            ("run: {command: [a], image: b}\n", 1, "command and image are there"),
            ("run: {command: []}\n", 1, "takes a list: the program"),
            ("run: {command: python3}\n", 1, "takes a list of text"),
            ("run: {builtin: ingset}\n", 1, "did you mean ingest?"),
            ("run: {shell: x}\n", 1, "shell is not a key of run"),
            ("run: {command: [a]}\nstatless: true\n", 2, "did you mean stateless?"),
            ("run: {command: [a]}\nexecutor: slurm\n", 2, "runs jobs, not actors"),
            ("run: {command: [a]}\nschedule: \"* * *\"\n", 2, "five fields"),
            ("run: {command: [a]}\nschedule: \"0 0 31 2 *\"\n", 2, "never comes"),
            ("run: {command: [a]}\nschedule: \"@reboot\"\n", 2, "there are @annually"),
            ("run: {command: [a]}\nschedule: \"*/90 * * * *\"\n", 2, "means minute 0 alone"),
            ("run: {command: [a]}\nschedule: now + 3 flimflams\n", 2, "flimflams is an invalid unit of time"),
            ("run: {command: [a]}\nschedule: 2026-02-30 1 + 1 day\n", 2, "is not in the correct format"),
            ("run: {command: [a]}\nschedule: now + 1 day\ntimezone: Europe/Berlin\n", 2, "runs in UTC"),
            ("run: {command: [a]}\nschedule: \"@daily\"\ntimezone: Europe/Berln\n", 3, "no name of a time zone"),
            ("run: {command: [a]}\ntimezone: Europe/Berlin\n", 2, "there is none"),
            ("run: {command: [a]}\noverlap: queue\n", 2, "there is none"),
            ("run: {command: [a]}\nschedule: \"@daily\"\noverlap: wait\n", 3, "overlap takes skip or queue"),
            ("run: {command: [a]}\nlimits: {mailbox: 0}\n", 2, "limits.mailbox takes a whole number"),
            ("run: {command: [a]}\nlimits: {mailbx: 5}\n", 2, "did you mean mailbox?"),
            ("run: {command: [a]}\nstateless: false\nmax_workers: 2\n", 3, "one message at a time"),
            ("run: {command: [a]}\nretry:\n  attempts: 0\n", 3, "retry.attempts takes"),
            ("run: {command: [a]}\nname: nonces\n", 2, "cannot be a name"),
            ("run: {command: [a]}\nid: abc\n", 2, "no hashid"),
            ("run: {command: [a]}\nenvironment: {A=B: c}\n", 2, "cannot be a variable"),
            ("run: {command: [a]}\nenvironment: {A: [1]}\n", 2, "takes text, not a list"),
            ("run: {command: [a]\n", 2, "not valid YAML"),
            ("- a\n", 1, "takes a mapping"),
            ("", 1, "run takes one of"),
        ])
    func bad(text: String, line: Int, words: String) throws {
        let folder = try TemporaryFolder()
        try folder.write("bad/actor.yml", text)
        try folder.write("good/actor.yml", "run: {builtin: ingest}\n")
        let loaded = context().load(folder: folder.path)
        #expect(loaded.actors.map(\.spec.name) == ["good"])
        let quarantined = try #require(loaded.quarantined.first)
        #expect(quarantined.folder == "bad")
        #expect(
            quarantined.problems.contains {
                $0.file == folder.path + "/bad/actor.yml" && $0.line == line && $0.reason.contains(words)
            }, "\(quarantined.problems)")
    }

    @Test("schedules follow the zone that is named, summer and winter, for many years")
    func zones() throws {
        let folder = try TemporaryFolder()
        func schedule(_ lines: String) throws -> Schedule {
            try folder.write("a/actor.yml", "run: {command: [x]}\nschedule: \"0 12 * * *\"\n\(lines)")
            let actor = try #require(context().load(folder: folder.path).actors.first)
            return try #require(actor.spec.schedule)
        }
        func noon(_ schedule: Schedule, _ year: Int, _ month: Int) -> String {
            guard let day = Timestamp.utc(year: year, month: month, day: 15),
                let next = schedule.next(after: day, anchor: day)
            else { return "never" }
            return String(next.iso8601.dropFirst(11).prefix(5))
        }
        let berlin = try schedule("timezone: Europe/Berlin\n")
        for year in [2026, 2040, 2090] {
            #expect(noon(berlin, year, 1) == "11:00")
            #expect(noon(berlin, year, 7) == "10:00")
        }
        let sydney = try schedule("timezone: Australia/Sydney\n")
        #expect(noon(sydney, 2026, 1) == "01:00")
        #expect(noon(sydney, 2026, 7) == "02:00")
        let kathmandu = try schedule("timezone: Asia/Kathmandu\n")
        #expect(noon(kathmandu, 2026, 7) == "06:15")
        let plain = try Schedule("0 12 * * *")
        for name in ["UTC", "Etc/UTC", "Z", "GMT"] {
            #expect(try schedule("timezone: \(name)\n") == plain)
        }
        let change = try #require(Timestamp.utc(year: 2026, month: 3, day: 29, hour: 1))
        let early = try Schedule("30 2 * * *", zone: zone(of: berlin))
        #expect(early.next(after: change.adding(seconds: -3600), anchor: change) == change)
    }

    private func zone(of schedule: Schedule) -> ZoneTable? {
        if case .cron(let line) = schedule { line.zone } else { nil }
    }

    @Test("other files of a folder are named too")
    func otherFiles() throws {
        let folder = try TemporaryFolder()
        for name in ["a", "b", "c", "d", "e"] { try folder.write("\(name)/actor.yml", "run: {command: [x]}\n") }
        try folder.write("a/config.yml", "x: 1\nx: 2\n")
        try folder.write("b/message.jsonschema", "{\n\"type\": }")
        try folder.write("c/schemas/x.jsonschema", "{}x")
        try folder.write("d/config.yml", "[1]\n")
        try folder.write("e/config.yml", "{}\n")
        try folder.write("f/README.md", "no declaration\n")
        #expect(mkfifo(folder.path + "/e/message.jsonschema", 0o600) == 0)
        try folder.write("README.md", "not a folder\n")
        try folder.write(".hidden/actor.yml", "x")
        let loaded = context().load(folder: folder.path)
        #expect(loaded.actors.isEmpty)
        let found = loaded.quarantined.map { "\($0.folder):\($0.line ?? 0)" }
        #expect(found == ["a:2", "b:2", "c:1", "d:1", "e:0", "f:0"])
    }

    @Test("two folders cannot have one name")
    func clash() throws {
        let folder = try TemporaryFolder()
        try folder.write("one/actor.yml", "name: same\nrun: {command: [x]}\n")
        try folder.write("two/actor.yml", "name: same\nrun: {command: [x]}\n")
        let loaded = context().load(folder: folder.path)
        #expect(loaded.actors.count == 1)
        #expect(loaded.quarantined.map(\.folder) == ["two"])
        #expect(loaded.quarantined.first?.reason.contains("one") == true)
    }

    @Test("a copy in which the name was left does not take the original's place")
    func copy() throws {
        let folder = try TemporaryFolder()
        try folder.write("aaa/actor.yml", "name: hello\nrun: {command: [a]}\n")
        try folder.write("hello/actor.yml", "name: hello\nrun: {command: [h]}\n")
        let loaded = context().load(folder: folder.path)
        #expect(loaded.actors.map(\.spec.run) == [.command(["h"])])
        #expect(loaded.quarantined.map(\.folder) == ["aaa"])
    }

    @Test("a folder with a mistake goes on as it was declared before, in another process too")
    func kept() throws {
        let folder = try TemporaryFolder()
        let keeper = KeptDeclarations(folder: folder.path + "/kept")
        func load() -> LoadedFolders {
            ActorFolderLoader(context: context().context, kept: keeper).load(folder: folder.path + "/actors")
        }
        try folder.write("actors/one/actor.yml", "name: first\nrun: {command: [x]}\n")
        try folder.write("actors/one/config.yml", "greeting: hello\n")
        try folder.write("actors/one/schemas/a.jsonschema", "{}")
        try folder.write("actors/one/x", "before")
        let before = load()
        #expect(before.quarantined.isEmpty && before.actors.first?.warnings == [])

        try folder.write("actors/one/actor.yml", "name: first\nrun: {command: [\n")
        try folder.write("actors/two/actor.yml", "run: {command: [\n")
        let after = load()
        var spec = try #require(after.actors.first?.spec)
        #expect(spec.schemas.map(\.file) == [folder.path + "/kept/one/schemas/a.jsonschema"])
        spec.schemas = before.actors[0].spec.schemas
        #expect(spec == before.actors[0].spec, "it runs where it ran")
        #expect(after.actors.map(\.fingerprint) == before.actors.map(\.fingerprint))
        #expect(after.quarantined.map(\.folder) == ["one", "two"])
        #expect(after.quarantined.map(\.goesOn) == [true, false])
        #expect(after.quarantined[0].file == folder.path + "/actors/one/actor.yml")

        try folder.write("actors/one/x", "after")
        #expect(load().actors.first?.fingerprint != before.actors[0].fingerprint, "what runs is that of today")

        try folder.write("actors/three/actor.yml", "name: first\nrun: {command: [y]}\n")
        let copied = load()
        #expect(copied.actors.map(\.spec.run) == [.command(["x"])], "nobody takes its name meanwhile")
        #expect(copied.quarantined.map(\.goesOn) == [true, false, false])

        try FileManager.default.removeItem(atPath: folder.path + "/actors/three")
        try folder.write("actors/one/actor.yml", "name: first\nrun: {command: [z]}\n")
        #expect(load().actors.map(\.spec.run) == [.command(["z"])])
        try folder.write("actors/one/config.yml", "[]\n")
        #expect(load().actors.map(\.spec.run) == [.command(["z"])])

        try FileManager.default.removeItem(atPath: folder.path + "/actors/one")
        #expect(load().actors.isEmpty)
        try folder.write("actors/one/actor.yml", "name: [\n")
        #expect(load().actors.isEmpty, "what was taken away is not there again because of a mistake")
    }

    @Test("a schedule that is refused by now does not end an actor that ran by it")
    func keptSchedule() throws {
        let folder = try TemporaryFolder()
        let declaration = "run: {command: [x]}\nschedule: \"*/90 * * * *\"\n"
        try folder.write("actors/one/actor.yml", declaration)
        try folder.write("kept/one/actor.yml", declaration)
        let loaded = ActorFolderLoader(
            context: context().context, kept: KeptDeclarations(folder: folder.path + "/kept")
        ).load(folder: folder.path + "/actors")
        #expect(loaded.actors.map(\.spec.schedule?.text) == ["*/90 * * * *"])
        #expect(loaded.quarantined.map(\.goesOn) == [true])
        #expect(loaded.quarantined.first?.reason.contains("means minute 0 alone") == true)
    }

    @Test("a folder that is a link to a disk that is not mounted takes its actor with it no more than the whole does")
    func link() throws {
        let folder = try TemporaryFolder()
        let (share, away, link) = (folder.path + "/share", folder.path + "/away", folder.path + "/actors/sym")
        func load() -> LoadedFolders {
            ActorFolderLoader(
                context: context().context, kept: KeptDeclarations(folder: folder.path + "/kept")
            ).load(folder: folder.path + "/actors")
        }
        try folder.write("share/sym/actor.yml", "name: far\nrun: {command: [x]}\n")
        try folder.write("actors/near/actor.yml", "run: {command: [x]}\n")
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: share + "/sym")
        let before = load()
        #expect(before.quarantined.isEmpty && before.actors.map(\.spec.name) == ["far", "near"])

        try FileManager.default.moveItem(atPath: share, toPath: away)
        for _ in 0..<2 {
            let unmounted = load()
            #expect(unmounted.actors.map(\.spec) == before.actors.map(\.spec))
            #expect(unmounted.quarantined.map(\.goesOn) == [true])
            let reason = try #require(unmounted.quarantined.first?.reason)
            #expect(reason.hasPrefix("it is a link to \(share)/sym, which is not there: is its disk mounted?"))
            #expect(unmounted.actors.map { $0.absence?.hasSuffix("until then its mail waits") } == [true, nil])
        }
        let unknown = context().load(folder: folder.path + "/actors")
        #expect(unknown.actors.map(\.spec.name) == ["near"] && unknown.quarantined.map(\.folder) == ["sym"])

        try FileManager.default.moveItem(atPath: away, toPath: share)
        #expect(load() == before)
        try FileManager.default.removeItem(atPath: link)
        #expect(load().actors.map(\.spec.name) == ["near"], "who takes the link away takes the actor away")
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: "/nowhere")
        #expect(load().quarantined.map(\.goesOn) == [false])
    }

    @Test("a declaration that cannot be kept is told, and its actor runs")
    func notKept() throws {
        let folder = try TemporaryFolder()
        try folder.write("actors/one/actor.yml", "run: {command: [x]}\n")
        try folder.write("kept", "a file where a folder is needed")
        let loaded = ActorFolderLoader(
            context: context().context, kept: KeptDeclarations(folder: folder.path + "/kept")
        ).load(folder: folder.path + "/actors")
        #expect(loaded.actors.map(\.spec.name) == ["one"])
        #expect(loaded.actors.first?.warnings.first?.reason.contains("cannot be kept") == true)
    }

    @Test("a missing folder is a problem, not a crash")
    func missing() {
        let loaded = context().load(folder: "/nonexistent/actors")
        #expect(loaded.actors.isEmpty && loaded.problem != nil && loaded.isAway)
    }

    @Test("a disk that is not mounted takes nobody's actors with it, as long as it is not empty itself")
    func unmounted() throws {
        let folder = try TemporaryFolder()
        let manager = FileManager.default
        let (actors, away) = (folder.path + "/actors", folder.path + "/away")
        func load() -> LoadedFolders {
            ActorFolderLoader(
                context: context().context, kept: KeptDeclarations(folder: folder.path + "/kept")
            ).load(folder: actors)
        }
        try folder.write("actors/one/actor.yml", "name: first\nrun: {command: [x]}\n")
        try folder.write("actors/two/actor.yml", "run: {command: [x]}\n")
        let before = load()
        #expect(before.problem == nil && before.actors.map(\.spec.name) == ["first", "two"])

        try manager.moveItem(atPath: actors, toPath: away)
        for isMountPoint in [false, true] {
            if isMountPoint { try manager.createDirectory(atPath: actors, withIntermediateDirectories: false) }
            for _ in 0..<2 {
                let unmounted = load()
                #expect(unmounted.actors.map(\.spec) == before.actors.map(\.spec))
                #expect(unmounted.isAway && unmounted.quarantined.isEmpty)
                let reason = try #require(unmounted.problem?.reason)
                #expect(reason.contains(isMountPoint ? "it is empty" : "cannot be read"))
                #expect(reason.contains("if they are to go, remove \(folder.path)/kept"))
            }
        }
        try manager.removeItem(atPath: actors)
        try manager.moveItem(atPath: away, toPath: actors)
        #expect(load() == before)

        try manager.removeItem(atPath: actors + "/one")
        #expect(load().actors.map(\.spec.name) == ["two"])
        try manager.removeItem(atPath: actors + "/two")
        let emptied = load()
        #expect(emptied.actors.isEmpty && emptied.problem == nil, "somebody emptied it: they are gone")
        try manager.removeItem(atPath: actors)
        #expect(load().isAway && load().actors.isEmpty)
    }

    @Test("the fingerprint follows what runs and nothing else")
    func fingerprint() throws {
        let folder = try TemporaryFolder()
        try folder.write("a/actor.yml", "run: {command: [x]}\n")
        try folder.write("a/config.yml", "k: ~\n")
        try folder.write("a/reactor.py", "1\n")
        func current(_ secrets: [String: String] = [:]) throws -> String {
            try #require(context(secrets).load(folder: folder.path).actors.first).fingerprint
        }
        let first = try current()
        #expect(first.count == 64)
        try folder.write("a/README.md", "text\n")
        try folder.write("a/samples/x.json", "{}")
        try folder.write("a/actor.yml", "# comment\nrun: {command: [x]}\ndescription: new\n")
        #expect(try current() == first)
        #expect(try current(["_REACTOR_K": "v"]) == first)
        try folder.write("a/reactor.py", "2\n")
        let second = try current()
        #expect(second != first)
        try folder.write("a/actor.yml", "run: {command: [y]}\n")
        #expect(try current() != second)
    }

    @Test("the watcher calls once for each change, and only for changes")
    func watcher() async throws {
        let folder = try TemporaryFolder()
        try folder.write("a/actor.yml", "run: {command: [x]}\n")
        let clock = ManualClock()
        let watcher = FolderWatcher(folder: folder.path, clock: clock)
        let (calls, sink) = AsyncStream.makeStream(of: Void.self)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await watcher.run { sink.yield() } }
            await clock.sleepers(atLeast: 1)
            clock.advance(milliseconds: 2000)
            await clock.sleepers(atLeast: 1)
            try folder.write("a/b/c.txt", "new")
            clock.advance(milliseconds: 2000)
            var iterator = calls.makeAsyncIterator()
            await iterator.next()
            group.cancelAll()
            await #expect(throws: CancellationError.self) { try await group.next() }
        }
    }
}
