package import ActorCore
internal import Synchronization

/// A clock that stands still until a test moves it; it can tell when somebody has gone to sleep.
package final class ManualClock: Timekeeper {
    private struct Sleeper {
        let deadline: Timestamp
        let continuation: CheckedContinuation<Void, any Error>
    }

    private struct Watcher {
        let least: Int
        let continuation: CheckedContinuation<Void, Never>
    }

    private struct State {
        var now: Timestamp
        var nextID = 0
        var sleepers: [Int: Sleeper] = [:]
        var cancelled: Set<Int> = []
        var watchers: [Watcher] = []
    }

    private let state: Mutex<State>

    package init(now: Timestamp = Timestamp(milliseconds: 1_700_000_000_000)) {
        self.state = Mutex(State(now: now))
    }

    package func now() -> Timestamp { state.withLock(\.now) }

    package func sleep(until deadline: Timestamp) async throws {
        let id = state.withLock { state in
            state.nextID += 1
            return state.nextID
        }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let (resume, watchers): (Result<Void, any Error>?, [Watcher]) = state.withLock { state in
                    if state.cancelled.remove(id) != nil { return (.failure(CancellationError()), []) }
                    if deadline <= state.now { return (.success(()), []) }
                    state.sleepers[id] = Sleeper(deadline: deadline, continuation: continuation)
                    let count = state.sleepers.count
                    let ready = state.watchers.filter { count >= $0.least }
                    state.watchers.removeAll { count >= $0.least }
                    return (nil, ready)
                }
                for watcher in watchers { watcher.continuation.resume() }
                if let resume { continuation.resume(with: resume) }
            }
        } onCancel: {
            let sleeper = state.withLock { state in
                let sleeper = state.sleepers.removeValue(forKey: id)
                if sleeper == nil { state.cancelled.insert(id) }
                return sleeper
            }
            sleeper?.continuation.resume(throwing: CancellationError())
        }
    }

    /// Wakes everybody whose moment has come.
    package func advance(milliseconds: Int64) {
        let due = state.withLock { state in
            state.now = state.now.adding(milliseconds: milliseconds)
            let now = state.now
            let due = state.sleepers.filter { $0.value.deadline <= now }
            for id in due.keys { state.sleepers[id] = nil }
            return due.values.sorted { $0.deadline < $1.deadline }
        }
        for sleeper in due { sleeper.continuation.resume() }
    }

    /// Returns when at least so many sleep: the production code has really gone to wait.
    package func sleepers(atLeast least: Int) async {
        await withCheckedContinuation { continuation in
            let isThere = state.withLock { state in
                if state.sleepers.count >= least { return true }
                state.watchers.append(Watcher(least: least, continuation: continuation))
                return false
            }
            if isThere { continuation.resume() }
        }
    }

    /// Deadlines of those who sleep, earliest first.
    package var deadlines: [Timestamp] { state.withLock { $0.sleepers.values.map(\.deadline).sorted() } }
}
