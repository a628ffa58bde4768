/// Whether one actor may run: it is started again with backoff when it crashes or cannot start, and given up after too
/// many failures in a row. Its mail waits meanwhile.
package struct SupervisionMachine: Sendable {
    package enum Action: Sendable, Equatable {
        /// Messages may be started.
        case run
        /// None may be started before this moment; ask with ``woken(now:)`` then.
        case pause(until: Timestamp)
        /// None may be started until the definition changes or an operator restarts it.
        case error(reason: String)
    }

    private enum State: Sendable, Equatable {
        /// No failure since the last success (or ever). Messages run. A failure goes to `paused` or `failed`.
        case sound
        /// It failed so many times in a row, its pause (if it had one) is over, and messages run. A success goes to
        /// `sound`, a failure to `paused` (again) or `failed`.
        case probation(Row)
        /// It failed, and nothing is started. The moment goes to `probation`, a success of work that began before to
        /// `sound`. Another failure of such work belongs to the one that is known and changes nothing.
        case paused(Row, until: Timestamp)
        /// It failed too often. Only an operator leads out, to `sound`; a new definition gets a machine of its own.
        case failed(reason: String)
    }

    /// Failures without a success in between.
    private struct Row: Sendable, Equatable {
        var count: Int
        var last: Timestamp
    }

    private let policy: RestartPolicy
    private var state = State.sound

    package init(policy: RestartPolicy = RestartPolicy()) { self.policy = policy }

    /// What holds now.
    package var action: Action {
        switch state {
        case .sound, .probation: .run
        case .paused(_, let until): .pause(until: until)
        case .failed(let reason): .error(reason: reason)
        }
    }

    /// Failures in a row so far; 0 when it is given up.
    package var failures: Int {
        switch state {
        case .probation(let row), .paused(let row, _): row.count
        case .sound, .failed: 0
        }
    }

    /// It was initialised. That alone ends no row of failures: what starts well may crash at its first message.
    package mutating func started() -> Action { action }

    /// A message ended without a crash; a message that was refused or failed in an orderly way counts too.
    package mutating func succeeded() -> Action {
        switch state {
        case .sound, .failed: break
        case .probation, .paused: state = .sound
        }
        return action
    }

    /// A message's work was killed by a signal, or trapped.
    ///
    /// - Parameter chance: a random number in 0..<1, passed in so that a seed replays a run.
    package mutating func crashed(_ reason: String, now: Timestamp, chance: Double) -> Action {
        // One crash is the message's: nobody else waits for it. A second one in a row may be the actor's.
        failed(reason, "it crashed", patience: 1, now: now, chance: chance)
    }

    /// It could not be initialised, or not be started at all.
    package mutating func broken(_ reason: String, now: Timestamp, chance: Double) -> Action {
        failed(reason, "it could not be started", patience: 0, now: now, chance: chance)
    }

    /// The moment of a pause may have come; before it, and when the actor is not paused, nothing changes.
    package mutating func woken(now: Timestamp) -> Action {
        guard case .paused(let row, let until) = state else { return action }
        // A clock that was set back may not stretch a pause beyond the longest one there is.
        if now >= until || until.since(now) > longestPause { state = .probation(row) }
        return action
    }

    /// An operator wants it to be tried again.
    package mutating func restarted() -> Action {
        state = .sound
        return action
    }

    private var longestPause: Int64 {
        RetryPolicy.backoff(
            attempt: policy.maxFailures, base: policy.backoffSeconds, cap: policy.maxBackoffSeconds, chance: 1)
    }

    /// - Parameter patience: failures in a row that cost no pause.
    private mutating func failed(
        _ reason: String, _ what: String, patience: Int, now: Timestamp, chance: Double
    ) -> Action {
        var row = Row(count: 0, last: now)
        switch state {
        case .failed, .paused: return action
        case .sound: break
        case .probation(let earlier):
            let isRecent = now.since(earlier.last) <= Int64(min(policy.windowSeconds, 1e12) * 1000)
            if isRecent { row.count = earlier.count }
        }
        row.count += 1
        guard row.count < policy.maxFailures else {
            let times = row.count == 1 ? "" : " \(row.count) times in a row"
            state = .failed(reason: "\(what)\(times), the last time because: \(reason)")
            return action
        }
        guard row.count > patience else {
            state = .probation(row)
            return action
        }
        let pause = RetryPolicy.backoff(
            attempt: row.count - patience, base: policy.backoffSeconds, cap: policy.maxBackoffSeconds, chance: chance)
        state = .paused(row, until: now.adding(milliseconds: pause))
        return action
    }
}
