/// When an actor gets a message by itself: a cron line, or the older form of Abaco.
package enum Schedule: Sendable, Equatable, CustomStringConvertible {
    case cron(CronSchedule)
    case interval(IntervalSchedule)

    /// Only Abaco's form has a plus in it.
    package init(_ text: String, zone: ZoneTable? = nil) throws(ActorError) {
        guard text.contains("+") else {
            self = .cron(try CronSchedule(text, zone: zone))
            return
        }
        guard zone == nil else {
            throw ActorError(
                .invalidInput,
                "the form START + N UNIT runs in UTC; leave timezone out, or write the schedule as a cron line")
        }
        self = .interval(try IntervalSchedule(text))
    }

    /// For callers that are given it now: a step like `*/90` minutes means something else than it says.
    package func refuseLongSteps() throws(ActorError) {
        if case .cron(let line) = self { try line.refuseLongSteps() }
    }

    /// As it was written.
    package var text: String {
        switch self {
        case .cron(let line): line.text
        case .interval(let interval): interval.text
        }
    }

    /// Tells one schedule from another: the text and the time zone.
    package var description: String {
        if case .cron(let line) = self, let zone = line.zone { return "\(line.text) \(zone.name)" }
        return text
    }

    /// The first due moment of a schedule that was just seen; `now + …` is due at once.
    package func first(at now: Timestamp) -> Timestamp? {
        switch self {
        case .cron(let line): line.next(after: now)
        case .interval(let interval):
            interval.start == nil ? now : interval.next(after: now.adding(milliseconds: -1), anchor: now)
        }
    }

    /// The first due moment after `moment`.
    ///
    /// - Parameter anchor: when the schedule was first seen, which is what `now` in it means.
    package func next(after moment: Timestamp, anchor: Timestamp) -> Timestamp? {
        switch self {
        case .cron(let line): line.next(after: moment)
        case .interval(let interval): interval.next(after: moment, anchor: anchor)
        }
    }

    /// A due moment as the actors API shows it (`cron_next_ex`): a start that has not come yet as it was written.
    package func shown(_ due: Timestamp) -> String {
        if case .interval(let interval) = self, interval.start == due {
            let words = interval.text.split(whereSeparator: \.isWhitespace)
            return "\(words[0]) \(words[1])"
        }
        return Self.hour(due)
    }

    /// `2078-9-6 20`, in UTC.
    static func hour(_ moment: Timestamp) -> String {
        let (date, time) = moment.calendar
        return "\(date.year)-\(date.month)-\(date.day) \(time.hour)"
    }
}

/// What becomes of a due moment while the run of the one before it still waits or runs.
package enum OverlapPolicy: String, Sendable, CaseIterable {
    /// It is left out.
    case skip
    /// Its message waits in the mailbox behind the other.
    case queue
}
