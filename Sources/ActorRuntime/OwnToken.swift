/// The token that an execution acts through the API with, struck out of what it prints: who may only read the log of a
/// running execution shall not act for its owner.
struct OwnToken: Sendable {
    private static let mark = Array("*****".utf8)
    private let bytes: [UInt8]

    init(_ text: String) { bytes = Array(text.utf8) }

    func struck(from text: [UInt8]) -> [UInt8] {
        guard text.count >= bytes.count, let first = bytes.first else { return text }
        var output: [UInt8] = []
        var rest = text[...]
        while let place = rest.firstIndex(of: first) {
            output += rest[..<place]
            rest = rest[place...]
            if rest.starts(with: bytes) {
                output += Self.mark
                rest = rest.dropFirst(bytes.count)
            } else {
                output.append(first)
                rest = rest.dropFirst()
            }
        }
        return output + rest
    }

    /// How many bytes at the end may be its beginning.
    func unfinished(_ text: [UInt8]) -> Int {
        (1..<max(2, bytes.count)).reversed().first { count in
            text.count >= count && bytes.starts(with: text.suffix(count))
        } ?? 0
    }
}
