import ActorCore
import Glibc

/// Whether some program has a file open for writing.
///
/// Only the system knows, and it tells by a lease: it gives nobody one for reading while a writer is there. It is asked
/// of file systems of this machine alone, since one that is shared may refuse a lease for reasons of its own; and it
/// answers only the owner of a file, or root. Whoever cannot know goes on as if nobody wrote.
enum OpenWriters {
    /// Not among the constants that come with the C library: `F_SETSIG` and `F_SETLEASE` of Linux.
    private static let (setSignal, setLease): (Int32, Int32) = (10, 1024)
    private static let local: Set<String> = ["ext2", "ext3", "ext4", "xfs", "f2fs", "tmpfs", "btrfs", "zfs"]

    /// A file below `folder` that is open for writing, by its path; nil when there is none.
    static func file(in folder: borrowing Folder) throws(ActorError) -> String? {
        try file(in: folder, prefix: "", kinds: fileSystems(), depth: 1)
    }

    private static func file(
        in folder: borrowing Folder, prefix: String, kinds: [String: String], depth: Int
    ) throws(ActorError) -> String? {
        guard depth <= FileTree.maxDepth else { return nil }
        for name in try folder.names() {
            switch try folder.status(name)?.kind {
            case .folder:
                let child = try folder.folder(name)
                let inner = try file(in: child, prefix: "\(prefix)\(name)/", kinds: kinds, depth: depth + 1)
                if let inner { return inner }
            case .file:
                if try isWritten(try folder.file(name), kinds: kinds) { return RawName.shown(prefix + name) }
            case .other, nil: continue
            }
        }
        return nil
    }

    /// Whether somebody has it open for writing, as far as that can be known.
    static func isWritten(_ file: borrowing OpenFile) throws(ActorError) -> Bool {
        try isWritten(file, kinds: fileSystems())
    }

    private static func isWritten(
        _ file: borrowing OpenFile, kinds: [String: String]
    ) throws(ActorError) -> Bool {
        try file.withDescriptor { (descriptor: Int32) throws(ActorError) -> Bool in
            guard answers(descriptor, kinds) else { return false }
            // Who opens it for writing while the lease lasts makes the system send a signal, by itself a deadly one.
            guard fcntl(descriptor, setSignal, SIGURG) == 0 else { return false }
            guard fcntl(descriptor, setLease, Int32(F_RDLCK)) == 0 else { return errno == EAGAIN }
            _ = fcntl(descriptor, setLease, Int32(F_UNLCK))
            return false
        }
    }

    /// Whether the file system of this path can be asked.
    static func areKnown(at path: String) -> Bool {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        return answers(descriptor, fileSystems())
    }

    /// Whether its file system is one that can be asked.
    private static func answers(_ descriptor: Int32, _ kinds: [String: String]) -> Bool {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { return false }
        let device = UInt64(status.st_dev)
        let major = (device >> 8) & 0xfff | (device >> 32) & ~0xfff
        let minor = device & 0xff | (device >> 12) & 0xffff_ff00
        return kinds["\(major):\(minor)"].map(local.contains) ?? false
    }

    /// File systems by the numbers of their devices.
    private static func fileSystems() -> [String: String] {
        guard let stream = fopen("/proc/self/mountinfo", "re") else { return [:] }
        defer { fclose(stream) }
        var text: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65536)
        while true {
            let count = fread(&buffer, 1, buffer.count, stream)
            guard count > 0 else { break }
            text += buffer[..<count]
        }
        var found: [String: String] = [:]
        for line in text.split(separator: UInt8(ascii: "\n")) {
            // 36 35 98:0 /root /mount options optional-fields - type source options
            let words = String(decoding: line, as: UTF8.self).split(separator: " ")
            guard words.count > 2, let dash = words.firstIndex(of: "-"), dash + 1 < words.count else { continue }
            found[String(words[2])] = String(words[dash + 1])
        }
        return found
    }
}
