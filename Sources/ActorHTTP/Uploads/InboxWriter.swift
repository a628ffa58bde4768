import ActorAPI
import ActorCore
import Crypto
import HTTPTypes
import Hummingbird
import NIOCore
import NIOPosix

/// Streams uploads into the inbox: whole files appear at once, or not at all. What has come of a file stays until the
/// rest comes, also over a restart of the daemon.
struct InboxWriter: Sendable {
    /// Bytes gathered before they are handed to the file threads.
    private static let batchBytes = 524_288

    typealias IsSpent = @Sendable (_ key: String) async throws -> Bool

    /// What a request brings.
    struct Order: Sendable {
        let place: InboxFolder.Place
        /// Who sends it.
        let claimant: InboxFolder.Claimant
        /// Whether the nonce with this key lets nobody in any more.
        let isSpent: IsSpent
        let range: UploadRange
        let digests: UploadDigests
        let contentLength: Int64?
        /// Largest file, in bytes.
        let limit: Int64
        /// Most bytes that may lie in the inbox.
        let quota: Int64?
        /// What the marker of an upload that is a single file says; nil for a file within a folder.
        let marker: String?
        /// Its sender will mark the upload done.
        let isOpen: Bool
        /// Said yes to right before the file appears: the last moment to refuse it.
        let permit: @Sendable () async throws -> Void
    }

    enum Outcome: Sendable {
        case stored(StoredFilePayload)
        /// The rest is still to come.
        case partial(offset: Int64, length: Int64?)
    }

    private let folder: InboxFolder
    private let pool: NIOThreadPool

    init(folder: String, pool: NIOThreadPool) {
        self.folder = InboxFolder(path: folder)
        self.pool = pool
    }

    /// Takes what a request brings of a file.
    func take(_ request: Request, _ order: Order) async throws -> Outcome {
        let folder = self.folder
        let name = Self.partName(order.place)
        if case .question(let length) = order.range {
            let there = try await pool.runIfActive { try folder.partBytes(name) }
            guard order.digests.file != nil, let there, there > 0, there == length else {
                return .partial(offset: there ?? 0, length: length)
            }
        }
        let claimant = try await heir(order.claimant, of: order.place.upload, order.isSpent)
        let part = try await pool.runIfActive {
            try folder.refuseWhenDone(order.place.upload)
            try folder.claim(order.place, part: name, by: claimant)
            try folder.refusePresent(order.place, by: claimant)
            if order.isOpen, !order.place.path.isEmpty { try folder.stayOpen(order.place.upload) }
            return try folder.openPart(name)
        }
        do {
            let outcome = try await fill(part, request, order)
            await release(part)
            return outcome
        } catch {
            // What came before this request stays, and what this one brought too, unless it was wrong.
            await release(part)
            throw error
        }
    }

    private func fill(_ part: InboxFolder.Part, _ request: Request, _ order: Order) async throws -> Outcome {
        let folder = self.folder
        let start: Int64
        let length: Int64?
        let step = UploadStep.decide(
            order.range, there: part.bytes, known: nil, body: order.contentLength,
            isVouchedFor: order.digests.file != nil)
        switch step {
        case .complete(let bytes): return .stored(try await finish(part, order, digest: nil, bytes: bytes))
        case .restart(let whole): (start, length) = (0, whole)
        case .append(let offset, let whole): (start, length) = (offset, whole)
        case .tell(let offset, let whole): return .partial(offset: offset, length: whole)
        case .refuse(let offset, let reason):
            throw HTTPError(.conflict, headers: UploadStanding.headers(offset: offset, length: nil), message: reason)
        }
        if let length, length > order.limit {
            throw ActorError(.tooLarge, "the file has \(length) bytes, at most \(order.limit) are taken")
        }
        let wanted = (length ?? start + (order.contentLength ?? 0)) - start
        try await pool.runIfActive {
            try folder.refuseWithoutSpace(for: max(0, wanted), quota: order.quota)
            if start == 0 { try folder.cut(part, to: 0) }
        }
        let received = try await receive(request, into: part, from: start, limit: order.limit)
        if case .part(let first, let last, _) = order.range, received.bytes != last - first + 1 {
            try await pool.runIfActive { try folder.cut(part, to: start) }
            throw ActorError(
                .invalidInput, "Content-Range names \(last - first + 1) bytes, \(received.bytes) came")
        }
        if let given = order.digests.body, given != received.digest {
            try await pool.runIfActive { try folder.cut(part, to: start) }
            throw ActorError(
                .invalidInput,
                "Content-Digest: the body has SHA-256 \(Hexadecimal.text(received.digest)), send it again")
        }
        let end = start + received.bytes
        if order.range != .whole, length.map({ end < $0 }) ?? true { return .partial(offset: end, length: length) }
        return .stored(try await finish(part, order, digest: start == 0 ? received.digest : nil, bytes: end))
    }

    private func finish(
        _ part: InboxFolder.Part, _ order: Order, digest known: [UInt8]?, bytes: Int64
    ) async throws -> StoredFilePayload {
        let folder = self.folder
        let digest: [UInt8]
        if let known {
            digest = known
        } else {
            digest = try await pool.runIfActive {
                var hash = SHA256()
                try folder.read(part) { hash.update(bufferPointer: $0) }
                return Array(hash.finalize())
            }
        }
        if let given = order.digests.file, given != digest {
            try await pool.runIfActive { try folder.remove(part) }
            throw ActorError(
                .invalidInput,
                "the whole file has SHA-256 \(Hexadecimal.text(digest)), which is not the digest that was given; "
                    + "nothing of it was kept, send it again")
        }
        try await order.permit()
        try await pool.runIfActive {
            try folder.publish(part, at: order.place, marker: order.marker, by: order.claimant)
            // The file is in its place whatever is remembered of it.
            try? folder.noteLanding(of: order.place.upload)
        }
        return StoredFilePayload(path: order.place.shown, bytes: bytes, sha256: Hexadecimal.text(digest))
    }

    /// How much of a file has arrived; nil when nothing has.
    func offset(of place: InboxFolder.Place) async throws -> Int64? {
        let (folder, name) = (self.folder, Self.partName(place))
        return try await pool.runIfActive { try folder.partBytes(name) }
    }

    func markDone(
        _ upload: String, force: Bool, by claimant: InboxFolder.Claimant, _ isSpent: IsSpent
    ) async throws {
        let folder = self.folder
        let claimant = try await heir(claimant, of: upload, isSpent)
        try await pool.runIfActive {
            try folder.refuseToEnd(upload, by: claimant)
            try folder.markDone(upload, force: force)
        }
    }

    /// The claimant, who goes on where a nonce cannot any more.
    private func heir(
        _ claimant: InboxFolder.Claimant, of upload: String, _ isSpent: IsSpent
    ) async throws -> InboxFolder.Claimant {
        let folder = self.folder
        guard !claimant.isAdmin, let key = try await pool.runIfActive({ try folder.nonce(behind: upload) }),
            key != claimant.key, try await isSpent(key)
        else { return claimant }
        var claimant = claimant
        claimant.predecessor = key
        return claimant
    }

    /// The same file of the same upload is the same part, whoever sends the rest of it. Within a folder it is called so
    /// that the inbox knows which upload waits for it.
    private static func partName(_ place: InboxFolder.Place) -> String {
        let id = String(Hexadecimal.text(SHA256.hash(data: Array(place.shown.utf8))).prefix(40))
        return place.path.isEmpty ? "\(id).part" : InboxParts.part(of: place.upload, id)
    }

    private func receive(
        _ request: Request, into part: InboxFolder.Part, from start: Int64, limit: Int64
    ) async throws -> (bytes: Int64, digest: [UInt8]) {
        let folder = self.folder
        var reader = BodyReader(limit: limit - start)
        var hash = SHA256()
        var batch: [UInt8] = []
        var total: Int64 = 0
        var written: Int64 = 0
        for try await chunk in request.body {
            try reader.account(for: chunk)
            total += Int64(chunk.readableBytes)
            batch.append(contentsOf: chunk.readableBytesView)
            guard batch.count >= Self.batchBytes else { continue }
            hash.update(data: batch)
            let (full, offset) = (batch, start + written)
            written += Int64(batch.count)
            batch = []
            try await pool.runIfActive { try folder.write(full, to: part, at: offset) }
        }
        hash.update(data: batch)
        let (rest, offset) = (batch, start + written)
        try await pool.runIfActive { try folder.write(rest, to: part, at: offset) }
        return (total, Array(hash.finalize()))
    }

    /// Also when the caller was cancelled: the next request must be able to go on, and finds the part free.
    private func release(_ part: InboxFolder.Part) async {
        let folder = self.folder
        await withCheckedContinuation { done in
            pool.submit { _ in
                folder.release(part)
                done.resume()
            }
        }
    }
}
