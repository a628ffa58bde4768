package import ActorCore
import CPageSums
import GRDB
import Glibc

extension SQLiteStore {
    /// Puts a backup in the place of a database that nobody has open. Every page of it is checked first; a backup that
    /// cannot be used changes nothing. Whenever this is cut off, the database is the old one or the backup, whole: see
    /// ``PendingRestore``. Blocks.
    ///
    /// - Parameters:
    ///   - aside: a folder that is made for the database that was there, and all that lay beside it.
    ///   - progress: called now and then with the pages checked and their number.
    /// - Returns: what was put in place; whether there was a database before.
    package static func restore(
        path: String, from backup: String, aside: String, progress: @escaping (Int64, Int64) -> Void
    ) throws(ActorError) -> (bytes: Int64, hasReplaced: Bool) {
        try PageSums.install()
        try needBackup(backup)
        let pending = PendingRestore(path: path)
        let part = path + ".part"
        discard(part)
        do {
            try pending.finish()
            try FileCopy.make(of: backup, at: part)
            let report = try verify(path: part, progress: progress)
            guard report.isSound else { throw damaged(backup, report) }
            try begin(part)
            let hasReplaced = access(path, F_OK) == 0
            if hasReplaced { try putAside(path, in: aside) }
            try pending.decide(on: part)
            discard(part)
            try pending.finish()
            return (size(of: path), hasReplaced)
        } catch {
            discard(part)
            throw StoreErrors(path: part).translate(error)
        }
    }

    private static func needBackup(_ file: String) throws(ActorError) {
        guard access(file, R_OK) == 0 else {
            throw ActorError(.notFound, "the backup \(file) cannot be read: \(String(cString: strerror(errno)))")
        }
        guard page_sums_kind_of(file) == PAGE_SUMS_PRESENT else {
            throw ActorError(.invalidInput, "\(file) is not a backup that `reactord backup` has made")
        }
        for name in ["-wal", "-journal"] where size(of: file + name) > 0 {
            throw ActorError(
                .invalidInput,
                "\(file) is not a backup but a database, part of which lies in \(file)\(name); copy it with "
                    + "`reactord backup`")
        }
    }

    private static func damaged(_ backup: String, _ report: IntegrityReport) -> ActorError {
        // What SQLite says of damaged pages tells less than their numbers.
        let places = report.damage.isEmpty ? report.problems : report.damage.map(\.place)
        return ActorError(
            .invalidInput,
            "the backup \(backup) is damaged (\(places.prefix(3).joined(separator: ", "))); the database was left as "
                + "it is: take another backup")
    }

    /// What this version cannot read is refused before anything is replaced.
    private static func begin(_ file: String) throws {
        let queue = try DatabaseQueue(path: file, configuration: configuration(path: file))
        try queue.writeWithoutTransaction { db in
            if try Migrations.migrator.hasBeenSuperseded(db) {
                throw ActorError(
                    .invalidInput, "the backup was made by a newer version of reactord; restore it with that one")
            }
            try StoreMarks.passOver(on: db)
        }
        try queue.close()
    }

    /// The old files get second names before they lose their first: whenever this ends, all of them are there.
    private static func putAside(_ path: String, in aside: String) throws(ActorError) {
        guard mkdir(aside, 0o700) == 0 else { throw FileCopy.failure("\(aside) cannot be made") }
        let name = path.split(separator: "/").last.map(String.init) ?? path
        for companion in [""] + PendingRestore.companions where access(path + companion, F_OK) == 0 {
            guard link(path + companion, "\(aside)/\(name)\(companion)") == 0 else {
                throw FileCopy.failure("\(path)\(companion) cannot be kept in \(aside)")
            }
        }
        FileCopy.syncFolder(of: "\(aside)/\(name)")
        FileCopy.syncFolder(of: aside)
    }

    private static func discard(_ file: String) {
        for companion in [""] + PendingRestore.companions { unlink(file + companion) }
    }
}
