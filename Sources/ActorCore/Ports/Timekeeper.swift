/// The one way to learn the time or to wait for it; tests move it by hand.
package protocol Timekeeper: Sendable {
    func now() -> Timestamp
    /// Returns when `deadline` has come, throws `CancellationError` when the task is cancelled before.
    func sleep(until deadline: Timestamp) async throws
}
