import ActorCore

/// Plain fields of a `multipart/form-data` body; files are skipped. Read once, however many fields are asked for.
struct MultipartForm: Sendable {
    /// RFC 2046, section 5.1.1.
    static let mostBoundaryBytes = 70
    static let mostParts = 256
    /// No field of a form has a longer head.
    private static let mostHeadBytes = 16_384
    private static let disposition = "content-disposition:"
    private static let lineFeed = UInt8(ascii: "\n")
    private static let lineBreak = Array("\r\n".utf8)

    /// The first of each name.
    private let fields: [String: String]

    /// A body that is cut off counts up to where it ends.
    init(_ body: [UInt8], boundary: String) throws(ActorError) {
        var fields: [String: String] = [:]
        for part in try Self.parts(of: body, boundary: boundary) {
            guard let (name, value) = Self.field(in: body[part]), fields[name] == nil else { continue }
            fields[name] = value
        }
        self.fields = fields
    }

    func first(_ name: String) -> String? { fields[name] }

    /// For who wants one field only.
    static func field(_ name: String, in body: [UInt8], boundary: String) -> String? {
        (try? MultipartForm(body, boundary: boundary))?.first(name)
    }

    /// Throws where no boundary may be as long.
    static func check(_ contentType: ContentType) throws(ActorError) {
        guard contentType.isMultipart, let boundary = contentType.parameter("boundary"),
            boundary.utf8.count > mostBoundaryBytes
        else { return }
        throw ActorError(
            .invalidInput, "the boundary of a multipart body has at most \(mostBoundaryBytes) characters (RFC 2046)")
    }

    /// What lies between delimiters. Those count only at the beginning of a line, so that each byte is compared at
    /// most once whatever the boundary.
    private static func parts(of body: [UInt8], boundary: String) throws(ActorError) -> [Range<Int>] {
        guard !boundary.isEmpty, boundary.utf8.count <= mostBoundaryBytes else { return [] }
        let delimiter = Array("--\(boundary)".utf8)
        var parts: [Range<Int>] = []
        var begin: Int?
        var line = 0
        while line < body.count {
            let next = body[line...].firstIndex(of: lineFeed).map { $0 + 1 } ?? body.count
            let isAfterBreak = line == 0 || (line > 1 && body[line - 2] == lineBreak[0])
            if isAfterBreak, let isLast = delimits(body[line..<next], delimiter) {
                // The line break belongs to the delimiter.
                if let begin { parts.append(begin..<max(begin, line - 2)) }
                if isLast { return parts }
                guard parts.count < mostParts else {
                    throw ActorError(.invalidInput, "a multipart form has at most \(mostParts) parts")
                }
                begin = next
            }
            line = next
        }
        if let begin {
            let isBroken = body[begin...].suffix(2).elementsEqual(lineBreak)
            parts.append(begin..<(isBroken ? body.count - 2 : body.count))
        }
        return parts
    }

    /// Nil for a line of content; whether no part follows.
    private static func delimits(_ line: ArraySlice<UInt8>, _ delimiter: [UInt8]) -> Bool? {
        guard line.starts(with: delimiter) else { return nil }
        let rest = line.dropFirst(delimiter.count)
        if rest.starts(with: [UInt8(ascii: "-"), UInt8(ascii: "-")]) { return true }
        return rest.allSatisfy { $0 == 0x20 || $0 == 0x09 || lineBreak.contains($0) } ? false : nil
    }

    /// Nil for a file, and for what has no name.
    private static func field(in part: ArraySlice<UInt8>) -> (name: String, value: String)? {
        let head = part.prefix(mostHeadBytes)
        var found: ContentType?
        var line = head.startIndex
        while let end = head[line...].firstIndex(of: lineFeed) {
            var text = head[line..<end]
            if text.last == lineBreak[0] { text = text.dropLast() }
            line = end + 1
            if text.isEmpty {
                guard let found, let name = found.parameter("name"), found.parameter("filename") == nil else {
                    return nil
                }
                return (name, String(decoding: part[line...], as: UTF8.self))
            }
            let words = String(decoding: text, as: UTF8.self)
            if found == nil, words.lowercased().hasPrefix(disposition) {
                found = ContentType(String(words.dropFirst(disposition.count)))
            }
        }
        return nil
    }
}
