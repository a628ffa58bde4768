internal import ActorCore
internal import Synchronization

/// One attempt that runs: stopped from outside, by its time or by somebody; told durably that it began when need be.
final class RunningWork: Sendable {
    private struct State {
        var machine: ExecutionMachine
        var task: RunningTask?
        var begin = Begin.none
        var waiters: [Waiter] = []
    }

    /// Resumed with nil when it is its turn to put the begin on disk.
    private typealias Waiter = CheckedContinuation<Result<Void, ActorError>?, Never>

    private enum Begin {
        /// Nothing of it is on disk: a crash would simply deliver the message again.
        case none
        case underWay
        case onDisk
    }

    let envelope: Envelope
    let number: Int
    let started: Timestamp
    /// In milliseconds of the running clock.
    let deadline: Int64
    private let state: Mutex<State>

    init(_ envelope: Envelope, retry: RetryPolicy, started: Timestamp, deadline: Int64) {
        self.envelope = envelope
        self.number = envelope.attempts + 1
        self.started = started
        self.deadline = deadline
        let machine = ExecutionMachine(attempt: envelope.attempts + 1, retry: retry, expires: envelope.expires)
        self.state = Mutex(State(machine: machine))
    }

    var hasBegun: Bool { state.withLock { $0.begin == .onDisk } }

    /// Plays the work in the calling task's own child, so that a stop reaches it and nothing else.
    func play(_ work: @escaping @Sendable () async -> ExecutionMachine.WorkEnd) async -> ExecutionMachine.WorkEnd {
        await withTaskGroup(of: ExecutionMachine.WorkEnd.self) { group in
            group.addTask {
                self.enter()
                let end = await work()
                self.leave()
                return end
            }
            return await group.next() ?? .stopped
        }
    }

    private func enter() {
        withUnsafeCurrentTask { task in
            guard let task else { return }
            let handle = RunningTask(task)
            state.withLock { state in
                state.task = handle
                if state.machine.isStopping { handle.cancel() }
            }
        }
    }

    private func leave() { state.withLock { $0.task = nil } }

    func stop(_ reason: ExecutionMachine.Stop) {
        state.withLock { state in
            guard state.machine.stop(reason) else { return }
            state.task?.cancel()
        }
    }

    func ended(_ end: ExecutionMachine.WorkEnd, now: Timestamp, chance: Double) -> ExecutionMachine.Verdict {
        state.withLock { $0.machine.ended(end, now: now, chance: chance) }
    }

    /// Puts the begin of the attempt on disk, once, however many ask for it.
    func begin(in store: any Store) async throws(ActorError) {
        while true {
            let (isMine, isDone) = state.withLock { state in
                defer { if state.begin == .none { state.begin = .underWay } }
                return (state.begin == .none, state.begin == .onDisk)
            }
            if isDone { return }
            if isMine {
                let result: Result<Void, ActorError>
                do {
                    try await store.begin(envelope, attempt: number, at: started)
                    result = .success(())
                } catch {
                    result = .failure(error)
                }
                settle(result)
                return try result.get()
            }
            if let result = await others() { return try result.get() }
        }
    }

    /// What became of the begin that somebody else is putting on disk; nil when that has failed already.
    private func others() async -> Result<Void, ActorError>? {
        await withCheckedContinuation { (continuation: Waiter) in
            let begin = state.withLock { state in
                if state.begin == .underWay { state.waiters.append(continuation) }
                return state.begin
            }
            switch begin {
            case .underWay: break
            case .onDisk: continuation.resume(returning: Result<Void, ActorError>.success(()))
            case .none: continuation.resume(returning: nil)
            }
        }
    }

    private func settle(_ result: Result<Void, ActorError>) {
        let waiters = state.withLock { state in
            if case .success = result { state.begin = .onDisk } else { state.begin = .none }
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.resume(returning: result) }
    }
}

/// The handle by which a running task is cancelled from another one.
///
/// `@unchecked`: cancelling is safe from anywhere while the task exists, and it is forgotten, under the same lock
/// under which it is cancelled, before the task ends.
struct RunningTask: @unchecked Sendable {
    private let task: UnsafeCurrentTask

    init(_ task: UnsafeCurrentTask) { self.task = task }

    func cancel() { task.cancel() }
}
