/// Names of files as text and back, whatever their bytes are.
///
/// A name that is not UTF-8 keeps each byte that is not as a character of its own, from the end of Unicode where nobody
/// has letters. So no file is invisible, and each can be opened, listed and removed by its text.
package enum RawName {
    private static let base: UInt32 = 0x10_ff00

    /// The text of a name on disk.
    package static func text(_ bytes: [UInt8]) -> String {
        if let whole = valid(bytes[...]) { return whole }
        var text = ""
        var rest = bytes[...]
        while let first = rest.first {
            let left = rest
            let piece = (1...min(4, left.count)).compactMap { valid(left.prefix($0)) }.first
            if let piece {
                text += piece
            } else {
                text.unicodeScalars.append(Unicode.Scalar(base + UInt32(first)) ?? "?")
            }
            rest = rest.dropFirst(piece?.utf8.count ?? 1)
        }
        return text
    }

    /// Nil also for what would be taken for bytes.
    private static func valid(_ bytes: ArraySlice<UInt8>) -> String? {
        guard let text = String(validating: bytes, as: UTF8.self), isUTF8(text) else { return nil }
        return text
    }

    private static func byte(_ scalar: Unicode.Scalar) -> UInt8? {
        scalar.value >= base + 0x80 && scalar.value <= base + 0xff ? UInt8(scalar.value - base) : nil
    }

    /// Whether the name on disk (or every name of a path) is UTF-8.
    package static func isUTF8(_ text: String) -> Bool {
        !(text.utf8.contains(0xf4) && text.unicodeScalars.contains { byte($0) != nil })
    }

    /// The bytes of the name on disk.
    package static func bytes(_ text: String) -> [UInt8] {
        guard !isUTF8(text) else { return Array(text.utf8) }
        return text.unicodeScalars.flatMap { scalar in byte(scalar).map { [$0] } ?? Array(String(scalar).utf8) }
    }

    /// For calls that take a name as C has it.
    package static func withCString<Value>(_ text: String, _ body: (UnsafePointer<CChar>) -> Value) -> Value {
        guard !isUTF8(text) else { return text.withCString(body) }
        let bytes = bytes(text).map { CChar(bitPattern: $0) } + [0]
        return body(bytes)
    }

    /// For people: what is not UTF-8 as `\xff`, control characters as `\n` or `\x07`, a backslash twice.
    package static func shown(_ text: String) -> String {
        var shown = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\\": shown += "\\\\"
            case "\n": shown += "\\n"
            case "\r": shown += "\\r"
            case "\t": shown += "\\t"
            default:
                let code = byte(scalar) ?? (scalar.value < 0x20 || scalar.value == 0x7f ? UInt8(scalar.value) : nil)
                if let code {
                    shown += "\\x" + Hexadecimal.text(CollectionOfOne(code))
                } else {
                    shown.unicodeScalars.append(scalar)
                }
            }
        }
        return shown
    }
}
