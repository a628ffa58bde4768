/// Name and value pairs of a query or of a urlencoded form, in order, decoded.
struct FormItems: Sendable, Equatable {
    struct Item: Sendable, Equatable {
        let name: String
        let value: String
    }

    let items: [Item]

    /// An item without `=` has an empty value; `+` is a blank.
    init(_ encoded: String) {
        items = encoded.split(separator: "&", omittingEmptySubsequences: true).map { pair in
            let halves = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            return Item(name: Self.decoded(halves[0]), value: halves.count == 2 ? Self.decoded(halves[1]) : "")
        }
    }

    /// The first value of `name`.
    func first(_ name: String) -> String? { items.first { $0.name == name }?.value }

    private static func decoded(_ text: Substring) -> String {
        decoded(percent: text.contains("+") ? String(text.map { $0 == "+" ? " " : $0 }) : String(text))
    }

    /// Percent-decodes; what is no valid escape stays as it is, what is no UTF-8 becomes U+FFFD.
    static func decoded(percent text: String) -> String {
        guard text.utf8.contains(0x25) else { return text }
        let bytes = Array(text.utf8)
        var output: [UInt8] = []
        output.reserveCapacity(bytes.count)
        var index = 0
        while index < bytes.count {
            if bytes[index] == 0x25, index + 2 < bytes.count, let high = digit(bytes[index + 1]),
                let low = digit(bytes[index + 2])
            {
                output.append(high << 4 | low)
                index += 3
            } else {
                output.append(bytes[index])
                index += 1
            }
        }
        return String(decoding: output, as: UTF8.self)
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 0x30...0x39: byte - 0x30
        case 0x41...0x46: byte - 0x37
        case 0x61...0x66: byte - 0x57
        default: nil
        }
    }
}
