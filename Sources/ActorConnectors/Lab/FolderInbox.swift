package import ActorCore
package import NIOPosix

/// An inbox that is a folder: every file or folder at its top is an upload.
///
/// A file `<name>.done` beside an upload and no older than it, or `.done` inside an upload that is a folder, says that
/// nothing more will come; with the word `force` in it, that the upload is to be analysed even when it was before.
/// Hidden names, `*.part` and `*.tmp` are uploads still under way and are not shown. A folder may list its own files
/// with their SHA-256 (``ChecksumList``). What cannot be an upload as it is (by its name, as a link, by what is in it)
/// is shown with the reason, and stays where it is.
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
            guard NameRules.isUploadName(name), try inbox.status(name)?.kind == .folder else { return nil }
            let upload = try inbox.folder(name)
            return try ChecksumList.find(in: upload)?.mismatch(in: upload)
        }
    }

    package func fileInWriting(in name: String) async throws(ActorError) -> String? {
        let path = folder
        return try await lengthy { () throws(ActorError) in
            let inbox = try Folder(path: path)
            switch try inbox.status(name)?.kind {
            case .folder: return try OpenWriters.file(in: try inbox.folder(name))
            case .file: return try OpenWriters.isWritten(try inbox.file(name)) ? name : nil
            case .other, nil: return nil
            }
        }
    }

    static func isMarker(_ name: String) -> Bool { name.hasSuffix(".done") }

    private static func isShown(_ name: String) -> Bool {
        !name.hasPrefix(".") && !isMarker(name) && !name.hasSuffix(".part") && !name.hasSuffix(".tmp")
    }

    /// Why the folder `name` of the inbox can be no upload as it is; nil when it can.
    static func obstacle(to name: String, in inbox: borrowing Folder) throws(ActorError) -> String? {
        var summary = FileTree.Summary()
        try FileTree.summarize(try inbox.folder(name), into: &summary)
        return summary.obstacle
    }

    private static func obstacle(toName name: String, _ kind: FileStatus.Kind) -> String? {
        guard NameRules.isUploadName(name) else {
            return "it cannot be an upload's name: rename it (letters and digits without accents, ._-+=@, and blanks "
                + "inside, no dot or dash first, at most 200 bytes)"
        }
        guard kind == .other else { return nil }
        return "it is a link or a device, which is not followed: put the file or folder itself here, or take it away"
    }

    private static func scan(_ path: String) throws(ActorError) -> [InboxEntry] {
        let folder: Folder
        do throws(ActorError) {
            folder = try Folder(path: path)
        } catch {
            throw ActorError(.unavailable, "the inbox cannot be read: \(error.message)")
        }
        // First: what was whole a moment later is seen as coming once more, and nothing that comes as if it did not.
        let receiving = try ReceivedParts.standing(in: folder)
        let names = try folder.names()
        var entries: [InboxEntry] = []
        for name in names where isShown(name) {
            do throws(ActorError) {
                guard let entry = try entry(name, in: folder, receiving[name]) else { continue }
                entries.append(entry)
            } catch {
                // Gone or closed to us while we looked; the next scan will tell.
                continue
            }
        }
        return entries
    }

    private static func entry(
        _ name: String, in inbox: borrowing Folder, _ receiving: InboxReceiving?
    ) throws(ActorError) -> InboxEntry? {
        guard let status = try inbox.status(name) else { return nil }
        var summary = FileTree.Summary()
        summary.add(status)
        if let obstacle = obstacle(toName: name, status.kind) {
            return InboxEntry(
                name: RawName.shown(name), bytes: summary.bytes, files: summary.files, modified: summary.changed,
                isMarkedDone: false, obstacle: obstacle)
        }
        var marker: String?
        var manifest: InboxManifest?
        if status.kind == .folder {
            let folder = try inbox.folder(name)
            marker = try Self.marker(".done", in: folder)
            try FileTree.summarize(folder, into: &summary, leavingOut: [".done"])
            manifest = try ChecksumList.find(in: folder)?.standing(in: folder)
        }
        // One that is older than what it lies beside is of an earlier upload of that name.
        if marker == nil { marker = try Self.marker("\(name).done", in: inbox, since: summary.changed) }
        return InboxEntry(
            name: name, bytes: summary.bytes, files: summary.files, modified: summary.changed,
            isMarkedDone: marker != nil, isForced: marker == "force", manifest: manifest,
            obstacle: summary.obstacle, receiving: receiving)
    }

    /// What a marker says; nil when there is none that is as young as `moment`.
    private static func marker(
        _ name: String, in folder: borrowing Folder, since moment: Timestamp? = nil
    ) throws(ActorError) -> String? {
        guard let status = try folder.status(name), status.kind == .file,
            moment.map({ status.changed >= $0 }) ?? true
        else { return nil }
        guard (5...16).contains(status.bytes) else { return "" }
        let file = try folder.file(name)
        let text = String(decoding: try file.bytes(from: 0, length: Int(status.bytes)), as: UTF8.self)
        return text.split(whereSeparator: \.isWhitespace).first.map(String.init) ?? ""
    }
}
