/// Where an object lies.
package struct ObjectName: Hashable, Sendable, CustomStringConvertible {
    package let bucket: String
    package let key: String

    package init(bucket: String, key: String) {
        self.bucket = bucket
        self.key = key
    }

    package var description: String { "s3://\(bucket)/\(key)" }
}

/// What the store says of an object.
package struct StoredObject: Sendable, Equatable {
    package let key: String
    package let bytes: Int64
    /// Without quotes: the MD5 of an object that was put in one piece, something with a dash for one in parts.
    package let etag: String
    package let modified: Timestamp?
    /// Hex, of the whole content: what the store has checked, else what the one who put it has noted with it.
    package let sha256: String?
    /// The ETag says nothing of the content: it is encrypted with a key that the store does not keep for us.
    package let isOpaque: Bool

    package init(
        key: String, bytes: Int64, etag: String, modified: Timestamp? = nil, sha256: String? = nil,
        isOpaque: Bool = false
    ) {
        self.isOpaque = isOpaque
        self.key = key
        self.bytes = bytes
        self.etag = etag
        self.modified = modified
        self.sha256 = sha256
    }
}

/// Which objects are wanted.
package struct ObjectQuery: Sendable, Equatable {
    package var bucket: String
    package var prefix: String
    /// Keys that share what comes before it, behind the prefix, are answered as one prefix.
    package var delimiter: String?
    /// ``ObjectPage/next`` of the page before.
    package var after: String?
    /// 1000 at most.
    package var limit: Int

    package init(bucket: String, prefix: String = "", delimiter: String? = nil, after: String? = nil, limit: Int = 1000)
    {
        self.bucket = bucket
        self.prefix = prefix
        self.delimiter = delimiter
        self.after = after
        self.limit = limit
    }
}

/// Objects in the order of their keys, as many as were asked for.
package struct ObjectPage: Sendable, Equatable {
    package let objects: [StoredObject]
    package let prefixes: [String]
    /// Nil on the last page.
    package let next: String?

    package init(objects: [StoredObject], prefixes: [String] = [], next: String? = nil) {
        self.objects = objects
        self.prefixes = prefixes
        self.next = next
    }
}

/// Which bytes of an object are wanted.
package struct ObjectRange: Sendable, Equatable {
    package var from: Int64
    /// Nil: to the end.
    package var count: Int64?
    /// Only when the object is still this one; else `conflict`.
    package var etag: String?

    package init(from: Int64 = 0, count: Int64? = nil, etag: String? = nil) {
        self.from = from
        self.count = count
        self.etag = etag
    }
}

/// A content to be stored, with its hashes: the store refuses what is not that.
package struct ObjectBody: Sendable {
    package let source: any BodySource
    /// Hex SHA-256.
    package let sha256: String
    /// Hex MD5, to be compared with the ETag.
    package let md5: String?

    package init(source: any BodySource, sha256: String, md5: String? = nil) {
        self.source = source
        self.sha256 = sha256
        self.md5 = md5
    }
}

/// How an object is put.
package struct PutOptions: Sendable, Equatable {
    /// What has to be so for it to be stored; else `conflict`.
    package enum Condition: Sendable, Equatable {
        case none
        /// There is no object of that key.
        case absent
        /// The object there has this ETag.
        case matches(String)
    }

    package var condition: Condition
    package var contentType: String?
    /// SHA-256 of the whole content, noted with the object for those who fetch it.
    package var sha256: String?

    package init(condition: Condition = .none, contentType: String? = nil, sha256: String? = nil) {
        self.condition = condition
        self.contentType = contentType
        self.sha256 = sha256
    }
}

/// An upload in parts that has not been completed.
package struct MultipartUpload: Hashable, Sendable {
    package let object: ObjectName
    package let id: String

    package init(object: ObjectName, id: String) {
        self.object = object
        self.id = id
    }
}

/// A part that the store has.
package struct MultipartPart: Sendable, Equatable {
    /// From 1 to 10,000.
    package let number: Int
    package let bytes: Int64
    package let etag: String

    package init(number: Int, bytes: Int64, etag: String) {
        self.number = number
        self.bytes = bytes
        self.etag = etag
    }
}

/// Why one object of many could not be deleted.
package struct ObjectRefusal: Sendable, Equatable {
    package let key: String
    package let reason: String

    package init(key: String, reason: String) {
        self.key = key
        self.reason = reason
    }
}

/// A store of objects in buckets, as S3 is one. Calls are tried again by themselves while that can help.
///
/// Throws `notFound` for a bucket, upload or object that is not there, `forbidden`, `conflict` for a condition that
/// does not hold and content that is not what its hash says, `unavailable`, `timedOut`.
package protocol ObjectStore: Sendable {
    func list(_ query: ObjectQuery) async throws(ActorError) -> ObjectPage
    /// Nil when there is no such object.
    func head(_ name: ObjectName) async throws(ActorError) -> StoredObject?
    /// One try: who has a sink knows best where to go on.
    func get(
        _ name: ObjectName, _ range: ObjectRange, into sink: any BodySink
    ) async throws(ActorError) -> StoredObject
    func put(_ name: ObjectName, _ body: ObjectBody, _ options: PutOptions) async throws(ActorError) -> StoredObject
    /// What is not there counts as deleted. Answers what could not be.
    func delete(_ keys: [String], in bucket: String) async throws(ActorError) -> [ObjectRefusal]

    func begin(_ name: ObjectName, _ options: PutOptions) async throws(ActorError) -> MultipartUpload
    /// Those of this key that were begun and not completed, oldest first.
    func unfinished(_ name: ObjectName) async throws(ActorError) -> [MultipartUpload]
    /// What has arrived, by number.
    func parts(of upload: MultipartUpload) async throws(ActorError) -> [MultipartPart]
    func put(part number: Int, of upload: MultipartUpload, _ body: ObjectBody) async throws(ActorError) -> MultipartPart
    /// All parts but the last have 5 MiB at least.
    func complete(
        _ upload: MultipartUpload, _ parts: [MultipartPart], _ options: PutOptions
    ) async throws(ActorError) -> StoredObject
    /// What is gone already counts as ended.
    func abort(_ upload: MultipartUpload) async throws(ActorError)

    /// A URL with which anybody can get (`GET`) or put (`PUT`) the object for so many seconds, a week at most.
    func presigned(_ name: ObjectName, method: String, seconds: Int) throws(ActorError) -> String
}
