import ActorCore
import Testing

@Suite struct TimestampTests {
    @Test(
        arguments: [
            (0, "1970-01-01T00:00:00.000Z", "19700101T000000Z", 4),
            (-1, "1969-12-31T23:59:59.999Z", "19691231T235959Z", 3),
            (951_782_400_000, "2000-02-29T00:00:00.000Z", "20000229T000000Z", 2),
            (1_709_164_799_999, "2024-02-28T23:59:59.999Z", "20240228T235959Z", 3),
            (1_709_251_200_000, "2024-03-01T00:00:00.000Z", "20240301T000000Z", 5),
            (1_536_856_123_077, "2018-09-13T16:28:43.077Z", "20180913T162843Z", 4),
            (4_107_542_399_000, "2100-02-28T23:59:59.000Z", "21000228T235959Z", 0),
            (4_107_542_400_000, "2100-03-01T00:00:00.000Z", "21000301T000000Z", 1),
            (253_402_300_799_999, "9999-12-31T23:59:59.999Z", "99991231T235959Z", 5),
        ] as [(Int64, String, String, Int)])
    func spellsUTC(_ milliseconds: Int64, _ iso: String, _ compact: String, _ weekday: Int) {
        let moment = Timestamp(milliseconds: milliseconds)
        #expect(moment.iso8601 == iso)
        #expect(moment.compact == compact)
        #expect(moment.calendar.date.weekday == weekday)
    }

    /// Every day of 400 years follows the day before.
    @Test func daysFollowEachOther() {
        let lengths = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
        var (year, month, day, weekday) = (1900, 1, 1, 1)
        var isRight = true
        for number in -25567..<(-25567 + 146_097) {
            let date = Timestamp(milliseconds: Int64(number) * 86_400_000).calendar.date
            isRight = isRight && (date.year, date.month, date.day, date.weekday) == (year, month, day, weekday)
            let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
            day += 1
            weekday = (weekday + 1) % 7
            if day > lengths[month - 1] + (month == 2 && isLeap ? 1 : 0) { (month, day) = (month + 1, 1) }
            if month > 12 { (year, month) = (year + 1, 1) }
        }
        #expect(isRight)
    }

    /// A delay comes from a file: it must not be able to end the process.
    @Test func arithmeticStopsAtTheEnds() {
        let now = Timestamp(milliseconds: 1000)
        #expect(now.adding(seconds: 1.5).milliseconds == 2500)
        #expect(now.adding(seconds: -0.0015).milliseconds == 999)
        #expect(now.adding(seconds: 1e300).milliseconds == .max)
        #expect(now.adding(seconds: -.infinity).milliseconds == .min + 1000)
        #expect(now.adding(seconds: .nan) == now)
        #expect(now.adding(milliseconds: .max).milliseconds == .max)
        #expect(Timestamp(milliseconds: .max).since(Timestamp(milliseconds: -1)) == .max)
        #expect(Timestamp(milliseconds: .min).since(now) == .min)
        #expect(!Timestamp(milliseconds: .min).iso8601.isEmpty && !Timestamp(milliseconds: .max).iso8601.isEmpty)
    }
}
