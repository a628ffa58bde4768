import ActorCore
import Crypto

/// Takes uploads out of the inbox, so that a crash at any line loses none and takes none twice.
///
/// `uploads/<name>/<number>/claim.json` is written before anything moves, with the key of the taking, and again with
/// the list of files when all is done. A repeat finds its key and goes on where the first one stopped. An archive goes
/// to `received`, and what it holds to `original`; one that cannot be unpacked is the upload's only file.
struct UploadClaims {
    private static let record = "claim.json"
    private static let content = "original"
    private static let maxNumber = 100_000
    private static let maxMetadataBytes: Int64 = 262_144
    private static let received = "received"
    private static let mostAtOnce = 1000

    let root: String
    let inbox: String
    /// Nil: archives are files like others.
    var unpacking: UnpackSettings?
    /// The takings of this process that are under way.
    var active = ActiveClaims()

    private struct Claim {
        let key: String
        /// The upload is a single file, put inside the folder under its name.
        let isFile: Bool
        /// Its sender said that it is complete. So is one that was begun before that was written down.
        var isMarked = true
        /// Nil while it is under way.
        var files: [LabFile]?
        /// The single file is an archive: its name in the inbox.
        var archive: String?
        /// Why the archive was not unpacked.
        var problem: String?
        /// What was left out of it.
        var notes: [String] = []
        /// The archive itself, as it came.
        var received: LabFile?
    }

    func take(_ name: String, key: String) throws(ActorError) -> ClaimedUpload {
        guard NameRules.isUploadName(name), !FolderInbox.isMarker(name) else {
            throw ActorError(.invalidInput, "\"\(name.prefix(200))\" is no name of an upload")
        }
        guard (1...512).contains(key.utf8.count) else {
            throw ActorError(.invalidInput, "the key of a claim has 1 to 512 bytes, not \(key.utf8.count)")
        }
        let kind = try Folder(path: inbox).status(name)?.kind
        let all = try Folder(path: root).making("uploads")
        if unpacking != nil, kind != .folder, let (_, stem) = ArchiveFormat.of(fileName: name),
            NameRules.isUploadName(stem), !FolderInbox.isMarker(stem)
        {
            // A folder with such a name that was taken before is not in the inbox any more.
            let isOldFolder = kind == nil ? try holds(key, name, in: all) : false
            if isOldFolder { return try take(name, nil, as: name, isArchive: false, key: key, in: all) }
            return try take(name, kind, as: stem, isArchive: true, key: key, in: all)
        }
        return try take(name, kind, as: name, isArchive: false, key: key, in: all)
    }

    /// Whether the upload `name` was taken with this key.
    private func holds(_ key: String, _ name: String, in all: borrowing Folder) throws(ActorError) -> Bool {
        guard try all.status(name)?.kind == .folder else { return false }
        let uploads = try all.folder(name)
        for number in try uploads.names() where Int(number) != nil {
            if try read(in: try uploads.folder(number))?.key == key { return true }
        }
        return false
    }

    /// - Parameters:
    ///   - item: its name in the inbox.
    ///   - name: the upload's.
    private func take(
        _ item: String, _ kind: FileStatus.Kind?, as name: String, isArchive: Bool, key: String,
        in all: borrowing Folder
    ) throws(ActorError) -> ClaimedUpload {
        let uploads = try all.making(name)
        var last = 0
        var begun: Int?
        for number in try uploads.names().compactMap(Int.init).sorted() {
            last = number
            let folder = try uploads.folder(String(number))
            guard let claim = try read(in: folder) else { continue }
            if claim.key == key { return try finish(claim, name, number, in: folder) }
            if claim.files == nil, claim.archive == (isArchive ? item : nil) { begun = number }
        }
        if kind == nil, let begun { return try takeOver(begun, name, key: key, in: uploads) }
        guard last < Self.maxNumber else {
            throw ActorError(.tooLarge, "\(name) was uploaded \(last) times: remove old folders in \(uploads.path)")
        }
        guard let kind else { throw ActorError(.notFound, "there is no upload \(item) in the inbox \(inbox)") }
        guard kind != .other else {
            throw ActorError(.invalidInput, "\(inbox)/\(item) is neither a file nor a folder; links are not followed")
        }
        // Before anything moves: what cannot be an upload stays where whoever sent it can mend it.
        if kind == .folder, let obstacle = try FolderInbox.obstacle(to: item, in: try Folder(path: inbox)) {
            throw ActorError(.invalidInput, "\(inbox)/\(item) cannot be an upload: \(obstacle)")
        }
        // A number has its claim in it from the first: a crash leaves none that is empty and nobody's.
        var claim = Claim(key: key, isFile: kind == .file, archive: isArchive ? item : nil)
        claim.isMarked = try isMarked(item, kind)
        let draft = ".claim-\(Hexadecimal.text(SHA256.hash(data: Array(key.utf8))).prefix(32))"
        try write(claim, in: try uploads.making(draft))
        var number = last + 1
        while true {
            do throws(ActorError) {
                try uploads.move(draft, to: uploads, as: String(number))
            } catch  where error.code == .conflict && number - last < Self.mostAtOnce {
                // Somebody else takes another upload of this name now.
                number += 1
                continue
            }
            try uploads.synchronize()
            return try finish(claim, name, number, in: try uploads.folder(String(number)))
        }
    }

    /// A message that was given up had begun to take it, and is sent again under another key.
    private func takeOver(
        _ number: Int, _ name: String, key: String, in uploads: borrowing Folder
    ) throws(ActorError) -> ClaimedUpload {
        let folder = try uploads.folder(String(number))
        guard let old = try read(in: folder), active.isFree(folder.path) else {
            throw ActorError(.conflict, "\(name) is being taken in by another message")
        }
        let claim = Claim(key: key, isFile: old.isFile, isMarked: old.isMarked, archive: old.archive)
        try write(claim, in: folder)
        return try finish(claim, name, number, in: folder)
    }

    private func finish(
        _ claim: Claim, _ name: String, _ number: Int, in folder: borrowing Folder
    ) throws(ActorError) -> ClaimedUpload {
        guard claim.files == nil else { return try answer(claim, name, number, in: folder) }
        active.begin(folder.path)
        defer { active.end(folder.path) }
        let item = claim.archive ?? name
        let source = try Folder(path: inbox)
        try removeMarker(of: item, claim, name, from: source, in: folder)
        var done = claim
        if let archive = claim.archive {
            try unpack(archive, &done, from: source, in: folder)
        } else if claim.isFile {
            let content = try folder.making(Self.content)
            if try content.status(name) == nil { try move(name, from: source, to: content, as: name) }
        } else if try folder.status(Self.content) == nil {
            try move(name, from: source, to: folder, as: Self.content)
        }
        let content = try folder.folder(done.problem == nil ? Self.content : Self.received)
        if !claim.isFile, try content.status(".done")?.kind == .file { try content.removeFile(".done") }
        try refuseWritten(claim, content)
        let files = try FileTree.files(in: content, durably: true, protected: true)
        if let bad = files.first(where: { !RawName.isUTF8($0.path) }) {
            throw ActorError(
                .invalidInput, "\(name) cannot be an upload: \(FileTree.notUTF8("\(content.path)/\(bad.path)"))")
        }
        done.files = files
        try folder.synchronize()
        try source.synchronize()
        try write(done, in: folder)
        return try answer(done, name, number, in: folder)
    }

    private func isMarked(_ item: String, _ kind: FileStatus.Kind) throws(ActorError) -> Bool {
        let source = try Folder(path: inbox)
        if try source.status("\(item).done")?.kind == .file { return true }
        guard kind == .folder else { return false }
        let upload = try source.folder(item)
        if try upload.status(".done")?.kind == .file { return true }
        return try ChecksumList.find(in: upload) != nil
    }

    /// The marker goes before its upload does: one that stayed behind would vouch for the next upload of that name.
    /// What it said is in the message that this is done for. When the upload has gone already, and a crash came, the
    /// marker is its own only if no next upload lies there.
    private func removeMarker(
        of item: String, _ claim: Claim, _ name: String, from source: borrowing Folder, in folder: borrowing Folder
    ) throws(ActorError) {
        let marker = "\(item).done"
        guard try source.status(marker)?.kind == .file else { return }
        if try hasMoved(claim, name, in: folder), try source.status(item) != nil { return }
        try source.removeFile(marker)
        try source.synchronize()
    }

    /// Whether the upload has left the inbox.
    private func hasMoved(_ claim: Claim, _ name: String, in folder: borrowing Folder) throws(ActorError) -> Bool {
        let place = claim.archive == nil ? Self.content : Self.received
        guard try folder.status(place)?.kind == .folder else { return false }
        guard claim.isFile else { return true }
        return try folder.folder(place).status(claim.archive ?? name) != nil
    }

    /// Under its new name nobody comes upon it any more: who does not write now never will. Whoever began to write
    /// before may go on, and is waited for, unless the sender said that it is complete.
    private func refuseWritten(_ claim: Claim, _ content: borrowing Folder) throws(ActorError) {
        guard !claim.isMarked, let file = try OpenWriters.file(in: content) else { return }
        throw ActorError(
            .unavailable, "\(content.path)/\(file) is still open for writing: it is tried again until that is closed")
    }

    private func answer(
        _ claim: Claim, _ name: String, _ number: Int, in folder: borrowing Folder
    ) throws(ActorError) -> ClaimedUpload {
        let place = claim.problem == nil ? Self.content : Self.received
        let isThere = try folder.status(place)?.kind == .folder
        return ClaimedUpload(
            name: name, number: number, folder: "\(folder.path)/\(place)", files: claim.files ?? [],
            metadata: isThere ? Self.metadata(in: try folder.folder(place)) : nil, problem: claim.problem,
            notes: claim.notes)
    }

    /// Puts what the archive holds into `original`; what is wrong with the archive is noted, what is wrong here thrown.
    private func unpack(
        _ archive: String, _ claim: inout Claim, from source: borrowing Folder, in folder: borrowing Folder
    ) throws(ActorError) {
        let received = try folder.making(Self.received)
        if try received.status(archive) == nil { try move(archive, from: source, to: received, as: archive) }
        try received.synchronize()
        try refuseWritten(claim, received)
        let file = try received.file(archive)
        try file.synchronize()
        file.protect()
        let (bytes, sha256) = try FileTree.finalHash(archive, of: file, in: received)
        claim.received = LabFile(path: archive, bytes: bytes, sha256: sha256)
        // It was all there before the crash.
        guard try folder.status(Self.content) == nil else { return }
        guard let unpacking, let format = ArchiveFormat.of(fileName: archive)?.format else {
            claim.problem = "archives are not unpacked any more: unpack.enabled is false"
            return
        }
        do throws(ActorError) {
            claim.notes = try Unpacking(formats: unpacking.formats, limits: unpacking.limits)
                .unpack(file, format, into: folder, as: Self.content)
        } catch  where error.code == .invalidInput {
            claim.problem = "\(archive): \(error.message)"
        }
    }

    /// What was taken under this key, as ``take(_:key:)`` answered it. Nothing is taken from the inbox for it.
    func held(_ name: String, key: String) throws(ActorError) -> ClaimedUpload {
        let place = "uploads/\(name) of the data folder"
        let all = try Folder(path: root).making("uploads")
        guard NameRules.isUploadName(name), try all.status(name)?.kind == .folder else {
            throw ActorError(.notFound, "its files are not in \(place) any more")
        }
        let uploads = try all.folder(name)
        for number in try uploads.names().compactMap(Int.init).sorted() {
            let folder = try uploads.folder(String(number))
            guard let claim = try read(in: folder), claim.key == key, claim.files != nil else { continue }
            let content = claim.problem == nil ? Self.content : Self.received
            guard try folder.status(content)?.kind == .folder, try !StoredUploads.isRemoved(folder) else { break }
            return try answer(claim, name, number, in: folder)
        }
        throw ActorError(.notFound, "its files are not in \(place) any more: upload them again")
    }

    /// An upload that was taken in: its files, and the folder in it that holds them.
    struct Taken {
        let key: String
        let files: [LabFile]
        let content: String
        let archive: LabFile?
    }

    /// Nil while it is under way.
    func finished(in folder: borrowing Folder) throws(ActorError) -> Taken? {
        guard let claim = try read(in: folder), let files = claim.files else { return nil }
        let content = claim.problem == nil ? Self.content : Self.received
        return Taken(
            key: claim.key, files: files, content: content, archive: claim.problem == nil ? claim.received : nil)
    }

    /// What was begun in this folder and is not finished: its name in the inbox and its key.
    func begun(_ name: String, in folder: borrowing Folder) throws(ActorError) -> (item: String, key: String)? {
        guard let claim = try read(in: folder), claim.files == nil else { return nil }
        return (claim.archive ?? name, claim.key)
    }

    /// Whether these files (or this one archive) were taken in as an upload of that name, whole and made to last.
    ///
    /// - Parameter copied: whether the copy in an object store has to be whole too.
    func isStored(_ item: String, _ files: [LabFile], copied: Bool) throws(ActorError) -> Bool {
        let all = try Folder(path: root).making("uploads")
        for name in Set([item, ArchiveFormat.of(fileName: item)?.stem ?? item]) {
            guard try all.status(name)?.kind == .folder else { continue }
            let uploads = try all.folder(name)
            for number in try uploads.names() where Int(number) != nil {
                let folder = try uploads.folder(number)
                guard let claim = try read(in: folder), let taken = claim.files else { continue }
                if copied, try !StoredUploads.isStored(folder) { continue }
                let hashes = Dictionary(
                    (taken + [claim.received].compactMap { $0 }).map { ($0.path, $0.sha256) }, uniquingKeysWith: { $1 })
                if files.allSatisfy({ hashes[$0.path] == $0.sha256 }) { return true }
            }
        }
        return false
    }

    /// What rules and conditions of job files may ask of an upload.
    static func metadata(in content: borrowing Folder) -> JSONValue? {
        guard let status = try? content.status("metadata.json"), status.kind == .file,
            status.bytes <= maxMetadataBytes, let file = try? content.file("metadata.json"),
            let bytes = try? file.bytes(from: 0, length: Int(status.bytes))
        else { return nil }
        return try? JSONReader.read(bytes)
    }

    private func move(
        _ name: String, from source: borrowing Folder, to target: borrowing Folder, as newName: String
    ) throws(ActorError) {
        do throws(ActorError) {
            try source.move(name, to: target, as: newName)
        } catch  where error.code == .notFound {
            throw ActorError(.notFound, "there is no upload \(name) in the inbox \(inbox)")
        }
    }

    private func read(in folder: borrowing Folder) throws(ActorError) -> Claim? {
        guard try folder.status(Self.record)?.kind == .file else { return nil }
        let file = try folder.file(Self.record)
        let bytes = try file.bytes(from: 0, length: Int(min(file.status.bytes, 1 << 28)))
        guard let value = try? JSONReader.read(bytes), let key = value["key"]?.string,
            let isFile = value["is_file"]?.bool
        else { throw ActorError(.internalFailure, "\(folder.path)/\(Self.record) is damaged: restore or remove it") }
        return Claim(
            key: key, isFile: isFile, isMarked: value["is_marked"]?.bool ?? true,
            files: value["files"]?.array.map { $0.compactMap(LabFile.init(json:)) },
            archive: value["archive"]?.string, problem: value["problem"]?.string,
            notes: value["notes"]?.array?.compactMap(\.string) ?? [],
            received: value["received"].flatMap(LabFile.init(json:)))
    }

    private func write(_ claim: Claim, in folder: borrowing Folder) throws(ActorError) {
        let files = claim.files.map { JSONValue.array($0.map(\.json)) } ?? .null
        var value: JSONValue = [
            "key": .string(claim.key), "is_file": .bool(claim.isFile), "is_marked": .bool(claim.isMarked),
            "files": files,
        ]
        if let archive = claim.archive { value = value.setting("archive", .string(archive)) }
        if let problem = claim.problem { value = value.setting("problem", .string(problem)) }
        if let received = claim.received { value = value.setting("received", received.json) }
        if !claim.notes.isEmpty { value = value.setting("notes", .array(claim.notes.map { .string($0) })) }
        try folder.write(JSONWriter.bytes(value), to: Self.record)
    }
}

extension LabFile {
    fileprivate init?(json: JSONValue) {
        guard let path = json["path"]?.string, case .int(let bytes) = json["bytes"],
            let sha256 = json["sha256"]?.string
        else { return nil }
        self.init(path: path, bytes: bytes, sha256: sha256)
    }

    fileprivate var json: JSONValue {
        ["path": .string(path), "bytes": .int(bytes), "sha256": .string(sha256)]
    }
}
