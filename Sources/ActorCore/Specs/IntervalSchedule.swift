/// Abaco's form of a schedule, `2020-06-21 14 + 6 hours` or `now + 1 week`, in UTC (actors API, section 6.6): a first
/// moment and the time from one to the next.
package struct IntervalSchedule: Sendable, Equatable {
    package enum Unit: String, Sendable, CaseIterable {
        case hour, day, week, month
    }

    package let text: String
    /// Nil is `now`: the moment at which the schedule was first seen.
    package let start: Timestamp?
    package let count: Int
    package let unit: Unit

    /// What is wrong is said in the words that Abaco has for it.
    package init(_ text: String) throws(ActorError) {
        self.text = text
        let words = text.split(whereSeparator: \.isWhitespace)
        guard let plus = words.firstIndex(of: "+"), (1...2).contains(plus), words.count == plus + 3,
            plus == 2 || words[0] == "now", let count = Self.number(words[plus + 1]), count > 0
        else {
            throw ActorError(
                .invalidInput,
                "The cron is not in the correct format: \"\(text.prefix(64))\"; write a start, +, a number from 1 to "
                    + "9999 and hours, days, weeks or months, for example 2026-06-21 14 + 6 hours or now + 1 week")
        }
        self.count = count
        if plus == 2 {
            let parts = words[0].split(separator: "-", omittingEmptySubsequences: false)
            guard parts.count == 3, let year = Self.number(parts[0]), let month = Self.number(parts[1]),
                let day = Self.number(parts[2]), let hour = Self.number(words[1]),
                let start = Timestamp.utc(year: year, month: month, day: day, hour: hour)
            else {
                throw ActorError(
                    .invalidInput,
                    "The starting date \(words[0].prefix(32)) \(words[1].prefix(32)) is not in the correct format; "
                        + "write YYYY-MM-DD HH")
            }
            self.start = start
        } else {
            self.start = nil
        }
        let word = words[plus + 2]
        guard let unit = Unit.allCases.first(where: { $0.rawValue == word || $0.rawValue + "s" == word }) else {
            throw ActorError(
                .invalidInput,
                "\(word.prefix(32)) is an invalid unit of time; there are hours, days, weeks and months")
        }
        self.unit = unit
    }

    /// For callers that make an actor over the API: there, a first moment that has passed is refused. In a folder it
    /// is not, for the file stays when the moment has gone.
    package func refuseOldStart(now: Timestamp) throws(ActorError) {
        guard let start, start <= now else { return }
        throw ActorError(
            .invalidInput, "The starting datetime is old. The current UTC time is \(Schedule.hour(now)).")
    }

    /// The first moment after `moment`. `anchor` is when the schedule was first seen.
    package func next(after moment: Timestamp, anchor: Timestamp) -> Timestamp? {
        let first = start ?? Timestamp(milliseconds: anchor.milliseconds - anchor.milliseconds % 60000)
        guard first <= moment else { return first }
        switch unit {
        case .hour: return next(after: moment, from: first, step: 3_600_000)
        case .day: return next(after: moment, from: first, step: 86_400_000)
        case .week: return next(after: moment, from: first, step: 604_800_000)
        case .month:
            let (from, to) = (first.calendar.date, moment.calendar.date)
            let months = (to.year - from.year) * 12 + to.month - from.month
            // The month of `moment` may be before or after its day: the one before it is tried as well.
            var step = max(1, months / count)
            while let candidate = Self.adding(months: step * count, to: first) {
                if candidate > moment { return candidate }
                step += 1
            }
            return nil
        }
    }

    private func next(after moment: Timestamp, from first: Timestamp, step: Int64) -> Timestamp {
        let step = step * Int64(count)
        return first.adding(milliseconds: (moment.since(first) / step + 1) * step)
    }

    /// The same day and time so many months later; the last day of a month that is too short.
    private static func adding(months: Int, to first: Timestamp) -> Timestamp? {
        let (date, _) = first.calendar
        let month = date.month - 1 + months
        let (year, number) = (date.year + month / 12, month % 12 + 1)
        let day = min(date.day, Timestamp.days(of: number, in: year))
        guard let midnight = Timestamp.utc(year: year, month: number, day: day),
            let begun = Timestamp.utc(year: date.year, month: date.month, day: date.day)
        else { return nil }
        return midnight.adding(milliseconds: first.since(begun))
    }

    private static func number(_ text: Substring) -> Int? {
        (1...4).contains(text.utf8.count) && text.utf8.allSatisfy { (0x30...0x39).contains($0) } ? Int(text) : nil
    }
}
