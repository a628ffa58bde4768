import ActorCore
import Crypto

/// All that lies in a folder, however deep: counting, hashing, removing.
enum FileTree {
    /// More files than this are no upload that the daemon can keep a list of.
    static let maxFiles = 100_000
    /// Deeper nesting is refused: walking recurses.
    static let maxDepth = 64

    /// Files, bytes and the latest change below a folder.
    struct Summary {
        var files = 0
        var bytes: Int64 = 0
        var changed = Timestamp(milliseconds: 0)
        /// Why it can be no upload; nil when it can.
        var obstacle: String?

        mutating func add(_ status: FileStatus) {
            changed = max(changed, status.changed)
            guard status.kind == .file else { return }
            files += 1
            bytes += status.bytes
        }
    }

    /// Adds what is below `folder` to `summary`; stops counting at `maxFiles` and `maxDepth`, which is an obstacle.
    static func summarize(
        _ folder: borrowing Folder, into summary: inout Summary, leavingOut: Set<String> = [], depth: Int = 1
    ) throws(ActorError) {
        guard depth <= maxDepth else {
            summary.obstacle = "it is nested deeper than \(maxDepth) folders: put it into fewer, or into an archive"
            return
        }
        for name in try folder.names() where !leavingOut.contains(name) {
            // It may have gone since it was listed: somebody is still at work there.
            guard let status = try folder.status(name) else { continue }
            if !RawName.isUTF8(name) { summary.obstacle = notUTF8("\(folder.path)/\(name)") }
            guard summary.files < maxFiles || status.kind != .file else {
                summary.obstacle = "it holds more than \(maxFiles) files: put them into an archive"
                return
            }
            summary.add(status)
            if status.kind == .folder {
                try summarize(try folder.folder(name), into: &summary, depth: depth + 1)
            }
        }
    }

    /// What is said of a path with a name in it that no list of files can hold.
    static func notUTF8(_ path: String) -> String {
        "it contains a name that is not UTF-8: \(RawName.shown(path)): rename that"
    }

    /// Every regular file below `folder` with its hash, sorted by path; links, pipes and devices are left out.
    ///
    /// - Parameters:
    ///   - durably: every file is made to last first.
    ///   - protected: nobody may write to them from now on.
    static func files(
        in folder: borrowing Folder, durably: Bool = false, protected: Bool = false
    ) throws(ActorError) -> [LabFile] {
        var files: [LabFile] = []
        try collect(folder, prefix: "", durably: durably, protected: protected, depth: 1, into: &files)
        return files.sorted { $0.path.utf8.lexicographicallyPrecedes($1.path.utf8) }
    }

    private static func collect(
        _ folder: borrowing Folder, prefix: String, durably: Bool, protected: Bool, depth: Int,
        into files: inout [LabFile]
    ) throws(ActorError) {
        guard depth <= maxDepth else {
            throw ActorError(.tooLarge, "\(folder.path) is nested deeper than \(maxDepth) folders")
        }
        for name in try folder.names() {
            switch try folder.status(name)?.kind {
            case .folder:
                let child = try folder.folder(name)
                try collect(
                    child, prefix: "\(prefix)\(name)/", durably: durably, protected: protected, depth: depth + 1,
                    into: &files)
            case .file:
                guard files.count < maxFiles else {
                    throw ActorError(.tooLarge, "\(folder.path) holds more than \(maxFiles) files")
                }
                let file = try folder.file(name)
                if protected { file.protect() }
                if durably { try file.synchronize() }
                let (bytes, hash) = protected ? try finalHash(name, of: file, in: folder) : try sha256(of: file)
                files.append(LabFile(path: prefix + name, bytes: bytes, sha256: hash))
            case .other, nil: continue
            }
        }
        if durably { try folder.synchronize() }
    }

    /// The next `limit` files in an order that stays, without hashes: by name within each folder, folder by folder.
    ///
    /// - Parameter after: the names on the way to the file to continue behind.
    static func page(
        _ folder: borrowing Folder, prefix: String = "", after: ArraySlice<String>, limit: Int, depth: Int = 1,
        into files: inout [ArchivedFile]
    ) throws(ActorError) {
        guard depth <= maxDepth else {
            throw ActorError(.tooLarge, "\(folder.path) is nested deeper than \(maxDepth) folders")
        }
        for name in try folder.names() where files.count < limit {
            if let first = after.first, name.utf8.lexicographicallyPrecedes(first.utf8) { continue }
            let isOnTheWay = after.first == name
            guard let status = try folder.status(name) else { continue }
            if status.kind == .folder {
                let rest = isOnTheWay ? after.dropFirst() : []
                try page(
                    try folder.folder(name), prefix: "\(prefix)\(name)/", after: rest, limit: limit,
                    depth: depth + 1, into: &files)
            } else if status.kind == .file, !isOnTheWay {
                files.append(
                    ArchivedFile(path: prefix + name, bytes: status.bytes, modified: status.modified))
            }
        }
    }

    /// Regular files below a folder and their bytes; as many as there are.
    static func total(
        _ folder: borrowing Folder, depth: Int = 1, into total: inout (files: Int, bytes: Int64)
    ) throws(ActorError) {
        guard depth <= maxDepth else { return }
        for name in try folder.names() {
            guard let status = try folder.status(name) else { continue }
            switch status.kind {
            case .file:
                total.files += 1
                total.bytes += status.bytes
            case .folder: try Self.total(try folder.folder(name), depth: depth + 1, into: &total)
            case .other: continue
            }
        }
    }

    /// The hash of a file that nobody should change any more. One that changed while it was read has none: throws
    /// `unavailable`, since it may have come to rest when it is read again.
    static func finalHash(
        _ name: String, of file: borrowing OpenFile, in folder: borrowing Folder
    ) throws(ActorError) -> (bytes: Int64, hex: String) {
        let before = try folder.status(name)
        let found = try sha256(of: file)
        let after = try folder.status(name)
        guard let before, let after, before.number == after.number, after.bytes == found.bytes,
            before.bytes == after.bytes, before.changed == after.changed, before.modified == after.modified
        else {
            throw ActorError(
                .unavailable, "\(folder.path)/\(name) changed while it was read: it is tried again until it rests")
        }
        return found
    }

    /// Streamed: a recording is larger than memory.
    static func sha256(of file: borrowing OpenFile) throws(ActorError) -> (bytes: Int64, hex: String) {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 16)
        defer { buffer.deallocate() }
        var hash = SHA256()
        var offset: Int64 = 0
        while true {
            let count = try file.read(into: buffer, at: offset)
            if count == 0 { break }
            hash.update(bufferPointer: UnsafeRawBufferPointer(rebasing: buffer[..<count]))
            offset += Int64(count)
        }
        return (offset, Hexadecimal.text(hash.finalize()))
    }

    /// Gives every regular file below `folder` a second name below `target`, which is empty.
    static func link(_ folder: borrowing Folder, to target: borrowing Folder, depth: Int = 1) throws(ActorError) {
        guard depth <= maxDepth else {
            throw ActorError(.tooLarge, "\(folder.path) is nested deeper than \(maxDepth) folders")
        }
        for name in try folder.names() {
            switch try folder.status(name)?.kind {
            case .folder: try link(try folder.folder(name), to: try target.making(name), depth: depth + 1)
            case .file: try folder.link(name, to: target)
            case .other, nil: continue
            }
        }
        try target.synchronize()
    }

    /// Removes `name` in `folder` with all that is below it. Links are removed, not followed.
    static func remove(_ name: String, in folder: borrowing Folder, depth: Int = 1) throws(ActorError) {
        guard let status = try folder.status(name) else { return }
        guard status.kind == .folder else { return try folder.removeFile(name) }
        guard depth <= maxDepth * 4 else {
            throw ActorError(.tooLarge, "\(folder.path) is nested too deeply to be removed: remove it by hand")
        }
        let child = try folder.folder(name)
        for inner in try child.names() { try remove(inner, in: child, depth: depth + 1) }
        try folder.removeFolder(name)
    }
}
