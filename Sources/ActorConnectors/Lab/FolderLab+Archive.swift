package import ActorCore

/// What was published, read back. Archive paths and the names below them come from outside: each name is opened
/// in the folder before it, and none is followed when it is a link.
extension FolderLab: ArchiveFiles {
    /// No archive path has a name that begins with a dot.
    private static let aside = ".aside"

    package func total(_ archivePath: String) async throws(ActorError) -> (files: Int, bytes: Int64) {
        try await archived(archivePath, []) { folder throws(ActorError) in
            var total: (files: Int, bytes: Int64) = (0, 0)
            try FileTree.total(folder, into: &total)
            return total
        }
    }

    package func list(
        _ archivePath: String, after: String?, limit: Int
    ) async throws(ActorError) -> [ArchivedFile] {
        let names = (after ?? "").split(separator: "/").map(String.init)
        return try await archived(archivePath, []) { folder throws(ActorError) in
            var files: [ArchivedFile] = []
            try FileTree.page(folder, after: names[...], limit: limit, into: &files)
            return files
        }
    }

    package func file(_ path: String, in archivePath: String) async throws(ActorError) -> ArchivedFile? {
        guard var names = Self.names(of: path), let last = names.popLast() else { return nil }
        do {
            return try await archived(archivePath, names) { folder throws(ActorError) -> ArchivedFile? in
                guard let status = try folder.status(last), status.kind == .file else { return nil }
                return ArchivedFile(path: path, bytes: status.bytes, modified: status.modified)
            }
        } catch  where error.code == .notFound || error.code == .invalidInput {
            return nil
        }
    }

    package func fixity(
        _ path: String, in archivePath: String
    ) async throws(ActorError) -> (file: ArchivedFile, sha256: String) {
        try await opened(path, archivePath) { file throws(ActorError) in
            let (bytes, hash) = try FileTree.sha256(of: file)
            return (ArchivedFile(path: path, bytes: bytes, modified: file.status.modified), hash)
        }
    }

    package func read(
        _ path: String, in archivePath: String, from offset: Int64, limit: Int
    ) async throws(ActorError) -> [UInt8] {
        try await opened(path, archivePath) { file throws(ActorError) in
            try file.bytes(from: offset, length: limit)
        }
    }

    package func setAside(_ archivePath: String, as name: String) async throws(ActorError) -> Bool {
        guard var names = Self.archiveNames(archivePath), let last = names.popLast(), NameRules.isUploadName(name)
        else { throw ActorError(.invalidInput, "\"\(archivePath.prefix(200))\" is no archive path") }
        let (root, parents) = (archive, names)
        return try await blocking { () throws(ActorError) in
            var folder = try Folder(path: root)
            for parent in parents {
                guard try folder.status(parent) != nil else { return false }
                folder = try folder.folder(parent)
            }
            guard try folder.status(last) != nil else { return false }
            let aside = try Folder(path: root).making(Self.aside)
            try folder.move(last, to: aside, as: name)
            try folder.synchronize()
            try aside.synchronize()
            return true
        }
    }

    package func derive(
        _ archivePath: String, of name: String, key: String, as path: String
    ) async throws(ActorError) {
        let derived = DerivedFiles(root: root, archive: archive)
        try await blocking { () throws(ActorError) in try derived.show(archivePath, of: name, key: key, as: path) }
    }

    package func discard(_ name: String) async throws(ActorError) {
        guard NameRules.isUploadName(name) else {
            throw ActorError(.invalidInput, "\"\(name.prefix(200))\" is no name of what was set aside")
        }
        let root = archive
        try await blocking { () throws(ActorError) in
            let folder = try Folder(path: root)
            guard try folder.status(Self.aside)?.kind == .folder else { return }
            let aside = try folder.folder(Self.aside)
            try FileTree.remove(name, in: aside)
        }
    }

    package func logs(
        of run: String, limit: Int
    ) async throws(ActorError) -> [(file: ArchivedFile, tail: String)] {
        guard NameRules.isUploadName(run) else { return [] }
        let runs = "\(root)/runs"
        return try await blocking { () throws(ActorError) -> [(file: ArchivedFile, tail: String)] in
            let folder = try Folder(path: runs)
            guard try folder.status(run)?.kind == .folder else { return [] }
            let own = try folder.folder(run)
            guard try own.status("logs")?.kind == .folder else { return [] }
            let logs = try own.folder("logs")
            var found: [(file: ArchivedFile, tail: String)] = []
            for name in try logs.names() {
                guard try logs.status(name)?.kind == .file else { continue }
                let file = try logs.file(name)
                let length = min(Int64(limit), file.status.bytes)
                let bytes = try file.bytes(from: file.status.bytes - length, length: Int(length))
                // A character that the cut went through is left out.
                let whole = bytes.drop { $0 & 0xc0 == 0x80 }
                found.append(
                    (
                        ArchivedFile(path: name, bytes: file.status.bytes, modified: file.status.modified),
                        String(decoding: whole, as: UTF8.self)
                    ))
            }
            return found
        }
    }

    private func opened<Value: Sendable>(
        _ path: String, _ archivePath: String,
        _ body: @escaping @Sendable (borrowing OpenFile) throws(ActorError) -> Value
    ) async throws(ActorError) -> Value {
        guard var names = Self.names(of: path), let last = names.popLast() else {
            throw ActorError(.invalidInput, "\"\(path.prefix(200))\" is no path of a file")
        }
        return try await archived(archivePath, names) { folder throws(ActorError) in
            try body(try folder.file(last))
        }
    }

    /// The folder behind an archive path, or one below it.
    private func archived<Value: Sendable>(
        _ archivePath: String, _ below: [String],
        _ body: @escaping @Sendable (borrowing Folder) throws(ActorError) -> Value
    ) async throws(ActorError) -> Value {
        guard let names = Self.archiveNames(archivePath) else {
            throw ActorError(.invalidInput, "\"\(archivePath.prefix(200))\" is no archive path")
        }
        let root = archive
        return try await blocking { () throws(ActorError) in
            var folder = try Folder(path: root)
            for name in names + below { folder = try folder.folder(name) }
            return try body(folder)
        }
    }

    /// Whatever a program called its file; only what would lead elsewhere is refused.
    private static func names(of path: String) -> [String]? {
        let names = path.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard path.utf8.count <= 4096, (1...FileTree.maxDepth).contains(names.count) else { return nil }
        let isPlain = names.allSatisfy {
            !$0.isEmpty && $0 != "." && $0 != ".." && !$0.utf8.contains(0) && $0.utf8.count <= 255
        }
        return isPlain ? names : nil
    }

    /// With or without the slash at the beginning: the first generation's paths have none.
    private static func archiveNames(_ path: String) -> [String]? {
        RunArchive.segments(of: path.hasPrefix("/") ? path : "/" + path)
    }
}
