package import ActorCore

/// What a message waits for, as the machines see it at this moment.
package struct WaitReport: Sendable, Equatable {
    package enum Reason: Sendable, Equatable {
        /// It has ended, or runs: it waits for nothing.
        case nothing
        /// Its sender wants it delivered later.
        case delayed(until: Timestamp)
        /// An attempt failed; the next one comes then.
        case retry(until: Timestamp, attempts: Int)
        /// Another message of its key (of its actor, when it has none) has not ended.
        case lane(key: String?, holder: ExecutionID?, until: Timestamp?)
        /// So many keys of its actor wait for a next attempt that no other may begin; the first attempt comes then.
        case retryingKeys(Int, until: Timestamp)
        /// As many of its actor's messages run as may.
        case actorLimit(Int, running: [ExecutionID])
        /// As many messages run in the whole daemon as may.
        case daemonLimit(Int)
        /// The actor does not run: it is in error, or paused until then.
        case actorStopped(reason: String, until: Timestamp?)
        /// The actor is not among those that exist.
        case actorMissing
        case draining
        /// Others of its mailbox come before it.
        case turn
    }

    package let execution: ExecutionID
    package let status: ExecutionStatus
    package let reasons: [Reason]
    /// Messages of its mailbox that come before it, as far as they were counted.
    package let before: Int
    /// There are more before it than were counted.
    package let beforeIsLowerBound: Bool
}
