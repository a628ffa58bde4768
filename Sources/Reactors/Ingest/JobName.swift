/// Names for jobs that every engine takes (RFC 1123 label: lower-case letters, digits, hyphens, at most 63).
package enum JobName {
    package static let maxLength = 63
    /// Documents that say which text a legal name was made from.
    package static let kind = "job-name"

    /// The nearest legal name; a longer one is cut and ends in a digest of the whole, so that two never meet.
    package static func safe(_ name: String) -> String {
        var text = ""
        var needsHyphen = false
        for character in name.lowercased() {
            if character.isASCII, character.isLetter || character.isNumber || character == "-" {
                if needsHyphen { text += "-" }
                needsHyphen = false
                text.append(character)
            } else {
                // A run of anything else becomes one hyphen, and none at the end.
                needsHyphen = true
            }
        }
        text = trimmed(text)
        if text.isEmpty { text = "job" }
        return text.utf8.count > maxLength ? hashed(text, of: name) : text
    }

    /// The same told apart from every other name that looks like it once it is legal.
    package static func distinct(_ name: String) -> String { hashed(safe(name), of: name) }

    private static func hashed(_ text: String, of name: String) -> String {
        let digest = Fingerprint.sha256(Array(name.utf8)).prefix(8)
        return "\(trimmed(String(text.prefix(maxLength - 9))))-\(digest)"
    }

    /// Whether Kubernetes takes `name` for a Job: an RFC 1123 subdomain of at most 63 characters.
    package static func isLegal(_ name: String) -> Bool {
        let parts = name.split(separator: ".", omittingEmptySubsequences: false)
        return (1...maxLength).contains(name.utf8.count)
            && parts.allSatisfy { part in
                !part.isEmpty && part.first != "-" && part.last != "-"
                    && part.utf8.allSatisfy { byte in
                        (0x61...0x7a).contains(byte) || (0x30...0x39).contains(byte) || byte == UInt8(ascii: "-")
                    }
            }
    }

    private static func trimmed(_ text: String) -> String {
        var rest = text[...]
        while rest.first == "-" { rest.removeFirst() }
        while rest.last == "-" { rest.removeLast() }
        return String(rest)
    }
}
