import Synchronization

/// Bounds how many commands run at once: whoever has waited longest is next, and a cancelled wait leaves the line.
final class RunSlots: Sendable {
    private struct State {
        var free: Int
        var nextTicket = 0
        var line: [(ticket: Int, continuation: CheckedContinuation<Bool, Never>)] = []
    }

    private let state: Mutex<State>

    init(_ count: Int) { state = Mutex(State(free: max(1, count))) }

    /// True when a slot was taken, to be given back with `give()`; false when the task was cancelled before.
    func take() async -> Bool {
        let ticket = state.withLock { state in
            state.nextTicket += 1
            return state.nextTicket
        }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let answer = state.withLock { state -> Bool? in
                    // A task's flag is set before its handlers run, so a cancellation that found no one in the
                    // line is seen here.
                    if Task.isCancelled { return false }
                    if state.free > 0 {
                        state.free -= 1
                        return true
                    }
                    state.line.append((ticket, continuation))
                    return nil
                }
                if let answer { continuation.resume(returning: answer) }
            }
        } onCancel: {
            let continuation = state.withLock { state -> CheckedContinuation<Bool, Never>? in
                guard let place = state.line.firstIndex(where: { $0.ticket == ticket }) else { return nil }
                return state.line.remove(at: place).continuation
            }
            continuation?.resume(returning: false)
        }
    }

    /// Takes one, whether there is one or not: for what runs already.
    func occupy() { state.withLock { $0.free -= 1 } }

    func give() {
        let next = state.withLock { state -> CheckedContinuation<Bool, Never>? in
            guard !state.line.isEmpty, state.free >= 0 else {
                state.free += 1
                return nil
            }
            return state.line.removeFirst().continuation
        }
        next?.resume(returning: true)
    }
}
