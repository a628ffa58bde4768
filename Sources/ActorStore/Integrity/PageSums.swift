import ActorCore
import CPageSums
import GRDB
import Glibc
import Logging

/// Switches on the sums that every page of the database carries, and the checking of its log.
///
/// SQLite serves what the disk gives back, whatever it is. With the sums, a page that is not what was written is an
/// error that names it.
enum PageSums {
    /// Before the first connection to a database: from here on SQLite reads and writes through the sums.
    static func prepare(_ path: String, logger: Logger) throws(ActorError) {
        try install()
        page_sums_forget(path)
        guard page_sums_kind_of(path) == PAGE_SUMS_MISSING else { return }
        do {
            try addSums(to: path)
            logger.notice("the database was copied into one with checksums", metadata: ["file": "\(path)"])
        } catch {
            unlink(copyPath(of: path))
            logger.warning(
                "the database goes on without checksums: damage may stay unseen",
                metadata: ["file": "\(path)", "reason": "\(error)"])
        }
    }

    static func install() throws(ActorError) {
        let result = page_sums_install(nil)
        guard result == 0 else {
            throw ActorError(.cannotStart, "the checksums of the database cannot be set up: SQLite answers \(result)")
        }
    }

    /// On each new connection, before it reads anything.
    static func prepare(_ db: Database, isLogSynced: Bool) {
        guard let connection = db.sqliteConnection else { return }
        if !isLogSynced { _ = page_sums_expect_unsynced_log(connection) }
        if !db.configuration.readonly { _ = page_sums_reserve(connection) }
    }

    /// Makes an empty file a database that carries sums. The first page decides, so this is its first content.
    static func begin(_ db: Database, applicationID: Int) throws {
        guard try Int.fetchOne(db, sql: "PRAGMA page_count") == 0 else { return }
        try db.execute(sql: "PRAGMA page_size = \(PAGE_SUMS_PAGE)")
        try db.execute(sql: "PRAGMA application_id = \(applicationID)")
    }

    /// A database of an earlier version has no room for sums in its pages. It is copied, and the copy takes its place
    /// in one step: the old one is whole until then.
    private static func addSums(to path: String) throws {
        let copy = copyPath(of: path)
        unlink(copy)
        let descriptor = open(copy, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw failure("\(copy) cannot be made") }
        close(descriptor)
        let old = try DatabaseQueue(path: path)
        try old.writeWithoutTransaction { db in
            // Brings the log into the file and removes it: left behind, it would be taken for the copy's.
            let mode = try String.fetchOne(db, sql: "PRAGMA journal_mode = DELETE")
            guard mode == "delete" else {
                throw ActorError(.conflict, "another program holds the database; end it, then start again")
            }
            if let connection = db.sqliteConnection { _ = page_sums_reserve(connection) }
            try db.execute(sql: "VACUUM INTO ?", arguments: [copy])
        }
        try old.close()
        guard access(path + "-wal", F_OK) != 0 else {
            throw ActorError(.conflict, "another program holds the log of the database; end it, then start again")
        }
        guard page_sums_stamp(copy) == 0 else { throw failure("\(copy) cannot be summed") }
        guard rename(copy, path) == 0 else { throw failure("\(copy) cannot take the place of \(path)") }
        // Until then the old name may come back after a power cut, with the old and whole database.
        FileCopy.syncFolder(of: path)
    }

    private static func copyPath(of path: String) -> String { path + "-with-sums" }

    private static func failure(_ what: String) -> ActorError {
        ActorError(.cannotStart, "\(what): \(String(cString: strerror(errno)))")
    }
}
