import ActorCore
import ActorTesting
import Foundation
import Testing

/// The real process under 64 connections, killed, stopped, out of space, with its clock set: nothing acknowledged is
/// lost, nothing is done twice by a Reactor, nothing changes places. `make soak` does it for long.
@Suite(.serialized) struct MaltreatmentTests {
    @Test func killedAtRandomMoments() async throws {
        try await scenario("SIGKILL", RunningDaemon(actors: Ledgers.actors)) { random, daemon, senders in
            var kills = 0
            for _ in 0..<Soak.rounds(8, soak: 110) {
                try await senders.reach(Int.random(in: 1...150, using: &random), at: daemon.base)
                try await moment(upTo: 40, &random)
                await daemon.killNow()
                kills += 1
                // Now and then it does not live to say that it is ready, or dies as soon as it has said it.
                while Int.random(in: 0..<4, using: &random) == 0 {
                    try await daemon.startAndKill(after: Int.random(in: 0...500, using: &random))
                    kills += 1
                }
                try await daemon.start()
            }
            while kills < 10 {
                await daemon.killNow()
                try await daemon.start()
                kills += 1
            }
            try await senders.reach(50, at: daemon.base)
            return Blows(all: kills, ends: kills)
        }
    }

    /// A first start that is cut off leaves a folder that a second one can use.
    @Test func killedDuringItsFirstStart() async throws {
        let seed = Soak.seed(of: "first start")
        var random = SeededGenerator(seed: seed)
        for _ in 0..<Soak.rounds(3, soak: 50) {
            try await withDaemon(RunningDaemon(actors: Ledgers.actors)) { daemon in
                for _ in 0..<3 { try await daemon.startAndKill(after: Int.random(in: 0...200, using: &random)) }
                try await daemon.start()
                #expect(try await daemon.post("/actors/v2/\(Ledgers.script)/messages", ["n": 1]).status == 200)
            }
        }
    }

    /// What is stopped for longer than a sender waits is asked again, and answers twice when it goes on.
    @Test func stoppedAndContinued() async throws {
        let daemon = try RunningDaemon(actors: Ledgers.actors)
        try await scenario("SIGSTOP", daemon, timeout: 0.25) { random, daemon, senders in
            let stops = Soak.rounds(8, soak: 200)
            try await senders.reach(50, at: daemon.base)
            for _ in 0..<stops {
                daemon.signal(SIGSTOP)
                try await moment(upTo: 600, &random)
                daemon.signal(SIGCONT)
                try await senders.reach(Int.random(in: 1...100, using: &random))
            }
            return Blows(all: stops, ends: 0)
        }
    }

    /// No space: what is new is refused with 507, what was accepted is kept, and it goes on when there is space, also
    /// when the daemon was killed without any.
    @Test(.enabled(if: BadInputTests.canMount, "a small disk can only be mounted by root"))
    func outOfSpace() async throws {
        let daemon = try RunningDaemon(actors: Ledgers.actors)
        try FileManager.default.createDirectory(atPath: daemon.data, withIntermediateDirectories: true)
        let size = Soak.rounds(64, soak: 512)
        #expect(mount("tmpfs", daemon.data, "tmpfs", 0, "size=\(size)m,mode=700") == 0)
        defer {
            umount2(daemon.data, Int32(MNT_DETACH))
            try? FileManager.default.removeItem(atPath: daemon.folder)
        }
        try await scenario("disk full", daemon, padding: 8000) { random, daemon, senders in
            var kills = 0
            let fills = Soak.rounds(3, soak: 20)
            try await senders.reach(50, at: daemon.base)
            let filler = DiskFiller(path: "\(daemon.data)/filler")
            for round in 0..<fills {
                filler.fill()
                try await senders.refusal()
                try await moment(upTo: 40, &random)
                if round % 3 == 1 {
                    await daemon.killNow()
                    kills += 1
                    filler.makeRoom()
                    try await daemon.start()
                    try await senders.reach(50, at: daemon.base)
                } else {
                    filler.makeRoom()
                    try await senders.reach(50)
                }
            }
            return Blows(all: fills, ends: kills, scriptsMayFail: true)
        }
    }

    @Test func withItsClockSetForwardAndBack() async throws {
        let more: [String: [String: String]] = [
            "flaky": [
                "actor.yml": "name: flaky\nrun: {command: [/bin/sh, -c, 'test $REACTORD_ATTEMPT -gt 1']}\n"
                    + "retry: {attempts: 3, backoff_seconds: 0.5}\n"
            ],
            "endless": [
                "actor.yml": "name: endless\nrun: {command: [/bin/sleep, \"300\"]}\n"
                    + "timeout_seconds: 1\nretry: {attempts: 1}\n"
            ],
            "ticker": [
                "actor.yml": "name: ticker\nrun: {command: [/bin/sh, tick.sh]}\nschedule: \"* * * * *\"\n",
                "tick.sh": "echo $REACTORD_DUE >> ../../ticks.txt\n",
            ],
        ]
        let daemon = try RunningDaemon(actors: Ledgers.actors.merging(more) { $1 })
        let clock = try ClockShift(in: daemon.folder)
        daemon.environment = clock.environment
        // A key is remembered for three days: after such a jump a repeat is rightly a new message.
        try await scenario("clock set", daemon, repeats: 0, pace: 0.5) { random, daemon, senders in
            let far = 3 * ClockShift.day
            var jumps = [ClockShift.hour, 0, far, 0, -far, 0]
            for _ in 0..<Soak.rounds(0, soak: 20) {
                jumps.append(Int64.random(in: -far...far, using: &random))
            }
            // A schedule believes a clock that goes back by less than a day to have been right: it stays silent.
            jumps.append(far)
            try await senders.reach(50, at: daemon.base)
            for jump in jumps {
                // One waits for its second attempt, one for the end of its time, while the clock is set.
                let flaky = try await daemon.send("flaky", ["n": 1])
                let endless = try await daemon.send("endless", ["n": 1])
                _ = try await daemon.until("/api/v1/executions/\(flaky)") {
                    $0["attempts"]?.int ?? 0 > 0 && $0["status"]?.string != "RUNNING"
                }
                _ = try await daemon.until("/api/v1/executions/\(endless)") { $0["attempts"]?.int ?? 0 > 0 }
                clock.set(ahead: jump)
                try await senders.reach(Int.random(in: 1...60, using: &random))
                let succeeded = try await daemon.finished(flaky, seconds: 30)
                #expect(succeeded["outcome"]?.string == "succeeded")
                let timedOut = try await daemon.finished(endless, seconds: 30)
                #expect(timedOut["outcome"]?.string == "timed_out")
            }
            try await checkSchedule(daemon, clock)
            return Blows(all: jumps.count, ends: 0)
        }
    }

    /// A schedule that was ahead of its time is not silent until that time comes, and fires once per due moment.
    private func checkSchedule(_ daemon: RunningDaemon, _ clock: ClockShift) async throws {
        func ticks() -> [Substring] {
            ((try? String(contentsOfFile: "\(daemon.folder)/ticks.txt", encoding: .utf8)) ?? "").split(separator: "\n")
        }
        let before = ticks().count
        // Time runs fast from here: the next moment may be one that was made up for already, the one after is not.
        var ahead: Int64 = 0
        _ = try await daemon.until("/api/v1/executions?actor=ticker", seconds: 30) { _ in
            ahead += 10_000
            clock.set(ahead: ahead)
            return ticks().count > before
        }
        #expect(Set(ticks()).count == ticks().count, "\(ticks())")
    }

    /// The books would tell: what is missing, what is there twice or for nothing, what comes too late.
    @Test func theAuditSeesWhatIsWrong() {
        func entries(_ pairs: [(Int, Int)]) -> [Ledgers.Entry] {
            pairs.map { Ledgers.Entry(sender: $0.0, number: $0.1) }
        }
        let promised = entries([(1, 1), (1, 2), (1, 3), (2, 1)])
        let books: [(done: [(Int, Int)], lost: Int, twice: Int, outOfOrder: Int)] = [
            ([(1, 1), (2, 1), (1, 2), (1, 3)], 0, 0, 0),
            ([(1, 1), (1, 2), (2, 1)], 1, 0, 0),
            ([(1, 1), (1, 2), (1, 2), (2, 1), (1, 3)], 0, 1, 0),
            ([(1, 1), (1, 2), (1, 3), (2, 1), (2, 2)], 0, 1, 0),
            ([(1, 2), (1, 1), (2, 1), (1, 3)], 0, 0, 1),
            ([], 4, 0, 0),
        ]
        for book in books {
            var tally = Tally(scenario: "audit")
            Ledgers.compare(promised, with: entries(book.done), &tally)
            #expect(tally.lost == book.lost, "\(book)")
            #expect(tally.twice == book.twice, "\(book)")
            #expect(tally.outOfOrder == book.outOfOrder, "\(book)")
        }
    }

    // MARK: Scenarios

    private struct Blows {
        var all: Int
        /// How many of them ended the daemon.
        var ends: Int
        var scriptsMayFail = false
    }

    private func scenario(
        _ name: String, _ daemon: RunningDaemon, timeout: Double = 30, repeats: Double = 0.05, padding: Int = 0,
        pace: Double = 0,
        _ maltreat: (inout SeededGenerator, RunningDaemon, Senders) async throws -> Blows
    ) async throws {
        let seed = Soak.seed(of: name)
        var random = SeededGenerator(seed: seed)
        try await withDaemon(daemon) { daemon in
            let ledgers = try await Ledgers.open(daemon)
            let plan = ledgers.plan(seed: seed, timeout: timeout, repeats: repeats, padding: padding, pace: pace)
            let senders = try Senders(plan, in: daemon.folder)
            defer { senders.end() }
            let blows = try await maltreat(&random, daemon, senders)
            let totals = try await senders.stop()
            var tally = Tally(scenario: name, blows: blows.all)
            let problems = try await ledgers.audit(
                daemon, interruptions: blows.ends, scriptsMayFail: blows.scriptsMayFail, into: &tally)
            tally.report()
            print("\(name): the senders saw \(JSONWriter.string(totals))")
            #expect(totals["acknowledged"]?.int == tally.acknowledged)
            #expect(tally.acknowledged > 10 * blows.all, "too little load to mean anything")
            #expect(tally.lost == 0, "seed \(seed)")
            #expect(tally.twice == 0, "seed \(seed)")
            #expect(tally.outOfOrder == 0, "seed \(seed)")
            #expect(problems == [], "seed \(seed)")
            let code = await daemon.stop()
            #expect(code == 0, "the daemon said: \(daemon.errors.suffix(3000))")
            #expect(try integrity(of: daemon) == "ok")
        }
    }

    /// The one place where time decides: when the blow falls is meant to be arbitrary.
    private func moment(upTo milliseconds: Int, _ random: inout SeededGenerator) async throws {
        try await Task.sleep(for: .milliseconds(Int.random(in: 0...milliseconds, using: &random)))
    }

    private func integrity(of daemon: RunningDaemon) throws -> String {
        let python = Process()
        let output = Pipe()
        python.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        python.arguments = ["python3", "\(Senders.support)/integrity.py", "\(daemon.data)/reactord.sqlite"]
        python.standardOutput = output
        try python.run()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        python.waitUntilExit()
        return text.trimmingCharacters(in: .whitespacesAndNewlines)
    }
}
