/// A dictionary as Python writes it, `{'uuid': '…', 'data': None}`: what old scripts post where JSON is meant
/// (PipelineJobs, section 2).
package struct PythonLiteral {
    private static let maxDepth = 64

    private let bytes: [UInt8]
    private var position = 0
    private var depth = 0

    private init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// Nil for anything but one dictionary: other texts are texts.
    package static func dictionary(_ bytes: [UInt8]) -> JSONValue? {
        var reader = PythonLiteral(bytes)
        reader.skipBlanks()
        guard reader.next == UInt8(ascii: "{"), String(validating: bytes, as: UTF8.self) != nil,
            let value = reader.value(), value.object != nil
        else { return nil }
        reader.skipBlanks()
        guard reader.position == bytes.count else { return nil }
        return value
    }

    private var next: UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func skipBlanks() {
        while let byte = next, byte == 0x20 || (0x09...0x0d).contains(byte) { position += 1 }
    }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        skipBlanks()
        guard next == UInt8(ascii: character) else { return false }
        position += 1
        return true
    }

    private mutating func value() -> JSONValue? {
        depth += 1
        defer { depth -= 1 }
        guard depth <= Self.maxDepth else { return nil }
        skipBlanks()
        switch next {
        case UInt8(ascii: "{"): return object()
        case UInt8(ascii: "["): return list("[", "]")
        case UInt8(ascii: "("): return list("(", ")")
        case UInt8(ascii: "'"), UInt8(ascii: "\""): return text().map { .string($0) }
        default: return word()
        }
    }

    private mutating func object() -> JSONValue? {
        guard take("{") else { return nil }
        var members: [JSONValue.Member] = []
        var names: Set<String> = []
        while !take("}") {
            // A name that is there twice means nothing certain.
            guard let name = value()?.string, names.insert(name).inserted, take(":"), let value = value()
            else { return nil }
            members.append(JSONValue.Member(name, value))
            guard take(",") else {
                guard take("}") else { return nil }
                break
            }
        }
        return .object(members)
    }

    private mutating func list(_ open: Unicode.Scalar, _ close: Unicode.Scalar) -> JSONValue? {
        guard take(open) else { return nil }
        var items: [JSONValue] = []
        while !take(close) {
            guard let item = value() else { return nil }
            items.append(item)
            guard take(",") else {
                guard take(close) else { return nil }
                break
            }
        }
        return .array(items)
    }

    private mutating func word() -> JSONValue? {
        let start = position
        while let byte = next, NameRules.isAlphanumeric(byte) || "+-._".utf8.contains(byte) { position += 1 }
        let word = String(decoding: bytes[start..<position], as: UTF8.self)
        switch word {
        case "True": return true
        case "False": return false
        case "None": return .null
        default:
            guard let number = try? JSONReader.read(Array(word.utf8)), number.double != nil else { return nil }
            return number
        }
    }

    private mutating func text() -> String? {
        guard let quote = next else { return nil }
        position += 1
        var output: [UInt8] = []
        while let byte = next {
            position += 1
            if byte == quote { return String(decoding: output, as: UTF8.self) }
            guard byte == UInt8(ascii: "\\") else {
                if byte == 0x0a { return nil }
                output.append(byte)
                continue
            }
            guard let escaped = escape() else { return nil }
            output += escaped
        }
        return nil
    }

    private mutating func escape() -> [UInt8]? {
        guard let byte = next else { return nil }
        position += 1
        switch byte {
        case UInt8(ascii: "n"): return [0x0a]
        case UInt8(ascii: "r"): return [0x0d]
        case UInt8(ascii: "t"): return [0x09]
        case UInt8(ascii: "\\"), UInt8(ascii: "'"), UInt8(ascii: "\""): return [byte]
        case UInt8(ascii: "x"): return scalar(2)
        case UInt8(ascii: "u"): return scalar(4)
        case UInt8(ascii: "U"): return scalar(8)
        default: return [UInt8(ascii: "\\"), byte]
        }
    }

    private mutating func scalar(_ digits: Int) -> [UInt8]? {
        guard position + digits <= bytes.count,
            let code = UInt32(String(decoding: bytes[position..<(position + digits)], as: UTF8.self), radix: 16),
            let scalar = Unicode.Scalar(code)
        else { return nil }
        position += digits
        return Array(String(scalar).utf8)
    }
}
