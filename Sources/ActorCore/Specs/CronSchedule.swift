/// A five-field cron line: minute, hour, day of month, month, day of week (0 or 7 is Sunday), or a shortcut (`@daily`).
///
/// As in cron, a day matches when either day field does, if both are restricted. In a time zone whose clocks change, a
/// time of day that is skipped counts at the change and one that comes twice counts once; a line whose hour starts with
/// `*` follows elapsed time instead.
package struct CronSchedule: Sendable, Equatable {
    package static let shortcuts = [
        "@yearly": "0 0 1 1 *", "@annually": "0 0 1 1 *", "@monthly": "0 0 1 * *", "@weekly": "0 0 * * 0",
        "@daily": "0 0 * * *", "@midnight": "0 0 * * *", "@hourly": "0 * * * *",
    ]
    private static let minute: Int64 = 60000
    /// The rarest days, 29 February on one weekday, are at most 40 years apart.
    private static let horizon: Int64 = 50 * 366 * 86_400_000

    package let text: String
    /// Nil is UTC.
    package let zone: ZoneTable?
    private let minutes: CronField
    private let hours: CronField
    private let days: CronField
    private let months: CronField
    private let weekdays: CronField

    package init(_ text: String, zone: ZoneTable? = nil) throws(ActorError) {
        let words = text.split(whereSeparator: \.isWhitespace).map(String.init)
        let fields: [String]
        if words.count == 1, words[0].hasPrefix("@") {
            guard let line = Self.shortcuts[words[0].lowercased()] else {
                let known = Self.shortcuts.keys.sorted().joined(separator: ", ")
                throw ActorError(
                    .invalidInput, "\"\(words[0].prefix(32))\" is no shortcut for a schedule; there are \(known)")
            }
            fields = line.split(separator: " ").map(String.init)
        } else {
            fields = words
        }
        guard fields.count == 5 else {
            throw ActorError(
                .invalidInput,
                "a schedule has five fields (minute hour day month weekday), \"\(text.prefix(64))\" has "
                    + "\(fields.count)")
        }
        self.text = text
        self.zone = zone
        self.minutes = try CronField(fields[0], .minute)
        self.hours = try CronField(fields[1], .hour)
        self.days = try CronField(fields[2], .day)
        self.months = try CronField(fields[3], .month)
        self.weekdays = try CronField(fields[4], .weekday)
        let start = Timestamp(milliseconds: 0)
        guard local(after: start, before: start.adding(milliseconds: Self.horizon)) != nil else {
            throw ActorError(
                .invalidInput,
                "the schedule \"\(text.prefix(64))\" never comes: no month that it names has such a day; "
                    + "change the day or the month field")
        }
    }

    /// For callers that are given a line now. One that was taken before goes on as it went.
    package func refuseLongSteps() throws(ActorError) {
        let problem = [minutes, hours, days, months, weekdays].compactMap(\.stepProblem).first
        if let problem { throw ActorError(.invalidInput, problem) }
    }

    /// The first whole minute after `moment` that matches; nil beyond the years that dates are kept for.
    package func next(after moment: Timestamp) -> Timestamp? {
        guard let zone else { return local(after: moment, before: moment.adding(milliseconds: Self.horizon)) }
        let horizon = moment.adding(milliseconds: Self.horizon)
        for period in zone.periods(from: moment) where period.start < horizon {
            // Exclusive, like `moment`.
            var from = max(moment, period.start.adding(milliseconds: -1))
            if !hours.startsWithStar, let before = period.before {
                let skipped = local(
                    after: period.start.adding(milliseconds: before - 1),
                    before: period.start.adding(milliseconds: period.offset))
                if moment < period.start, skipped != nil { return period.start }
                // Set back: what comes again was done before the change.
                if period.offset < before {
                    from = max(from, period.start.adding(milliseconds: before - period.offset - 1))
                }
            }
            let end = min(period.end, horizon)
            let found = local(
                after: from.adding(milliseconds: period.offset), before: end.adding(milliseconds: period.offset))
            if let found { return found.adding(milliseconds: -period.offset) }
        }
        return nil
    }

    /// The same on the clock of the zone, as if it never changed.
    private func local(after moment: Timestamp, before end: Timestamp) -> Timestamp? {
        guard moment.milliseconds >= -86_400_000, moment.milliseconds < 250_000_000_000_000 else { return nil }
        let quotient = moment.milliseconds / Self.minute - (moment.milliseconds < 0 ? 1 : 0)
        var candidate = Timestamp(milliseconds: (quotient + 1) * Self.minute)
        while candidate < end {
            let (date, time) = candidate.calendar
            let minuteOfDay = Int64(time.hour * 60 + time.minute)
            if !months.contains(date.month) {
                let (year, month) = date.month == 12 ? (date.year + 1, 1) : (date.year, date.month + 1)
                guard let first = Timestamp.utc(year: year, month: month, day: 1) else { return nil }
                candidate = first
            } else if !matches(date) {
                candidate = candidate.adding(milliseconds: 86_400_000 - minuteOfDay * Self.minute)
            } else if !hours.contains(time.hour) {
                candidate = candidate.adding(milliseconds: Int64(60 - time.minute) * Self.minute)
            } else if !minutes.contains(time.minute) {
                candidate = candidate.adding(milliseconds: Self.minute)
            } else {
                return candidate
            }
        }
        return nil
    }

    private func matches(_ date: Timestamp.Day) -> Bool {
        let isEither = !days.startsWithStar && !weekdays.startsWithStar
        return isEither
            ? days.contains(date.day) || weekdays.contains(date.weekday)
            : days.contains(date.day) && weekdays.contains(date.weekday)
    }
}
