import ActorAPI
import ActorCore
import Crypto
import Hummingbird
import NIOCore
import NIOPosix

/// Streams uploads into the inbox: whole files appear at once, or not at all.
struct InboxWriter: Sendable {
    /// Bytes gathered before they are handed to the file threads.
    private static let batchBytes = 524_288

    private let folder: InboxFolder
    private let pool: NIOThreadPool

    init(folder: String, pool: NIOThreadPool) {
        self.folder = InboxFolder(path: folder)
        self.pool = pool
    }

    /// Stores one file of an upload.
    func store(_ request: Request, upload: String, path: String, limit: Int64) async throws -> StoredFilePayload {
        let folder = self.folder
        let part = try await pool.runIfActive {
            try folder.refuseWhenDone(upload)
            return try folder.createPart()
        }
        do {
            let (bytes, digest) = try await receive(request, into: part, limit: limit)
            let parts = path.split(separator: "/").map(String.init)
            try await pool.runIfActive { try folder.publish(part, upload: upload, path: parts) }
            discard(part, published: true)
            return StoredFilePayload(path: "\(upload)/\(path)", bytes: bytes, sha256: digest)
        } catch {
            discard(part, published: false)
            throw error
        }
    }

    func markDone(_ upload: String) async throws {
        let folder = self.folder
        try await pool.runIfActive { try folder.markDone(upload) }
    }

    private func receive(
        _ request: Request, into part: InboxFolder.Part, limit: Int64
    ) async throws -> (bytes: Int64, sha256: String) {
        let folder = self.folder
        var reader = BodyReader(limit: limit)
        var hash = SHA256()
        var batch: [UInt8] = []
        var total: Int64 = 0
        for try await chunk in request.body {
            try reader.account(for: chunk)
            total += Int64(chunk.readableBytes)
            batch.append(contentsOf: chunk.readableBytesView)
            guard batch.count >= Self.batchBytes else { continue }
            hash.update(data: batch)
            let full = batch
            batch = []
            try await pool.runIfActive { try folder.write(full, to: part) }
        }
        hash.update(data: batch)
        let rest = batch
        try await pool.runIfActive { try folder.write(rest, to: part) }
        return (total, Hexadecimal.text(hash.finalize()))
    }

    /// Also when the caller was cancelled: a part must not stay behind.
    private func discard(_ part: InboxFolder.Part, published: Bool) {
        let folder = self.folder
        pool.submit { _ in folder.discard(part, published: published) }
    }
}
