package import ActorCore
package import NIOPosix

/// Moves files between this machine and an object store, in flat memory; what was interrupted is gone on with.
package struct ObjectTransfer: Sendable {
    /// How it was made sure that what arrived is what the store has.
    package enum Proof: String, Sendable {
        /// The SHA-256 that the store has checked, or that was noted with the object.
        case sha256
        /// The ETag is the MD5 of the content.
        case md5
        /// The ETag is the one of these parts.
        case parts
        /// The store says nothing of the content (encrypted objects, unusual parts): its length is right.
        case length
    }

    /// A file that was fetched.
    package struct Fetched: Sendable, Equatable {
        package let bytes: Int64
        package let sha256: String
        package let etag: String
        package let proof: Proof
    }

    /// Part sizes that clients of S3 use, in MiB.
    private static let commonParts: [Int64] = [5, 8, 10, 15, 16, 20, 25, 32, 50, 64, 100, 128, 200, 256, 512, 1024]
    private static let partsAtOnce = 3
    private static let most = 8

    private let store: any ObjectStore
    private let clock: any Timekeeper
    private let blocking: BlockingWork
    private let partBytes: Int64?
    private let threshold: Int64

    /// - Parameter partBytes: for tests; nil for what fits.
    package init(
        store: any ObjectStore, clock: any Timekeeper, pool: NIOThreadPool = .singleton, partBytes: Int64? = nil
    ) {
        self.store = store
        self.clock = clock
        self.blocking = BlockingWork(pool: pool)
        self.partBytes = partBytes
        self.threshold = partBytes ?? MultipartPlan.threshold
    }

    // MARK: - To the store

    /// Puts the file `path` below `folder` to `name`; what is there already with the same content is left as it is.
    ///
    /// - Parameter sha256: of the file, hex; when nil it is read once more to learn it.
    package func send(
        _ path: String, in folder: String, to name: ObjectName, sha256: String? = nil
    ) async throws(ActorError) -> StoredObject {
        let file = try await blocking { () throws(ActorError) in try LocalFile(path, in: folder) }
        if file.bytes <= threshold {
            let body = try await blocking { () throws(ActorError) in try file.body(from: 0, count: file.bytes) }
            if let sha256, sha256 != body.sha256 { throw Self.changed(file.path) }
            if let there = try await store.head(name), there.bytes == file.bytes,
                there.sha256 == body.sha256 || there.etag == body.md5
            {
                return StoredObject(key: name.key, bytes: file.bytes, etag: there.etag, sha256: body.sha256)
            }
            return try await store.put(name, body, PutOptions(sha256: body.sha256))
        }
        let whole: String
        if let sha256 {
            whole = sha256
        } else {
            whole = try await blocking { () throws(ActorError) in try file.hashes().sha256 }
        }
        if let there = try await store.head(name), there.bytes == file.bytes, there.sha256 == whole { return there }
        return try await sendParts(of: file, to: name, PutOptions(sha256: whole))
    }

    private func sendParts(
        of file: LocalFile, to name: ObjectName, _ options: PutOptions
    ) async throws(ActorError) -> StoredObject {
        let plan = MultipartPlan(bytes: file.bytes, partBytes: partBytes)
        let (upload, earlier) = try await upload(name, plan, options)
        let result = await withTaskGroup(of: Result<MultipartPart, ActorError>.self) { group in
            var parts: [MultipartPart] = []
            var rest = plan.pieces[...]
            var running = 0
            while !rest.isEmpty || running > 0 {
                if running < Self.partsAtOnce, let piece = rest.popFirst() {
                    running += 1
                    let known = earlier[piece.number]
                    group.addTask { await self.sendPiece(piece, of: file, upload, known: known) }
                    continue
                }
                running -= 1
                switch await group.next() {
                case .success(let part)?: parts.append(part)
                case .failure(let error)?:
                    group.cancelAll()
                    return Result<[MultipartPart], ActorError>.failure(error)
                case nil: break
                }
            }
            return .success(parts.sorted { $0.number < $1.number })
        }
        let parts = try result.get()
        let stored = try await store.complete(upload, parts, options)
        let expected = MultipartPlan.etag(of: parts)
        if stored.etag.split(separator: "-").last == "\(parts.count)", stored.etag != expected {
            throw ActorError(.conflict, "\(name) was put together otherwise than it was sent: send it again")
        }
        return StoredObject(key: name.key, bytes: file.bytes, etag: stored.etag, sha256: options.sha256)
    }

    /// The newest unfinished upload that was cut in the same places, or a new one.
    private func upload(
        _ name: ObjectName, _ plan: MultipartPlan, _ options: PutOptions
    ) async throws(ActorError) -> (MultipartUpload, [Int: MultipartPart]) {
        for upload in try await store.unfinished(name).reversed() {
            do throws(ActorError) {
                if let usable = plan.usable(try await store.parts(of: upload)) { return (upload, usable) }
                try await store.abort(upload)
            } catch  where error.code == .notFound {
                continue
            }
        }
        return (try await store.begin(name, options), [:])
    }

    private func sendPiece(
        _ piece: MultipartPlan.Piece, of file: LocalFile, _ upload: MultipartUpload, known: MultipartPart?
    ) async -> Result<MultipartPart, ActorError> {
        do throws(ActorError) {
            let body = try await blocking { () throws(ActorError) in
                try file.body(from: piece.offset, count: piece.bytes)
            }
            if let known, known.etag == body.md5 { return .success(known) }
            return .success(try await store.put(part: piece.number, of: upload, body))
        } catch {
            return .failure(error)
        }
    }

    private static func changed(_ path: String) -> ActorError {
        ActorError(.conflict, "\(path) is not what it was when it was taken in")
    }

    // MARK: - From the store

    /// Fetches an object into the file `name` in `folder`, and answers when it is there, whole and made to last.
    ///
    /// Bytes that came before a crash or a broken connection are kept in `.NAME.ETAG` beside it and not fetched again.
    package func fetch(
        _ object: ObjectName, to name: String, in folder: String, limit: Int64 = .max
    ) async throws(ActorError) -> Fetched {
        guard let head = try await store.head(object) else { throw ActorError(.notFound, "there is no \(object)") }
        guard head.bytes <= limit else {
            throw ActorError(.tooLarge, "\(object) has \(head.bytes) bytes, at most \(limit) are taken")
        }
        let draftName = Self.draftName(name, head.etag)
        let draft = try await blocking { () throws(ActorError) in try Folder(path: folder).draft(draftName) }
        try await fill(draft, from: object, head)
        return try await blocking { () throws(ActorError) -> Fetched in
            try draft.synchronize()
            let place = try Folder(path: folder)
            let file = try LocalFile(draftName, in: folder)
            let sizes = Self.partSizes(head)
            let hashes = try file.hashes(partSizes: sizes)
            guard let proof = Self.proof(head, hashes) else {
                try place.removeFile(draftName)
                throw ActorError(.conflict, "\(object) did not arrive as it is stored; it is fetched again next time")
            }
            try place.move(draftName, to: place, as: name)
            try place.synchronize()
            return Fetched(bytes: head.bytes, sha256: hashes.sha256, etag: head.etag, proof: proof)
        }
    }

    private static func draftName(_ name: String, _ etag: String) -> String {
        let version = String(etag.filter { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-") }.prefix(40))
        return ".\(name.utf8.count > 150 ? SigV4.hash(Array(name.utf8)) : name).\(version)"
    }

    /// Tries again as long as each try brings something.
    private func fill(
        _ draft: DraftFile, from object: ObjectName, _ head: StoredObject
    ) async throws(ActorError) {
        var failures = 0
        var have = try await blocking { () throws(ActorError) in try draft.status().bytes }
        if have > head.bytes {
            try await blocking { () throws(ActorError) in try draft.truncate(to: 0) }
            have = 0
        }
        while have < head.bytes {
            do throws(ActorError) {
                let sink = DraftSink(draft, from: have, limit: head.bytes)
                let range = ObjectRange(from: have, etag: head.etag.isEmpty ? nil : head.etag)
                _ = try await store.get(object, range, into: sink)
                let now = try await blocking { () throws(ActorError) in try draft.status().bytes }
                guard now > have else { throw ActorError(.unavailable, "\(object) ended after \(now) bytes") }
                have = now
            } catch {
                let now = try await blocking { () throws(ActorError) in try draft.status().bytes }
                failures = now > have ? 1 : failures + 1
                have = now
                let isPassing = [.unavailable, .timedOut, .tooManyRequests].contains(error.code)
                guard isPassing, failures < Self.most else { throw error }
                do {
                    try await clock.sleep(milliseconds: 250 << Int64(min(failures, 6)))
                } catch {
                    throw ActorError(.cancelled, "the download of \(object) was cancelled")
                }
            }
        }
    }

    private static func partSizes(_ head: StoredObject) -> [Int64] {
        guard head.sha256 == nil, let count = head.etag.split(separator: "-").dropFirst().first.flatMap({ Int64($0) }),
            count > 0
        else { return [] }
        let even = (head.bytes + count - 1) / count
        let sizes = commonParts.map { $0 << 20 } + [even, ((even + (1 << 20) - 1) >> 20) << 20]
        return Set(sizes).filter { $0 > 0 && (head.bytes + $0 - 1) / $0 == count }.sorted()
    }

    /// Nil when the content is another than the store's.
    private static func proof(_ head: StoredObject, _ hashes: ContentHashes) -> Proof? {
        if let sha256 = head.sha256 { return sha256 == hashes.sha256 ? .sha256 : nil }
        if head.etag == hashes.md5 { return .md5 }
        if hashes.partETags.contains(head.etag) { return .parts }
        let isMD5 = head.etag.utf8.count == 32 && !head.isOpaque
        return isMD5 ? nil : .length
    }
}

/// Writes an answer's body into a file, from an offset, and not beyond what was announced.
private final class DraftSink: BodySink {
    private let draft: DraftFile
    private let from: Int64
    private let limit: Int64

    init(_ draft: DraftFile, from: Int64, limit: Int64) {
        self.draft = draft
        self.from = from
        self.limit = limit
    }

    func begin(_ head: IncomingResponse) throws(ActorError) {
        guard from == 0 || head.status == 206 else {
            throw ActorError(.unavailable, "the store does not answer parts of an object")
        }
    }

    func write(_ bytes: UnsafeRawBufferPointer) throws(ActorError) {
        // The file is what remembers how much is there: it is only ever written at its end.
        let end = try draft.status().bytes
        guard end + Int64(bytes.count) <= limit else {
            throw ActorError(.conflict, "more bytes came than the object has")
        }
        try draft.write(bytes, at: end)
    }
}
