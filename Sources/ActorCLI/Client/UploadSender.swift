import ActorAPI
import ActorCore
import Crypto
import Glibc

/// Sends files in pieces with checksums, and goes on where an earlier attempt stopped.
struct UploadSender {
    private static let pieceBytes = 8 << 20
    private static let attempts = 5

    let client: DaemonClient
    /// Nothing is said of the progress.
    let isQuiet: Bool
    let force: Bool

    /// An upload that has the same content.
    func known(_ file: String) async throws -> UploadPayload? {
        let source = try SourceFile(file)
        let digest = Hexadecimal.text(try source.digest(upTo: source.bytes).finalize())
        let path = Paths.query(Paths.uploads, [("sha256", digest)])
        return try await client.page(path, "uploads", of: UploadPayload.self).page.items.first
    }

    /// - Parameter target: where it is put, with its query.
    func send(_ file: String, to target: String, shown: String) async throws -> StoredFilePayload {
        let source = try SourceFile(file)
        let progress = Progress(name: shown, total: source.bytes, isShown: !isQuiet)
        defer { progress.end() }
        guard source.bytes > 0 else { return try await put([], to: target, headers: []) }
        var offset = try await there(target, of: source)
        if offset == source.bytes { return try await complete(source, at: target) }
        var hash = try source.digest(upTo: offset)
        var failures = 0
        while true {
            progress.show(offset)
            let piece = try source.read(at: offset, upTo: Self.pieceBytes)
            guard !piece.isEmpty else { throw Failure(.failed, "\(file) became shorter while it was sent") }
            let end = offset + Int64(piece.count)
            var next = hash
            next.update(data: piece)
            var headers = [
                (name: "Content-Range", value: "bytes \(offset)-\(end - 1)/\(source.bytes)"),
                (name: "Content-Digest", value: Self.structured(SHA256.hash(data: piece))),
            ]
            if end == source.bytes { headers.append(("Repr-Digest", Self.structured(next.finalize()))) }
            switch await put(piece, to: target, headers: headers, isLast: end == source.bytes) {
            case .success(let stored?):
                progress.show(end)
                return stored
            case .success(nil): (offset, hash, failures) = (end, next, 0)
            case .failure(let failure):
                guard failure.exit == .unreachable, failures < Self.attempts else { throw failure }
                failures += 1
                try await Task.sleep(for: .seconds(failures))
                offset = try await there(target, of: source)
                if offset == source.bytes { return try await complete(source, at: target) }
                hash = try source.digest(upTo: offset)
            }
        }
    }

    /// All of it arrived, only the answer did not.
    private func complete(_ source: SourceFile, at target: String) async throws -> StoredFilePayload {
        let digest = try source.digest(upTo: source.bytes).finalize()
        return try await put(
            [], to: target,
            headers: [
                (name: "Content-Range", value: "bytes */\(source.bytes)"),
                (name: "Repr-Digest", value: Self.structured(digest)),
            ])
    }

    /// One piece; the last one is answered with the whole file.
    private func put(
        _ piece: [UInt8], to target: String, headers: [(name: String, value: String)], isLast: Bool
    ) async -> Result<StoredFilePayload?, Failure> {
        do {
            if isLast { return .success(try await put(piece, to: target, headers: headers)) }
            try await client.send(
                "PUT", target, body: piece, type: "application/octet-stream", headers: headers,
                timeoutMilliseconds: 600_000)
            return .success(nil)
        } catch {
            return .failure(error)
        }
    }

    /// How much of the file has arrived; more than the file has is thrown away by beginning anew.
    private func there(_ target: String, of source: SourceFile) async throws -> Int64 {
        let answer = try await client.send(
            "PUT", target, headers: [("Content-Range", "bytes */\(source.bytes)")])
        let offset = answer.header("Upload-Offset").flatMap { Int64($0) } ?? 0
        return offset <= source.bytes ? offset : 0
    }

    private func put(
        _ bytes: [UInt8], to target: String, headers: [(name: String, value: String)]
    ) async throws(Failure) -> StoredFilePayload {
        // The last piece is answered when the whole file has been read back, which takes its time.
        let response = try await client.send(
            "PUT", target, body: bytes, type: "application/octet-stream", headers: headers,
            timeoutMilliseconds: 3_600_000)
        guard let json = try? JSONReader.read(response.body), let stored = StoredFilePayload(json: json) else {
            throw DaemonClient.unexpected
        }
        return stored
    }

    private static func structured(_ digest: SHA256.Digest) -> String { "sha-256=:\(Base64.encode(Array(digest))):" }
}

/// A regular file of this machine, read piece by piece.
private final class SourceFile {
    let bytes: Int64
    private let path: String
    private let descriptor: Int32

    init(_ path: String) throws(Failure) {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        var status = stat()
        guard descriptor >= 0, fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            if descriptor >= 0 { close(descriptor) }
            throw Failure(.usage, "\(path) cannot be read")
        }
        self.path = path
        self.descriptor = descriptor
        self.bytes = Int64(status.st_size)
    }

    deinit { close(descriptor) }

    func read(at offset: Int64, upTo count: Int) throws(Failure) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        var filled = 0
        while filled < count {
            let got = bytes.withUnsafeMutableBytes { buffer in
                pread(
                    descriptor, buffer.baseAddress?.advanced(by: filled), count - filled,
                    off_t(offset + Int64(filled)))
            }
            if got < 0, errno == EINTR { continue }
            guard got >= 0 else {
                throw Failure(.failed, "\(path) cannot be read: \(String(cString: strerror(errno)))")
            }
            if got == 0 { break }
            filled += got
        }
        return Array(bytes.prefix(filled))
    }

    /// The hash of the first bytes, to go on with.
    func digest(upTo end: Int64) throws(Failure) -> SHA256 {
        var hash = SHA256()
        var offset: Int64 = 0
        while offset < end {
            let piece = try read(at: offset, upTo: Int(min(4 << 20, end - offset)))
            guard !piece.isEmpty else { break }
            hash.update(data: piece)
            offset += Int64(piece.count)
        }
        return hash
    }
}

/// One line at a terminal that says how far a file is.
private struct Progress {
    let name: String
    let total: Int64
    let isShown: Bool

    init(name: String, total: Int64, isShown: Bool) {
        self.name = Safe.line(name)
        self.total = total
        self.isShown = isShown && isatty(STDERR_FILENO) == 1
    }

    func show(_ bytes: Int64) {
        guard isShown else { return }
        let percent = total > 0 ? bytes * 100 / total : 100
        write("\r\u{1b}[K\(name)  \(percent) %  \(bytes >> 20) of \(total >> 20) MiB")
    }

    func end() { if isShown { write("\r\u{1b}[K") } }

    private func write(_ text: String) {
        let bytes = Array(text.utf8)
        _ = Glibc.write(STDERR_FILENO, bytes, bytes.count)
    }
}
