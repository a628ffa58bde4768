import Glibc
import Synchronization

/// Keeps a log file at most `limit` bytes long while a command appends to it.
///
/// The file is cut back to its first `limit` bytes whenever it has grown beyond; because it is open for appending, what
/// the command prints next lands behind them and is cut in turn. So the disk stays bounded and the command never
/// blocks, as it would on a pipe that nobody reads.
final class LogKeeper: Sendable {
    let descriptor: Int32
    private let limit: Int
    private let cut = Mutex(false)

    init(descriptor: Int32, limit: Int) {
        self.descriptor = descriptor
        self.limit = max(0, limit)
    }

    /// Cuts the file when it is too long, and says how long it is then.
    @discardableResult
    func check() -> (bytes: Int, truncated: Bool) {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { return (0, cut.withLock { $0 }) }
        let size = Int(status.st_size)
        guard size > limit else { return (size, cut.withLock { $0 }) }
        _ = ftruncate(descriptor, off_t(limit))
        cut.withLock { $0 = true }
        return (limit, true)
    }

    /// The last check, after every writer has ended.
    func close() -> (bytes: Int, truncated: Bool) {
        let answer = check()
        _ = Glibc.close(descriptor)
        return answer
    }
}
