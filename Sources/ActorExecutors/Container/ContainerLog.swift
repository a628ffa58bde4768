import ActorCore
import Glibc
import Synchronization

/// The log file of one container: what it prints goes behind what was there, up to a bound. Blocks.
final class ContainerLog: Sendable {
    private let descriptor: Int32
    private let offset: Int
    private let limit: Int
    private let cut = Mutex(false)

    init(_ path: String, offset: Int, limit: Int) throws(Unstartable) {
        descriptor = try Launch.openLog(path)
        self.offset = offset
        self.limit = max(0, limit)
    }

    deinit { close(descriptor) }

    /// Where the next container's output will begin.
    static func size(_ path: String) throws(Unstartable) -> Int {
        let descriptor = try Launch.openLog(path)
        defer { _ = close(descriptor) }
        var status = stat()
        return fstat(descriptor, &status) == 0 ? Int(status.st_size) : 0
    }

    private var size: Int {
        var status = stat()
        return fstat(descriptor, &status) == 0 ? Int(status.st_size) : 0
    }

    /// Everything of this container goes: it is told again from its beginning.
    func rewind() {
        if size > offset { _ = ftruncate(descriptor, off_t(offset)) }
        cut.withLock { $0 = false }
    }

    /// False when nothing more is taken.
    func append(_ bytes: [UInt8]) -> Bool {
        let room = max(0, limit - size)
        var rest = bytes.prefix(room)
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return false }
            rest = rest.dropFirst(count)
        }
        if bytes.count > room { cut.withLock { $0 = true } }
        return bytes.count <= room
    }

    var bytes: Int { size }
    var isCut: Bool { cut.withLock { $0 } }
}
