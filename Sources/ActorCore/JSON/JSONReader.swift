/// Bytes to ``JSONValue``: RFC 8259 to the letter, with bounded depth, no duplicate keys, no lone surrogates.
package struct JSONReader {
    /// Why bytes are no acceptable JSON, with the byte offset where it shows.
    package struct Failure: Error, Equatable, CustomStringConvertible {
        package let offset: Int
        package let reason: String

        package var description: String { "byte \(offset): \(reason)" }
    }

    /// The whole of `bytes` as one value.
    package static func read(_ bytes: [UInt8], maxDepth: Int = 64) throws(Failure) -> JSONValue {
        var reader = JSONReader(bytes: bytes, maxDepth: maxDepth)
        let value = try reader.value(depth: 0)
        reader.skipSpace()
        guard reader.index == bytes.count else { throw reader.failure("something follows the value") }
        return value
    }

    private let bytes: [UInt8]
    private let maxDepth: Int
    private var index = 0

    private init(bytes: [UInt8], maxDepth: Int) {
        self.bytes = bytes
        self.maxDepth = maxDepth
    }

    private func failure(_ reason: String) -> Failure { Failure(offset: index, reason: reason) }

    private mutating func skipSpace() {
        while index < bytes.count, [0x20, 0x0a, 0x0d, 0x09].contains(bytes[index]) { index += 1 }
    }

    private mutating func value(depth: Int) throws(Failure) -> JSONValue {
        skipSpace()
        guard index < bytes.count else { throw failure("the text ends where a value should be") }
        switch bytes[index] {
        case UInt8(ascii: "{"): return try object(depth: depth + 1)
        case UInt8(ascii: "["): return try array(depth: depth + 1)
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try word("true", .bool(true))
        case UInt8(ascii: "f"): return try word("false", .bool(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        default: return try number()
        }
    }

    private mutating func word(_ text: StaticString, _ value: JSONValue) throws(Failure) -> JSONValue {
        let length = text.utf8CodeUnitCount
        guard index + length <= bytes.count else { throw failure("not a JSON value") }
        for offset in 0..<length where bytes[index + offset] != text.utf8Start[offset] {
            throw failure("not a JSON value")
        }
        index += length
        return value
    }

    private mutating func object(depth: Int) throws(Failure) -> JSONValue {
        guard depth <= maxDepth else { throw failure("nested deeper than \(maxDepth) levels") }
        index += 1
        var members: [JSONValue.Member] = []
        var names: Set<String> = []
        skipSpace()
        if take("}") { return .object(members) }
        while true {
            skipSpace()
            guard index < bytes.count, bytes[index] == UInt8(ascii: "\"") else {
                throw failure("an object key must be a string")
            }
            let start = index
            let name = try string()
            guard names.insert(name).inserted else {
                throw Failure(offset: start, reason: "duplicate key \"\(name.prefix(64))\"")
            }
            skipSpace()
            guard take(":") else { throw failure("a colon must follow an object key") }
            members.append(JSONValue.Member(name, try value(depth: depth)))
            skipSpace()
            if take(",") { continue }
            if take("}") { return .object(members) }
            throw failure("a comma or } must follow a member")
        }
    }

    private mutating func array(depth: Int) throws(Failure) -> JSONValue {
        guard depth <= maxDepth else { throw failure("nested deeper than \(maxDepth) levels") }
        index += 1
        var items: [JSONValue] = []
        skipSpace()
        if take("]") { return .array(items) }
        while true {
            items.append(try value(depth: depth))
            skipSpace()
            if take(",") { continue }
            if take("]") { return .array(items) }
            throw failure("a comma or ] must follow an item")
        }
    }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard index < bytes.count, bytes[index] == UInt8(ascii: character) else { return false }
        index += 1
        return true
    }

    private mutating func string() throws(Failure) -> String {
        index += 1
        var text: [UInt8] = []
        let start = index
        // The common case, nothing escaped, is one slice.
        while index < bytes.count, bytes[index] != 0x22, bytes[index] != 0x5c, bytes[index] >= 0x20 { index += 1 }
        text.append(contentsOf: bytes[start..<index])
        while true {
            guard index < bytes.count else { throw failure("the text ends inside a string") }
            let byte = bytes[index]
            switch byte {
            case 0x22:
                index += 1
                guard let result = String(validating: text, as: UTF8.self) else {
                    throw Failure(offset: start, reason: "a string is not valid UTF-8")
                }
                return result
            case 0x5c: try escape(into: &text)
            case 0..<0x20: throw failure("a control character stands unescaped in a string")
            default:
                text.append(byte)
                index += 1
            }
        }
    }

    private mutating func escape(into text: inout [UInt8]) throws(Failure) {
        index += 1
        guard index < bytes.count else { throw failure("the text ends inside an escape") }
        let byte = bytes[index]
        index += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(byte)
        case UInt8(ascii: "b"): text.append(0x08)
        case UInt8(ascii: "f"): text.append(0x0c)
        case UInt8(ascii: "n"): text.append(0x0a)
        case UInt8(ascii: "r"): text.append(0x0d)
        case UInt8(ascii: "t"): text.append(0x09)
        case UInt8(ascii: "u"):
            var code = try hexadecimal()
            if (0xdc00...0xdfff).contains(code) { throw failure("a low surrogate stands alone") }
            if (0xd800...0xdbff).contains(code) {
                guard take("\\"), take("u") else { throw failure("a high surrogate stands alone") }
                let low = try hexadecimal()
                guard (0xdc00...0xdfff).contains(low) else { throw failure("a high surrogate stands alone") }
                code = 0x10000 + (code - 0xd800) << 10 + (low - 0xdc00)
            }
            guard let scalar = Unicode.Scalar(code) else { throw failure("an escape names no character") }
            text.append(contentsOf: String(Character(scalar)).utf8)
        default: throw failure("an unknown escape")
        }
    }

    private mutating func hexadecimal() throws(Failure) -> UInt32 {
        guard index + 4 <= bytes.count else { throw failure("the text ends inside an escape") }
        var code: UInt32 = 0
        for _ in 0..<4 {
            guard let digit = Character(Unicode.Scalar(bytes[index])).hexDigitValue else {
                throw failure("\\u wants four hexadecimal digits")
            }
            code = code << 4 | UInt32(digit)
            index += 1
        }
        return code
    }

    private mutating func number() throws(Failure) -> JSONValue {
        let start = index
        _ = take("-")
        guard index < bytes.count, isDigit(bytes[index]) else {
            index = start
            throw failure("not a JSON value")
        }
        if !take("0") {
            skipDigits()
        } else if index < bytes.count, isDigit(bytes[index]) {
            throw failure("a number may not start with 0")
        }
        var isWhole = true
        if take(".") {
            isWhole = false
            guard index < bytes.count, isDigit(bytes[index]) else { throw failure("a digit must follow the point") }
            skipDigits()
        }
        if take("e") || take("E") {
            isWhole = false
            if !take("+") { _ = take("-") }
            guard index < bytes.count, isDigit(bytes[index]) else { throw failure("a digit must follow the e") }
            skipDigits()
        }
        let text = String(decoding: bytes[start..<index], as: UTF8.self)
        if isWhole, let number = Int64(text) { return .int(number) }
        guard let number = Double(text), number.isFinite else {
            throw Failure(offset: start, reason: "a number out of range")
        }
        return isWhole ? .wide(text) : .double(number)
    }

    private func isDigit(_ byte: UInt8) -> Bool { byte >= 0x30 && byte <= 0x39 }

    private mutating func skipDigits() {
        while index < bytes.count, isDigit(bytes[index]) { index += 1 }
    }
}
