import ActorCore

/// A JSON web token taken apart; nothing in it is true before a key has said so.
struct SignedToken: Sendable {
    let algorithm: String
    let keyID: String?
    let claims: JSONValue
    /// What the signature is over: the first two parts as they were sent.
    let signed: [UInt8]
    let signature: [UInt8]

    private static let longest = 16384

    /// Nil for what is no token. Parts may be in either alphabet of base64, with or without padding: gateways send all
    /// of that (actors API, section 5.1).
    init?(_ text: String) {
        guard text.utf8.count <= Self.longest else { return nil }
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3, let head = Self.bytes(parts[0]), let body = Self.bytes(parts[1]),
            let signature = Self.bytes(parts[2]), let header = try? JSONReader.read(head, maxDepth: 8),
            let algorithm = header["alg"]?.string, header["crit"] == nil,
            let claims = try? JSONReader.read(body, maxDepth: 16), claims.object != nil
        else { return nil }
        self.algorithm = algorithm
        self.keyID = header["kid"]?.string
        self.claims = claims
        self.signed = Array("\(parts[0]).\(parts[1])".utf8)
        self.signature = signature
    }

    /// The time in it has not passed, and has come.
    func isValid(at now: Timestamp) -> Bool {
        let seconds = Double(now.milliseconds) / 1000
        for name in ["exp", "nbf"] {
            guard let value = claims[name], !value.isNull else { continue }
            guard let moment = value.double else { return false }
            if name == "exp" ? seconds >= moment : seconds < moment - Self.skewSeconds { return false }
        }
        return true
    }

    /// Clocks of gateways differ a little.
    private static let skewSeconds = 60.0

    static func bytes(_ text: Substring) -> [UInt8]? {
        var bits: UInt32 = 0
        var count = 0
        var output: [UInt8] = []
        output.reserveCapacity(text.utf8.count * 3 / 4)
        var isPadded = false
        for byte in text.utf8 {
            let digit: UInt32
            switch byte {
            case 0x41...0x5a: digit = UInt32(byte - 0x41)
            case 0x61...0x7a: digit = UInt32(byte - 0x61) + 26
            case 0x30...0x39: digit = UInt32(byte - 0x30) + 52
            case UInt8(ascii: "+"), UInt8(ascii: "-"): digit = 62
            case UInt8(ascii: "/"), UInt8(ascii: "_"): digit = 63
            case UInt8(ascii: "="):
                isPadded = true
                continue
            default: return nil
            }
            guard !isPadded else { return nil }
            bits = bits << 6 | digit
            count += 6
            if count >= 8 {
                count -= 8
                output.append(UInt8(truncatingIfNeeded: bits >> UInt32(count)))
            }
        }
        return output
    }

    /// base64url without padding, as tokens of our own are written.
    static func text(_ bytes: some Sequence<UInt8>) -> String {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)
        var output: [UInt8] = []
        var bits: UInt32 = 0
        var count = 0
        for byte in bytes {
            bits = bits << 8 | UInt32(byte)
            count += 8
            while count >= 6 {
                count -= 6
                output.append(alphabet[Int(bits >> UInt32(count) & 63)])
            }
        }
        if count > 0 { output.append(alphabet[Int(bits << UInt32(6 - count) & 63)]) }
        return String(decoding: output, as: UTF8.self)
    }
}
