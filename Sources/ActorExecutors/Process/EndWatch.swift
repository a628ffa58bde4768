import Synchronization

/// Waits for the end of something, or for a nudge; the wait goes on in a cancelled task.
final class EndWatch: Sendable {
    private struct State {
        var hasEnded = false
        var wasNudged = false
        var waiter: (continuation: CheckedContinuation<Void, Never>, takesNudges: Bool)?
    }

    private let state = Mutex(State())

    var hasEnded: Bool { state.withLock { $0.hasEnded } }

    func end() { change { $0.hasEnded = true } }
    func nudge() { change { $0.wasNudged = true } }

    func untilEnd() async { await wait(takesNudges: false) }
    func untilEndOrNudge() async { await wait(takesNudges: true) }

    /// One waiter at a time.
    private func wait(takesNudges: Bool) async {
        await withCheckedContinuation { continuation in
            let isOver = state.withLock { state in
                if state.hasEnded || (takesNudges && state.wasNudged) { return true }
                state.waiter = (continuation, takesNudges)
                return false
            }
            if isOver { continuation.resume() }
        }
    }

    private func change(_ change: (inout State) -> Void) {
        let waiter = state.withLock { state -> CheckedContinuation<Void, Never>? in
            change(&state)
            guard let waiter = state.waiter, state.hasEnded || waiter.takesNudges else { return nil }
            state.waiter = nil
            return waiter.continuation
        }
        waiter?.resume()
    }
}
