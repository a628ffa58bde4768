package import ActorCore
internal import Synchronization

/// The workers of all actors, as the actors API shows them.
package final class Workers: Sendable {
    /// One worker at one moment.
    package struct Shown: Sendable, Equatable {
        package let worker: WorkerBoard.Worker
        package let isBusy: Bool
    }

    private struct State {
        var boards: [ActorID: WorkerBoard] = [:]
    }

    private static let idleMilliseconds: Int64 = 10_000
    /// With the hint `sync` (section 6.10).
    private static let syncMilliseconds: Int64 = 600_000

    private let state = Mutex(State())
    private let makeID: @Sendable () -> String
    private let clock: any Timekeeper

    init(clock: any Timekeeper, makeID: @escaping @Sendable () -> String) {
        self.clock = clock
        self.makeID = makeID
    }

    /// An actor exists: one with a state has a worker from the beginning.
    func begin(_ spec: ActorSpec) {
        guard !spec.stateless else { return }
        state.withLock { state in
            guard state.boards[spec.id] == nil else { return }
            _ = state.boards[spec.id, default: WorkerBoard()].ensure(1, ids: makeID, now: clock.now())
        }
    }

    func forget(_ actor: ActorID) { state.withLock { _ = $0.boards.removeValue(forKey: actor) } }

    func take(_ execution: ExecutionID, of spec: ActorSpec) -> String {
        let now = clock.now()
        return state.withLock { state in
            var board = state.boards[spec.id] ?? WorkerBoard()
            board.settle(Self.patience(spec), now: now)
            let id = board.take(execution, id: makeID, now: now)
            state.boards[spec.id] = board
            return id
        }
    }

    func release(_ execution: ExecutionID, of actor: ActorID) {
        let now = clock.now()
        state.withLock { $0.boards[actor]?.release(execution, now: now) }
    }

    /// The worker that handles an execution at this moment.
    func worker(of execution: ExecutionID, _ actor: ActorID) -> String? {
        state.withLock { $0.boards[actor]?.workers.first { $0.execution == execution }?.id }
    }

    /// - Parameter running: messages that run at this moment; those of built-in actors are known by number only.
    package func list(of spec: ActorSpec, running: Int) -> [Shown] {
        let now = clock.now()
        return state.withLock { state in
            var board = state.boards[spec.id] ?? WorkerBoard()
            board.settle(Self.patience(spec), now: now)
            if board.workers.isEmpty, running > 0 { _ = board.ensure(1, ids: makeID, now: now) }
            state.boards[spec.id] = board
            let unnamed = running - board.workers.count(where: \.isBusy)
            var rest = max(0, unnamed)
            return board.workers.map { worker in
                if worker.isBusy { return Shown(worker: worker, isBusy: true) }
                rest -= 1
                return Shown(worker: worker, isBusy: rest >= 0)
            }
        }
    }

    /// Makes workers until there are `count`; answers how many there were, and how many were made.
    package func ensure(_ count: Int, of spec: ActorSpec) -> (before: Int, made: Int) {
        let now = clock.now()
        return state.withLock { state in
            var board = state.boards[spec.id] ?? WorkerBoard()
            board.settle(Self.patience(spec), now: now)
            let before = board.workers.count { !$0.isStopping }
            let made = board.ensure(count, ids: makeID, now: now)
            state.boards[spec.id] = board
            return (before, made)
        }
    }

    /// False when there is none of that id.
    package func stop(_ id: String, of actor: ActorID) -> Bool {
        state.withLock { $0.boards[actor]?.stop(id) ?? false }
    }

    private static func patience(_ spec: ActorSpec) -> WorkerBoard.Patience {
        guard spec.stateless else { return .stays }
        let isKept = spec.definition?.hints.contains("sync") ?? false
        return .goes(afterMilliseconds: isKept ? syncMilliseconds : idleMilliseconds)
    }
}
