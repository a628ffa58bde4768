/// The one way to learn the time or to wait for it; tests move it by hand.
package protocol Timekeeper: Sendable {
    func now() -> Timestamp
    /// Milliseconds on a clock that nobody can set; only differences mean something.
    func uptime() -> Int64
    /// Returns when `deadline` has come, throws `CancellationError` when the task is cancelled before.
    ///
    /// For moments of the calendar only: whoever sets the clock back makes this sleep longer.
    func sleep(until deadline: Timestamp) async throws
    /// Returns when so much time has passed, also when the clock is set meanwhile: for timeouts, backoff and looking
    /// again. Throws `CancellationError` when the task is cancelled before.
    func sleep(milliseconds: Int64) async throws
}

extension Timekeeper {
    /// For clocks that are moved by hand: one for both.
    package func uptime() -> Int64 { now().milliseconds }

    package func sleep(milliseconds: Int64) async throws {
        try await sleep(until: now().adding(milliseconds: milliseconds))
    }
}
