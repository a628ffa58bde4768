import ActorCore
import Glibc

/// A whole file put beside others, so that a power cut leaves it or nothing.
enum FileCopy {
    private static let atOnce = 1 << 20

    /// An empty file that only its owner may read, where none is yet.
    static func begin(_ path: String) throws(ActorError) {
        let descriptor = open(path, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw failure("\(path) cannot be made") }
        close(descriptor)
    }

    /// Copies a file byte by byte into a new one, and puts that on disk. Blocks.
    static func make(of path: String, at target: String) throws(ActorError) {
        try begin(target)
        let source = open(path, O_RDONLY | O_CLOEXEC)
        let copy = open(target, O_WRONLY | O_CLOEXEC | O_NOFOLLOW)
        defer {
            close(source)
            close(copy)
        }
        var room = [UInt8](repeating: 0, count: atOnce)
        while true {
            let count = read(source, &room, room.count)
            guard count >= 0 else { throw failure("\(path) cannot be read") }
            if count == 0 { break }
            var done = 0
            while done < count {
                let written = room.withUnsafeBytes { write(copy, $0.baseAddress?.advanced(by: done), count - done) }
                guard written >= 0 else { throw failure("\(target) cannot be written") }
                done += written
            }
        }
        // By the descriptor that has written: to another one the disk may not tell what it could not write.
        guard fsync(copy) == 0 else { throw failure("\(target) cannot be put on disk") }
    }

    /// Puts what a file holds on disk. Blocks.
    static func sync(_ path: String) throws(ActorError) {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw failure("\(path) cannot be put on disk") }
    }

    /// Puts on disk which files lie beside this one, itself included.
    static func syncFolder(of path: String) {
        let folder = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
        let descriptor = open(folder.isEmpty ? "/" : folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { return }
        fsync(descriptor)
        close(descriptor)
    }

    static func failure(_ what: String) -> ActorError {
        ActorError(errno == ENOSPC ? .storageFull : .invalidInput, "\(what): \(String(cString: strerror(errno)))")
    }
}
