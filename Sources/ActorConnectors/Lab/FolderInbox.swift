package import ActorCore
package import NIOPosix

/// An inbox that is a folder: every file or folder at its top is an upload.
///
/// A file `<name>.done` beside an upload, or `.done` inside an upload that is a folder, says that nothing more will
/// come; with the word `force` in it, that the upload is to be analysed even when it was before. Hidden names, `*.part`
/// and `*.tmp` are uploads still under way and are not shown. A folder may list its own files with their SHA-256
/// (``ChecksumList``).
package struct FolderInbox: Inbox {
    private let folder: String
    private let blocking: BlockingWork
    private let lengthy: BlockingWork

    /// - Parameters:
    ///   - folder: absolute.
    ///   - lengthy: threads for comparing whole recordings with their lists.
    package init(folder: String, pool: NIOThreadPool = .singleton, lengthy: NIOThreadPool = .singleton) {
        self.folder = folder
        self.blocking = BlockingWork(pool: pool)
        self.lengthy = BlockingWork(pool: lengthy)
    }

    package func scan() async throws(ActorError) -> [InboxEntry] {
        let folder = folder
        return try await blocking { () throws(ActorError) in try Self.scan(folder) }
    }

    package func mismatch(in name: String) async throws(ActorError) -> String? {
        let path = folder
        return try await lengthy { () throws(ActorError) in
            let inbox = try Folder(path: path)
            guard Self.isShown(name), try inbox.status(name)?.kind == .folder else { return nil }
            let upload = try inbox.folder(name)
            return try ChecksumList.find(in: upload)?.mismatch(in: upload)
        }
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
        var marker = try Self.marker("\(name).done", in: inbox)
        var manifest: InboxManifest?
        if status.kind == .folder {
            let folder = try inbox.folder(name)
            marker = try Self.marker(".done", in: folder) ?? marker
            try FileTree.summarize(folder, into: &summary, leavingOut: [".done"])
            manifest = try ChecksumList.find(in: folder)?.standing(in: folder)
        }
        return InboxEntry(
            name: name, bytes: summary.bytes, files: summary.files, modified: summary.changed,
            isMarkedDone: marker != nil, isForced: marker == "force", manifest: manifest)
    }

    /// What a marker says; nil when there is none.
    private static func marker(_ name: String, in folder: borrowing Folder) throws(ActorError) -> String? {
        guard let status = try folder.status(name), status.kind == .file else { return nil }
        guard (5...16).contains(status.bytes) else { return "" }
        let file = try folder.file(name)
        let text = String(decoding: try file.bytes(from: 0, length: Int(status.bytes)), as: UTF8.self)
        return text.split(whereSeparator: \.isWhitespace).first.map(String.init) ?? ""
    }
}
