import ActorCore
import ActorTesting
import Foundation
import Testing

/// Uploads by every way in, against the real daemon: complete or not, the same or changed, once whatever happens.
@Suite(.serialized) struct IngestTests {
    static let config = """
        executors:
          process:
            images:
              local/sh: {command: [/bin/sh]}
              busybox: {command: [/bin/echo], any_command: true}
        """

    /// Writes a line behind what it did, where the next run of the same upload would write another.
    private static let tallyJob = """
        apiVersion: batch/v1
        kind: Job
        metadata: {name: "tally-${UUID}"}
        spec:
          template:
            spec:
              containers:
                - name: main
                  image: local/sh
                  args:
                    - "-c"
                    - echo ran >> $REACTORD_HOME/tally-${UUID}; cp -r $REACTORD_INPUT/. $REACTORD_OUTPUT/
        """

    private func daemon(
        jobs: [String: String] = ["tally.yaml": tallyJob], settings: String = "settle_seconds: 0.3\nscan_seconds: 0.2\n"
    ) throws -> RunningDaemon {
        let daemon = try RunningDaemon(config: Self.config)
        try FileManager.default.removeItem(atPath: "\(daemon.folder)/actors/ingest/jobs")
        for (path, text) in jobs { try daemon.write(text, to: "actors/ingest/jobs/\(path)") }
        try daemon.write(settings, to: "actors/ingest/config.yml")
        return daemon
    }

    private func ended(_ daemon: RunningDaemon, _ id: String, seconds: Double = 60) async throws -> JSONValue {
        try await daemon.until("/api/v1/uploads/\(id)", seconds: seconds) {
            ["done", "failed", "partly_failed"].contains($0["state"]?.string)
        }
    }

    private func lines(_ daemon: RunningDaemon, _ name: String) -> Int {
        let text = (try? String(contentsOfFile: "\(daemon.folder)/tally-\(name)", encoding: .utf8)) ?? ""
        return text.split(separator: "\n").count
    }

    // MARK: Complete or not

    @Test func anUploadIsTakenWhenItIsWholeHoweverItComes() async throws {
        try await withDaemon(daemon(settings: "settle_seconds: 8\nscan_seconds: 0.2\n")) { daemon in
            try await daemon.start()
            let inbox = "\(daemon.data)/inbox"
            // Half-written, under a name that says so; then renamed into place.
            try daemon.write("half", to: "var/inbox/renamed.part")
            // A folder that grows: it has not come to rest while it does.
            for number in 1...2 {
                try daemon.write("\(number)", to: "var/inbox/growing/\(number).dat")
                _ = try await daemon.until("/api/v1/uploads/growing") {
                    $0["state"]?.string == "settling" && $0["file_count"]?.int == number
                }
            }
            // A folder with its list of checksums, quiet for longer than it takes to settle, but one file is missing.
            let listed = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"
            try daemon.write("\(listed)  a.dat\n\(listed)  raw/b.dat\n", to: "var/inbox/listed/SHA256SUMS")
            try daemon.write("hello", to: "var/inbox/listed/a.dat")
            let grown = try await ended(daemon, "growing")
            #expect(grown["file_count"]?.int == 2 && grown["state"]?.string == "done")
            _ = try await daemon.until("/api/v1/uploads/listed") {
                $0["state"]?.string == "receiving" && $0["note"]?.string?.contains("raw/b.dat") == true
            }
            // It comes wrong, then right.
            try daemon.write("hellO", to: "var/inbox/listed/raw/b.dat")
            _ = try await daemon.until("/api/v1/uploads/listed") {
                $0["note"]?.string?.contains("not as its checksum list says") == true
            }
            try daemon.write("hello", to: "var/inbox/listed/raw/b.dat")
            #expect(try await ended(daemon, "listed")["file_count"]?.int == 3)
            #expect(FileManager.default.fileExists(atPath: "\(inbox)/renamed.part"))
            try FileManager.default.moveItem(atPath: "\(inbox)/renamed.part", toPath: "\(inbox)/renamed")
            #expect(try await ended(daemon, "renamed")["bytes"]?.int == 4)
            for name in ["growing", "listed", "renamed"] { #expect(lines(daemon, name) == 1) }
        }
    }

    @Test func theSameContentRunsNothingAgainAndAChangedOneIsTheSecondVersion() async throws {
        try await withDaemon(daemon()) { daemon in
            try await daemon.start()
            func put(_ path: String, _ text: String) async throws {
                let answer = try await daemon.request("PUT", "/api/v1/uploads/\(path)", body: Array(text.utf8))
                #expect(answer.status == 201, "\(answer.text)")
            }
            try await put("exp.dat", "one")
            #expect(try await ended(daemon, "exp.dat")["state"]?.string == "done")
            for name in ["exp.dat", "renamed.dat"] {
                try await put(name, "one")
                _ = try await daemon.until("/api/v1/uploads/exp.dat") {
                    $0["duplicates"]?.array?.last?["upload"]?.string == name
                }
            }
            let digest = "7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed"
            let found = try await daemon.get("/api/v1/uploads?sha256=\(digest)")
            #expect(found["uploads"]?.array?.first?["id"]?.string == "exp.dat")
            try await put("exp.dat", "two")
            let second = try await ended(daemon, "exp.dat.2")
            #expect(second["number"]?.int == 2 && second["upload"]?.string == "exp.dat")
            try await put("exp.dat?force=true", "one")
            #expect(try await ended(daemon, "exp.dat.3")["sha256"]?.string == digest)
            #expect(lines(daemon, "exp.dat") == 3 && lines(daemon, "renamed.dat") == 0)
            #expect(try await daemon.get("/api/v1/jobs")["jobs"]?.array?.count == 3)
        }
    }

    @Test func theCommandLineGoesOnWhereItWasInterrupted() async throws {
        try await withDaemon(daemon()) { daemon in
            try await daemon.start()
            let bytes = (0..<(20 << 20)).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 3) }
            try Data(bytes).write(to: URL(fileURLWithPath: "\(daemon.folder)/exp-big.dat"))
            let half = 8 << 20
            let answer = try await daemon.request(
                "PUT", "/api/v1/uploads/exp-big.dat", body: Array(bytes[..<half]),
                headers: [("Content-Range", "bytes 0-\(half - 1)/\(bytes.count)")])
            #expect(answer.status == 202, "\(answer.text)")
            // What has arrived outlives the daemon.
            await daemon.killNow()
            try await daemon.start()
            let there = try await daemon.get("/api/v1/uploads/exp-big.dat")
            #expect(there["offset"]?.int == half && there["state"]?.string == "receiving")
            let connection = ["--url", daemon.base, "--data-dir", daemon.data, "--json"]
            let sent = try await daemon.runBeside(["upload", "exp-big.dat"] + connection)
            #expect(sent.code == 0, "\(sent.output) \(daemon.errors.suffix(500))")
            let upload = try await ended(daemon, "exp-big.dat")
            #expect(upload["bytes"]?.int == bytes.count && upload["state"]?.string == "done")
            // The same again is not even sent.
            let again = try await daemon.runBeside(["upload", "exp-big.dat"] + connection)
            #expect(again.code == 0 && again.output.contains(#""id": "exp-big.dat""#), "\(again.output)")
            try daemon.write("a", to: "set/raw/a.dat")
            try daemon.write("{\"n\": 1}", to: "set/metadata.json")
            let folder = try await daemon.runBeside(["upload", "set", "--name", "2026-11-21-e-set"] + connection)
            #expect(folder.code == 0, "\(folder.output)")
            let set = try await ended(daemon, "2026-11-21-e-set")
            #expect(set["metadata"]?["n"]?.int == 1 && set["file_count"]?.int == 2)
            let shown = try await daemon.runBeside(["upload", "show", "2026-11-21-e-set"] + connection.dropLast())
            #expect(shown.code == 0 && shown.output.contains("tally.yaml"), "\(shown.output)")
            let list = try await daemon.runBeside(["uploads"] + connection.dropLast())
            #expect(list.output.contains("2026-11-21-e-set") && list.output.contains("exp-big.dat"))
            // A new job file over old uploads, after a look at the plan.
            try daemon.write(
                Self.tallyJob.replacing("tally-${UUID}", with: "new-${UUID}")
                    .replacing("spec:\n  template", with: "spec:\n  backoffLimit: 0\n  template"),
                to: "actors/ingest/jobs/new.yaml")
            let plan = try await daemon.runBeside(
                ["backfill", "new.yaml", "--since", "2020-01-01"] + connection.dropLast())
            #expect(plan.code == 0 && plan.output.contains("2 of 2 uploads would run"), "\(plan.output)")
            #expect(try await daemon.get("/api/v1/uploads/2026-11-21-e-set")["jobs"]?.array?.count == 1)
            let run = try await daemon.runBeside(
                ["backfill", "new.yaml", "--since", "2020-01-01", "--yes"] + connection.dropLast())
            #expect(run.code == 0 && run.output.contains("2 runs"), "\(run.output)")
            for id in ["2026-11-21-e-set", "exp-big.dat"] {
                _ = try await daemon.until("/api/v1/uploads/\(id)") {
                    $0["jobs"]?.array?.count == 2 && $0["state"]?.string == "done"
                }
            }
        }
    }

    // MARK: The document's own job

    /// As the workflow's document has it, byte for byte, with its time to live: what ran and what it said stay.
    @Test func theSequentialJobOfTheDocumentRunsUnchanged() async throws {
        let text = try String(
            contentsOfFile: "\(RunningDaemon.root)/Tests/EndToEndTests/Fixtures/job_sequential_example.yaml",
            encoding: .utf8)
        let daemon = try daemon(jobs: ["job_sequential_example.yaml": text])
        let clock = try ClockShift(in: daemon.folder)
        daemon.environment = clock.environment
        try await withDaemon(daemon) { daemon in
            try await daemon.start()
            let name = "2020-04-28-e-silicon"
            #expect(try await daemon.request("PUT", "/api/v1/uploads/\(name)", body: [1]).status == 201)
            let upload = try await ended(daemon, name)
            #expect(upload["state"]?.string == "done", "\(upload)")
            let job = try #require(upload["jobs"]?.array?.first)
            let uuid = try #require(job["uuid"]?.string)
            #expect(job["name"]?.string == "inbox-sequential-example")
            // Its 90 seconds are long over; what is cleared away at a start is cleared away.
            for ahead in [0, ClockShift.hour, 2 * ClockShift.hour] {
                clock.set(ahead: ahead)
                if ahead > ClockShift.hour {
                    await daemon.stop()
                    try await daemon.start()
                }
                let logs = try await daemon.request("GET", "/api/v1/jobs/\(uuid)/logs")
                for said in ["Sequential Task 1 Ran!", "Sequential Task 2 Ran!", "All sequential tasks finished!"] {
                    #expect(logs.text.contains(said), "\(logs.text)")
                }
                #expect(try await daemon.get("/api/v1/jobs/\(uuid)")["status"]?.string == "FINISHED")
            }
        }
    }

    // MARK: Kills

    /// Uploads come in, the daemon is killed again and again; at the end each ran once, and is there once.
    @Test func killsAtAnyMomentRepeatNothingAndLoseNothing() async throws {
        var seeded = SeededGenerator(seed: Soak.seed(of: "ingest under kills"))
        let count = Soak.rounds(12, soak: 100)
        let blows = Soak.rounds(4, soak: 40)
        try await withDaemon(daemon()) { daemon in
            let names = (0..<count).map { "2026-11-21-e-\($0)" }
            try await daemon.start()
            for (number, name) in names.enumerated() {
                try daemon.write("content of \(number)", to: "var/inbox/\(name)/rec.dat")
                try daemon.write("", to: "var/inbox/\(name).done")
            }
            var finished: [String: Int] = [:]
            for _ in 0..<blows {
                try await Task.sleep(for: .milliseconds(Int.random(in: 20...900, using: &seeded)))
                let done = (try? await daemon.get("/api/v1/uploads?state=done&limit=1000")) ?? .null
                for upload in done["uploads"]?.array ?? [] {
                    let name = upload["upload"]?.string ?? ""
                    finished[name] = lines(daemon, name)
                }
                await daemon.killNow()
                try await daemon.start()
            }
            for name in names {
                let upload = try await ended(daemon, name, seconds: 120)
                #expect(upload["state"]?.string == "done", "\(upload)")
                #expect(upload["jobs"]?.array?.count == 1 && upload["file_count"]?.int == 1)
                #expect(lines(daemon, name) >= 1)
                // What had ended before a blow did not run again after it.
                if let before = finished[name] { #expect(lines(daemon, name) == before, "\(name) ran again") }
            }
            let all = try await daemon.get("/api/v1/uploads?limit=1000")
            #expect(all["uploads"]?.array?.count == count)
            let jobs = try await daemon.get("/api/v1/jobs?limit=1000")
            #expect(jobs["jobs"]?.array?.count == count)
        }
    }

    // MARK: Many, and large

    /// Small uploads all at once, and one that is larger than memory may be: what the daemon holds stays flat.
    @Test func manySmallOnesAndALargeOneNeedLittleMemory() async throws {
        let count = Soak.rounds(100, soak: 10_000)
        let large = Int64(Soak.rounds(256, soak: 20 << 10)) << 20
        try await withDaemon(daemon(jobs: [:])) { daemon in
            try await daemon.start()
            let file = "\(daemon.folder)/large.dat"
            #expect(FileManager.default.createFile(atPath: file, contents: nil))
            #expect(truncate(file, off_t(large)) == 0)
            let connection = ["--url", daemon.base, "--data-dir", daemon.data, "--json"]
            let before = try anonymous(daemon)
            let sent = try await daemon.runBeside(["upload", "large.dat"] + connection)
            #expect(sent.code == 0, "\(sent.output) \(daemon.errors.suffix(500))")
            let upload = try await ended(daemon, "large.dat", seconds: 600)
            #expect(upload["bytes"]?.int == Int(large))
            for number in 0..<count {
                try daemon.write("small \(number)", to: "var/inbox/small-\(number)")
                try daemon.write("", to: "var/inbox/small-\(number).done")
            }
            for number in [0, count / 2, count - 1] {
                _ = try await ended(daemon, "small-\(number)", seconds: Soak.isOn ? 1800 : 120)
            }
            let deadline = ContinuousClock.now + .seconds(Soak.isOn ? 1800 : 120)
            var left = count
            while left > 0 {
                try #require(ContinuousClock.now < deadline, "\(left) uploads are still in the inbox")
                left = try FileManager.default.contentsOfDirectory(atPath: "\(daemon.data)/inbox")
                    .filter { $0.hasPrefix("small-") }.count
                if left > 0 { try await Task.sleep(for: .milliseconds(200)) }
            }
            let grown = try anonymous(daemon) - before
            print("ingest: \(count) small uploads and one of \(large >> 20) MiB, \(grown >> 20) MiB more memory")
            #expect(grown < (Soak.isOn ? 128 : 96) << 20)
        }
    }

    /// Anonymous memory of the daemon at its highest, in bytes.
    private func anonymous(_ daemon: RunningDaemon) throws -> Int64 {
        let status = try String(contentsOfFile: "/proc/\(daemon.pid)/status", encoding: .utf8)
        let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") })
        let words = line.split(whereSeparator: { $0 == " " || $0 == "\t" })
        return (Int64(words[1]) ?? 0) * 1024
    }
}
