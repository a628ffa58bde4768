/// A moment: milliseconds since 1970 in UTC. Formatted at the edge, never by ICU.
package struct Timestamp: Hashable, Sendable, Comparable {
    package let milliseconds: Int64

    package init(milliseconds: Int64) { self.milliseconds = milliseconds }

    package static func < (left: Self, right: Self) -> Bool { left.milliseconds < right.milliseconds }

    /// Stops at the ends of time: a delay may come from a file.
    package func adding(milliseconds more: Int64) -> Timestamp {
        let (sum, overflow) = milliseconds.addingReportingOverflow(more)
        return Timestamp(milliseconds: overflow ? (more < 0 ? .min : .max) : sum)
    }

    package func adding(seconds: Double) -> Timestamp {
        let more = seconds * 1000
        if let exact = Int64(exactly: more.rounded(.towardZero)) { return adding(milliseconds: exact) }
        return more.isNaN ? self : adding(milliseconds: more < 0 ? .min : .max)
    }

    /// Milliseconds from `earlier` to this moment.
    package func since(_ earlier: Timestamp) -> Int64 {
        let (difference, overflow) = milliseconds.subtractingReportingOverflow(earlier.milliseconds)
        return overflow ? (self < earlier ? .min : .max) : difference
    }

    /// `2026-11-21T00:03:55.077Z`
    package var iso8601: String {
        let (date, time) = calendar
        return "\(Self.pad(date.year, 4))-\(Self.pad(date.month))-\(Self.pad(date.day))"
            + "T\(Self.pad(time.hour)):\(Self.pad(time.minute)):\(Self.pad(time.second))"
            + ".\(Self.pad(time.millisecond, 3))Z"
    }

    /// `20180913T162843Z`, as the instance directory of an archive path spells it.
    package var compact: String {
        let (date, time) = calendar
        return "\(Self.pad(date.year, 4))\(Self.pad(date.month))\(Self.pad(date.day))"
            + "T\(Self.pad(time.hour))\(Self.pad(time.minute))\(Self.pad(time.second))Z"
    }

    package struct Day: Sendable, Equatable {
        package let year: Int, month: Int, day: Int
        /// 0 is Sunday, as in cron.
        package let weekday: Int
    }

    package struct TimeOfDay: Sendable, Equatable {
        package let hour: Int, minute: Int, second: Int, millisecond: Int
    }

    /// The civil date and time in UTC (proleptic Gregorian calendar).
    package var calendar: (date: Day, time: TimeOfDay) {
        let dayLength: Int64 = 86_400_000
        let (quotient, remainder) = milliseconds.quotientAndRemainder(dividingBy: dayLength)
        let days = remainder < 0 ? quotient - 1 : quotient
        let rest = Int(remainder < 0 ? remainder + dayLength : remainder)
        let shifted = days + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let day = Int(dayOfYear - (153 * shiftedMonth + 2) / 5 + 1)
        let month = Int(shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9)
        let year = Int(yearOfEra + era * 400) + (month <= 2 ? 1 : 0)
        let weekday = Int(((days + 4) % 7 + 7) % 7)
        return (
            Day(year: year, month: month, day: day, weekday: weekday),
            TimeOfDay(
                hour: rest / 3_600_000, minute: rest / 60000 % 60, second: rest / 1000 % 60, millisecond: rest % 1000)
        )
    }

    private static func pad(_ number: Int, _ width: Int = 2) -> String {
        let text = String(number)
        return String(repeating: "0", count: max(0, width - text.count)) + text
    }
}
