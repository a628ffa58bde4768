package import ActorCore
import Crypto
import Glibc
package import NIOPosix
import Synchronization

/// Uploads that lie at an http or https address, presigned ones among them: streamed to disk, with an end to silence.
package struct HTTPUploads: UploadFetcher {
    /// No byte for so long is the end of it.
    private static let idleMilliseconds: Int64 = 60_000

    private let inbox: String
    private let client: any HTTPClient
    private let maxBytes: Int64
    private let blocking: BlockingWork

    /// - Parameters:
    ///   - inbox: absolute, existing.
    ///   - maxBytes: a larger answer is refused.
    package init(inbox: String, client: any HTTPClient, maxBytes: Int64, pool: NIOThreadPool = .singleton) {
        self.inbox = inbox
        self.client = client
        self.maxBytes = maxBytes
        self.blocking = BlockingWork(pool: pool)
    }

    package func fetch(_ upload: RemoteUpload, allowed: [String], key: String) async throws(ActorError) {
        let delivery = try InboxDelivery(inbox: inbox, name: upload.name, key: key, force: upload.force)
        guard upload.url.hasPrefix("https://") || upload.url.hasPrefix("http://") else {
            throw ActorError(.invalidInput, "the address of an upload begins with https:// or http://")
        }
        let inbox = inbox
        guard try await blocking({ () throws(ActorError) in try delivery.begin() }) else { return }
        let sink = try await blocking { [maxBytes] () throws(ActorError) in
            let parts = try Folder(path: inbox).making(InboxParts.folder)
            return DraftSink(descriptor: try parts.newFile(delivery.draft), maxBytes: maxBytes)
        }
        try await get(upload.url, into: sink, allowed)
        try await blocking { () throws(ActorError) in
            let digest = try sink.finish()
            if let wanted = upload.sha256, wanted.lowercased() != digest {
                throw ActorError(.invalidInput, "what was fetched has SHA-256 \(digest), not the one that was given")
            }
            try delivery.end()
        }
    }

    private func get(_ url: String, into sink: DraftSink, _ allowed: [String]) async throws(ActorError) {
        var request = OutgoingRequest(method: "GET", url: url, headers: [("User-Agent", "reactord")])
        request.idleMilliseconds = Self.idleMilliseconds
        request.sink = sink
        let response = try await client.send(request, policy: .publicOr(allowed: allowed))
        // The address may hold a signature: it is not repeated.
        switch response.status {
        case 200: return
        case 500...599, 429: throw ActorError(.unavailable, "the server answered \(response.status)")
        default: throw ActorError(.invalidInput, "the server answered \(response.status), not 200")
        }
    }
}

/// A file that an answer is written to as it comes.
private final class DraftSink: BodySink {
    private struct State {
        var hash = SHA256()
        var bytes: Int64 = 0
    }

    private let descriptor: Int32
    private let maxBytes: Int64
    private let state = Mutex(State())

    init(descriptor: Int32, maxBytes: Int64) {
        self.descriptor = descriptor
        self.maxBytes = maxBytes
    }

    deinit { close(descriptor) }

    func begin(_ head: IncomingResponse) throws(ActorError) {
        guard let length = head.header("Content-Length").flatMap({ Int64($0) }), length > maxBytes else { return }
        throw tooLarge
    }

    func write(_ bytes: UnsafeRawBufferPointer) throws(ActorError) {
        var done = 0
        while done < bytes.count {
            let count = Glibc.write(descriptor, bytes.baseAddress?.advanced(by: done), bytes.count - done)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw Folder.failure("write", "what is fetched") }
            done += count
        }
        let total = state.withLock { state in
            state.hash.update(bufferPointer: bytes)
            state.bytes += Int64(bytes.count)
            return state.bytes
        }
        if total > maxBytes { throw tooLarge }
    }

    /// The hash of all that came, which is on disk then.
    func finish() throws(ActorError) -> String {
        guard fsync(descriptor) == 0 else { throw Folder.failure("synchronize", "what was fetched") }
        return Hexadecimal.text(state.withLock { $0.hash.finalize() })
    }

    private var tooLarge: ActorError {
        ActorError(.tooLarge, "what lies there is larger than \(maxBytes) bytes (limits.max_upload_bytes)")
    }
}
