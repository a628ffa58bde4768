/// Whether one actor may take messages. It is initialised before its first, started again with backoff when it crashes
/// or cannot start, and given up after too many failures in a row. Its mail waits meanwhile.
///
/// Three things about it are independent of each other: whether it is initialised, how it has failed lately, and
/// whether the machine under it can take its work.
package struct SupervisionMachine: Sendable {
    package enum Action: Sendable, Equatable {
        /// Messages may be started.
        case run
        /// As above once it is initialised: whoever is told so does it, and tells ``prepared(_:now:chance:)``.
        case prepare
        /// Somebody else is initialising it.
        case wait
        /// None may be started before this moment; ask again then.
        case pause(until: Timestamp)
        /// None may be started until the definition changes or an operator restarts it.
        case error(reason: String)
    }

    /// What the end of an attempt, or of its initialisation, says about an actor.
    package enum Health: Sendable, Equatable {
        /// Nothing: the work was stopped, or its traces are gone.
        case unknown
        /// It works. A message that was refused or failed in an orderly way says so too.
        case sound
        /// Its work was killed by a signal, or trapped.
        case crashed(String)
        /// It could not be initialised, or not be started at all.
        case broken(String)
        /// This machine cannot take its work just now: no answer from the engine, no space, no image registry.
        case starved(String)

        /// - Parameter scrub: takes secrets out of a reason, which people and logs are shown.
        package init(_ end: ExecutionMachine.WorkEnd, scrub: (String) -> String) {
            switch end {
            case .succeeded, .refused, .failed, .impossible: self = .sound
            case .crashed(_, let reason): self = .crashed(scrub(reason))
            case .broken(let reason): self = .broken(scrub(reason))
            case .starved(let reason): self = .starved(scrub(reason))
            case .stopped, .lost: self = .unknown
            }
        }
    }

    private enum Readiness: Sendable {
        /// Nobody has initialised it. Whoever asks next is told to, which goes to `preparing`.
        case unprepared
        /// Success goes to `ready`, anything else back to `unprepared`.
        case preparing
        /// Only a restart by an operator leads back, and only where there is something to initialise.
        case ready
    }

    private enum State: Sendable, Equatable {
        /// No failure since the last success (or ever). Messages run. A failure goes to `probation`, `paused` or
        /// `failed`.
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
        var reason: String
    }

    private let policy: RestartPolicy
    private let fault: String?
    private let needsPreparation: Bool
    private var readiness: Readiness
    private var state = State.sound
    private var hardship: Hardship?

    /// - Parameters:
    ///   - needsPreparation: its code is built in, and initialised before its first message.
    ///   - fault: why its definition cannot be run, however often it is tried; nil when it can.
    package init(policy: RestartPolicy = RestartPolicy(), needsPreparation: Bool = false, fault: String? = nil) {
        self.policy = policy
        self.fault = fault
        self.needsPreparation = needsPreparation
        readiness = needsPreparation ? .unprepared : .ready
    }

    /// What holds now.
    package var action: Action {
        if let fault { return .error(reason: fault) }
        switch state {
        case .paused(_, let until): return .pause(until: until)
        case .failed(let reason): return .error(reason: reason)
        case .sound, .probation: break
        }
        switch readiness {
        case .unprepared: return .prepare
        case .preparing: return .wait
        case .ready: return .run
        }
    }

    /// Failures in a row so far; 0 when it is given up.
    package var failures: Int {
        switch state {
        case .probation(let row), .paused(let row, _): row.count
        case .sound, .failed: 0
        }
    }

    /// Nothing is held against it that a success would clear.
    package var isSound: Bool { state == .sound && hardship == nil }

    /// What people have to look after: why it is in ERROR, or what has kept its work from being taken for a while.
    package var complaint: String? {
        if case .error(let reason) = action { return reason }
        return hardship?.notice
    }

    /// Why it takes no messages just now, and until when if that is known; nil when it takes them.
    package var obstacle: (reason: String, until: Timestamp?)? {
        if case .error(let reason) = action { return (reason, nil) }
        if case .paused(let row, let until) = state { return (row.reason, until) }
        return hardship.map { ($0.reason, nil) }
    }

    /// Somebody has a message for it. The moment of a pause may have come; before it, nothing changes.
    package mutating func asked(now: Timestamp) -> Action {
        // A clock that was set back may not stretch a pause beyond the longest one there is.
        if case .paused(let row, let until) = state, now >= until || until.since(now) > longestPause {
            state = .probation(row)
        }
        let action = action
        if action == .prepare { readiness = .preparing }
        return action
    }

    /// Its initialisation has ended. A success ends no row of failures: what starts well may crash at its first
    /// message.
    ///
    /// - Parameter chance: a random number in 0..<1, passed in so that a seed replays a run.
    package mutating func prepared(_ health: Health, now: Timestamp, chance: Double) -> Action {
        readiness = health == .sound ? .ready : .unprepared
        return health == .sound ? action : ended(health, now: now, chance: chance)
    }

    /// An attempt at a message has ended.
    ///
    /// - Parameter chance: as above.
    package mutating func ended(_ health: Health, now: Timestamp, chance: Double) -> Action {
        switch health {
        case .unknown: return action
        case .starved(let reason):
            // It is not the actor's fault: whatever is held against it stays as it is.
            var hardship = hardship ?? Hardship()
            let pause = hardship.again(reason)
            self.hardship = hardship
            if case .error = action { return action }
            return .pause(until: now.adding(milliseconds: pause))
        case .sound:
            if case .failed = state {} else { state = .sound }
        // One crash is the message's: nobody else waits for it. A second one in a row may be the actor's.
        case .crashed(let reason): failed(reason, "it crashed", patience: 1, now: now, chance: chance)
        case .broken(let reason): failed(reason, "it could not be started", patience: 0, now: now, chance: chance)
        }
        hardship = nil
        return action
    }

    /// An operator wants it to be tried again.
    package mutating func restarted() -> Action {
        state = .sound
        if readiness == .ready, needsPreparation { readiness = .unprepared }
        return action
    }

    private var longestPause: Int64 {
        RetryPolicy.backoff(
            attempt: policy.maxFailures, base: policy.backoffSeconds, cap: policy.maxBackoffSeconds, chance: 1)
    }

    /// - Parameter patience: failures in a row that cost no pause.
    private mutating func failed(_ reason: String, _ what: String, patience: Int, now: Timestamp, chance: Double) {
        var row = Row(count: 0, last: now, reason: reason)
        switch state {
        case .failed, .paused: return
        case .sound: break
        case .probation(let earlier):
            let isRecent = now.since(earlier.last) <= Int64(min(policy.windowSeconds, 1e12) * 1000)
            if isRecent { row.count = earlier.count }
        }
        row.count += 1
        guard row.count < policy.maxFailures else {
            let times = row.count == 1 ? "" : " \(row.count) times in a row"
            state = .failed(reason: "\(what)\(times), the last time because: \(reason)")
            return
        }
        guard row.count > patience else {
            state = .probation(row)
            return
        }
        let pause = RetryPolicy.backoff(
            attempt: row.count - patience, base: policy.backoffSeconds, cap: policy.maxBackoffSeconds, chance: chance)
        state = .paused(row, until: now.adding(milliseconds: pause))
    }
}

/// Work that the machine could not take, some times in a row.
private struct Hardship: Sendable {
    /// Many times in a row are nothing that goes by in a moment: people are told.
    private static let lasting = 3
    private static let longestPause: Int64 = 8000

    private(set) var reason = ""
    private var times = 0

    /// What people are told; nil while it may go by.
    var notice: String? { times < Self.lasting ? nil : "\(reason). Its mail waits and is tried again by itself" }

    /// It could not be taken once more.
    ///
    /// - Returns: milliseconds until it is tried again.
    mutating func again(_ reason: String) -> Int64 {
        self.reason = reason
        times = min(times + 1, 100)
        return min(Self.longestPause, 1000 << Int64(min(times - 1, 10)))
    }
}
