/// ``JSONValue`` to bytes: compact, or pretty for people.
package enum JSONWriter {
    package static func bytes(_ value: JSONValue) -> [UInt8] {
        var output: [UInt8] = []
        write(value, to: &output)
        return output
    }

    package static func string(_ value: JSONValue) -> String { String(decoding: bytes(value), as: UTF8.self) }

    /// Two blanks a level, for terminals and files that people open.
    package static func pretty(_ value: JSONValue) -> String {
        var output: [UInt8] = []
        write(value, to: &output, indent: 0)
        return String(decoding: output, as: UTF8.self)
    }

    private static func write(_ value: JSONValue, to output: inout [UInt8], indent: Int? = nil) {
        switch value {
        case .null: output += "null".utf8
        case .bool(let flag): output += (flag ? "true" : "false").utf8
        case .int(let number): output += String(number).utf8
        case .wide(let digits): output += digits.utf8
        case .double(let number): output += text(of: number).utf8
        case .string(let text): write(text: text, to: &output)
        case .array(let items):
            list(items, "[", "]", to: &output, indent: indent) { item, output, indent in
                write(item, to: &output, indent: indent)
            }
        case .object(let members):
            list(members, "{", "}", to: &output, indent: indent) { member, output, indent in
                write(text: member.name, to: &output)
                output += (indent == nil ? ":" : ": ").utf8
                write(member.value, to: &output, indent: indent)
            }
        }
    }

    private static func list<Item>(
        _ items: [Item], _ open: String, _ close: String, to output: inout [UInt8], indent: Int?,
        each: (Item, inout [UInt8], Int?) -> Void
    ) {
        output += open.utf8
        let inner = indent.map { $0 + 1 }
        for (index, item) in items.enumerated() {
            if index > 0 { output.append(UInt8(ascii: ",")) }
            if let inner { output += "\n\(String(repeating: "  ", count: inner))".utf8 }
            each(item, &output, inner)
        }
        if let indent, !items.isEmpty { output += "\n\(String(repeating: "  ", count: indent))".utf8 }
        output += close.utf8
    }

    /// Shortest text that reads back as the same number; JSON has no infinities, so they become null.
    private static func text(of number: Double) -> String { number.isFinite ? "\(number)" : "null" }

    /// The parts of one text, between quotes.
    package static func write(text parts: String..., to output: inout [UInt8]) {
        output.append(UInt8(ascii: "\""))
        for part in parts { escape(part, to: &output) }
        output.append(UInt8(ascii: "\""))
    }

    private static func escape(_ text: String, to output: inout [UInt8]) {
        var text = text
        // Nearly every text goes over as it is.
        let isPlain = text.withUTF8 { bytes in
            let isPlain = bytes.allSatisfy { $0 >= 0x20 && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\") }
            if isPlain { output.append(contentsOf: bytes) }
            return isPlain
        }
        if isPlain { return }
        let hex = Array("0123456789abcdef".utf8)
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): output += [UInt8(ascii: "\\"), byte]
            case 0x0a: output += "\\n".utf8
            case 0x0d: output += "\\r".utf8
            case 0x09: output += "\\t".utf8
            case 0..<0x20: output += "\\u00".utf8 + [hex[Int(byte >> 4)], hex[Int(byte & 15)]]
            default: output.append(byte)
            }
        }
    }
}
