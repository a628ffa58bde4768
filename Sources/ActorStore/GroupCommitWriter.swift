import ActorCore
import GRDB
import Logging
import Synchronization

/// Shares one commit among all changes that wait at one moment: a synced commit costs the same for one as for many.
///
/// No timer gathers them: while one commit is being synced the next batch grows by itself, the larger the slower the
/// disk is. On a slow disk that batch is written meanwhile and shares the next sync (``SyncTurns``). Changes run on the
/// serial queue of the write connection; what they have to tell is told there, or on the ``SyncLane``: the order of
/// changes is the order of commits and of what the sink is told.
final class GroupCommitWriter: Sendable {
    typealias Sink = @Sendable ([Envelope], [CommittedEvent]) -> Void
    typealias Answer = @Sendable () -> Void

    private struct Change: Sendable {
        /// Answers what is to be called once the change is on disk. May be run a second time, after a rollback.
        let run: @Sendable (Database, inout CommitLedger) throws -> Answer
        let fail: @Sendable (ActorError) -> Void
    }

    private struct State {
        var inbox: [Change] = []
        var isDraining = false
        var isClosed = false
        /// Taken by the drain while there is one.
        var ledger: CommitLedger?
        var sink: Sink?
        /// The last commit failed for a reason that the next will meet too: said once, not per commit.
        var isFailing = false
        var statistics = WriterStatistics()
    }

    private let pool: DatabasePool
    private let errors: StoreErrors
    private let logger: Logger
    private let state: Mutex<State>
    /// Nil where commits are not synced: then SQLite does what is to be done.
    let log: WriterLog?
    let announcements = Announcements()
    private static let maxBatch = 4096

    init(pool: DatabasePool, log: WriterLog?, ledger: CommitLedger, errors: StoreErrors, logger: Logger) {
        self.pool = pool
        self.log = log
        self.errors = errors
        self.logger = logger
        self.state = Mutex(State(ledger: ledger))
    }

    var statistics: WriterStatistics { state.withLock { $0.statistics } }

    /// Changes that wait for the next commit.
    var waiting: Int { state.withLock { $0.inbox.count } }

    func setSink(_ sink: @escaping Sink) { state.withLock { $0.sink = sink } }

    /// Changes submitted from now on are refused; those before are still committed. False when closed before.
    func close() -> Bool {
        state.withLock { state in
            defer { state.isClosed = true }
            return !state.isClosed
        }
    }

    /// Returns when the change is on disk. Cancelling the caller does not take it back.
    func submit<Value: Sendable>(
        _ body: @escaping @Sendable (Database, inout CommitLedger) throws -> Value
    ) async throws(ActorError) -> Value {
        let result: Result<Value, ActorError> = await withCheckedContinuation { continuation in
            submit(body) { continuation.resume(returning: $0) }
        }
        return try result.get()
    }

    /// - Parameter then: called, in the order of the changes, when the change is on disk, or could not be put there.
    func submit<Value: Sendable>(
        _ body: @escaping @Sendable (Database, inout CommitLedger) throws -> Value,
        then: @escaping @Sendable (Result<Value, ActorError>) -> Void
    ) {
        enqueue(
            Change(
                run: { db, ledger in
                    let value = try body(db, &ledger)
                    return { then(.success(value)) }
                },
                fail: { then(.failure($0)) }))
    }

    private enum Next { case startDrain, wait, refuse }

    private func enqueue(_ change: Change) {
        let next: Next = state.withLock { state in
            if state.isClosed { return .refuse }
            state.inbox.append(change)
            if state.isDraining { return .wait }
            state.isDraining = true
            return .startDrain
        }
        switch next {
        case .startDrain: pool.asyncWriteWithoutTransaction { db in self.drain(db) }
        case .wait: break
        case .refuse: change.fail(errors.closed)
        }
    }

    private func drain(_ db: Database) {
        guard var ledger = state.withLock({ $0.ledger.take() }) else {
            preconditionFailure("two drains of one writer")
        }
        while true {
            log?.lane.awaitTurn()
            let batch: [Change] = state.withLock { state in
                if state.inbox.isEmpty {
                    state.isDraining = false
                    state.ledger = ledger
                    return []
                }
                if state.inbox.count <= Self.maxBatch {
                    let batch = state.inbox
                    state.inbox = []
                    return batch
                }
                let batch = Array(state.inbox.prefix(Self.maxBatch))
                state.inbox.removeFirst(Self.maxBatch)
                return batch
            }
            if batch.isEmpty { return }
            commit(batch, on: db, &ledger)
        }
    }

    private func commit(_ batch: [Change], on db: Database, _ ledger: inout CommitLedger) {
        let lane: SyncLane?
        switch log?.lane.beginCommit() {
        case .failure(let failure):
            for change in batch { change.fail(failure) }
            return
        case .success(let leavesSync): lane = leavesSync ? log?.lane : nil
        case nil: lane = nil
        }
        var result = transact(batch, on: db, &ledger, isolated: false, lane)
        // Savepoints would cost every commit for the sake of the rare one that contains a failing change: such a
        // commit is rolled back and done again with them, so that the others do not suffer.
        if case .failure = result, batch.count > 1 {
            result = transact(batch, on: db, &ledger, isolated: true, lane)
        }
        switch result {
        case .success(let answers):
            let news = ledger.take()
            if let lane {
                lane.leave(
                    UnsyncedCommit(
                        tell: { self.tell(news, answers) }, fail: { for change in batch { change.fail($0) } }))
            } else {
                log?.lane.hasSyncedItself()
                tell(news, answers)
            }
            log?.copier.committed(db)
        case .failure(let error):
            lane?.rollBack()
            let failure = errors.translate(error)
            report(failure, changes: batch.count)
            for change in batch { change.fail(failure) }
        }
    }

    private func tell(_ news: CommitNews, _ answers: [Answer]) {
        let (sink, isBack) = state.withLock { state in
            defer { state.isFailing = false }
            state.statistics.commits += 1
            state.statistics.changes += answers.count
            return (state.sink, state.isFailing)
        }
        if isBack { logger.notice("commits work again") }
        // Before anybody is answered: who asks the store next must not know more than who listens to it.
        if !news.events.isEmpty { sink?(news.envelopes, news.events) }
        for tell in news.others { tell() }
        for answer in answers { answer() }
    }

    private func report(_ failure: ActorError, changes: Int) {
        guard failure.code == .storageFull || failure.code == .internalFailure || failure.code == .unavailable
        else { return }
        let isNew = state.withLock { state in
            defer { state.isFailing = true }
            return !state.isFailing
        }
        guard isNew else { return }
        logger.error(
            "commits fail", metadata: ["changes": "\(changes)", "reason": "\(failure.description)"])
    }

    private func transact(
        _ batch: [Change], on db: Database, _ ledger: inout CommitLedger, isolated: Bool, _ lane: SyncLane?
    ) -> Result<[Answer], any Error> {
        do {
            // Prepared once: GRDB's own words would be parsed for every commit.
            try db.run("BEGIN IMMEDIATE TRANSACTION")
            var answers: [Answer] = []
            answers.reserveCapacity(batch.count)
            for change in batch {
                answers.append(
                    isolated ? try isolate(change, on: db, &ledger) : try change.run(db, &ledger))
            }
            try db.announce(ledger.events, through: announcements, &ledger)
            if let lane {
                try lane.leavingSync { try db.run("COMMIT TRANSACTION") }
            } else {
                try db.run("COMMIT TRANSACTION")
            }
            return .success(answers)
        } catch {
            do {
                try db.rollback()
            } catch {
                logger.error("rollback failed", metadata: ["reason": "\(error)"])
            }
            ledger.undo(to: .start)
            return .failure(error)
        }
    }

    /// Runs one change so that its failure leaves nothing behind and is its own.
    private func isolate(
        _ change: Change, on db: Database, _ ledger: inout CommitLedger
    ) throws -> Answer {
        let mark = ledger.mark
        try db.run("SAVEPOINT change")
        do {
            let answer = try change.run(db, &ledger)
            try db.run("RELEASE change")
            return answer
        } catch {
            // SQLite ends the whole transaction on some errors (disk full): then there is nothing left to go on with.
            guard db.isInsideTransaction else { throw error }
            try db.run("ROLLBACK TO change")
            try db.run("RELEASE change")
            ledger.undo(to: mark)
            let failure = errors.translate(error)
            return { change.fail(failure) }
        }
    }
}

/// What becomes of the log beside the writing.
struct WriterLog: Sendable {
    let lane: SyncLane
    let copier: LogCopier
}

/// How well commits are shared: changes divided by commits is the size of the average batch.
package struct WriterStatistics: Sendable, Equatable {
    package fileprivate(set) var commits = 0
    package fileprivate(set) var changes = 0
}
