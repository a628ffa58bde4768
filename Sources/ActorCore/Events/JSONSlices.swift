/// Where the parts of a JSON text lie, so that a part can be handed on as the bytes received.
///
/// For texts that ``JSONReader`` has accepted: nothing is checked here.
package enum JSONSlices {
    /// The bytes of the values of an object's members, by name; empty for anything else.
    /// A name that is written with escapes is left out.
    package static func members(of bytes: [UInt8]) -> [(name: String, value: Range<Int>)] {
        var index = skipSpace(bytes, 0)
        guard index < bytes.count, bytes[index] == UInt8(ascii: "{") else { return [] }
        var found: [(name: String, value: Range<Int>)] = []
        index = skipSpace(bytes, index + 1)
        while index < bytes.count, bytes[index] == UInt8(ascii: "\"") {
            let name = index + 1..<skipString(bytes, index) - 1
            // The colon.
            index = skipSpace(bytes, name.upperBound + 1) + 1
            let start = skipSpace(bytes, index)
            index = skipValue(bytes, start)
            if !bytes[name].contains(UInt8(ascii: "\\")) {
                found.append((String(decoding: bytes[name], as: UTF8.self), start..<index))
            }
            index = skipSpace(bytes, index)
            guard index < bytes.count, bytes[index] == UInt8(ascii: ",") else { break }
            index = skipSpace(bytes, index + 1)
        }
        return found
    }

    /// The items of an array; empty for anything else.
    package static func items(of bytes: [UInt8]) -> [Range<Int>] {
        var index = skipSpace(bytes, 0)
        guard index < bytes.count, bytes[index] == UInt8(ascii: "[") else { return [] }
        var found: [Range<Int>] = []
        index = skipSpace(bytes, index + 1)
        while index < bytes.count, bytes[index] != UInt8(ascii: "]") {
            let start = index
            index = skipValue(bytes, start)
            found.append(start..<index)
            index = skipSpace(bytes, index)
            guard index < bytes.count, bytes[index] == UInt8(ascii: ",") else { break }
            index = skipSpace(bytes, index + 1)
        }
        return found
    }

    private static func skipSpace(_ bytes: [UInt8], _ start: Int) -> Int {
        var index = start
        while index < bytes.count, [0x20, 0x0a, 0x0d, 0x09].contains(bytes[index]) { index += 1 }
        return index
    }

    /// Behind the closing quotation mark of the string that begins at `start`.
    private static func skipString(_ bytes: [UInt8], _ start: Int) -> Int {
        var index = start + 1
        while index < bytes.count, bytes[index] != UInt8(ascii: "\"") {
            index += bytes[index] == UInt8(ascii: "\\") ? 2 : 1
        }
        return min(index + 1, bytes.count)
    }

    private static func skipValue(_ bytes: [UInt8], _ start: Int) -> Int {
        var index = start
        var depth = 0
        while index < bytes.count {
            switch bytes[index] {
            case UInt8(ascii: "\""):
                index = skipString(bytes, index)
                if depth == 0 { return index }
                continue
            case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                // Closes what the value stands in: a number or word ends before it.
                if depth == 0 { return index }
                depth -= 1
                if depth == 0 { return index + 1 }
            case UInt8(ascii: ","), 0x20, 0x0a, 0x0d, 0x09:
                if depth == 0 { return index }
            default: break
            }
            index += 1
        }
        return index
    }
}
