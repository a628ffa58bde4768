import ActorCore
import Foundation

/// Strikes known secrets out of text before it is logged or shown: as they are, in base64, URL-encoded
/// or escaped for JSON.
package struct SecretScrubber: Sendable {
    package static let mark = "*****"
    /// First byte to the forms that begin with it, longest first.
    private let forms: [UInt8: [[UInt8]]]
    private let longest: Int

    /// Values of four characters or fewer are left alone: striking them out would make any text unreadable.
    package init(_ secrets: some Sequence<String>) {
        var all: Set<[UInt8]> = []
        for secret in secrets where secret.count > 4 {
            for form in Self.encodings(of: secret) where form.count > 4 { all.insert(form) }
        }
        longest = all.map(\.count).max() ?? 0
        var forms: [UInt8: [[UInt8]]] = [:]
        for form in all { forms[form[0], default: []].append(form) }
        self.forms = forms.mapValues { $0.sorted { $0.count > $1.count } }
    }

    package func scrub(_ text: String) -> String {
        guard !forms.isEmpty else { return text }
        let bytes = Array(text.utf8)
        var output: [UInt8] = []
        output.reserveCapacity(bytes.count)
        var index = 0
        while index < bytes.count {
            if let length = match(in: bytes, at: index) {
                output += Self.mark.utf8
                index += length
            } else {
                output.append(bytes[index])
                index += 1
            }
        }
        return String(decoding: output, as: UTF8.self)
    }

    /// How many bytes at the end may be the beginning of a secret: they are shown when it is known whether they are.
    package func unfinished(_ bytes: [UInt8]) -> Int {
        guard longest > 1 else { return 0 }
        for start in max(0, bytes.count - longest + 1)..<bytes.count {
            let end = bytes[start...]
            let begins = forms[bytes[start]]?.contains { $0.count > end.count && $0.starts(with: end) }
            if begins == true { return end.count }
        }
        return 0
    }

    private func match(in bytes: [UInt8], at index: Int) -> Int? {
        forms[bytes[index]]?.first { bytes.count - index >= $0.count && bytes[index...].starts(with: $0) }?.count
    }

    private static func encodings(of secret: String) -> [[UInt8]] {
        let bytes = Array(secret.utf8)
        var result = [bytes]
        // Inside a longer base64 text a secret starts at one of three offsets within a group of three bytes;
        // what does not depend on the neighbours is struck out.
        for offset in 0..<3 {
            let padded = Data([UInt8](repeating: 0, count: offset) + bytes)
            let text = Array(padded.base64EncodedString().utf8.filter { $0 != UInt8(ascii: "=") })
            let fromNeighbour = offset == 0 ? 0 : offset + 1
            let toNeighbour = padded.count % 3 == 0 ? 0 : 1
            let core = Array(text.dropFirst(fromNeighbour).dropLast(toNeighbour))
            for form in [core, core.map(urlSafe)] where form.count >= 8 { result.append(form) }
        }
        let whole = Array(Data(bytes).base64EncodedString().utf8)
        result += [whole, whole.map(urlSafe)]
        result += [percentEncoded(bytes, upper: true), percentEncoded(bytes, upper: false)]
        result.append(percentEncoded(bytes, upper: true, blank: UInt8(ascii: "+")))
        result.append(Array(JSONWriter.bytes(.string(secret)).dropFirst().dropLast()))
        return result
    }

    private static func urlSafe(_ byte: UInt8) -> UInt8 {
        switch byte {
        case UInt8(ascii: "+"): UInt8(ascii: "-")
        case UInt8(ascii: "/"): UInt8(ascii: "_")
        default: byte
        }
    }

    private static func percentEncoded(_ bytes: [UInt8], upper: Bool, blank: UInt8? = nil) -> [UInt8] {
        var output: [UInt8] = []
        let digits = Array((upper ? "0123456789ABCDEF" : "0123456789abcdef").utf8)
        for byte in bytes {
            switch byte {
            case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, 0x2d, 0x2e, 0x5f, 0x7e: output.append(byte)
            case 0x20 where blank != nil: output.append(blank ?? byte)
            default: output += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return output
    }
}
