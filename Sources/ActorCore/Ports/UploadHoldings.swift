/// The files of an upload as they lie on this machine.
package struct Holding: Sendable, Equatable {
    /// The upload's name, and which one of that name it is: `uploads/<name>/<number>`.
    package let name: String
    package let number: Int
    /// Under which it was taken in.
    package let key: String
    /// When it was taken in.
    package let received: Timestamp
    /// Words of its `metadata.json`, under `tags`.
    package let tags: [String]
    /// Where a whole copy of it lies; nil when there is none.
    package let copy: HeldCopy?
    /// Its files went before: only the copy is left.
    package let isArchived: Bool
    package let files: [LabFile]
    /// The archive that the files came in, when it was kept.
    package let archive: LabFile?

    package init(
        name: String, number: Int, key: String, received: Timestamp, tags: [String] = [], copy: HeldCopy? = nil,
        isArchived: Bool = false, files: [LabFile], archive: LabFile? = nil
    ) {
        self.name = name
        self.number = number
        self.key = key
        self.received = received
        self.tags = tags
        self.copy = copy
        self.isArchived = isArchived
        self.files = files
        self.archive = archive
    }

    /// Where it lies, below the folder of all uploads.
    package var place: String { "\(name)/\(number)" }
    /// What of it lies on this machine.
    package var here: [LabFile] { isArchived ? [] : files + [archive].compactMap { $0 } }
}

/// The objects of an upload's copy.
package struct HeldCopy: Sendable, Equatable {
    package let bucket: String
    /// Keys with their sizes and hashes.
    package let objects: [LabFile]
    /// By key, as the store answered when they were put.
    package let etags: [String: String]
    /// Keys that the copy of another upload has too, from a time when two could share them: never removed.
    package let shared: Set<String>

    package init(
        bucket: String, objects: [LabFile], etags: [String: String] = [:], shared: Set<String> = []
    ) {
        self.bucket = bucket
        self.objects = objects
        self.etags = etags
        self.shared = shared
    }

    /// Those that go with the copy.
    package var own: [LabFile] { shared.isEmpty ? objects : objects.filter { !shared.contains($0.path) } }

    /// Why an object is not the one that was put; nil when it is, as far as the store says.
    ///
    /// - Parameter there: what the store has under its key; nil when that is nothing.
    package func mismatch(of object: LabFile, _ there: StoredObject?) -> String? {
        let name = ObjectName(bucket: bucket, key: object.path)
        guard let there else { return "\(name) is not there any more" }
        guard there.bytes == object.bytes else { return "\(name) has \(there.bytes) bytes, not \(object.bytes)" }
        if let sha256 = there.sha256, !object.sha256.isEmpty {
            return sha256 == object.sha256 ? nil : "\(name) has another content"
        }
        // Without its hash the store has to say that it is the very object that was put.
        return there.etag == etags[object.path] ? nil : "\(name) is another object than the one that was put"
    }
}

/// What an object store says of an object now; nil when there is none.
package typealias LookAtObject = @Sendable (ObjectName) async throws(ActorError) -> StoredObject?

/// Removes objects from an object store; those that are not there are no failure.
package typealias RemoveObjects = @Sendable (_ keys: [String], _ bucket: String) async throws(ActorError) -> Void

/// The files of uploads, to be listed and removed. What is known of an upload stays when its files go.
package protocol UploadHoldings: Sendable {
    /// At most `limit`, by place; `after` is the place to continue behind. Those of which nothing is left are left out.
    func holdings(after: String?, limit: Int) async throws(ActorError) -> [Holding]
    /// Nil when there is none, or nothing of it is left.
    func holding(_ name: String, _ number: Int) async throws(ActorError) -> Holding?
    /// The copy is not what it was noted to be: it is not known any more, and made again.
    func forgetCopy(of name: String, _ number: Int, key: String) async throws(ActorError)
    /// Removes the files of the upload that was taken in under this key; `conflict` when another one lies there. A
    /// repeat finishes what was begun. With `keepingCopy` it is `conflict` when there is no whole copy; without it the
    /// copy is no longer known.
    func removeFiles(
        of name: String, _ number: Int, key: String, keepingCopy: Bool
    ) async throws(ActorError)
}
