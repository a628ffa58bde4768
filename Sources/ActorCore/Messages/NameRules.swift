/// Names that may come from outside and become part of a path or an address: strict alphabets, no surprises.
package enum NameRules {
    /// A file or folder name of an upload: letters, digits, `._-+=@,` and blanks inside; no leading dot, no slash,
    /// at most 200 bytes. `..` cannot be spelled.
    package static func isUploadName(_ name: String) -> Bool {
        let bytes = Array(name.utf8)
        guard (1...200).contains(bytes.count), bytes[0] != UInt8(ascii: "."), bytes[0] != UInt8(ascii: "-"),
            bytes[0] != 0x20, bytes[bytes.count - 1] != 0x20
        else { return false }
        return bytes.allSatisfy { isAlphanumeric($0) || Array("._-+=@, ".utf8).contains($0) }
    }

    /// A relative path of such names, at most 16 deep.
    package static func isUploadPath(_ path: String) -> Bool {
        let parts = path.split(separator: "/", omittingEmptySubsequences: false)
        return (1...16).contains(parts.count) && parts.allSatisfy { isUploadName(String($0)) }
    }

    /// An alias (actors API, section 6.7): no reserved word, no hashid, none of the characters a URL uses.
    package static func isAlias(_ name: String) -> Bool {
        let reserved = ["executions", "nonces", "logs", "messages", "adapters", "admin", "aliases", "search"]
        guard (1...128).contains(name.utf8.count), !reserved.contains(name), Hashids.abaco.decode(name) == nil
        else { return false }
        return name.utf8.allSatisfy { isAlphanumeric($0) || Array("._-~".utf8).contains($0) } && name != "."
            && name != ".."
    }

    package static func isAlphanumeric(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte)
    }
}
