import ActorCore

/// Takes uploads out of the inbox, so that a crash at any line loses none and takes none twice.
///
/// `uploads/<name>/<number>/claim.json` is written before anything moves, with the key of the taking, and again with
/// the list of files when all is done. A repeat finds its key and goes on where the first one stopped.
struct UploadClaims {
    private static let record = "claim.json"
    private static let content = "original"
    private static let maxNumber = 100_000

    let root: String
    let inbox: String

    private struct Claim {
        let key: String
        /// The upload is a single file, put inside the folder under its name.
        let isFile: Bool
        /// Nil while it is under way.
        let files: [LabFile]?
    }

    func take(_ name: String, key: String) throws(ActorError) -> ClaimedUpload {
        guard NameRules.isUploadName(name), !FolderInbox.isMarker(name) else {
            throw ActorError(.invalidInput, "\"\(name.prefix(200))\" is no name of an upload")
        }
        guard (1...512).contains(key.utf8.count) else {
            throw ActorError(.invalidInput, "the key of a claim has 1 to 512 bytes, not \(key.utf8.count)")
        }
        let uploads = try Folder(path: root).making("uploads").making(name)
        var last = 0
        for number in try uploads.names().compactMap(Int.init).sorted() {
            last = number
            let folder = try uploads.folder(String(number))
            if let claim = try read(in: folder), claim.key == key {
                return try finish(claim, name, number, in: folder)
            }
        }
        guard last < Self.maxNumber else {
            throw ActorError(.tooLarge, "\(name) was uploaded \(last) times: remove old folders in \(uploads.path)")
        }
        let source = try Folder(path: inbox)
        let kind = try source.status(name)?.kind
        guard let kind else { throw ActorError(.notFound, "there is no upload \(name) in the inbox \(inbox)") }
        guard kind != .other else {
            throw ActorError(.invalidInput, "\(inbox)/\(name) is neither a file nor a folder; links are not followed")
        }
        let folder = try uploads.making(String(last + 1))
        try uploads.synchronize()
        let claim = Claim(key: key, isFile: kind == .file, files: nil)
        try write(claim, in: folder)
        return try finish(claim, name, last + 1, in: folder)
    }

    private func finish(
        _ claim: Claim, _ name: String, _ number: Int, in folder: borrowing Folder
    ) throws(ActorError) -> ClaimedUpload {
        func answer(_ files: [LabFile]) -> ClaimedUpload {
            ClaimedUpload(name: name, number: number, folder: "\(folder.path)/\(Self.content)", files: files)
        }
        if let files = claim.files { return answer(files) }
        let source = try Folder(path: inbox)
        if claim.isFile {
            let content = try folder.making(Self.content)
            if try content.status(name) == nil { try move(name, from: source, to: content, as: name) }
        } else if try folder.status(Self.content) == nil {
            try move(name, from: source, to: folder, as: Self.content)
        }
        let content = try folder.folder(Self.content)
        if !claim.isFile, try content.status(".done")?.kind == .file { try content.removeFile(".done") }
        let files = try FileTree.files(in: content, durably: true)
        try folder.synchronize()
        if try source.status("\(name).done")?.kind == .file { try source.removeFile("\(name).done") }
        try source.synchronize()
        try write(Claim(key: claim.key, isFile: claim.isFile, files: files), in: folder)
        return answer(files)
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
        return Claim(key: key, isFile: isFile, files: value["files"]?.array.map { $0.compactMap(LabFile.init(json:)) })
    }

    private func write(_ claim: Claim, in folder: borrowing Folder) throws(ActorError) {
        let files = claim.files.map { JSONValue.array($0.map(\.json)) } ?? .null
        let value: JSONValue = ["key": .string(claim.key), "is_file": .bool(claim.isFile), "files": files]
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
