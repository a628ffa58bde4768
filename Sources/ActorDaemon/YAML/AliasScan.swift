/// Finds aliases in the bare text, before a tree is built from it.
///
/// An alias can only mean something when `&name` and `*name` both stand where a value may begin. Text inside block
/// scalars is looked at too; there a pair like that is so rare that refusing it costs nobody anything.
enum AliasScan {
    /// More than anyone writes by hand, few enough to be harmless.
    static let maxAnchors = 64

    static func check(_ bytes: [UInt8]) throws(YAMLFailure) {
        var anchors: Set<ArraySlice<UInt8>> = []
        var aliases: [(name: ArraySlice<UInt8>, line: Int)] = []
        var line = 1
        var previous = UInt8(ascii: "\n")
        for (index, byte) in bytes.enumerated() {
            if byte == UInt8(ascii: "&") || byte == UInt8(ascii: "*"), mayPrecedeValue(previous) {
                let name = bytes[(index + 1)...].prefix(while: isNameByte)
                if !name.isEmpty {
                    if byte == UInt8(ascii: "&") {
                        anchors.insert(name)
                    } else if aliases.count < 10_000 {
                        aliases.append((name, line))
                    }
                }
                guard anchors.count <= maxAnchors else {
                    throw YAMLFailure(line: line, reason: "anchors (&name) are not supported here; write it out")
                }
            }
            if byte == UInt8(ascii: "\n") { line += 1 }
            previous = byte
        }
        if let alias = aliases.first(where: { anchors.contains($0.name) }) {
            let name = String(decoding: alias.name.prefix(64), as: UTF8.self)
            throw YAMLFailure(
                line: alias.line, reason: "aliases (*\(name)) are not supported here; write the value out")
        }
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, UInt8(ascii: "_"), UInt8(ascii: "-"): true
        default: false
        }
    }

    /// Blanks, line ends (beyond ASCII too) and what may stand directly before a value in flow style.
    private static func mayPrecedeValue(_ byte: UInt8) -> Bool {
        byte <= 0x20 || byte >= 0x80 || [UInt8]("[{,:-?\"'}]".utf8).contains(byte)
    }
}
