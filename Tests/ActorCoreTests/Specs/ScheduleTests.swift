import ActorCore
import Testing

@Suite struct CronScheduleTests {
    /// Friday, 13 February 2026, 23:59:30.
    static let friday = Timestamp(milliseconds: 1_771_027_170_000)

    @Test(arguments: [
        ("* * * * *", "2026-02-14T00:00:00.000Z"),
        ("*/10 * * * *", "2026-02-14T00:00:00.000Z"),
        ("5/20 * * * *", "2026-02-14T00:05:00.000Z"),
        ("59 23 * * *", "2026-02-14T23:59:00.000Z"),
        ("0 12 * * *", "2026-02-14T12:00:00.000Z"),
        ("30 8-10/2 * * *", "2026-02-14T08:30:00.000Z"),
        ("0 0 1 * *", "2026-03-01T00:00:00.000Z"),
        ("0 0 29 2 *", "2028-02-29T00:00:00.000Z"),
        ("0 0 * * 0", "2026-02-15T00:00:00.000Z"),
        ("0 0 * * 7", "2026-02-15T00:00:00.000Z"),
        ("0 0 * * 1-5", "2026-02-16T00:00:00.000Z"),
        ("0 0 * * 5-7", "2026-02-14T00:00:00.000Z"),
        // Either day field is enough when both are restricted.
        ("0 0 20 * 2", "2026-02-17T00:00:00.000Z"),
        // A field that begins with a star is not: then both must match.
        ("0 0 */2 * 2", "2026-02-17T00:00:00.000Z"),
        ("0 0 */2 * 1", "2026-02-23T00:00:00.000Z"),
        ("0 0 29 2 */3", "2032-02-29T00:00:00.000Z"),
        ("0 0 * JAN,mar MON", "2026-03-02T00:00:00.000Z"),
        ("0 0 * * Fri-Sun", "2026-02-14T00:00:00.000Z"),
        ("0 0 * * SUN-Tue", "2026-02-15T00:00:00.000Z"),
        ("0 0 * * mon/2", "2026-02-15T00:00:00.000Z"),
        ("0 0 31 * *", "2026-03-31T00:00:00.000Z"),
        ("0 0 30 4-5 *", "2026-04-30T00:00:00.000Z"),
        ("@hourly", "2026-02-14T00:00:00.000Z"), ("@daily", "2026-02-14T00:00:00.000Z"),
        ("@midnight", "2026-02-14T00:00:00.000Z"), ("@WEEKLY", "2026-02-15T00:00:00.000Z"),
        ("@monthly", "2026-03-01T00:00:00.000Z"), ("@yearly", "2027-01-01T00:00:00.000Z"),
        ("@annually", "2027-01-01T00:00:00.000Z"),
        ("0,15 3,4 1 1,6 *", "2026-06-01T03:00:00.000Z"),
        ("  0\t0  *  12   * ", "2026-12-01T00:00:00.000Z"),
    ])
    func findsTheNextMinute(_ text: String, _ next: String) throws {
        #expect(try CronSchedule(text).next(after: Self.friday)?.iso8601 == next)
    }

    @Test func aMatchIsFollowedByTheNextOne() throws {
        let schedule = try CronSchedule("0 0 * * *")
        let first = try #require(schedule.next(after: Self.friday))
        #expect(schedule.next(after: first) == first.adding(seconds: 86400))
        #expect(schedule.next(after: first.adding(milliseconds: -1)) == first)
    }

    @Test(arguments: ["0 0 31 2 *", "0 0 30 2 *", "0 0 31 4,6,9,11 *"])
    func aDayThatNeverComesIsRefused(_ text: String) {
        let error = #expect(throws: ActorError.self) { try CronSchedule(text) }
        #expect(error?.message.contains("never comes") == true)
    }

    @Test func leapDaysAreFoundAcrossACenturyWithoutOne() throws {
        let schedule = try CronSchedule("0 0 29 2 *")
        var found: [String] = []
        var moment = try #require(Timestamp.utc(year: 2092, month: 3, day: 1))
        for _ in 0..<3 {
            moment = try #require(schedule.next(after: moment))
            found.append(String(moment.iso8601.prefix(10)))
        }
        #expect(found == ["2096-02-29", "2104-02-29", "2108-02-29"])
        #expect(schedule.next(after: Timestamp(milliseconds: .max)) == nil)
    }

    @Test(arguments: [
        ("", "five fields"), ("* * * *", "five fields"), ("* * * * * *", "five fields"), ("60 * * * *", "minute"),
        ("* 24 * * *", "hour"), ("* * 0 * *", "day"), ("* * * 13 *", "month"), ("* * * * 8", "weekday"),
        ("@reboot", "no shortcut"), ("@daily *", "five fields"), ("0 0 * * sunday", "weekday"),
        ("0 0 * foo *", "month"), ("0 0 * * SAT-MON", "weekday"), ("jan * * * *", "minute"),
        ("*/0 * * * *", "minute"), ("*/-1 * * * *", "minute"), ("5-1 * * * *", "minute"), ("1- * * * *", "minute"),
        ("-1 * * * *", "minute"), ("+1 * * * *", "minute"), ("1,,2 * * * *", "minute"), ("a * * * *", "minute"),
        ("1-2-3 * * * *", "minute"), ("*/99999999999999999999 * * * *", "minute"),
        ("1/2/3 * * * *", "minute"), ("*-5 * * * *", "minute"),
    ])
    func refusesAndNamesTheField(_ text: String, _ field: String) {
        let error = #expect(throws: ActorError.self) { try CronSchedule(text) }
        #expect(error?.code == .invalidInput)
        #expect(error?.message.contains(field) == true, "\(error?.message ?? "")")
    }

    @Test(arguments: [
        ("*/90 * * * *", "\"*/90\" means minute 0 alone, not every 90 minutes"),
        ("5,10-59/61 * * * *", "\"10-59/61\" means minute 10 alone"), ("0 */25 * * *", "hour 0 alone"),
        ("0 0 */32 * *", "day 1 alone"), ("0 0 1 */13 *", "month 1 alone"), ("0 0 * * */8", "steps of at most 7"),
    ])
    func aStepThatIsLongerThanItsFieldIsRefusedToWhoGivesItNow(_ text: String, _ words: String) throws {
        let error = #expect(throws: ActorError.self) { try Schedule(text).refuseLongSteps() }
        #expect(error?.message.contains(words) == true, "\(error?.message ?? "")")
    }

    @Test(arguments: [
        "*/60 * * * *", "0 */24 * * *", "0 0 */31 */12 *", "0 0 * * */7", "@daily", "30-40/45 * * * *",
        "now + 90 hours", "2026-06-21 14 + 99 months",
    ])
    func aStepThatSaysWhatItMeansIsTaken(_ text: String) throws { try Schedule(text).refuseLongSteps() }

    /// Somebody's actor may have been made with one before that was refused.
    @Test func aStepBeyondTheRangeTakesItsStart() throws {
        #expect(try CronSchedule("0 */9999 * * *").next(after: Self.friday)?.iso8601 == "2026-02-14T00:00:00.000Z")
    }
}

@Suite struct RetryPolicyTests {
    /// Full jitter: anything between nothing and the ceiling.
    @Test(arguments: [
        (1, 0.0, 0), (1, 0.25, 500), (1, 1.0, 2000), (2, 1.0, 4000), (3, 0.5, 4000), (5, 0.5, 5000), (5, 1.0, 10000),
        (9, 0.0, 0),
    ])
    func waitsLongerAndLongerUpToItsCap(_ attempt: Int, _ chance: Double, _ milliseconds: Int64) {
        let policy = RetryPolicy(attempts: 10, backoffSeconds: 2, maxBackoffSeconds: 10)
        #expect(policy.delay(after: attempt, chance: chance) == milliseconds)
    }

    @Test func theLastAttemptHasNoNext() {
        let policy = RetryPolicy(attempts: 3)
        #expect(policy.delay(after: 2, chance: 0) != nil)
        #expect(policy.delay(after: 3, chance: 0) == nil)
        #expect(policy.delay(after: 4, chance: 0) == nil)
        #expect(RetryPolicy(attempts: 0).attempts == 1)
        #expect(RetryPolicy(attempts: 1).delay(after: 1, chance: 0) == nil)
    }

    @Test func manyAttemptsDoNotOverflow() {
        let policy = RetryPolicy(attempts: .max, backoffSeconds: 2, maxBackoffSeconds: 300)
        #expect(policy.delay(after: 1_000_000, chance: 1) == 300_000)
        #expect(RetryPolicy(attempts: 9, backoffSeconds: -1).delay(after: 1, chance: 1) == 0)
    }
}
