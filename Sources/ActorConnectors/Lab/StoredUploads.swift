import ActorCore

/// The uploads that were taken in, and which of them have a copy elsewhere.
struct StoredUploads {
    private static let record = "stored.json"
    private static let derivedRecord = "derived-stored.json"
    private static let choice = "copied-as.json"

    /// An upload to be copied.
    struct Pending {
        /// What its keys begin with: `<name>`, or `<name>.<number>` when the name was there before; `<name>/<number>`
        /// when another upload is called so. It stays what it was when the copying began.
        let id: String
        /// `<name>/<number>`.
        let place: (name: String, number: String)
        /// Absolute folder with its files.
        let folder: String
        let files: [LabFile]
        let isStored: Bool
        /// When results were added last; empty while there are none.
        let derived: String
        let isDerivedStored: Bool

        /// Another when something is new about it.
        var mark: String { StoredUploads.mark(place.name, place.number, derived) }
    }

    let root: String

    /// All that are whole, but for those whose marks are left out.
    func pending(leavingOut known: Set<String>) throws(ActorError) -> [Pending] {
        let claims = UploadClaims(root: root, inbox: "", unpacking: nil)
        let all = try Folder(path: root).making("uploads")
        var found: [Pending] = []
        for name in try all.names() where try all.status(name)?.kind == .folder {
            let numbers = try all.folder(name)
            for number in try numbers.names() where Int(number) != nil {
                let folder = try numbers.folder(number)
                let derived = try folder.status(DerivedFiles.record).map { String($0.modified.milliseconds) } ?? ""
                // A copy that turned out not to be whole is forgotten, and made again.
                let isDone = try Self.isStored(folder) && known.contains(Self.mark(name, number, derived))
                guard !isDone, try !Self.isRemoved(folder) else { continue }
                guard let taken = try claims.finished(in: folder) else { continue }
                let id = try settledID(name, number, in: folder)
                let storedMark = try Self.storedMark(folder)
                found.append(
                    Pending(
                        id: id, place: (name, number), folder: "\(folder.path)/\(taken.content)", files: taken.files,
                        isStored: try Self.isStored(folder), derived: derived,
                        isDerivedStored: derived.isEmpty || storedMark == derived))
            }
        }
        return found
    }

    private static func mark(_ name: String, _ number: String, _ derived: String) -> String {
        "\(name)/\(number)@\(derived)"
    }

    /// What the keys of an upload begin with: chosen once, so that no two uploads ever share a key. A copy that was
    /// made when they could is made again, under keys of its own.
    private func settledID(
        _ name: String, _ number: String, in folder: borrowing Folder
    ) throws(ActorError) -> String {
        if let chosen = try Self.chosen(in: folder), let id = chosen["id"]?.string {
            if chosen["forget"] == true { try Self.leave(chosen, in: folder) }
            return id
        }
        let usual = number == "1" ? name : "\(name).\(number)"
        var choice: JSONValue = ["id": .string(usual)]
        if let number = Int(number), let twin = try twin(of: name, number) {
            let mine = try Self.storedCopy(folder, beside: try twinKeys(name, number))
            let hasTwinLeft = try Self.chosen(in: twin)?["left"]?.string == usual
            let isMineAlone = mine?.shared.isEmpty ?? false && !hasTwinLeft
            if !isMineAlone { choice = ["id": .string("\(name)/\(number)")] }
            if !isMineAlone, mine != nil { choice = choice.setting("left", .string(usual)).setting("forget", true) }
        }
        try folder.write(JSONWriter.bytes(choice), to: Self.choice)
        if choice["forget"] != nil { try Self.leave(choice, in: folder) }
        return choice["id"]?.string ?? usual
    }

    /// What was copied under keys that another upload has too does not count any more.
    private static func leave(_ choice: JSONValue, in folder: borrowing Folder) throws(ActorError) {
        try forgetCopy(in: folder)
        try folder.removeFile(derivedRecord)
        try folder.write(JSONWriter.bytes(choice.removing("forget")), to: Self.choice)
    }

    private static func chosen(in folder: borrowing Folder) throws(ActorError) -> JSONValue? {
        guard try folder.status(choice)?.kind == .file else { return nil }
        let file = try folder.file(choice)
        return try? JSONReader.read(try file.bytes(from: 0, length: Int(min(file.status.bytes, 4096))))
    }

    /// Uploads whose taking was begun and is not finished: name in the inbox and key.
    func begun() throws(ActorError) -> [(item: String, key: String)] {
        let claims = UploadClaims(root: root, inbox: "", unpacking: nil)
        let all = try Folder(path: root).making("uploads")
        var found: [(item: String, key: String)] = []
        for name in try all.names() where try all.status(name)?.kind == .folder {
            let numbers = try all.folder(name)
            for number in try numbers.names() where Int(number) != nil {
                if let claim = try claims.begun(name, in: try numbers.folder(number)) { found.append(claim) }
            }
        }
        return found
    }

    /// Whether the copy of the upload in this folder is whole.
    static func isStored(_ folder: borrowing Folder) throws(ActorError) -> Bool {
        try folder.status(record)?.kind == .file
    }

    /// The objects of a whole copy.
    ///
    /// - Parameter others: keys of the one other upload that could have the same.
    static func storedCopy(
        _ folder: borrowing Folder, beside others: Set<String> = []
    ) throws(ActorError) -> HeldCopy? {
        guard try isStored(folder) else { return nil }
        let file = try folder.file(record)
        let bytes = try file.bytes(from: 0, length: Int(min(file.status.bytes, 1 << 28)))
        guard let value = try? JSONReader.read(bytes), let bucket = value["bucket"]?.string else { return nil }
        let objects = (value["objects"]?.array ?? []).compactMap { object -> LabFile? in
            guard let key = object["key"]?.string else { return nil }
            let bytes = Int64(object["bytes"]?.int ?? 0)
            return LabFile(path: key, bytes: bytes, sha256: object["sha256"]?.string ?? "")
        }
        let etags = (value["objects"]?.array ?? []).compactMap { object -> (String, String)? in
            guard let key = object["key"]?.string, let etag = object["etag"]?.string else { return nil }
            return (key, etag)
        }
        return HeldCopy(
            bucket: bucket, objects: objects, etags: Dictionary(etags) { $1 },
            shared: others.intersection(objects.map(\.path)))
    }

    static func forgetCopy(in folder: borrowing Folder) throws(ActorError) { try folder.removeFile(record) }

    /// Of which moment the results are that were copied.
    private static func storedMark(_ folder: borrowing Folder) throws(ActorError) -> String? {
        guard try folder.status(derivedRecord)?.kind == .file else { return nil }
        let file = try folder.file(derivedRecord)
        let bytes = try file.bytes(from: 0, length: Int(min(file.status.bytes, 1 << 28)))
        return (try? JSONReader.read(bytes))?["of"]?.string
    }

    private func folder(of upload: Pending) throws(ActorError) -> Folder {
        try Folder(path: root).making("uploads").folder(upload.place.name).folder(upload.place.number)
    }

    /// What jobs have made of an upload, with hashes, and the folder that holds it.
    func derived(_ upload: Pending) throws(ActorError) -> (files: [LabFile], folder: String) {
        let folder = try folder(of: upload).folder(DerivedFiles.folder)
        return (try FileTree.files(in: folder), folder.path)
    }

    /// - Parameter isDerived: the objects are its results, not its own files.
    func note(
        _ upload: Pending, in bucket: String, _ objects: [StoredObject], isDerived: Bool = false
    ) throws(ActorError) {
        let folder = try folder(of: upload)
        let list = objects.map { object -> JSONValue in
            [
                "key": .string(object.key), "bytes": .int(object.bytes), "etag": .string(object.etag),
                "sha256": JSONValue(object.sha256),
            ]
        }
        let value: JSONValue = ["bucket": .string(bucket), "objects": .array(list)]
        guard isDerived else { return try folder.write(JSONWriter.bytes(value), to: Self.record) }
        try folder.write(JSONWriter.bytes(value.setting("of", .string(upload.derived))), to: Self.derivedRecord)
    }
}
