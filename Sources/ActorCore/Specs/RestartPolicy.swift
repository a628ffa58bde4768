/// How often an actor that fails is started again before it is given up.
package struct RestartPolicy: Sendable, Equatable {
    /// Failures in a row after which the actor is in ERROR; at least 1.
    package var maxFailures: Int
    /// A failure that comes later than this after the one before it begins a new row, in seconds.
    package var windowSeconds: Double
    /// The longest first wait, in seconds; it doubles with each failure.
    package var backoffSeconds: Double
    package var maxBackoffSeconds: Double

    package init(
        maxFailures: Int = 5, windowSeconds: Double = 3600, backoffSeconds: Double = 1, maxBackoffSeconds: Double = 300
    ) {
        self.maxFailures = max(1, maxFailures)
        self.windowSeconds = max(0, windowSeconds)
        self.backoffSeconds = max(0, backoffSeconds)
        self.maxBackoffSeconds = max(0, maxBackoffSeconds)
    }
}
