package import ActorCore
import Dispatch
import GRDB
import Glibc
package import Logging

/// The store of the daemon: one SQLite file behind all five ports.
///
/// Writes go through the ``GroupCommitWriter``, reads through a pool of readers that see the last commit. On a slow
/// disk that one may still be on its way there.
package final class SQLiteStore: Sendable {
    let pool: DatabasePool
    let writer: GroupCommitWriter
    let errors: StoreErrors
    let counts: MailCounts
    let numbers: ExecutionNumbers
    /// The process before this one did not close the store.
    let wasUnclean: Bool
    private let hot: HotStatements
    private let logger: Logger

    /// Says in the file itself whose it is ("RCTD").
    private static let applicationID = 0x5243_5444
    /// A twentieth of what a plain hard disk takes for a sync, some times what waking a thread costs.
    package static let slowSync: Int64 = 500_000
    /// The log is copied into the database when it has so many pages (16 MiB). All of it is read when a daemon starts
    /// after one that did not end by itself.
    private static let checkpointPages = 4000

    private init(
        pool: DatabasePool, marks: StoreMarks, log: WriterLog?, errors: StoreErrors, logger: Logger
    ) {
        self.logger = logger
        self.pool = pool
        self.errors = errors
        self.counts = MailCounts()
        self.numbers = marks.numbers
        self.wasUnclean = marks.wasUnclean
        self.hot = HotStatements()
        self.writer = GroupCommitWriter(
            pool: pool, log: log,
            ledger: CommitLedger(counts: counts, numbers: numbers, hot: hot, lastSequence: marks.lastSequence),
            errors: errors, logger: logger)
    }

    /// Opens the database, makes it when there is none, and brings it to this version. Blocks: for start-up only.
    ///
    /// - Parameter synchronousFull: false lets a power cut take the last instants of accepted messages.
    /// - Parameter slowSync: syncs that take so many nanoseconds go on beside the writing of later commits.
    package static func open(
        path: String, synchronousFull: Bool = true, slowSync: Int64 = slowSync, logger: Logger
    ) throws(ActorError) -> SQLiteStore {
        let errors = StoreErrors(path: path)
        if try PendingRestore(path: path).finish() {
            logger.notice("a restore that was cut off was finished", metadata: ["file": "\(path)"])
        }
        try createFile(path)
        try PageSums.prepare(path, logger: logger)
        do {
            var configuration = configuration(path: path, synchronousFull: synchronousFull)
            configuration.prepareDatabase { db in if !db.configuration.readonly { try beginLog(db) } }
            let pool = try DatabasePool(path: path, configuration: configuration)
            try pool.writeWithoutTransaction { db in
                try setSynchronous(full: synchronousFull, on: db, path: path)
                if try Migrations.migrator.hasBeenSuperseded(db) {
                    throw ActorError(
                        .cannotStart,
                        "the database \(path) was written by a newer version; install that version, or restore a "
                            + "backup that this version made")
                }
            }
            try Migrations.migrator.migrate(pool)
            let (marks, log) = try pool.writeWithoutTransaction { db in
                (try StoreMarks.take(db), synchronousFull ? LogSync(of: db) : nil)
            }
            if !synchronousFull {
                logger.warning("a power cut may lose accepted messages", metadata: ["synchronous": "normal"])
            }
            let writerLog = try log.map { log in
                let lane = SyncLane(log, slow: slowSync, errors: errors, logger: logger)
                let copier = LogCopier(
                    try copyConnection(path), log: log, lane: lane, pages: checkpointPages, errors: errors,
                    logger: logger)
                return WriterLog(lane: lane, copier: copier)
            }
            let store = SQLiteStore(pool: pool, marks: marks, log: writerLog, errors: errors, logger: logger)
            try store.countMail()
            return store
        } catch {
            throw errors.translateAtStart(error)
        }
    }

    /// Commits what was submitted before, then closes the file. Later calls fail with `unavailable`.
    package func close() async throws(ActorError) {
        guard writer.close() else { return }
        try await onOwnThread {
            do {
                try self.pool.writeWithoutTransaction { db in
                    self.writer.log?.lane.drain()
                    self.hot.finalize()
                    if self.writer.log?.lane.failure == nil { try StoreMarks.setClean(true, on: db) }
                }
                try self.writer.log?.copier.close()
                // SQLite leaves its log behind when the last connection to close is a reader: emptied here, so that
                // the one file is the whole database.
                try self.pool.writeWithoutTransaction { db in _ = try db.checkpoint(.truncate) }
            } catch {
                self.logger.notice("the log stays beside the database", metadata: ["reason": "\(error)"])
            }
            try self.pool.close()
        }
    }

    /// Counts what waits as of now, while work goes on: a million messages must not delay the first request. How many
    /// there are comes first: that is what people look at.
    private func countMail() throws {
        let snapshot = try pool.makeSnapshot()
        DispatchQueue(label: "store.count").async {
            do {
                self.counts.add(found: try snapshot.read { db in try db.heldMessages() })
                self.counts.add(found: try snapshot.read { db in try db.heldBytes() })
            } catch {
                self.logger.error("waiting messages could not be counted", metadata: ["reason": "\(error)"])
            }
        }
    }

    /// For what blocks long: neither on the Swift pool nor on the writer.
    private func onOwnThread(_ body: @escaping @Sendable () throws -> Void) async throws(ActorError) {
        let queue = DispatchQueue(label: "store.files")
        let result: Result<Void, any Error> = await withCheckedContinuation { continuation in
            queue.async { continuation.resume(returning: Result { try body() }) }
        }
        if case .failure(let error) = result { throw errors.translate(error) }
    }

    /// Returns when nothing more can be committed until the store is opened again. Nil when the caller is cancelled, or
    /// where that cannot be: a commit that syncs itself is rolled back when it fails.
    package func failure() async -> ActorError? { await writer.log?.lane.failures.first { _ in true } }

    /// How well commits are shared.
    package var statistics: WriterStatistics { writer.statistics }

    /// What SQLite says about its syncing: 2 is FULL, 1 is NORMAL.
    package func synchronousLevel() async throws(ActorError) -> Int {
        try await writer.submit { db, _ in try Int.fetchOne(db, sql: "PRAGMA synchronous") ?? -1 }
    }

    func read<Value: Sendable>(
        _ body: @escaping @Sendable (Database) throws -> Value
    ) async throws(ActorError) -> Value {
        do {
            return try await pool.read(body)
        } catch {
            throw errors.translate(error)
        }
    }

    /// The same for what leaves the house or is begun: only what no power cut takes back any more.
    func readSettled<Value: Sendable>(
        _ body: @escaping @Sendable (Database) throws -> Value
    ) async throws(ActorError) -> Value {
        let value = try await read(body)
        await writer.log?.lane.settled()
        // What was read may be what those who sent it were told is not accepted.
        if let failure = writer.log?.lane.failure { throw failure }
        return value
    }

    static func configuration(path: String, synchronousFull: Bool = true) -> Configuration {
        var configuration = Configuration()
        configuration.label = "store"
        configuration.foreignKeysEnabled = true
        configuration.busyMode = .timeout(5)
        configuration.prepareDatabase { db in
            PageSums.prepare(db, isLogSynced: synchronousFull)
            // Before anything is written: a file that is not ours stays as it is.
            if !db.configuration.readonly {
                try refuseForeign(db, path: path)
                try PageSums.begin(db, applicationID: applicationID)
                // In KiB; readers keep SQLite's 2 MiB.
                try db.execute(sql: "PRAGMA cache_size = -65536")
                // By itself SQLite copies the log before a commit is answered: only where nobody else does, or can.
                let pages = synchronousFull ? 4 * checkpointPages : checkpointPages
                try db.execute(sql: "PRAGMA wal_autocheckpoint = \(pages)")
            }
            try db.execute(sql: "PRAGMA temp_store = MEMORY")
        }
        return configuration
    }

    /// Gives the log its first commit, and syncs it.
    ///
    /// GRDB fills an empty log with a commit of its own, after it has turned `synchronous` down: a power cut may take
    /// that one and leave the next, whose sync it was to wait for. No other commit is ever found without the one before
    /// it, so a log like that counts as damaged. SQLite begins with FULL.
    private static func beginLog(_ db: Database) throws {
        try db.execute(sql: "PRAGMA journal_mode = WAL; PRAGMA application_id = \(applicationID)")
    }

    /// For copies of the log beside the writing.
    private static func copyConnection(_ path: String) throws -> DatabaseQueue {
        var configuration = configuration(path: path)
        configuration.label = "store.copies"
        let queue = try DatabaseQueue(path: path, configuration: configuration)
        try queue.writeWithoutTransaction { db in try setSynchronous(full: true, on: db, path: path) }
        return queue
    }

    private static func refuseForeign(_ db: Database, path: String) throws {
        let owner = try Int.fetchOne(db, sql: "PRAGMA application_id") ?? 0
        let tables = try Int.fetchOne(db, sql: "SELECT count(*) FROM sqlite_master") ?? 0
        guard owner == applicationID || owner == 0 && tables == 0 else {
            throw ActorError(
                .cannotStart,
                "\(path) is the database of another program; move it away, or name another data folder")
        }
    }

    /// GRDB turns `synchronous` down to NORMAL while it sets up WAL: it is set after that, and read back.
    private static func setSynchronous(full: Bool, on db: Database, path: String) throws {
        let wanted = full ? 2 : 1
        try db.execute(sql: "PRAGMA synchronous = \(wanted)")
        let found = try Int.fetchOne(db, sql: "PRAGMA synchronous")
        guard found == wanted else {
            throw ActorError(
                .cannotStart,
                "SQLite keeps synchronous = \(found.map(String.init) ?? "unknown") for \(path), "
                    + "\(wanted) is needed to keep accepted messages")
        }
    }

    /// Made here and not by SQLite, so that nobody else can read it from its first byte on.
    static func createFile(_ path: String) throws(ActorError) {
        let descriptor = Glibc.open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw ActorError(
                .cannotStart,
                "the database \(path) cannot be opened: \(String(cString: strerror(errno))); "
                    + "its folder must exist and be writable for this user")
        }
        Glibc.close(descriptor)
    }
}
