/// Whether an engine of jobs answers: when it is asked again after a failure, and whose news its silence is. Moments
/// are milliseconds of a running clock.
package struct EngineContact: Sendable {
    /// What a failure means.
    package struct Failure: Sendable, Equatable {
        /// It was not known that it fails, or it fails for another reason: people are told.
        package let isNews: Bool
        /// Its jobs are told too: a moment's silence is nothing to them.
        package let isLasting: Bool

        package init(isNews: Bool, isLasting: Bool) {
            self.isNews = isNews
            self.isLasting = isLasting
        }
    }

    private static let patience = 3
    private static let longestPause = 60.0

    private var failures = 0
    private var notBefore: Int64 = 0
    private var trouble: String?

    package init() {}

    /// After a failure it is left alone for a while.
    package func mayBeAsked(now: Int64) -> Bool { notBefore <= now }

    /// True when it had failed before.
    package mutating func answered() -> Bool {
        defer { self = EngineContact() }
        return trouble != nil
    }

    package mutating func failed(_ message: String, now: Int64) -> Failure {
        failures += 1
        notBefore = now + RetryPolicy.backoff(attempt: failures, base: 1, cap: Self.longestPause, chance: 1)
        defer { trouble = message }
        return Failure(isNews: trouble != message, isLasting: failures >= Self.patience)
    }
}
