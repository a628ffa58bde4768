import ActorCore

/// What was fetched from a bucket and how far it got: one small file an upload, written before each step.
struct BucketLedger: Equatable {
    enum State: String {
        /// Its objects are being fetched.
        case fetching
        /// All of them are here; they are being moved into the inbox.
        case fetched
        /// They are in the inbox, or taken out of it already.
        case brought
    }

    struct Item: Equatable {
        let key: String
        let etag: String
        /// Where it lies below the upload.
        let file: LabFile
    }

    let name: String
    let version: [String]
    var state = State.fetching
    var items: [Item] = []

    init(_ upload: BucketUpload) {
        name = upload.name
        version = upload.version
    }

    init?(json: JSONValue) {
        guard let name = json["name"]?.string, let state = json["state"]?.string.flatMap(State.init),
            let version = json["version"]?.array?.compactMap(\.string), let items = json["items"]?.array
        else { return nil }
        self.name = name
        self.version = version
        self.state = state
        for item in items {
            guard let key = item["key"]?.string, let etag = item["etag"]?.string, let path = item["path"]?.string,
                case .int(let bytes)? = item["bytes"], let sha256 = item["sha256"]?.string
            else { return nil }
            self.items.append(Item(key: key, etag: etag, file: LabFile(path: path, bytes: bytes, sha256: sha256)))
        }
    }

    var json: JSONValue {
        [
            "name": .string(name), "state": .string(state.rawValue),
            "version": .array(version.map { .string($0) }),
            "items": .array(
                items.map {
                    [
                        "key": .string($0.key), "etag": .string($0.etag), "path": .string($0.file.path),
                        "bytes": .int($0.file.bytes), "sha256": .string($0.file.sha256),
                    ]
                }),
        ]
    }
}

/// The ledgers of one bucket, as files of a folder.
struct BucketLedgers {
    private static let folder = "s3-inbox"

    let root: String

    func all() throws(ActorError) -> [BucketLedger] {
        let folder = try Folder(path: root).making(Self.folder)
        var ledgers: [BucketLedger] = []
        for name in try folder.names() where name.hasSuffix(".json") && !name.hasPrefix(".") {
            let file = try folder.file(name)
            let bytes = try file.bytes(from: 0, length: Int(min(file.status.bytes, 1 << 28)))
            guard let value = try? JSONReader.read(bytes), let ledger = BucketLedger(json: value) else {
                throw ActorError(
                    .internalFailure, "\(file.path) is damaged: remove it, then the upload is fetched again")
            }
            ledgers.append(ledger)
        }
        return ledgers
    }

    func write(_ ledger: BucketLedger) throws(ActorError) {
        try Folder(path: root).making(Self.folder).write(JSONWriter.bytes(ledger.json), to: "\(ledger.name).json")
    }

    func remove(_ name: String) throws(ActorError) {
        try Folder(path: root).making(Self.folder).removeFile("\(name).json")
    }
}
