package import ActorCore
import Crypto
import Glibc
package import NIOPosix
import Synchronization

/// Uploads that lie at an http or https address, presigned ones among them: streamed to disk, with an end to silence.
package struct HTTPUploads: UploadFetcher {
    private static let drafts = ".parts"
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

    package func fetch(_ upload: RemoteUpload, allowed: [String]) async throws(ActorError) {
        guard NameRules.isUploadName(upload.name), !FolderInbox.isMarker(upload.name) else {
            throw ActorError(.invalidInput, "\"\(upload.name.prefix(200))\" is no name of an upload")
        }
        guard upload.url.hasPrefix("https://") || upload.url.hasPrefix("http://") else {
            throw ActorError(.invalidInput, "the address of an upload begins with https:// or http://")
        }
        let (inbox, name, draft) = (inbox, upload.name, "\(upload.name).fetching")
        let isThere = try await blocking { () throws(ActorError) in
            let folder = try Folder(path: inbox)
            guard try folder.status(name) != nil else { return false }
            guard try folder.status("\(name).done") != nil else {
                throw ActorError(.conflict, "an upload \(name) is in the inbox already and not complete yet")
            }
            return true
        }
        guard !isThere else { return }
        let sink = try await blocking { [maxBytes] () throws(ActorError) in
            let drafts = try Folder(path: inbox).making(Self.drafts)
            try drafts.removeFile(draft)
            return DraftSink(descriptor: try drafts.newFile(draft), maxBytes: maxBytes)
        }
        try await get(upload.url, into: sink, allowed)
        try await blocking { () throws(ActorError) in
            let digest = try sink.finish()
            if let wanted = upload.sha256, wanted.lowercased() != digest {
                throw ActorError(.invalidInput, "what was fetched has SHA-256 \(digest), not the one that was given")
            }
            let target = try Folder(path: inbox)
            try target.making(Self.drafts).move(draft, to: target, as: name)
            try target.write(Array(upload.force ? "force\n".utf8 : "".utf8), to: "\(name).done")
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
