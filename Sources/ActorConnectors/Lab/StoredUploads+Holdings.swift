import ActorCore

/// The files of uploads as something that may be removed.
extension StoredUploads {
    /// Written before the first file is removed, so that a repeat knows that the rest has to go too.
    private static let removal = "removed.json"

    func holdings(after: String?, limit: Int) throws(ActorError) -> [Holding] {
        let parts = after?.split(separator: "/").map(String.init) ?? []
        let all = try Folder(path: root).making("uploads")
        var found: [Holding] = []
        for name in try all.names() where found.count < limit && NameRules.isUploadName(name) {
            let isPast = parts.first.map { $0 != name && !$0.utf8.lexicographicallyPrecedes(name.utf8) } ?? false
            guard !isPast, try all.status(name)?.kind == .folder else { continue }
            let behind = parts.first == name ? parts.last.flatMap(Int.init) ?? 0 : 0
            for number in try all.folder(name).names().compactMap(Int.init).sorted()
            where number > behind && found.count < limit {
                if let holding = try holding(name, number) { found.append(holding) }
            }
        }
        return found
    }

    func holding(_ name: String, _ number: Int) throws(ActorError) -> Holding? {
        guard let folder = try self.folder(name, number) else { return nil }
        let isRemoved = try Self.isRemoved(folder)
        let copy = try Self.storedCopy(folder, beside: try twinKeys(name, number))
        guard !isRemoved || copy != nil else { return nil }
        let claims = UploadClaims(root: root, inbox: "", unpacking: nil)
        guard let taken = try claims.finished(in: folder), let claim = try folder.status("claim.json") else {
            return nil
        }
        return Holding(
            name: name, number: number, key: taken.key, received: claim.modified,
            tags: try isRemoved ? removedTags(in: folder) : tags(in: folder, taken.content), copy: copy,
            isArchived: isRemoved, files: taken.files, archive: taken.archive)
    }

    func forgetCopy(of name: String, _ number: Int, key: String) throws(ActorError) {
        let claims = UploadClaims(root: root, inbox: "", unpacking: nil)
        guard let folder = try self.folder(name, number), let taken = try claims.finished(in: folder),
            taken.key == key
        else { return }
        try Self.forgetCopy(in: folder)
        try folder.synchronize()
    }

    func removeFiles(
        of name: String, _ number: Int, key: String, keepingCopy: Bool
    ) throws(ActorError) {
        let claims = UploadClaims(root: root, inbox: "", unpacking: nil)
        guard let folder = try self.folder(name, number), let taken = try claims.finished(in: folder) else {
            throw ActorError(.conflict, "there is no upload \(name)/\(number) any more")
        }
        guard taken.key == key else { throw ActorError(.conflict, "\(name)/\(number) is another upload now") }
        let isStored = try Self.isStored(folder)
        guard isStored || !keepingCopy else {
            throw ActorError(.conflict, "\(name)/\(number) has no whole copy any more")
        }
        if try folder.status(Self.removal) == nil {
            // Tags of its metadata.json count on, which goes too.
            let tags = try tags(in: folder, taken.content)
            try folder.write(JSONWriter.bytes(["tags": .array(tags.map { .string($0) })]), to: Self.removal)
        }
        if !keepingCopy { try Self.forgetCopy(in: folder) }
        for content in ["original", "received"] { try FileTree.remove(content, in: folder) }
        try folder.synchronize()
    }

    /// Whether the files of the upload in this folder were removed on purpose.
    static func isRemoved(_ folder: borrowing Folder) throws(ActorError) -> Bool {
        try folder.status(removal)?.kind == .file
    }

    /// The objects of the copy of its twin.
    func twinKeys(_ name: String, _ number: Int) throws(ActorError) -> Set<String> {
        guard let twin = try twin(of: name, number), let copy = try Self.storedCopy(twin) else { return [] }
        return Set(copy.objects.map(\.path))
    }

    /// The one other upload that could be called as this one is in the object store: "a.2" and the second of "a".
    func twin(of name: String, _ number: Int) throws(ActorError) -> Folder? {
        guard number == 1 else { return try folder("\(name).\(number)", 1) }
        let parts = name.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count > 1, let last = parts.last, let other = Int(last), other > 1, String(other) == last else {
            return nil
        }
        return try folder(parts.dropLast().joined(separator: "."), other)
    }

    /// Nil when there is none.
    private func folder(_ name: String, _ number: Int) throws(ActorError) -> Folder? {
        guard NameRules.isUploadName(name) else { return nil }
        let all = try Folder(path: root).making("uploads")
        guard try all.status(name)?.kind == .folder else { return nil }
        let numbers = try all.folder(name)
        guard try numbers.status(String(number))?.kind == .folder else { return nil }
        return try numbers.folder(String(number))
    }

    private func removedTags(in folder: borrowing Folder) throws(ActorError) -> [String] {
        let file = try folder.file(Self.removal)
        let bytes = try file.bytes(from: 0, length: Int(min(file.status.bytes, 1 << 20)))
        return (try? JSONReader.read(bytes))?["tags"]?.array?.compactMap(\.string) ?? []
    }

    private func tags(in folder: borrowing Folder, _ content: String) throws(ActorError) -> [String] {
        guard try folder.status(content)?.kind == .folder else { return [] }
        let metadata = UploadClaims.metadata(in: try folder.folder(content))
        return metadata?["tags"]?.array?.compactMap(\.string) ?? []
    }
}
