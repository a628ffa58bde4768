import ActorCore
import Testing

/// Abaco's form (actors API, section 6.6).
@Suite struct IntervalScheduleTests {
    static let noon = Timestamp(milliseconds: 1_771_070_400_000)  // 2026-02-14T12:00

    @Test(arguments: [
        ("2026-02-14 14 + 6 hours", ["2026-02-14T14:00", "2026-02-14T20:00", "2026-02-15T02:00"]),
        ("2026-02-14 12 + 1 hour", ["2026-02-14T12:00", "2026-02-14T13:00"]),
        // A start in the past sets the grid.
        ("2020-06-21 14 + 6 hours", ["2026-02-14T14:00", "2026-02-14T20:00"]),
        ("2020-06-21 14 + 1 day", ["2026-02-14T14:00", "2026-02-15T14:00"]),
        ("2026-02-13 9 + 2 weeks", ["2026-02-27T09:00", "2026-03-13T09:00"]),
        ("2078-09-6 20 + 3 months", ["2078-09-06T20:00", "2078-12-06T20:00", "2079-03-06T20:00"]),
        // The last day of a month that is too short; the day itself comes back.
        ("2026-01-31 0 + 1 month", ["2026-02-28T00:00", "2026-03-31T00:00", "2026-04-30T00:00"]),
        ("2023-12-31 23 + 2 months", ["2026-02-28T23:00", "2026-04-30T23:00"]),
        ("now + 90 days", ["2026-02-14T12:00", "2026-05-15T12:00"]),
        ("  now  +  1   month ", ["2026-02-14T12:00", "2026-03-14T12:00"]),
    ])
    func findsItsMoments(_ text: String, _ wanted: [String]) throws {
        let schedule = try Schedule(text)
        var moment = try #require(schedule.first(at: Self.noon))
        for (index, next) in wanted.enumerated() {
            if index > 0 { moment = try #require(schedule.next(after: moment, anchor: Self.noon)) }
            #expect(moment.iso8601 == "\(next):00.000Z", "\(text)")
        }
        #expect(schedule.text == text)
    }

    @Test func nowIsWhenItWasFirstSeenToTheMinute() throws {
        let schedule = try Schedule("now + 2 hours")
        let seen = Self.noon.adding(milliseconds: 61_500)
        #expect(schedule.first(at: seen) == seen)
        #expect(schedule.next(after: seen, anchor: seen)?.iso8601 == "2026-02-14T14:01:00.000Z")
        let later = seen.adding(seconds: 86400 * 30)
        #expect(schedule.next(after: later, anchor: seen)?.iso8601 == "2026-03-16T14:01:00.000Z")
    }

    @Test(arguments: [
        ("2026-02-14 14 + flimflams", "The cron is not in the correct format"),
        ("2026-02-14 14 + 3 flimflams", "flimflams is an invalid unit of time"),
        ("2026-02-14 14 + 3 minutes", "minutes is an invalid unit of time"),
        ("2026-02-14 14 + 0 hours", "The cron is not in the correct format"),
        ("2026-02-14 14 + -1 hours", "The cron is not in the correct format"),
        ("2026-02-14 + 1 hours", "The cron is not in the correct format"),
        ("later + 1 hours", "The cron is not in the correct format"),
        ("2026-02-14 14 +1 hour", "The cron is not in the correct format"),
        ("2026-02-30 14 + 1 hours", "The starting date 2026-02-30 14 is not in the correct format"),
        ("2026-2-3-4 14 + 1 hours", "The starting date 2026-2-3-4 14 is not in the correct format"),
        ("2026-02-14 24 + 1 hours", "The starting date 2026-02-14 24 is not in the correct format"),
        ("+ 1 hours", "The cron is not in the correct format"),
        ("99999999999999999999 1 + 1 hours", "The starting date"),
    ])
    func refusesInTheWordsOfAbaco(_ text: String, _ words: String) {
        let error = #expect(throws: ActorError.self) { try Schedule(text) }
        #expect(error?.code == .invalidInput)
        #expect(error?.message.hasPrefix(words) == true, "\(error?.message ?? "")")
    }

    @Test func anOldStartIsRefusedToThoseWhoMakeActorsNow() throws {
        let old = try IntervalSchedule("2020-06-21 14 + 6 hours")
        let error = #expect(throws: ActorError.self) { try old.refuseOldStart(now: Self.noon) }
        #expect(error?.message == "The starting datetime is old. The current UTC time is 2026-2-14 12.")
        try IntervalSchedule("2078-09-6 20 + 3 months").refuseOldStart(now: Self.noon)
        try IntervalSchedule("now + 1 hour").refuseOldStart(now: Self.noon)
    }

    @Test func isShownAsOldClientsKnowIt() throws {
        let schedule = try Schedule("2078-09-6 20 + 3 months")
        let first = try #require(schedule.first(at: Self.noon))
        #expect(schedule.shown(first) == "2078-09-6 20")
        let second = try #require(schedule.next(after: first, anchor: Self.noon))
        #expect(schedule.shown(second) == "2078-12-6 20")
    }

    @Test func hasNoZone() {
        #expect(throws: ActorError.self) { try Schedule("now + 1 day", zone: ZonedScheduleTests.berlin) }
    }

    @Test func aZoneTellsTwoSchedulesApart() throws {
        let plain = try Schedule("0 6 * * *")
        let zoned = try Schedule("0 6 * * *", zone: ZonedScheduleTests.berlin)
        #expect(plain.description == "0 6 * * *")
        #expect(zoned.description == "0 6 * * * Europe/Berlin")
        #expect(zoned.text == plain.text)
    }

    @Test(arguments: [(2000, 2, 29), (1600, 3, 1), (2100, 2, 28), (1970, 1, 1), (9999, 12, 31), (1, 1, 1)])
    func civilDatesGoBothWays(_ year: Int, _ month: Int, _ day: Int) throws {
        let moment = try #require(Timestamp.utc(year: year, month: month, day: day, hour: 7))
        let (date, time) = moment.calendar
        #expect([date.year, date.month, date.day, time.hour] == [year, month, day, 7])
    }

    @Test(arguments: [(2100, 2, 29), (2026, 2, 30), (2026, 13, 1), (2026, 0, 1), (2026, 4, 31), (0, 1, 1)])
    func datesThatAreNone(_ year: Int, _ month: Int, _ day: Int) {
        #expect(Timestamp.utc(year: year, month: month, day: day) == nil)
    }
}
