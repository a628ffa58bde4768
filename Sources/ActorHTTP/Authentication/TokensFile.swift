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

extension Timestamp {
    /// `2027-01-31T12:00:00[.123](Z|+01:00)`; nil for anything else.
    init?(iso8601 text: String) {
        let bytes = Array(text.utf8)
        func number(_ range: Range<Int>) -> Int? {
            guard range.upperBound <= bytes.count else { return nil }
            var value = 0
            for byte in bytes[range] {
                guard (0x30...0x39).contains(byte) else { return nil }
                value = value * 10 + Int(byte - 0x30)
            }
            return value
        }
        guard bytes.count >= 20, bytes[4] == 0x2d, bytes[7] == 0x2d, bytes[10] == 0x54, bytes[13] == 0x3a,
            bytes[16] == 0x3a, let year = number(0..<4), let month = number(5..<7), let day = number(8..<10),
            let hour = number(11..<13), let minute = number(14..<16), let second = number(17..<19),
            (1...12).contains(month), (1...31).contains(day), hour < 24, minute < 60, second < 61
        else { return nil }
        var index = 19
        var millisecond = 0
        if bytes[index] == 0x2e {
            let start = index + 1
            index = start
            while index < bytes.count, (0x30...0x39).contains(bytes[index]) { index += 1 }
            guard index > start, let digits = number(start..<min(index, start + 3)) else { return nil }
            millisecond = [100, 10, 1][min(index - start, 3) - 1] * digits
        }
        var offset = 0
        if index + 1 == bytes.count, bytes[index] == 0x5a {
            offset = 0
        } else if index + 6 == bytes.count, bytes[index] == 0x2b || bytes[index] == 0x2d,
            bytes[index + 3] == 0x3a, let hours = number(index + 1..<index + 3),
            let minutes = number(index + 4..<index + 6)
        {
            offset = (hours * 60 + minutes) * (bytes[index] == 0x2d ? -1 : 1)
        } else {
            return nil
        }
        let days = Timestamp.daysSince1970(year: year, month: month, day: day)
        let seconds = days * 86400 + hour * 3600 + (minute - offset) * 60 + second
        self.init(milliseconds: Int64(seconds) * 1000 + Int64(millisecond))
    }
}
