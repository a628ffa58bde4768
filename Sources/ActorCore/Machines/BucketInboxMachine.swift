/// An upload as it lies in a bucket: one object at the top, or all objects below one folder.
package struct BucketUpload: Sendable, Equatable {
    /// The first part of the keys.
    package let name: String
    package let isFolder: Bool
    /// By key, without markers.
    package let objects: [StoredObject]

    /// Tells one content of that name from another.
    package var version: [String] { objects.map { "\($0.etag) \($0.bytes) \($0.key)" } }

    package init(name: String, isFolder: Bool, objects: [StoredObject]) {
        self.name = name
        self.isFolder = isFolder
        self.objects = objects
    }
}

/// Decides which uploads of a bucket are complete, from one listing after another.
///
/// A store shows an object once it is whole, so one at the top is complete at once. A folder is complete when
/// `NAME.done` or `NAME/.done` is there, or when nothing in it has changed for the settling time.
package struct BucketInboxMachine: Sendable {
    private struct Sighting: Sendable {
        var upload: BucketUpload
        var since: Timestamp
        var isTaken = false
    }

    /// What a helper of the older upload page leaves in the bucket.
    private static let ignored = ["files_in_dir.txt"]

    private let prefix: String
    private let settleMilliseconds: Int64
    private var sightings: [String: Sighting] = [:]

    /// - Parameter prefix: keys begin with it; the upload's name follows.
    package init(prefix: String, settleMilliseconds: Int64) {
        self.prefix = prefix
        self.settleMilliseconds = max(0, settleMilliseconds)
    }

    /// What lies in the bucket now, all of it; answers what has become complete, each content once.
    package mutating func seen(_ objects: [StoredObject], now: Timestamp) -> [BucketUpload] {
        let (uploads, marked) = Self.uploads(objects, prefix: prefix)
        let names = Set(uploads.map(\.name))
        sightings = sightings.filter { names.contains($0.key) }
        var complete: [BucketUpload] = []
        for upload in uploads {
            var sighting = sightings[upload.name] ?? Sighting(upload: upload, since: now)
            if sighting.upload.version != upload.version { sighting = Sighting(upload: upload, since: now) }
            sighting.upload = upload
            sighting.since = min(sighting.since, now)
            let isSettled =
                !upload.isFolder || marked.contains(upload.name) || now.since(sighting.since) >= settleMilliseconds
            if isSettled, !sighting.isTaken {
                sighting.isTaken = true
                complete.append(upload)
            }
            sightings[upload.name] = sighting
        }
        return complete
    }

    /// Something waits until nothing in it has changed for a while.
    package var isWaiting: Bool { sightings.values.contains { !$0.isTaken } }

    /// It could not be fetched: it is answered again at the next listing.
    package mutating func retract(_ name: String) { sightings[name]?.isTaken = false }

    /// It was removed by us: what comes under that name from now on is new, be it the same content.
    package mutating func forget(_ name: String) { sightings[name] = nil }

    /// What lies there under that name, as of the last listing.
    package func current(_ name: String) -> BucketUpload? { sightings[name]?.upload }

    /// The names of the uploads that these keys make: their first parts, one trailing `.zip` removed.
    package static func names(of keys: [String]) -> [String] {
        let objects = keys.map { StoredObject(key: $0, bytes: 0, etag: "") }
        let names = uploads(objects, prefix: "").uploads.map { upload in
            upload.name.hasSuffix(".zip") ? String(upload.name.dropLast(4)) : upload.name
        }
        return Set(names).sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }

    private static func uploads(
        _ objects: [StoredObject], prefix: String
    ) -> (uploads: [BucketUpload], marked: Set<String>) {
        var groups: [String: (isFolder: Bool, objects: [StoredObject])] = [:]
        var marked: Set<String> = []
        for object in objects where object.key.hasPrefix(prefix) {
            let rest = object.key.dropFirst(prefix.count)
            let name = String(rest.prefix { $0 != "/" })
            let isFolder = rest.count > name.count
            if !isFolder, name.hasSuffix(".done") {
                marked.insert(String(name.dropLast(5)))
            } else if isFolder, rest.dropFirst(name.count) == "/.done" {
                marked.insert(name)
            } else if NameRules.isUploadName(name), !ignored.contains(name), !rest.hasSuffix("/") {
                // A file and a folder of one name: the folder is the upload.
                var group = groups[name] ?? (isFolder, [])
                if isFolder, !group.isFolder { group = (true, []) }
                if isFolder == group.isFolder { group.objects.append(object) }
                groups[name] = group
            }
        }
        let uploads = groups.keys.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }.compactMap { name in
            groups[name].map { group in
                BucketUpload(
                    name: name, isFolder: group.isFolder,
                    objects: group.objects.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) })
            }
        }
        return (uploads, marked)
    }
}
