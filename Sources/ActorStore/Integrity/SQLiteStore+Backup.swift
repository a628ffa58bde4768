package import ActorCore
import GRDB
import Glibc

extension SQLiteStore {
    /// Pages between two reports of progress.
    private static let pagesPerStep: CInt = 1000

    /// Copies the database as of one moment into a new file, whether a daemon runs on it or not: what was accepted
    /// before the call is in it. Changes nothing. Blocks, for as long as reading the file takes; who writes goes on.
    ///
    /// The copy is one file with the checksums of its pages. It has its name only once it is whole and on disk. A
    /// damaged page ends the copying, and is named.
    ///
    /// - Parameters:
    ///   - synchronousFull: false where a power cut may have taken the end of the log.
    ///   - progress: called now and then with the pages copied and their number.
    /// - Returns: the bytes of the copy.
    package static func backUp(
        path: String, to target: String, synchronousFull: Bool = true, progress: @escaping (Int64, Int64) -> Void
    ) throws(ActorError) -> Int64 {
        try PageSums.install()
        try needReadable(path)
        guard access(target, F_OK) != 0 else {
            throw ActorError(.conflict, "\(target) exists already; name a new file for the backup")
        }
        // One that was never finished must not be taken for a backup.
        let part = target + ".part"
        unlink(part)
        do {
            try FileCopy.begin(part)
            try copy(path, to: part, synchronousFull, progress)
            guard rename(part, target) == 0 else { throw FileCopy.failure("\(target) cannot be made") }
        } catch {
            unlink(part)
            throw translate(error, path, target)
        }
        FileCopy.syncFolder(of: target)
        return size(of: target)
    }

    private static func copy(
        _ path: String, to part: String, _ synchronousFull: Bool, _ progress: @escaping (Int64, Int64) -> Void
    ) throws {
        var configuration = Configuration()
        configuration.readonly = true
        configuration.busyMode = .timeout(5)
        configuration.prepareDatabase { db in PageSums.prepare(db, isLogSynced: synchronousFull) }
        let source = try DatabaseQueue(path: path, configuration: configuration)
        // Begun like a store, so that the copy carries sums as well.
        let copy = try DatabaseQueue(path: part, configuration: self.configuration(path: part))
        // One transaction over all steps: without it a commit of the daemon would begin the copy anew.
        try source.read { source in
            try copy.writeWithoutTransaction { copy in
                try source.backup(to: copy, pagesPerStep: pagesPerStep) { step in
                    progress(Int64(step.completedPageCount), Int64(step.totalPageCount))
                }
            }
        }
        try copy.close()
        try source.close()
    }

    /// The database is only read, the copy only written.
    private static func translate(_ error: any Error, _ path: String, _ target: String) -> ActorError {
        guard let fault = error as? DatabaseError else { return StoreErrors(path: path).translate(error) }
        switch fault.resultCode {
        case .SQLITE_FULL, .SQLITE_IOERR, .SQLITE_CANTOPEN, .SQLITE_READONLY, .SQLITE_PERM:
            return StoreErrors(path: target).translate(error)
        default: return StoreErrors(path: path).translate(error)
        }
    }

    static func size(of path: String) -> Int64 {
        var facts = stat()
        return stat(path, &facts) == 0 ? Int64(facts.st_size) : 0
    }
}
