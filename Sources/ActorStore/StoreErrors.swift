import ActorCore
import GRDB
import Glibc

/// What SQLite reports, in words that say what was wrong, where, and what to do.
struct StoreErrors: Sendable {
    let path: String

    var closed: ActorError { ActorError(.unavailable, "the database \(path) is closed: the daemon is stopping") }

    /// A sync failed that commits had left to it.
    func unsynced(_ error: any Error) -> ActorError {
        ActorError(
            .unavailable,
            "the database \(path) or its log could not be put on disk; look at the disk, then start the daemon again: "
                + "what was answered as accepted is kept, what came last perhaps",
            cause: error)
    }

    func translate(_ error: any Error) -> ActorError {
        switch error {
        case let error as ActorError: return error
        case is CancellationError: return ActorError(.cancelled, "the caller gave up while the database was read")
        case let error as DatabaseError: return translate(error)
        default: return ActorError(.internalFailure, "the database \(path) failed", cause: error)
        }
    }

    /// The same for an error at start, when nothing can go on without the database.
    func translateAtStart(_ error: any Error) -> ActorError {
        if let error = error as? ActorError { return error }
        guard let error = error as? DatabaseError else {
            return ActorError(.cannotStart, "the database \(path) cannot be opened", cause: error)
        }
        switch error.resultCode {
        case .SQLITE_NOTADB:
            return ActorError(
                .cannotStart,
                "\(path) is not an SQLite database; move it away, or name another data folder", cause: error)
        case .SQLITE_CORRUPT:
            return damaged(
                .cannotStart,
                "`reactord restore BACKUP`, or recover what is left with `sqlite3 FILE .recover`", error)
        default:
            let translated = translate(error)
            return translated.code == .storageFull
                ? translated : ActorError(.cannotStart, "the database \(path) cannot be opened", cause: error)
        }
    }

    private func translate(_ error: DatabaseError) -> ActorError {
        switch error.resultCode {
        case .SQLITE_FULL: return full(error)
        case .SQLITE_IOERR where isDiskFull: return full(error)
        case .SQLITE_INTERRUPT: return ActorError(.cancelled, "the caller gave up while the database was read")
        case .SQLITE_BUSY, .SQLITE_LOCKED:
            return ActorError(
                .unavailable, "another program holds the database \(path); end it, then try again", cause: error)
        case .SQLITE_CONSTRAINT:
            return ActorError(.conflict, "the database already holds a row of that name", cause: error)
        case .SQLITE_CORRUPT, .SQLITE_NOTADB:
            return damaged(.internalFailure, "stop the daemon, then `reactord restore BACKUP`", error)
        case .SQLITE_MISUSE: return closed
        default: return ActorError(.internalFailure, "the database \(path) failed", cause: error)
        }
    }

    /// Names the place where it is known: SQLite's own checks do not tell theirs.
    private func damaged(_ code: ActorError.Code, _ remedy: String, _ error: DatabaseError) -> ActorError {
        let place = DatabaseDamage.last(in: path).map { " at \($0.place)" } ?? ""
        return ActorError(
            code, "the database \(path) is damaged\(place); \(remedy) (`reactord verify` tells how far it goes)",
            cause: error)
    }

    private func full(_ error: DatabaseError) -> ActorError {
        ActorError(
            .storageFull, "no space is left for the database \(path); free some, then try again", cause: error)
    }

    /// SQLite reports some writes to a full disk as mere input/output errors; the file system knows better.
    private var isDiskFull: Bool {
        var facts = statvfs()
        return statvfs(path, &facts) == 0 && facts.f_bavail == 0
    }
}
