import ActorCore
import Glibc

/// A small file with public keys.
enum KeyFile {
    static let maxBytes = 262_144

    /// Blocks.
    static func read(_ path: String) throws(ActorError) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw PosixFailure.error("open", path) }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: maxBytes + 1)
        let count = Glibc.read(descriptor, &bytes, bytes.count)
        guard count >= 0 else { throw PosixFailure.error("read", path) }
        guard count <= maxBytes else {
            throw ActorError(.invalidInput, "\(path) has more than \(maxBytes) bytes, which is no key")
        }
        return Array(bytes.prefix(count))
    }
}
