import ActorCore
import Glibc

/// A checked backup beside the database whose place it is to take.
///
/// A database is two files, and two cannot be replaced in one step: a kill between them would leave the old one without
/// its log, and nothing would say that messages are missing. So the backup gets a name of its own first. With it the
/// restore is decided, and who opens the database next ends what was cut off.
struct PendingRestore {
    /// What SQLite and the daemon keep beside a database.
    static let companions = ["-wal", "-shm", "-sync", "-journal"]

    /// The database.
    let path: String

    private var backup: String { path + "-restored" }

    var isThere: Bool { access(backup, F_OK) == 0 }

    /// Decides it, with a file that is whole and nobody has open.
    func decide(on file: String) throws(ActorError) {
        try FileCopy.sync(file)
        guard rename(file, backup) == 0 else { throw FileCopy.failure("\(backup) cannot be made") }
        FileCopy.syncFolder(of: path)
    }

    /// Puts it in the database's place, if there is one. May be cut off anywhere and begun again.
    ///
    /// - Returns: whether there was one.
    @discardableResult func finish() throws(ActorError) -> Bool {
        guard isThere else { return false }
        for name in Self.companions { unlink(path + name) }
        // Gone for good before the new file has the name: SQLite would take an old log for its own.
        FileCopy.syncFolder(of: path)
        guard rename(backup, path) == 0 else { throw FileCopy.failure("\(path) cannot be replaced") }
        FileCopy.syncFolder(of: path)
        return true
    }
}
