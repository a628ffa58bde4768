import ActorCore
import Glibc

/// The file behind `auth.tokens_file`: `{"<sha256 hex>": "user" | {"user": …, "expires": …}}`.
enum TokensFile {
    /// Tells one version of the file from another.
    struct Stamp: Sendable, Equatable {
        let seconds: Int
        let nanoseconds: Int
        let size: Int64
        let inode: UInt64
    }

    struct Change: Sendable {
        let stamp: Stamp
        /// Nil when the file is broken.
        let entries: [TokenVerifier.Entry]?
        let problem: String?
    }

    static let maxBytes: Int64 = 4_194_304

    /// Nil when the file is as `known`. A missing file has no tokens. Blocks.
    static func read(_ path: String, unless known: Stamp?) throws(ActorError) -> Change? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            guard errno == ENOENT else { throw PosixFailure.error("open", path) }
            let none = Stamp(seconds: 0, nanoseconds: 0, size: -1, inode: 0)
            return known == none ? nil : Change(stamp: none, entries: [], problem: nil)
        }
        defer { close(descriptor) }
        var info = stat()
        guard fstat(descriptor, &info) == 0 else { throw PosixFailure.error("stat", path) }
        let stamp = Stamp(
            seconds: Int(info.st_mtim.tv_sec), nanoseconds: Int(info.st_mtim.tv_nsec), size: Int64(info.st_size),
            inode: UInt64(info.st_ino))
        if stamp == known { return nil }
        guard stamp.size <= maxBytes else {
            return Change(stamp: stamp, entries: nil, problem: "it has more than \(maxBytes) bytes")
        }
        var bytes = [UInt8](repeating: 0, count: Int(stamp.size))
        let count = Glibc.read(descriptor, &bytes, bytes.count)
        guard count >= 0 else { throw PosixFailure.error("read", path) }
        do {
            let entries = try parse(Array(bytes.prefix(count)))
            return Change(stamp: stamp, entries: entries, problem: nil)
        } catch {
            return Change(stamp: stamp, entries: nil, problem: error.description)
        }
    }

    static func parse(_ bytes: [UInt8]) throws(ActorError) -> [TokenVerifier.Entry] {
        let json: JSONValue
        do {
            json = try JSONReader.read(bytes)
        } catch {
            throw ActorError(.invalidInput, "it is no JSON: \(error.description)")
        }
        guard let members = json.object else { throw ActorError(.invalidInput, "it must be a JSON object") }
        var entries: [TokenVerifier.Entry] = []
        for member in members {
            let place = String(member.name.prefix(8)) + "…"
            guard let digest = Self.digest(hexadecimal: member.name), digest.count == 32 else {
                throw ActorError(.invalidInput, "\(place) is no SHA-256 in hex")
            }
            guard let user = member.value.string ?? member.value["user"]?.string, !user.isEmpty else {
                throw ActorError(.invalidInput, "\(place) names no user")
            }
            var expires: Timestamp?
            if let value = member.value["expires"], !value.isNull {
                guard let moment = value.string.flatMap(Timestamp.init(iso8601:)) else {
                    throw ActorError(.invalidInput, "\(place): expires must be a time like 2027-01-31T12:00:00Z")
                }
                expires = moment
            }
            entries.append(TokenVerifier.Entry(digest: digest, username: user, expires: expires))
        }
        return entries
    }

    private static func digest(hexadecimal text: String) -> [UInt8]? {
        let digits = text.compactMap(\.hexDigitValue)
        guard digits.count == text.utf8.count, digits.count.isMultiple(of: 2) else { return nil }
        return stride(from: 0, to: digits.count, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
    }
}
