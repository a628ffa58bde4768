package import ActorCore
import Glibc

/// A file read whole, up to a limit, and only when it is a regular one: a pipe would wait for ever.
package struct BoundedFile: Sendable {
    package let bytes: [UInt8]
    /// Permission bits and file type, as stat tells them.
    package let mode: UInt32

    /// Throws `notFound`, `tooLarge`, or `invalidInput`, naming the path.
    package static func read(_ path: String, limit: Int) throws(ActorError) -> BoundedFile {
        let descriptor = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
        guard descriptor >= 0 else {
            let reason = errno
            if reason == ENOENT || reason == ENOTDIR { throw ActorError(.notFound, "\(path) is not there") }
            throw ActorError(.invalidInput, "\(path) cannot be opened: \(String(cString: strerror(reason)))")
        }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw ActorError(.invalidInput, "\(path) is not a regular file")
        }
        guard status.st_size <= limit else {
            throw ActorError(.tooLarge, "\(path) has \(status.st_size) bytes, more than the \(limit) allowed")
        }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65536)
        while true {
            let count = Glibc.read(descriptor, &chunk, chunk.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw ActorError(.invalidInput, "\(path) cannot be read") }
            if count == 0 { return BoundedFile(bytes: bytes, mode: status.st_mode) }
            bytes += chunk.prefix(count)
            // It may have grown since fstat.
            guard bytes.count <= limit else {
                throw ActorError(.tooLarge, "\(path) has more than the \(limit) bytes allowed")
            }
        }
    }

    /// The line (1 is the first) in which the byte at `offset` stands.
    package func line(at offset: Int) -> Int {
        bytes.prefix(offset).count { $0 == UInt8(ascii: "\n") } + 1
    }
}
