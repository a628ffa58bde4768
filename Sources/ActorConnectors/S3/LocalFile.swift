import ActorCore
import Crypto

/// A file of this machine that is sent, whole or in pieces.
final class LocalFile: Sendable {
    private let file: OpenFile
    var bytes: Int64 { file.status.bytes }
    var path: String { file.path }

    /// - Parameters:
    ///   - path: below `folder`, with slashes; no link on the way is followed.
    ///   - folder: absolute.
    init(_ path: String, in folder: String) throws(ActorError) {
        let names = path.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard let last = names.last, !names.contains(""), !names.contains("."), !names.contains("..") else {
            throw ActorError(.invalidInput, "\"\(path.prefix(300))\" is no path below \(folder)")
        }
        var place = try Folder(path: folder)
        for name in names.dropLast() { place = try place.folder(name) }
        file = try place.file(last)
    }

    /// One piece with its hashes. Reads it once.
    func body(from offset: Int64, count: Int64) throws(ActorError) -> ObjectBody {
        var hashes = ContentHashes(partSizes: [])
        try read(from: offset, count: count) { hashes.update($0) }
        return ObjectBody(
            source: Piece(self, offset, count), sha256: hashes.sha256, md5: hashes.md5)
    }

    /// The hashes of all of it. Reads it once.
    func hashes(partSizes: [Int64] = []) throws(ActorError) -> ContentHashes {
        var hashes = ContentHashes(partSizes: partSizes)
        try read(from: 0, count: bytes) { hashes.update($0) }
        return hashes
    }

    private func read(
        from offset: Int64, count: Int64, _ take: (UnsafeRawBufferPointer) -> Void
    ) throws(ActorError) {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 16)
        defer { buffer.deallocate() }
        var done: Int64 = 0
        while done < count {
            let wanted = Int(min(Int64(buffer.count), count - done))
            let got = try file.read(
                into: UnsafeMutableRawBufferPointer(rebasing: buffer[..<wanted]), at: offset + done)
            guard got > 0 else { throw ActorError(.conflict, "\(path) became shorter while it was read") }
            take(UnsafeRawBufferPointer(rebasing: buffer[..<got]))
            done += Int64(got)
        }
    }

    private final class Piece: BodySource {
        private let whole: LocalFile
        private let offset: Int64
        let count: Int64

        init(_ whole: LocalFile, _ offset: Int64, _ count: Int64) {
            self.whole = whole
            self.offset = offset
            self.count = count
        }

        func read(at offset: Int64, into buffer: UnsafeMutableRawBufferPointer) throws(ActorError) -> Int {
            try whole.file.read(into: buffer, at: self.offset + offset)
        }
    }
}

/// Everything that a store may say of a content, computed in one reading.
struct ContentHashes {
    private var sha = SHA256()
    private var md = Insecure.MD5()
    private var parts: [PartHash]

    /// The ETag that a content has when it was put in parts of one size.
    private struct PartHash {
        let size: Int64
        var whole = Insecure.MD5()
        var current = Insecure.MD5()
        var filled: Int64 = 0
        var count = 0

        mutating func update(_ bytes: UnsafeRawBufferPointer) {
            var rest = bytes[...]
            while !rest.isEmpty {
                let piece = rest.prefix(Int(min(Int64(rest.count), size - filled)))
                current.update(bufferPointer: UnsafeRawBufferPointer(rebasing: piece))
                filled += Int64(piece.count)
                rest = rest.dropFirst(piece.count)
                if filled == size { endPart() }
            }
        }

        private mutating func endPart() {
            whole.update(data: Array(current.finalize()))
            current = Insecure.MD5()
            filled = 0
            count += 1
        }

        var etag: String {
            var copy = self
            if copy.filled > 0 { copy.endPart() }
            return "\(Hexadecimal.text(copy.whole.finalize()))-\(copy.count)"
        }
    }

    init(partSizes: [Int64]) { parts = partSizes.map { PartHash(size: $0) } }

    mutating func update(_ bytes: UnsafeRawBufferPointer) {
        sha.update(bufferPointer: bytes)
        md.update(bufferPointer: bytes)
        for index in parts.indices { parts[index].update(bytes) }
    }

    var sha256: String { Hexadecimal.text(sha.finalize()) }
    var md5: String { Hexadecimal.text(md.finalize()) }
    var partETags: [String] { parts.map(\.etag) }
}
