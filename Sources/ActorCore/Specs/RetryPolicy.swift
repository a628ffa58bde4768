/// How often a message is tried and how long is waited in between: exponential backoff with full jitter.
package struct RetryPolicy: Sendable, Equatable {
    /// Attempts in all, the first included; at least 1.
    package var attempts: Int
    package var backoffSeconds: Double
    package var maxBackoffSeconds: Double
    /// False: work that ends with a failure has ended; only what was cut off is tried again.
    package var retriesFailures: Bool

    package init(
        attempts: Int = 3, backoffSeconds: Double = 2, maxBackoffSeconds: Double = 300, retriesFailures: Bool = true
    ) {
        self.attempts = max(1, attempts)
        self.retriesFailures = retriesFailures
        self.backoffSeconds = Self.bounded(backoffSeconds)
        self.maxBackoffSeconds = Self.bounded(maxBackoffSeconds)
    }

    /// Between nothing and a year; what is no number is nothing.
    private static func bounded(_ seconds: Double) -> Double {
        seconds.isNaN ? 0 : min(max(0, seconds), 31_536_000)
    }

    /// No wait between two attempts is longer, in milliseconds.
    package var longest: Int64 { Int64(maxBackoffSeconds * 1000) }

    /// Milliseconds to wait after the failed attempt number `attempt` (1 is the first), or nil when none is left.
    ///
    /// - Parameter chance: a random number in 0..<1, passed in so that a seed replays a run.
    package func delay(after attempt: Int, chance: Double) -> Int64? {
        guard retriesFailures, attempt < attempts else { return nil }
        return Self.backoff(
            attempt: attempt, base: backoffSeconds, cap: maxBackoffSeconds, chance: chance)
    }

    /// Full jitter: anything from nothing to `base * 2^(attempt-1)`, which is never above `cap`; in milliseconds.
    ///
    /// What failed together is spread over the whole wait. A caller that may not come back at once takes the larger of
    /// this and a least wait of its own.
    package static func backoff(attempt: Int, base: Double, cap: Double, chance: Double) -> Int64 {
        var ceiling = base
        for _ in 1..<max(1, min(attempt, 64)) where ceiling < cap { ceiling *= 2 }
        ceiling = min(ceiling, cap)
        return Int64(ceiling * min(max(0, chance), 1) * 1000)
    }
}
