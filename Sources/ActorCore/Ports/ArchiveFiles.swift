/// A file below an archive path, as the file system shows it.
package struct ArchivedFile: Sendable, Equatable {
    /// Below the archive path, with slashes.
    package let path: String
    package let bytes: Int64
    /// Latest change of its content.
    package let modified: Timestamp

    package init(path: String, bytes: Int64, modified: Timestamp) {
        self.path = path
        self.bytes = bytes
        self.modified = modified
    }
}

/// What jobs have left below their archive paths: to be listed, read, and taken away. Links are never followed.
package protocol ArchiveFiles: Sendable {
    /// How many regular files there are below an archive path, and how large they are together.
    func total(_ archivePath: String) async throws(ActorError) -> (files: Int, bytes: Int64)
    /// At most `limit` files, in an order that stays; `after` is the path to continue behind.
    func list(_ archivePath: String, after: String?, limit: Int) async throws(ActorError) -> [ArchivedFile]
    /// One file; nil when there is none of that name, or when it is no regular file.
    func file(_ path: String, in archivePath: String) async throws(ActorError) -> ArchivedFile?
    /// One file with the SHA-256 (hex) of its content. Reads all of it.
    func fixity(_ path: String, in archivePath: String) async throws(ActorError) -> (file: ArchivedFile, sha256: String)
    /// Up to `limit` bytes from `offset`; none at the end.
    func read(
        _ path: String, in archivePath: String, from offset: Int64, limit: Int
    ) async throws(ActorError) -> [UInt8]
    /// Takes what lies at an archive path out of the archive, all of it at once, and keeps it as `name` until it is
    /// discarded. False when nothing lies there.
    func setAside(_ archivePath: String, as name: String) async throws(ActorError) -> Bool
    /// Removes what was set aside as `name`, however much that is; nothing happens when there is nothing.
    func discard(_ name: String) async throws(ActorError)
    /// Logs of the steps of a run, by name, each with its last `limit` bytes; none when there was no such run.
    func logs(of run: String, limit: Int) async throws(ActorError) -> [(file: ArchivedFile, tail: String)]
}

extension ArchiveFiles {
    /// A file by its absolute name in the archive; nil when there is none.
    package func file(named name: String) async throws(ActorError) -> ArchivedFile? {
        guard name.hasPrefix("/"), let slash = name.lastIndex(of: "/"), slash > name.startIndex else { return nil }
        return try await file(String(name[name.index(after: slash)...]), in: String(name[..<slash]))
    }
}
