import ActorCore
import GRDB
import Logging
import Synchronization

/// Copies the log into the database, over a connection of its own.
final class LogCopier: Sendable {
    private let database: DatabaseQueue
    private let log: LogSync
    private let lane: SyncLane
    private let errors: StoreErrors
    private let logger: Logger
    private let turns: Mutex<CopyTurns>

    init(_ database: DatabaseQueue, log: LogSync, lane: SyncLane, pages: Int, errors: StoreErrors, logger: Logger) {
        self.database = database
        self.log = log
        self.lane = lane
        self.errors = errors
        self.logger = logger
        self.turns = Mutex(CopyTurns(pages: pages))
    }

    func set(pages: Int) { turns.withLock { $0 = CopyTurns(pages: pages) } }

    /// On the writer, when whoever waits for the commit need not wait for this.
    func committed(_ db: Database) {
        switch turns.withLock({ $0.committed(pages: log.pages) }) {
        case .none: break
        case .theRest: _ = copy(db)
        case .besideTheWriting:
            database.asyncWriteWithoutTransaction { db in
                let succeeded = self.copy(db)
                self.turns.withLock { $0.copied(succeeded) }
            }
        }
    }

    /// Ends what was begun.
    func close() throws { try database.close() }

    private func copy(_ db: Database) -> Bool {
        do {
            _ = try db.checkpoint(.passive)
            return true
        } catch let error as DatabaseError where error.extendedResultCode == .SQLITE_IOERR_FSYNC {
            lane.giveUp(error)
            return false
        } catch {
            logger.warning(
                "the log could not be copied into the database and goes on growing",
                metadata: ["reason": "\(errors.translate(error))"])
            return false
        }
    }
}
