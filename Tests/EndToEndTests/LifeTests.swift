import ActorCore
import Foundation
import Testing

/// The real daemon as a process: starts, answers, drains, refuses what it must refuse.
@Suite(.serialized) struct LifeTests {
    @Test func startsAnswersAndDrains() async throws {
        try await withDaemon(RunningDaemon()) { daemon in
            try await daemon.start()
            #expect(try await daemon.request("GET", "/healthz", authorised: false).status == 200)
            #expect(try await daemon.request("GET", "/readyz", authorised: false).status == 200)
            let attributes = try FileManager.default.attributesOfItem(atPath: "\(daemon.data)/admin.token")
            #expect((attributes[.posixPermissions] as? NSNumber)?.intValue == 0o600)
            #expect(await daemon.stop() == 0)
            // Its log is JSON lines when nobody sits at a terminal, and never shows the token.
            let lines = daemon.errors.split(separator: "\n")
            #expect(!lines.isEmpty)
            for line in lines { #expect((try? JSONReader.read(Array(line.utf8))) != nil, "\(line)") }
            #expect(!daemon.errors.contains(daemon.token))
        }
    }

    /// Somebody hopes to have the configuration read again: the lab is not to stand still for it.
    @Test func aHangUpIsNotedAndTheDaemonGoesOn() async throws {
        try await withDaemon(RunningDaemon()) { daemon in
            try await daemon.start()
            daemon.signal(SIGHUP)
            _ = try await daemon.until("/api/v1/actors") { _ in daemon.errors.contains("SIGHUP does nothing here") }
            #expect(await daemon.stop() == 0)
        }
    }

    @Test func aHangUpAtATerminalIsAStopInOrder() async throws {
        var (outer, inner): (Int32, Int32) = (-1, -1)
        var name = [CChar](repeating: 0, count: 64)
        let isOpen = openpty(&outer, &inner, &name, nil, nil) == 0
        try #require(isOpen)
        let ends = [outer, inner]
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        defer { for end in ends { close(end) } }
        let daemon = try RunningDaemon()
        daemon.input = String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        try await withDaemon(daemon) { daemon in
            try await daemon.start()
            daemon.signal(SIGHUP)
            #expect(await daemon.waitForEnd() == 0, "\(daemon.errors)")
        }
    }

    /// What is behind the first page is not kept secret.
    @Test func listsSayThatThereIsMore() async throws {
        let daemon = try RunningDaemon(actors: [
            "bad": ["actor.yml": "name: bad\nrun: {command: [/bin/false]}\nretry: {attempts: 1}\n"]
        ])
        try await withDaemon(daemon) { daemon in
            try await daemon.start()
            for number in 0..<3 {
                _ = try await daemon.finished(try await daemon.send("bad", ["n": JSONValue(number)]))
            }
            for words in [["executions", "bad"], ["dead-letters"]] {
                let line = words + ["--limit", "2", "--url", daemon.base, "--data-dir", daemon.data]
                let first = try await daemon.runBeside(line).output
                let cursor = try #require(first.split(separator: "more: --cursor ").last?.split(separator: "\n").first)
                #expect(first.contains("more: --cursor "), "\(first)")
                let second = try await daemon.runBeside(line + ["--cursor", String(cursor)]).output
                #expect(second.split(separator: "\n").count == 2 && !second.contains("more:"), "\(second)")
            }
        }
    }

    /// 1 is said of histories that somebody has changed, not of a folder that was mistyped.
    @Test func aFolderWithoutADatabaseIsAWrongWord() async throws {
        try await withDaemon(RunningDaemon()) { daemon in
            for words in [["job", "verify", "--all"], ["verify"]] {
                let code = try await daemon.runToEnd(words + ["--data-dir", "nosuch"]).code
                #expect(code == 2)
            }
        }
    }

    @Test func aSecondDaemonOnTheSameFolderIsRefusedNamingTheHolder() async throws {
        try await withDaemon(RunningDaemon()) { daemon in
            try await daemon.start()
            let first = daemon.pid
            let second = try RunningDaemon()
            let end = try await second.runToEnd(["serve", "--port", "0", "--data-dir", daemon.data])
            #expect(end.code == 1)
            #expect(end.errors.contains("pid \(first)"), "\(end.errors)")
            await second.tearDown()
            #expect(try await daemon.request("GET", "/readyz", authorised: false).status == 200)
        }
    }

    @Test func aTakenPortIsRefusedAtOnce() async throws {
        try await withDaemon(RunningDaemon()) { daemon in
            try await daemon.start()
            let second = try RunningDaemon()
            let began = ContinuousClock.now
            let end = try await second.runToEnd(["serve", "--port", "\(daemon.port)", "--data-dir", second.data])
            #expect(end.code == 1)
            #expect(
                end.errors.contains("it cannot listen on 127.0.0.1:\(daemon.port): is the port taken"), "\(end.errors)")
            // Nothing runs yet that would have to end: a start that fails does not wait out the grace time of a minute.
            #expect(ContinuousClock.now - began < .seconds(30))
            await second.tearDown()
        }
    }

    @Test func aBadConfigurationStopsItWithFileLineKeyAndAllowedValues() async throws {
        let config = "server:\n  prot: 8000\nstore:\n  synchronous: sometimes\n"
        try await withDaemon(RunningDaemon(config: config)) { daemon in
            let end = try await daemon.runToEnd(["serve", "--port", "0", "--data-dir", daemon.data])
            #expect(end.code == 1)
            #expect(end.errors.contains("config.yml:2"), "\(end.errors)")
            #expect(end.errors.contains("prot"))
            #expect(end.errors.contains("config.yml:4"))
            #expect(end.errors.contains("full") && end.errors.contains("normal"))
        }
    }

    @Test func aBadActorFolderIsListedAndTheRestRuns() async throws {
        let daemon = try RunningDaemon(actors: [
            "broken": ["actor.yml": "name: broken\nrun: {nothing: true}\n"],
            "fine": ["actor.yml": "name: fine\nrun: {command: [/bin/echo, hello]}\n"],
        ])
        try await withDaemon(daemon) { daemon in
            try await daemon.start()
            let actors = try await daemon.get("/api/v1/actors")
            #expect(actors["quarantined"]?.array?.first?["folder"]?.string == "broken")
            let execution = try await daemon.send("fine", ["a": 1])
            #expect(try await daemon.finished(execution)["outcome"]?.string == "succeeded")
        }
    }

    @Test func actorsAreTakenUpWhileItRuns() async throws {
        try await withDaemon(RunningDaemon()) { daemon in
            try await daemon.start()
            #expect(try await daemon.request("GET", "/actors/v2/late").status == 404)
            try daemon.write("name: late\nrun: {command: [/bin/echo, here]}\n", to: "actors/late/actor.yml")
            _ = try await daemon.until("/api/v1/actors") { value in
                value["actors"]?.array?.contains { $0["name"]?.string == "late" } ?? false
            }
            let execution = try await daemon.send("late", [:])
            #expect(try await daemon.finished(execution)["outcome"]?.string == "succeeded")
        }
    }

    /// Whoever holds a nonce or an id is not told that it does not exist because somebody mistyped a line.
    @Test func aMistakeInTheFolderOfAnActorCostsNobodyAnything() async throws {
        let fine = "name: fine\nrun: {command: [/bin/echo, hello]}\n"
        try await withDaemon(RunningDaemon(actors: ["fine": ["actor.yml": fine]])) { daemon in
            try await daemon.start()
            try daemon.write("name: fine\nrun: {command: [\n", to: "actors/fine/actor.yml")
            let listed = try await daemon.until("/api/v1/actors") { $0["quarantined"]?.array?.isEmpty == false }
            #expect(listed["quarantined"]?.array?.first?["folder"]?.string == "fine")
            let execution = try await daemon.send("fine", ["a": 1])
            #expect(try await daemon.finished(execution)["outcome"]?.string == "succeeded")

            let id = try await daemon.get("/actors/v2/fine")["result"]?["id"]?.string
            await daemon.killNow()
            try await daemon.start()
            #expect(try await daemon.get("/actors/v2/fine")["result"]?["id"]?.string == id)
            #expect(try await daemon.get("/api/v1/actors")["quarantined"]?.array?.first?["goes_on"] == true)
            let later = try await daemon.send("fine", ["a": 1])
            #expect(try await daemon.finished(later)["outcome"]?.string == "succeeded")

            try daemon.write(fine.replacing("hello", with: "again"), to: "actors/fine/actor.yml")
            _ = try await daemon.until("/api/v1/actors") { $0["quarantined"]?.array?.isEmpty == true }
            let second = try await daemon.send("fine", ["a": 2])
            _ = try await daemon.finished(second)
            #expect(try await daemon.request("GET", "/api/v1/executions/\(second)/logs").text.contains("again"))
        }
    }

    /// A disk that is away for a moment is not the same as nobody living here.
    @Test func actorsGoOnWhileTheirFoldersCannotBeRead() async throws {
        let daemon = try RunningDaemon(actors: ["fine": ["actor.yml": "name: fine\nrun: {builtin: pipelines}\n"]])
        try await withDaemon(daemon) { daemon in
            try await daemon.start()
            let (here, away) = ("\(daemon.folder)/actors", "\(daemon.folder)/away")
            try FileManager.default.moveItem(atPath: here, toPath: away)
            _ = try await daemon.until("/api/v1/actors") { _ in daemon.errors.contains("actors cannot be read") }
            #expect(try await daemon.request("GET", "/actors/v2/fine").status == 200)
            try FileManager.default.moveItem(atPath: away, toPath: here)
        }
    }

    /// Settings that a Reactor would misread: it does not start, what is sent to it waits, and goes on when the line
    /// is mended.
    @Test func aMistakeInAnActorsSettingsCostsNoMail() async throws {
        let daemon = try RunningDaemon(actors: [
            "registrar": [
                "actor.yml": "name: registrar\nrun: {builtin: pipelines}\n",
                "config.yml": "token_pepper: a\nadmin_key: b\n",
            ]
        ])
        try await withDaemon(daemon) { daemon in
            try await daemon.start()
            let body: JSONValue = ["name": "line", "components": []]
            let execution = try await daemon.send("registrar", body)
            let why = try await daemon.until("/api/v1/executions/\(execution)/why") {
                "\($0)".contains("admin_key")
            }
            #expect("\(why)".contains("is none of"))
            try daemon.write("token_pepper: a\nadmin_token_key: b\n", to: "actors/registrar/config.yml")
            #expect(try await daemon.finished(execution)["outcome"] == "succeeded")
        }
    }

    /// A list that ends in a full disk does not pass for whole; a reader that has seen enough is no failure.
    @Test func outputThatIsLostIsAFailure() async throws {
        func code(_ argument: String, to output: FileHandle) async throws -> Int32 {
            let command = Process()
            command.executableURL = URL(fileURLWithPath: RunningDaemon.binary)
            command.arguments = [argument]
            (command.standardOutput, command.standardError) = (output, FileHandle.nullDevice)
            let (ended, sink) = AsyncStream.makeStream(of: Int32.self)
            command.terminationHandler = { sink.yield($0.terminationStatus) }
            try command.run()
            return await ended.first { _ in true } ?? -1
        }
        let full = try #require(FileHandle(forWritingAtPath: "/dev/full"))
        #expect(try await code("version", to: full) == 1)
        #expect(try await code("--help", to: full) == 1)
        #expect(try await code("version", to: .nullDevice) == 0)
        let pipe = Pipe()
        try pipe.fileHandleForReading.close()
        #expect(try await code("version", to: pipe.fileHandleForWriting) == 0)
    }
}
