import ActorCore
import Glibc

/// A regular file that is written piece by piece, by whoever holds it.
final class DraftFile: Sendable {
    private let descriptor: Int32
    let path: String

    /// Takes the descriptor over.
    init(descriptor: Int32, path: String) throws(ActorError) {
        self.descriptor = descriptor
        self.path = path
        guard try status().kind == .file else { throw ActorError(.invalidInput, "\(path) is no regular file") }
    }

    deinit { close(descriptor) }

    func status() throws(ActorError) -> FileStatus {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw Folder.failure("look at", path) }
        return FileStatus(status)
    }

    func write(_ bytes: UnsafeRawBufferPointer, at offset: Int64) throws(ActorError) {
        var done = 0
        while done < bytes.count {
            let count = pwrite(
                descriptor, bytes.baseAddress?.advanced(by: done), bytes.count - done, off_t(offset) + off_t(done))
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw Folder.failure("write", path) }
            done += count
        }
    }

    func truncate(to length: Int64) throws(ActorError) {
        guard ftruncate(descriptor, off_t(length)) == 0 else { throw Folder.failure("cut", path) }
    }

    /// Nobody may change the content any more, its owner included.
    func protect() throws(ActorError) {
        guard fchmod(descriptor, 0o444) == 0 else { throw Folder.failure("protect", path) }
    }

    /// Makes its content last.
    func synchronize() throws(ActorError) {
        guard fsync(descriptor) == 0 else { throw Folder.failure("synchronize", path) }
    }
}
