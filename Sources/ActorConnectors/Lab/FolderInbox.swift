package import ActorCore
package import NIOPosix

/// An inbox that is a folder: every file or folder at its top is an upload.
///
/// A file `<name>.done` beside an upload, or `.done` inside an upload that is a folder, says that nothing more will
/// come. Hidden names, `*.part` and `*.tmp` are uploads still under way and are not shown.
package struct FolderInbox: Inbox {
    private let folder: String
    private let blocking: BlockingWork

    /// - Parameter folder: absolute.
    package init(folder: String, pool: NIOThreadPool = .singleton) {
        self.folder = folder
        self.blocking = BlockingWork(pool: pool)
    }

    package func scan() async throws(ActorError) -> [InboxEntry] {
        let folder = folder
        return try await blocking { () throws(ActorError) in try Self.scan(folder) }
    }

    static func isMarker(_ name: String) -> Bool { name.hasSuffix(".done") }

    private static func isShown(_ name: String) -> Bool {
        NameRules.isUploadName(name) && !isMarker(name) && !name.hasSuffix(".part") && !name.hasSuffix(".tmp")
    }

    private static func scan(_ path: String) throws(ActorError) -> [InboxEntry] {
        let folder: Folder
        do throws(ActorError) {
            folder = try Folder(path: path)
        } catch {
            throw ActorError(.unavailable, "the inbox cannot be read: \(error.message)")
        }
        let names = try folder.names()
        var entries: [InboxEntry] = []
        for name in names where isShown(name) {
            do throws(ActorError) {
                guard let entry = try entry(name, in: folder) else { continue }
                entries.append(entry)
            } catch {
                // Gone or closed to us while we looked; the next scan will tell.
                continue
            }
        }
        return entries
    }

    private static func entry(_ name: String, in inbox: borrowing Folder) throws(ActorError) -> InboxEntry? {
        guard let status = try inbox.status(name), status.kind != .other else { return nil }
        var summary = FileTree.Summary()
        summary.add(status)
        var isDone = try inbox.status("\(name).done")?.kind == .file
        if status.kind == .folder {
            let folder = try inbox.folder(name)
            isDone = try folder.status(".done")?.kind == .file || isDone
            try FileTree.summarize(folder, into: &summary, leavingOut: [".done"])
        }
        return InboxEntry(
            name: name, bytes: summary.bytes, files: summary.files, modified: summary.changed, isMarkedDone: isDone)
    }
}
