import ActorCore
import HTTPTypes

/// Which bytes of a file a request brings (`Content-Range`, RFC 9110, section 14.5).
enum UploadRange: Equatable {
    /// No such header: the body is the whole file.
    case whole
    /// `bytes 0-8388607/20000000`; the length is nil for `*`.
    case part(first: Int64, last: Int64, length: Int64?)
    /// `bytes */20000000`: nothing is sent, it is only asked how much is there.
    case question(length: Int64?)

    init(_ text: String?) throws(ActorError) {
        guard let text else {
            self = .whole
            return
        }
        let wrong = ActorError(
            .invalidInput, "Content-Range must be like bytes 0-8388607/20000000, or bytes */20000000 to ask")
        let words = text.split(separator: " ")
        guard words.count == 2, words[0].lowercased() == "bytes" else { throw wrong }
        let halves = words[1].split(separator: "/", omittingEmptySubsequences: false)
        guard halves.count == 2, halves[1] == "*" || Self.number(halves[1]) != nil else { throw wrong }
        let length = Self.number(halves[1])
        if halves[0] == "*" {
            self = .question(length: length)
            return
        }
        let ends = halves[0].split(separator: "-", omittingEmptySubsequences: false)
        guard ends.count == 2, let first = Self.number(ends[0]), let last = Self.number(ends[1]), first <= last,
            length.map({ last < $0 }) ?? true
        else { throw wrong }
        self = .part(first: first, last: last, length: length)
    }

    private static func number(_ text: Substring) -> Int64? {
        guard (1...18).contains(text.utf8.count), text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
            return nil
        }
        return Int64(text)
    }
}

/// The SHA-256 that a sender gives: of what this request brings, or of the whole file.
struct UploadDigests: Equatable {
    /// `Content-Digest` (RFC 9530): of this request's body.
    let body: [UInt8]?
    /// `Repr-Digest` (RFC 9530), or `Digest` (RFC 3230): of the whole file.
    let file: [UInt8]?

    init(_ headers: HTTPFields) throws(ActorError) {
        body = try Self.structured(headers, "Content-Digest")
        if let whole = try Self.structured(headers, "Repr-Digest") {
            file = whole
        } else {
            file = try Self.instance(headers)
        }
    }

    /// `sha-256=:BASE64:` among others; other algorithms are passed over.
    private static func structured(_ headers: HTTPFields, _ header: String) throws(ActorError) -> [UInt8]? {
        for item in items(headers, header) {
            guard item.lowercased().hasPrefix("sha-256=") else { continue }
            let value = item.dropFirst(8)
            guard value.count > 2, value.first == ":", value.last == ":",
                let digest = Base64.decode(String(value.dropFirst().dropLast())), digest.count == 32
            else { throw ActorError(.invalidInput, "\(header) must be like sha-256=:BASE64:") }
            return digest
        }
        return nil
    }

    /// `sha-256=BASE64` among others.
    private static func instance(_ headers: HTTPFields) throws(ActorError) -> [UInt8]? {
        for item in items(headers, "Digest") {
            guard item.lowercased().hasPrefix("sha-256=") else { continue }
            guard let digest = Base64.decode(String(item.dropFirst(8))), digest.count == 32 else {
                throw ActorError(.invalidInput, "Digest must be like sha-256=BASE64")
            }
            return digest
        }
        return nil
    }

    private static func items(_ headers: HTTPFields, _ header: String) -> [String] {
        guard let name = HTTPField.Name(header), let text = headers[name] else { return [] }
        return text.split(separator: ",").map { part in
            var part = part
            while part.first?.isWhitespace ?? false { part.removeFirst() }
            while part.last?.isWhitespace ?? false { part.removeLast() }
            return String(part)
        }
    }
}

/// What becomes of a request, given how much of its file is there.
enum UploadStep: Equatable {
    /// Its body goes behind what is there.
    case append(at: Int64, length: Int64?)
    /// What is there is thrown away first: the sender begins anew.
    case restart(length: Int64?)
    /// All of it is there and its sender was never told: a daemon that went down in between.
    case complete(bytes: Int64)
    /// Nothing is taken; the sender is told where to go on.
    case tell(offset: Int64, length: Int64?)
    case refuse(offset: Int64, reason: String)

    /// - Parameters:
    ///   - there: bytes that have arrived; nil when nothing has.
    ///   - known: the whole length as an earlier request gave it.
    ///   - body: `Content-Length`, if it was given.
    ///   - isVouchedFor: the sender gave the digest of the whole file.
    static func decide(
        _ range: UploadRange, there: Int64?, known: Int64?, body: Int64?, isVouchedFor: Bool = false
    ) -> UploadStep {
        switch range {
        case .whole: return .restart(length: body)
        // Only the digest tells that what came before is the whole file and not another one of its length.
        case .question(let length) where isVouchedFor && length == there:
            guard let there, there > 0 else { return .tell(offset: 0, length: length) }
            return .complete(bytes: there)
        case .question(let length): return .tell(offset: there ?? 0, length: known ?? length)
        case .part(let first, let last, let length):
            let offset = there ?? 0
            if let body, body != last - first + 1 {
                return .refuse(
                    offset: offset, reason: "Content-Range names \(last - first + 1) bytes, the body has \(body)")
            }
            if let known, let length, known != length, first != 0 {
                return .refuse(offset: offset, reason: "the file was said to have \(known) bytes before")
            }
            if first == 0 { return .restart(length: length) }
            guard first == offset else {
                return .refuse(offset: offset, reason: "\(offset) bytes are there: go on from byte \(offset)")
            }
            return .append(at: first, length: length ?? known)
        }
    }
}

/// How far a file is, as answers say it; the names are those of tus.
enum UploadStanding {
    static func headers(offset: Int64, length: Int64?) -> HTTPFields {
        var headers = HTTPFields()
        if let name = HTTPField.Name("Upload-Offset") { headers[name] = String(offset) }
        if let length, let name = HTTPField.Name("Upload-Length") { headers[name] = String(length) }
        return headers
    }
}
