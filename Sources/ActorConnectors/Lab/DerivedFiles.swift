import ActorCore

/// What jobs have made of an upload, beside its own files: `uploads/<name>/<number>/derived/`.
///
/// The files are those of the archive under a second name: they need no room, and stay when one of the two is removed.
struct DerivedFiles {
    static let folder = "derived"
    /// Written last: its time tells those who copy uploads that something is new.
    static let record = "derived.json"
    private static let draft = ".new"

    let root: String
    let archive: String

    func show(_ archivePath: String, of name: String, key: String, as path: String) throws(ActorError) {
        guard NameRules.isUploadName(name), NameRules.isUploadPath(path),
            let segments = RunArchive.segments(of: archivePath)
        else { throw ActorError(.invalidInput, "\"\(path.prefix(200))\" is no place for results") }
        var source = try Folder(path: archive)
        for segment in segments {
            guard try source.status(segment)?.kind == .folder else {
                throw ActorError(.notFound, "there is no \(archivePath) in the archive")
            }
            let next = try source.folder(segment)
            source = next
        }
        let upload = try place(of: name, key: key)
        let derived = try upload.making(Self.folder)
        try FileTree.remove(Self.draft, in: derived)
        try FileTree.link(source, to: try derived.making(Self.draft))
        var parents = path.split(separator: "/").map(String.init)
        let last = parents.removeLast()
        var parent = try upload.making(Self.folder)
        for name in parents {
            let next = try parent.making(name)
            parent = next
        }
        try FileTree.remove(last, in: parent)
        try derived.move(Self.draft, to: parent, as: last)
        try parent.synchronize()
        try derived.synchronize()
        try upload.write(JSONWriter.bytes(["latest": .string(path)]), to: Self.record)
    }

    /// The folder of the upload that was taken under this key.
    private func place(of name: String, key: String) throws(ActorError) -> Folder {
        let claims = UploadClaims(root: root, inbox: "", unpacking: nil)
        let all = try Folder(path: root).making("uploads")
        guard try all.status(name)?.kind == .folder else {
            throw ActorError(.notFound, "there is no upload \(name)")
        }
        let numbers = try all.folder(name)
        for number in try numbers.names() where Int(number) != nil {
            if try claims.finished(in: try numbers.folder(number))?.key == key { return try numbers.folder(number) }
        }
        throw ActorError(.notFound, "there is no upload \(name) of \(key)")
    }
}
