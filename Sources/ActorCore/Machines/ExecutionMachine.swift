/// One attempt at one message, from start to the commit of its end: times out, is cancelled, is retried or parked.
package struct ExecutionMachine: Sendable {
    /// How the work itself ended, as the executor or the Reactor told it.
    package enum WorkEnd: Sendable, Equatable {
        case succeeded
        /// Non-zero exit, a signal, a thrown transient failure: trying again may help.
        case failed(exitCode: Int?, reason: String)
        /// Killed by a signal: as a failure for the message, and a mark against its actor.
        case crashed(exitCode: Int?, reason: String)
        /// The actor could not be started at all, whatever the message: it waits until the actor can.
        case broken(reason: String)
        /// The machine lacked something (space, open files): it is tried again in a moment, whatever the message.
        case starved(reason: String)
        /// It was started, and what ran it was taken away: nobody knows how far it came. The attempt counts.
        case lost(reason: String)
        /// The message is wrong: trying again cannot help.
        case impossible(reason: String)
        /// Ended with an answer that says no; neither retried nor parked.
        case refused(reason: String)
        /// The work noticed that it was stopped.
        case stopped
    }

    package enum Stop: Sendable, Equatable {
        case timeout
        case cancel
        /// The daemon drains and the grace time is over.
        case drain
    }

    /// What is committed about the attempt.
    package struct Verdict: Sendable, Equatable {
        package let outcome: Outcome
        package let status: ExecutionStatus
        package let exitCode: Int?
        package let reason: String?
        package let disposition: Completion.Disposition
        /// Effects of the work are part of the commit.
        package let keepsEffects: Bool

        /// The message leaves its mailbox for good.
        package var endsMessage: Bool {
            switch disposition {
            case .acknowledge, .park: true
            case .retry, .release: false
            }
        }

        /// The message ends, and the work had no say in how.
        package var isAbandoned: Bool {
            switch disposition {
            case .park: true
            case .acknowledge: outcome == .cancelled
            case .retry, .release: false
            }
        }
    }

    private enum State: Sendable, Equatable {
        /// The work runs. Goes to `stopping` when it is stopped, to `ended` when it ends.
        case running
        /// The work was told to stop and has not ended yet. Goes to `ended`.
        case stopping(Stop)
        /// The verdict was given. Final.
        case ended
    }

    private var state = State.running
    private let attempt: Int
    private let retry: RetryPolicy
    private let expires: Timestamp?

    /// - Parameters:
    ///   - attempt: 1 is the first.
    ///   - expires: when the message's time is over: nobody waits for a further attempt that would come after it.
    package init(attempt: Int, retry: RetryPolicy, expires: Timestamp? = nil) {
        self.attempt = attempt
        self.retry = retry
        self.expires = expires
    }

    /// The work was told to stop and has not ended yet.
    package var isStopping: Bool { if case .stopping = state { true } else { false } }

    /// True when the work has to be told; a second stop changes nothing.
    package mutating func stop(_ reason: Stop) -> Bool {
        guard state == .running else { return false }
        state = .stopping(reason)
        return true
    }

    package mutating func ended(_ end: WorkEnd, now: Timestamp, chance: Double) -> Verdict {
        let before = state
        guard before != .ended else { preconditionFailure("an attempt ended twice") }
        state = .ended
        switch (before, end) {
        // Work that was done before the stop reached it is done.
        case (_, .succeeded):
            return Verdict(
                outcome: .succeeded, status: .complete, exitCode: 0, reason: nil, disposition: .acknowledge,
                keepsEffects: true)
        // Were it given back untouched, what has half run would run once more than it may.
        case (.running, .lost(let reason)), (.stopping(.drain), .lost(let reason)):
            return again(.failed, exitCode: nil, reason: reason, isCutOff: true, now: now, chance: chance)
        case (.stopping(.drain), _):
            return Verdict(
                outcome: .interrupted, status: .submitted, exitCode: nil, reason: "the daemon was stopped",
                disposition: .release, keepsEffects: false)
        case (.stopping(.cancel), _):
            return Verdict(
                outcome: .cancelled, status: .complete, exitCode: nil, reason: "cancelled",
                disposition: .acknowledge, keepsEffects: false)
        case (.stopping(.timeout), _):
            return again(.timedOut, exitCode: nil, reason: "its time was up", now: now, chance: chance)
        case (_, .broken(let reason)), (_, .starved(let reason)):
            return Verdict(
                outcome: .interrupted, status: .submitted, exitCode: nil, reason: reason, disposition: .release,
                keepsEffects: false)
        case (_, .failed(let exitCode, let reason)), (_, .crashed(let exitCode, let reason)):
            return again(.failed, exitCode: exitCode, reason: reason, now: now, chance: chance)
        case (_, .impossible(let reason)):
            return Verdict(
                outcome: .failed, status: .error, exitCode: nil, reason: reason, disposition: .park(reason: reason),
                keepsEffects: false)
        case (_, .refused(let reason)):
            return Verdict(
                outcome: .failed, status: .complete, exitCode: 1, reason: reason, disposition: .acknowledge,
                keepsEffects: false)
        case (_, .stopped), (_, .lost):
            return again(.failed, exitCode: nil, reason: "stopped without a reason", now: now, chance: chance)
        }
    }

    /// The attempts before were cut off by the end of the daemon, and no further one is begun.
    package mutating func cutOff(reason: String) -> Verdict {
        state = .ended
        return Verdict(
            outcome: .interrupted, status: .error, exitCode: nil, reason: reason, disposition: .park(reason: reason),
            keepsEffects: false)
    }

    private func again(
        _ outcome: Outcome, exitCode: Int?, reason: String, isCutOff: Bool = false, now: Timestamp, chance: Double
    ) -> Verdict {
        var retry = retry
        if isCutOff { retry.retriesFailures = true }
        if let delay = retry.delay(after: attempt, chance: chance) {
            let moment = now.adding(milliseconds: delay)
            return Verdict(
                outcome: outcome, status: .submitted, exitCode: exitCode, reason: reason,
                disposition: .retry(at: expires.map { min(moment, max($0, now)) } ?? moment), keepsEffects: false)
        }
        return Verdict(
            outcome: outcome, status: .complete, exitCode: exitCode, reason: reason,
            disposition: .park(reason: attempt > 1 ? "\(reason) (attempt \(attempt) of \(retry.attempts))" : reason),
            keepsEffects: false)
    }
}
