import ActorCore

/// The uploads that were taken in, and which of them have a copy elsewhere.
struct StoredUploads {
    private static let record = "stored.json"

    /// An upload to be copied.
    struct Pending {
        /// `<name>`, or `<name>.<number>` when the name was there before.
        let id: String
        /// `<name>/<number>`.
        let place: (name: String, number: String)
        /// Absolute folder with its files.
        let folder: String
        let files: [LabFile]
        let isStored: Bool
    }

    let root: String

    /// All that are whole, but for the ids that are left out.
    func pending(leavingOut known: Set<String>) throws(ActorError) -> [Pending] {
        let claims = UploadClaims(root: root, inbox: "", unpacking: nil)
        let all = try Folder(path: root).making("uploads")
        var found: [Pending] = []
        for name in try all.names() where try all.status(name)?.kind == .folder {
            let numbers = try all.folder(name)
            for number in try numbers.names() where Int(number) != nil {
                let id = number == "1" ? name : "\(name).\(number)"
                guard !known.contains(id) else { continue }
                let folder = try numbers.folder(number)
                guard let (files, content) = try claims.finished(in: folder) else { continue }
                let isStored = try folder.status(Self.record)?.kind == .file
                found.append(
                    Pending(
                        id: id, place: (name, number), folder: "\(folder.path)/\(content)", files: files,
                        isStored: isStored))
            }
        }
        return found
    }

    /// Whether the copy of the upload in this folder is whole.
    static func isStored(_ folder: borrowing Folder) throws(ActorError) -> Bool {
        try folder.status(record)?.kind == .file
    }

    func note(_ upload: Pending, in bucket: String, _ objects: [StoredObject]) throws(ActorError) {
        let folder = try Folder(path: root).making("uploads").folder(upload.place.name).folder(upload.place.number)
        let list = objects.map { object -> JSONValue in
            [
                "key": .string(object.key), "bytes": .int(object.bytes), "etag": .string(object.etag),
                "sha256": JSONValue(object.sha256),
            ]
        }
        let value: JSONValue = ["bucket": .string(bucket), "objects": .array(list)]
        try folder.write(JSONWriter.bytes(value), to: Self.record)
    }
}
