/// RFC 4648, section 4: the alphabet of CloudEvents' `data_base64` and of webhook secrets.
package enum Base64 {
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    private static let padding = UInt8(ascii: "=")

    package static func encode(_ bytes: [UInt8]) -> String {
        var output: [UInt8] = []
        output.reserveCapacity((bytes.count + 2) / 3 * 4)
        var index = 0
        while index < bytes.count {
            let left = min(3, bytes.count - index)
            var group: UInt32 = 0
            for offset in 0..<3 { group = group << 8 | (offset < left ? UInt32(bytes[index + offset]) : 0) }
            for place in 0..<4 {
                output.append(place <= left ? alphabet[Int(group >> (18 - 6 * UInt32(place)) & 63)] : padding)
            }
            index += 3
        }
        return String(decoding: output, as: UTF8.self)
    }

    /// Nil for what no encoder makes: foreign characters, missing padding, bits that are set behind the end.
    package static func decode(_ text: String) -> [UInt8]? {
        let input = Array(text.utf8)
        guard input.count.isMultiple(of: 4) else { return nil }
        let padded = input.suffix(2).filter { $0 == padding }.count
        guard padded == 0 || input.last == padding else { return nil }
        var output: [UInt8] = []
        output.reserveCapacity(input.count / 4 * 3)
        var group: UInt32 = 0
        for (index, byte) in input.dropLast(padded).enumerated() {
            guard let digit = value(byte) else { return nil }
            group = group << 6 | digit
            if index % 4 == 3 {
                output += [UInt8(group >> 16 & 255), UInt8(group >> 8 & 255), UInt8(group & 255)]
                group = 0
            }
        }
        switch padded {
        case 1:
            guard group & 3 == 0 else { return nil }
            output += [UInt8(group >> 10 & 255), UInt8(group >> 2 & 255)]
        case 2:
            guard group & 15 == 0 else { return nil }
            output.append(UInt8(group >> 4 & 255))
        default: break
        }
        return output
    }

    private static func value(_ byte: UInt8) -> UInt32? {
        switch byte {
        case 0x41...0x5a: UInt32(byte - 0x41)
        case 0x61...0x7a: UInt32(byte - 0x61 + 26)
        case 0x30...0x39: UInt32(byte - 0x30 + 52)
        case UInt8(ascii: "+"): 62
        case UInt8(ascii: "/"): 63
        default: nil
        }
    }
}
