package import ActorCore
package import NIOPosix

/// The files of a lab in folders: `uploads/` and `runs/` below the data folder, the archive and the inbox beside it.
///
/// Inbox, data folder and archive must be on one file system: taking an upload and publishing a run are renames.
package struct FolderLab: LabFiles {
    private static let maxJobFiles = 1000
    private static let maxJobFileBytes: Int64 = 1_048_576
    private static let maxListBytes: Int64 = 16 << 20

    let root: String
    let archive: String
    private let inbox: String
    private let unpacking: UnpackSettings?
    let blocking: BlockingWork
    /// For what takes as long as a recording is large; what is short does not wait behind it.
    private let lengthy: BlockingWork
    private let active = ActiveClaims()

    /// - Parameters:
    ///   - root: the data folder, absolute, existing.
    ///   - archive: where archive paths begin, absolute, existing.
    ///   - inbox: where uploads land, absolute, existing.
    ///   - unpacking: how zip and tar files among them are unpacked; nil leaves them as they are.
    ///   - lengthy: threads for reading and copying whole recordings.
    package init(
        root: String, archive: String, inbox: String, unpacking: UnpackSettings? = nil,
        pool: NIOThreadPool = .singleton, lengthy: NIOThreadPool = .singleton
    ) {
        self.lengthy = BlockingWork(pool: lengthy)
        self.unpacking = unpacking
        self.root = root
        self.archive = archive
        self.inbox = inbox
        self.blocking = BlockingWork(pool: pool)
    }

    package func claim(_ name: String, key: String) async throws(ActorError) -> ClaimedUpload {
        let claims = UploadClaims(root: root, inbox: inbox, unpacking: unpacking, active: active)
        return try await lengthy { () throws(ActorError) in try claims.take(name, key: key) }
    }

    package func held(_ name: String, key: String) async throws(ActorError) -> ClaimedUpload {
        let claims = UploadClaims(root: root, inbox: inbox, unpacking: nil)
        return try await blocking { () throws(ActorError) in try claims.held(name, key: key) }
    }

    /// Whether these files (or this one archive) were taken in as an upload of that name, whole and made to last.
    ///
    /// - Parameter copied: whether the copy in an object store has to be whole too.
    package func isStored(_ name: String, _ files: [LabFile], copied: Bool = false) async throws(ActorError) -> Bool {
        let claims = UploadClaims(root: root, inbox: inbox, unpacking: unpacking)
        return try await blocking { () throws(ActorError) in try claims.isStored(name, files, copied: copied) }
    }

    /// Uploads whose taking was begun and is not finished, by their names in the inbox, with the keys of the takings.
    package func begunClaims() async throws(ActorError) -> [(item: String, key: String)] {
        let uploads = StoredUploads(root: root)
        return try await lengthy { () throws(ActorError) in try uploads.begun() }
    }

    package func bring(
        _ path: String, as name: String, allowed: [String], force: Bool, key: String
    ) async throws(ActorError) {
        let bringing = UploadBringing(inbox: inbox, allowed: allowed)
        try await lengthy { () throws(ActorError) in try bringing.bring(path, as: name, force: force, key: key) }
    }

    package func lines(of list: String) async throws(ActorError) -> [String] {
        try await blocking { () throws(ActorError) in
            let parts = list.split(separator: "/").map(String.init)
            guard let name = parts.last else { throw ActorError(.invalidInput, "\(list) is no file") }
            let file = try Folder(path: "/" + parts.dropLast().joined(separator: "/")).file(name)
            guard file.status.bytes <= Self.maxListBytes else {
                throw ActorError(.tooLarge, "\(list) is larger than \(Self.maxListBytes) bytes: begin a new one")
            }
            let bytes = try file.bytes(from: 0, length: Int(file.status.bytes))
            let whole = bytes[..<(bytes.lastIndex(of: UInt8(ascii: "\n")) ?? 0)]
            return whole.split(separator: UInt8(ascii: "\n")).map { String(decoding: $0, as: UTF8.self) }
        }
    }

    package func jobFiles(in folder: String) async throws(ActorError) -> [JobFile] {
        try await blocking { () throws(ActorError) in
            let actor = try Folder(path: folder)
            guard try actor.status("jobs")?.kind == .folder else { return [] }
            var files: [JobFile] = []
            try Self.collect(try actor.folder("jobs"), prefix: "", depth: 1, into: &files)
            return files.sorted { $0.path.utf8.lexicographicallyPrecedes($1.path.utf8) }
        }
    }

    package func jobFiles(below folder: String) async throws(ActorError) -> [JobFile] {
        try await blocking { () throws(ActorError) in
            var files: [JobFile] = []
            try Self.collect(try Folder(path: folder), prefix: "", depth: 1, into: &files)
            return files.sorted { $0.path.utf8.lexicographicallyPrecedes($1.path.utf8) }
        }
    }

    private static func collect(
        _ folder: borrowing Folder, prefix: String, depth: Int, into files: inout [JobFile]
    ) throws(ActorError) {
        guard depth <= 16 else { throw ActorError(.tooLarge, "\(folder.path) is nested deeper than 16 folders") }
        for name in try folder.names() where !name.hasPrefix(".") {
            switch try folder.status(name)?.kind {
            case .folder:
                try collect(try folder.folder(name), prefix: "\(prefix)\(name)/", depth: depth + 1, into: &files)
            case .file where name.hasSuffix(".yaml") || name.hasSuffix(".yml"):
                let file = try folder.file(name)
                guard file.status.bytes <= maxJobFileBytes else {
                    throw ActorError(.tooLarge, "\(file.path) is larger than \(maxJobFileBytes) bytes")
                }
                guard files.count < maxJobFiles else {
                    throw ActorError(.tooLarge, "\(folder.path): more than \(maxJobFiles) job files")
                }
                let text = try file.bytes(from: 0, length: Int(file.status.bytes))
                files.append(JobFile(path: prefix + name, text: text))
            default: continue
            }
        }
    }

    package func prepareRun(_ id: String, fresh: Bool) async throws(ActorError) -> RunFolders {
        let runs = RunArchive(root: root, archive: archive)
        return try await blocking { () throws(ActorError) in try runs.prepare(id, fresh: fresh) }
    }

    package func publish(_ id: String, to archivePath: String) async throws(ActorError) -> [LabFile] {
        let runs = RunArchive(root: root, archive: archive)
        return try await blocking { () throws(ActorError) in try runs.publish(id, to: archivePath) }
    }

    package func tail(of logFile: String, limit: Int) async -> String {
        let base = "\(root)/runs/"
        guard limit > 0, logFile.hasPrefix(base) else { return "" }
        let names = logFile.dropFirst(base.count).split(separator: "/", omittingEmptySubsequences: false)
        guard (1...16).contains(names.count), names.allSatisfy({ NameRules.isUploadName(String($0)) })
        else { return "" }
        let bytes = try? await blocking { () throws(ActorError) -> [UInt8] in
            var folder = try Folder(path: base)
            for name in names.dropLast() { folder = try folder.folder(String(name)) }
            let file = try folder.file(String(names[names.count - 1]))
            let length = min(Int64(limit), file.status.bytes)
            return try file.bytes(from: file.status.bytes - length, length: Int(length))
        }
        // A character that the cut went through is left out.
        let whole = (bytes ?? []).drop { $0 & 0xc0 == 0x80 }
        return String(decoding: whole, as: UTF8.self)
    }

    package func archiveFolder(_ archivePath: String) -> String {
        // What is no archive path leads to a name that no archive path can have.
        RunArchive.segments(of: archivePath) == nil ? "\(archive)/.none" : archive + archivePath
    }
}
