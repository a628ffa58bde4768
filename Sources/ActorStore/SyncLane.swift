import ActorCore
import Dispatch
import Logging
import Synchronization

/// A commit that is in the log, and not on disk yet.
struct UnsyncedCommit: Sendable {
    /// Called once it is on disk, after those before it.
    let tell: @Sendable () -> Void
    let fail: @Sendable (ActorError) -> Void
}

/// Syncs the log beside the writing, and tells of commits once they are on disk, in their order.
///
/// When a sync fails for which commits have not waited, nobody knows what is on disk of them: they and all later ones
/// fail, until the store is opened again.
final class SyncLane: Sendable {
    private struct State {
        var turns: SyncTurns
        /// In the log without a sync that has begun, in order.
        var unsynced: [UnsyncedCommit] = []
        /// The writer waits for the end of a sync.
        var isAwaited = false
        var commitBegan: Int64 = 0
        /// Those who wait until so many commits are synced.
        var waiters: [(commits: Int, continuation: CheckedContinuation<Void, Never>)] = []
        var failure: ActorError?

        /// Who need not wait any longer after this change.
        mutating func roused(by change: (inout SyncTurns) -> Void) -> Roused {
            change(&turns)
            let isOver = failure != nil
            let writer = isAwaited && (isOver || turns.pause(at: SyncLane.now) == .none)
            if writer { isAwaited = false }
            let (written, synced) = (turns.written, turns.synced)
            func waits(_ commits: Int) -> Bool { !isOver && min(commits, written) > synced }
            let ready = waiters.filter { !waits($0.commits) }
            if !ready.isEmpty { waiters.removeAll { !waits($0.commits) } }
            return (writer, ready.map(\.continuation))
        }
    }

    private typealias Roused = (writer: Bool, waiters: [CheckedContinuation<Void, Never>])

    private let log: LogSync
    private let errors: StoreErrors
    private let logger: Logger
    private let state: Mutex<State>
    private let queue = DispatchQueue(label: "store.syncs")
    private let tells = DispatchQueue(label: "store.answers")
    private let room = DispatchSemaphore(value: 0)

    /// Tells, once, that a sync has failed.
    let failures: AsyncStream<ActorError>
    private let failed: AsyncStream<ActorError>.Continuation

    /// - Parameter slow: from how many nanoseconds on commits are written while others are synced.
    init(_ log: LogSync, slow: Int64, errors: StoreErrors, logger: Logger) {
        self.log = log
        self.errors = errors
        self.logger = logger
        self.state = Mutex(State(turns: SyncTurns(slow: slow)))
        (failures, failed) = AsyncStream.makeStream()
    }

    /// How many wait until what they have read is on disk.
    var waiting: Int { state.withLock { $0.waiters.count } }
    /// How many commits left their sync so far.
    var unsyncedCommits: Int { state.withLock { $0.turns.written } }
    var failure: ActorError? { state.withLock(\.failure) }

    /// Returns when all that a reader can see at the time of the call is on disk.
    func settled() async {
        await withCheckedContinuation { continuation in
            let isSettled = state.withLock { state in
                let commits = state.turns.written
                if commits <= state.turns.synced || state.failure != nil { return true }
                state.waiters.append((commits, continuation))
                return false
            }
            if isSettled { continuation.resume() }
        }
    }

    /// Returns when what was written is synced and told. Blocks.
    func drain() {
        queue.sync {}
        tells.sync {}
    }

    /// On the writer, as what follows. Returns when the next commit is to be written.
    func awaitTurn() {
        while true {
            let pause = state.withLock { state in
                let pause = state.failure == nil ? state.turns.pause(at: Self.now) : .none
                state.isAwaited = pause != .none
                return pause
            }
            switch pause {
            case .none: return
            case .until(let moment): _ = room.wait(timeout: DispatchTime(uptimeNanoseconds: UInt64(moment)))
            case .untilRoom: room.wait()
            }
        }
    }

    /// Whether the next commit leaves its sync.
    func beginCommit() -> Result<Bool, ActorError> {
        state.withLock { state in
            if let failure = state.failure { return .failure(failure) }
            state.commitBegan = Self.now
            return .success(state.turns.beginCommit())
        }
    }

    private static var now: Int64 { Int64(DispatchTime.now().uptimeNanoseconds) }

    func leavingSync(_ commit: () throws -> Void) rethrows { try log.leavingSyncs(commit) }

    /// What was to leave its sync was rolled back.
    func rollBack() {
        var startsSync = false
        resume(state.withLock { $0.roused { startsSync = $0.rollBack() } })
        if startsSync { queue.async { self.sync() } }
    }

    /// A commit has synced itself.
    func hasSyncedItself() { state.withLock { $0.turns.note(log.nanoseconds) } }

    /// A commit is in the log.
    func leave(_ commit: UnsyncedCommit) {
        let (startsSync, failure) = state.withLock { state in
            guard state.failure == nil else { return (false, state.failure) }
            state.unsynced.append(commit)
            return (state.turns.commitIsWritten(nanoseconds: Self.now - state.commitBegan), nil)
        }
        if let failure { commit.fail(failure) }
        if startsSync { queue.async { self.sync() } }
    }

    /// Until nothing is left to be synced.
    private func sync() {
        while true {
            let commits: [UnsyncedCommit]? = state.withLock { state in
                guard state.turns.beginSync(at: Self.now) else { return nil }
                defer { state.unsynced = [] }
                return state.unsynced
            }
            guard let commits else { return }
            do {
                try log.sync()
            } catch {
                return giveUp(commits, error)
            }
            let nanoseconds = log.nanoseconds
            resume(state.withLock { $0.roused { $0.endSync(nanoseconds: nanoseconds) } })
            // Beside the next sync.
            tells.async { self.tell(commits) }
        }
    }

    private func tell(_ commits: [UnsyncedCommit]) {
        for commit in commits { commit.tell() }
        resume(state.withLock { $0.roused { $0.tell(commits: commits.count) } })
    }

    /// The database could not be put on disk, into which the log was copied: only the log has all of it, and what is
    /// read from now on may be of yesterday.
    func giveUp(_ error: any Error) {
        if failure == nil { giveUp([], error) }
    }

    private func giveUp(_ commits: [UnsyncedCommit], _ error: any Error) {
        let failure = errors.unsynced(error)
        logger.critical("nothing more can be committed", metadata: ["reason": "\(failure)"])
        let (left, roused) = state.withLock { state in
            state.failure = failure
            defer { state.unsynced = [] }
            return (commits + state.unsynced, state.roused { _ in })
        }
        resume(roused)
        for commit in left { commit.fail(failure) }
        failed.yield(failure)
        failed.finish()
    }

    private func resume(_ roused: Roused) {
        if roused.writer { room.signal() }
        for waiter in roused.waiters { waiter.resume() }
    }
}
