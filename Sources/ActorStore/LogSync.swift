import CPageSums
import GRDB

/// The log of the write connection, as far as its syncs are somebody else's than SQLite's.
///
/// Good while the connection is open. Which thread may call what: see CPageSums.h.
struct LogSync: @unchecked Sendable {
    private let log: OpaquePointer

    init?(of db: Database) {
        guard let connection = db.sqliteConnection, let log = page_sums_log_of(connection) else { return nil }
        self.log = log
    }

    /// On the writer: commits within leave their sync to ``sync()``.
    func leavingSyncs<Value>(_ body: () throws -> Value) rethrows -> Value {
        page_sums_leave_syncs(log, 1)
        defer { page_sums_leave_syncs(log, 0) }
        return try body()
    }

    /// Puts what was written before the call on disk. Blocks.
    func sync() throws(DatabaseError) {
        let code = page_sums_sync(log)
        guard code == 0 else {
            throw DatabaseError(resultCode: ResultCode(rawValue: code), message: "the log could not be synced")
        }
    }

    /// On the writer: how many pages the log has with the last commit.
    var pages: Int { Int(page_sums_log_pages(log)) }

    /// How long the last sync took.
    var nanoseconds: Int64 { page_sums_sync_nanoseconds(log) }
}
