/// Text as a part of a URL.
package enum PercentText {
    /// Percent-encodes all but the unreserved characters of RFC 3986, section 2.3.
    package static func escaped(_ text: String) -> String {
        let digits = Array("0123456789ABCDEF".utf8)
        var output: [UInt8] = []
        for byte in text.utf8 {
            if NameRules.isAlphanumeric(byte) || "-._~".utf8.contains(byte) {
                output.append(byte)
            } else {
                output += [0x25, digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: output, as: UTF8.self)
    }
}
