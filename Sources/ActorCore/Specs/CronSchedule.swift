/// A five-field cron line in UTC: minute, hour, day of month, month, day of week (0 or 7 is Sunday).
///
/// As in cron, a day matches when either day field does, if both are restricted.
package struct CronSchedule: Sendable, Equatable, CustomStringConvertible {
    package let text: String
    private let minutes: Set<Int>
    private let hours: Set<Int>
    private let days: Set<Int>
    private let months: Set<Int>
    private let weekdays: Set<Int>
    private let daysRestricted: Bool
    private let weekdaysRestricted: Bool

    package var description: String { text }

    package init(_ text: String) throws(ActorError) {
        let fields = text.split(whereSeparator: \.isWhitespace).map(String.init)
        guard fields.count == 5 else {
            throw ActorError(
                .invalidInput,
                "a schedule has five fields (minute hour day month weekday), \"\(text)\" has \(fields.count)")
        }
        self.text = text
        self.minutes = try Self.parse(fields[0], name: "minute", range: 0...59)
        self.hours = try Self.parse(fields[1], name: "hour", range: 0...23)
        self.days = try Self.parse(fields[2], name: "day", range: 1...31)
        self.months = try Self.parse(fields[3], name: "month", range: 1...12)
        self.weekdays = Set(try Self.parse(fields[4], name: "weekday", range: 0...7).map { $0 % 7 })
        self.daysRestricted = !fields[2].hasPrefix("*")
        self.weekdaysRestricted = !fields[4].hasPrefix("*")
    }

    /// The first whole minute after `moment` that matches, or nil when none does within five years (31 February).
    package func next(after moment: Timestamp) -> Timestamp? {
        let minute: Int64 = 60000
        var candidate = Timestamp(milliseconds: (moment.milliseconds / minute + 1) * minute)
        let horizon = moment.adding(milliseconds: 5 * 366 * 86_400_000)
        while candidate < horizon {
            let (date, time) = candidate.calendar
            if !months.contains(date.month) || !matches(date) {
                let next = candidate.milliseconds + 86_400_000 - Int64(time.hour * 60 + time.minute) * minute
                candidate = Timestamp(milliseconds: next)
            } else if !hours.contains(time.hour) {
                candidate = candidate.adding(milliseconds: Int64(60 - time.minute) * minute)
            } else if !minutes.contains(time.minute) {
                candidate = candidate.adding(milliseconds: minute)
            } else {
                return candidate
            }
        }
        return nil
    }

    private func matches(_ date: Timestamp.Day) -> Bool {
        switch (daysRestricted, weekdaysRestricted) {
        case (true, true): days.contains(date.day) || weekdays.contains(date.weekday)
        case (true, false): days.contains(date.day)
        default: weekdays.contains(date.weekday)
        }
    }

    private static func parse(_ field: String, name: String, range: ClosedRange<Int>) throws(ActorError) -> Set<Int> {
        var values: Set<Int> = []
        for part in field.split(separator: ",", omittingEmptySubsequences: false) {
            let halves = part.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
            let step = halves.count == 2 ? number(halves[1]) : 1
            let bounds = halves[0].split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
            var low = range.lowerBound
            var high = range.upperBound
            if halves[0] != "*" {
                guard let first = number(bounds[0]), let last = bounds.count == 2 ? number(bounds[1]) : first else {
                    throw ActorError(.invalidInput, "the \(name) field of a schedule cannot be \"\(field)\"")
                }
                low = first
                high = bounds.count == 1 && halves.count == 2 ? range.upperBound : last
            }
            guard let step, step > 0, low <= high, range.contains(low), range.contains(high) else {
                throw ActorError(
                    .invalidInput,
                    "the \(name) field of a schedule takes \(range.lowerBound)-\(range.upperBound), not \"\(field)\"")
            }
            values.formUnion(stride(from: low, through: high, by: step))
        }
        return values
    }

    /// One to four digits and nothing else; `Int` would take a sign.
    private static func number(_ text: Substring) -> Int? {
        (1...4).contains(text.utf8.count) && text.utf8.allSatisfy { (0x30...0x39).contains($0) } ? Int(text) : nil
    }
}
