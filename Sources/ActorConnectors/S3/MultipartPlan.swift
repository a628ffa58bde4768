package import ActorCore
import Crypto

/// How a file is cut into parts, and which of them are still to be sent; decided by its length alone, so that whoever
/// goes on after a crash cuts in the same places.
package struct MultipartPlan: Sendable, Equatable {
    /// A part of the file.
    package struct Piece: Sendable, Equatable {
        package let number: Int
        package let offset: Int64
        package let bytes: Int64
    }

    private static let mebibyte: Int64 = 1 << 20
    /// Longer files go in parts.
    package static let threshold: Int64 = 64 << 20
    private static let smallest: Int64 = 32 << 20
    /// S3 takes 10,000.
    private static let most: Int64 = 9000

    package let pieces: [Piece]

    /// - Parameter partBytes: for stores and tests that want other parts; nil for what fits.
    package init(bytes: Int64, partBytes: Int64? = nil) {
        let needed = (bytes + Self.most - 1) / Self.most
        let rounded = (needed + Self.mebibyte - 1) / Self.mebibyte * Self.mebibyte
        let size = max(1, partBytes ?? max(Self.smallest, rounded))
        let count = max(1, (bytes + size - 1) / size)
        pieces = (0..<count).map { index in
            Piece(number: Int(index) + 1, offset: index * size, bytes: min(size, bytes - index * size))
        }
    }

    /// What was sent by an earlier run: parts of that number and length. Nil when the earlier run has cut otherwise, so
    /// that nothing of it can be used.
    package func usable(_ parts: [MultipartPart]) -> [Int: MultipartPart]? {
        var usable: [Int: MultipartPart] = [:]
        for part in parts {
            guard pieces.indices.contains(part.number - 1), pieces[part.number - 1].bytes == part.bytes else {
                return nil
            }
            usable[part.number] = part
        }
        return usable
    }

    /// The ETag that S3 gives to what these parts make.
    package static func etag(of parts: [MultipartPart]) -> String {
        var md5 = Insecure.MD5()
        for part in parts { md5.update(data: Hexadecimal.bytes(part.etag) ?? []) }
        return "\(Hexadecimal.text(md5.finalize()))-\(parts.count)"
    }
}
