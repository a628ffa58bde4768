import ActorCore
import Glibc

/// `errno` as an error that says which call failed and what that means for the caller.
enum PosixFailure {
    /// Reads `errno`: call it right after the failed call.
    static func error(_ call: StaticString, _ what: String) -> ActorError {
        let number = errno
        let text = String(cString: strerror(number))
        switch number {
        case ENOSPC, EDQUOT: return ActorError(.storageFull, "there is no space left for \(what)")
        case ELOOP, ENOTDIR, EISDIR, EEXIST, ENOTEMPTY:
            return ActorError(.conflict, "\(what) cannot be stored there: \(text)")
        case ENOENT: return ActorError(.notFound, "\(what) does not exist")
        default: return ActorError(.internalFailure, "\(call) failed for \(what): \(text)")
        }
    }
}
