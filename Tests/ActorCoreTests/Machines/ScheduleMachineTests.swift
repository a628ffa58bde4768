import ActorCore
import ActorTesting
import Testing

@Suite struct ScheduleMachineTests {
    /// 2026-02-14T12:00:30
    static let start = Timestamp(milliseconds: 1_771_070_430_000)

    /// What the shell does, on a stored plan and a list of executions.
    struct Shell {
        var schedule: Schedule
        var overlap = OverlapPolicy.skip
        var stored: ScheduleRecord?
        var sent: [Timestamp] = []
        var skipped: [Timestamp] = []
        var running: Set<ExecutionID> = []
        /// Executions by idempotency key: the store answers a key it knows with the first one.
        var keys: [Timestamp: ExecutionID] = [:]
        /// Plan writes and messages that still succeed before the process dies.
        var budget = Int.max
        /// When the process began.
        var began = Timestamp(milliseconds: .min)

        init(_ text: String, overlap: OverlapPolicy = .skip) throws {
            schedule = try Schedule(text)
            self.overlap = overlap
        }

        /// Looks until there is nothing left to do; nil when it died half-way, or is never due again.
        @discardableResult
        mutating func look(at now: Timestamp) -> Timestamp? {
            var machine = ScheduleMachine(schedule: schedule, overlap: overlap, stored: stored, began: began)
            while true {
                let previous = machine.previous(now: now)
                switch machine.look(now: now, previousRuns: previous.map(running.contains) ?? false) {
                case .keep(let record):
                    guard spend() else { return nil }
                    stored = record
                    machine.kept()
                case .send(let due):
                    guard spend() else { return nil }
                    if keys[due] == nil {
                        keys[due] = ExecutionID("e\(keys.count)")
                        sent.append(due)
                    }
                    machine.sent(keys[due] ?? ExecutionID("-"), now: now)
                case .skip(let due): skipped.append(due)
                case .wait(let moment): return moment
                case .rest: return nil
                }
            }
        }

        private mutating func spend() -> Bool {
            budget -= 1
            return budget >= 0
        }
    }

    func after(_ seconds: Double) -> Timestamp { Self.start.adding(seconds: seconds) }

    @Test func nothingIsSentBeforeItIsDue() throws {
        var shell = try Shell("* * * * *")
        expect(shell.look(at: Self.start), after(30))
        expect(shell.look(at: after(29)), after(30))
        #expect(shell.sent.isEmpty)
        expect(shell.look(at: after(30)), after(90))
        #expect(shell.sent == [after(30)])
    }

    @Test func whatWasMissedWhileTheDaemonWasDownIsSentOnce() throws {
        var shell = try Shell("* * * * *")
        shell.look(at: Self.start)
        expect(shell.look(at: after(3600)), after(3630))
        #expect(shell.sent == [after(30)])
        expect(shell.look(at: after(3630)), after(3690))
        #expect(shell.sent == [after(30), after(3630)])
    }

    /// Whether the run before had ended when the missed one was due is not known: a daily run is not lost for that.
    @Test func whatWasMissedIsMadeUpForOnceTheRunBeforeHasEnded() throws {
        var shell = try Shell("* * * * *")
        shell.look(at: Self.start)
        shell.look(at: after(30))
        shell.running = [try #require(shell.keys[after(30)])]
        shell.began = after(100)
        expect(shell.look(at: after(100)), after(105))
        expect(shell.look(at: after(105)), after(110))
        #expect(shell.sent == [after(30)] && shell.skipped.isEmpty)
        shell.running = []
        expect(shell.look(at: after(110)), after(150))
        #expect(shell.sent == [after(30), after(90)])
        shell.running = [try #require(shell.keys[after(90)])]
        shell.look(at: after(150))
        #expect(shell.skipped == [after(150)], "what is due now overlaps")
    }

    @Test func aClockThatIsSetBackSendsNothingAgain() throws {
        var shell = try Shell("* * * * *")
        shell.look(at: Self.start)
        shell.look(at: after(30))
        expect(shell.look(at: after(-3600)), after(90))
        for second in stride(from: -3600.0, to: 90, by: 10) { shell.look(at: after(second)) }
        #expect(shell.sent == [after(30)])
        shell.look(at: after(90))
        #expect(shell.sent == [after(30), after(90)])
    }

    @Test func aClockThatWasYearsAheadDoesNotStopItForYears() throws {
        var shell = try Shell("0 0 * * *")
        shell.look(at: after(86400 * 3650))
        shell.look(at: after(86400 * 3651))
        #expect(shell.sent.count == 1)
        let wake = shell.look(at: Self.start)
        let next = try #require(wake)
        #expect(next < after(86400))
        shell.look(at: next)
        #expect(shell.sent.count == 2)
    }

    @Test("a clock that was days ahead, and had what was missed made up for, does not stop it for days")
    func daysAhead() throws {
        var shell = try Shell("* * * * *")
        shell.look(at: Self.start)
        shell.look(at: after(86400 * 2.5))
        #expect(shell.sent == [after(30)])
        expect(shell.look(at: after(60)), after(90))
        shell.look(at: after(90))
        #expect(shell.sent == [after(30), after(90)])
    }

    @Test func aPlanThatWasMadeByAClockDaysAheadIsMadeAnew() throws {
        var shell = try Shell("0 0 * * *")
        shell.look(at: after(86400 * 3))
        let wake = shell.look(at: Self.start)
        #expect(try #require(wake) < after(86400))
        #expect(shell.sent.isEmpty)
    }

    @Test(arguments: [OverlapPolicy.skip, .queue])
    func whatOverlapsIsSkippedOrQueued(_ overlap: OverlapPolicy) throws {
        var shell = try Shell("* * * * *", overlap: overlap)
        shell.look(at: Self.start)
        shell.look(at: after(30))
        let first = try #require(shell.keys[after(30)])
        shell.running = [first]
        shell.look(at: after(90))
        shell.look(at: after(150))
        shell.running = []
        shell.look(at: after(210))
        switch overlap {
        case .skip:
            #expect(shell.sent == [after(30), after(210)])
            #expect(shell.skipped == [after(90), after(150)])
        case .queue:
            #expect(shell.sent == [after(30), after(90), after(150), after(210)])
            #expect(shell.skipped.isEmpty)
        }
    }

    @Test func anotherScheduleIsPlannedAnewAndTheOldRunStillCounts() throws {
        var shell = try Shell("0 0 1 1 *")
        shell.stored = ScheduleRecord(
            schedule: "0 0 1 1 *", anchor: Self.start, next: after(86400 * 300), done: after(-5),
            last: ExecutionID("old"))
        shell.running = [ExecutionID("old")]
        shell.schedule = try Schedule("* * * * *")
        expect(shell.look(at: Self.start), after(30))
        shell.look(at: after(30))
        #expect(shell.skipped == [after(30)])
    }

    @Test func aPlanOfAnOlderVersionIsTakenOver() throws {
        var shell = try Shell("* * * * *")
        shell.stored = ScheduleRecord(schedule: "", anchor: after(-600), next: after(-600))
        expect(shell.look(at: Self.start), after(30))
        #expect(shell.sent == [after(-600)])
        #expect(shell.stored?.schedule == "* * * * *")
    }

    @Test func nowIsSentAtOnceAndThenFollowsItsInterval() throws {
        var shell = try Shell("now + 1 hour")
        expect(shell.look(at: Self.start), after(3600 - 30))
        #expect(shell.sent == [Self.start])
        shell.look(at: after(3600 * 5))
        #expect(shell.sent == [Self.start, after(3600 - 30)])
        #expect(shell.stored?.anchor == Self.start)
    }

    @Test func eventsThatCannotBeStopTheTest() async throws {
        await #expect(processExitsWith: .failure) {
            var machine = ScheduleMachine(schedule: try Schedule("* * * * *"), overlap: .skip, stored: nil)
            machine.kept()
        }
        await #expect(processExitsWith: .failure) {
            var machine = ScheduleMachine(schedule: try Schedule("* * * * *"), overlap: .skip, stored: nil)
            machine.sent(ExecutionID("e"), now: Timestamp(milliseconds: 0))
        }
    }

    /// Downtime, clocks that jump, a process that dies between any two writes: no due moment is sent twice, none is
    /// sent early, and one look never sends more than one.
    @Test(arguments: [1, 2, 3, 5, 8, 13, 21, 34, 55, 89] as [UInt64]) func modelRun(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let texts = ["* * * * *", "*/7 * * * *", "0 * * * *", "now + 1 hour", "2026-02-14 9 + 2 hours"]
        for text in texts {
            var shell = try Shell(text, overlap: Bool.random(using: &random) ? .skip : .queue)
            var now = Self.start
            for _ in 0..<400 {
                switch Int.random(in: 0..<20, using: &random) {
                case 0: now = now.adding(seconds: Double.random(in: -7200...0, using: &random))
                case 1: now = now.adding(seconds: Double.random(in: 0...86400, using: &random))
                default: now = now.adding(seconds: Double.random(in: 0...600, using: &random))
                }
                shell.running = Bool.random(using: &random) ? Set(shell.keys.values) : []
                shell.budget = Int.random(in: 0..<8, using: &random) == 0 ? Int.random(in: 0..<3, using: &random) : 99
                let before = shell.sent.count
                let wake = shell.look(at: now)
                #expect(shell.sent.count <= before + 1, "seed \(seed) \(text)")
                if shell.sent.count > before { #expect(shell.sent.last ?? now <= now, "seed \(seed) \(text)") }
                if shell.budget > 0 { #expect((wake ?? now) > now, "seed \(seed) \(text)") }
            }
            #expect(Set(shell.sent).count == shell.sent.count, "seed \(seed) \(text)")
            #expect(shell.sent == shell.sent.sorted(), "seed \(seed) \(text)")
            #expect(shell.sent.count > 5, "seed \(seed) \(text)")
        }
    }
}
