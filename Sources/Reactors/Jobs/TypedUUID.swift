import ActorCore
import Crypto
import FoundationEssentials

/// Ids of catalogue records (PipelineJobs, sections 4.2 and 4.3): a version 5 UUID of a text; in the second generation
/// its first three digits are replaced by the type. The same text gives the same id everywhere.
package enum TypedUUID {
    package static let generic = "100"
    package static let experiment = "102"
    package static let sample = "103"
    package static let measurement = "104"
    package static let pipeline = "106"
    package static let job = "107"
    package static let experimentDesign = "114"

    /// `uuid3(NAMESPACE_DNS, "sd2e.org")`: the namespace that published ids were made in (section 4.1).
    private static let namespace: [UInt8] = [
        0x54, 0x76, 0x5a, 0xeb, 0x44, 0xca, 0x37, 0x4a, 0x9a, 0x9f, 0xeb, 0x46, 0x58, 0x38, 0x3e, 0xe4,
    ]

    /// Second generation.
    package static func make(_ prefix: String, _ text: String) -> String {
        dashed(prefix + Hexadecimal.text(versionFive(text)).dropFirst(prefix.count))
    }

    /// First generation, as of its documentation: a leading slash and a leading `uploads/` take no part.
    package static func plain(_ text: String) -> String {
        var rest = text[...]
        if rest.hasPrefix("/") { rest.removeFirst() }
        if rest.hasPrefix("uploads/") { rest.removeFirst("uploads/".count) }
        return dashed(Hexadecimal.text(versionFive(String(rest))))
    }

    private static func versionFive(_ text: String) -> [UInt8] {
        var hasher = Insecure.SHA1()
        hasher.update(data: namespace)
        hasher.update(data: Array(text.utf8))
        var bytes = Array(hasher.finalize().prefix(16))
        bytes[6] = bytes[6] & 0x0f | 0x50
        bytes[8] = bytes[8] & 0x3f | 0x80
        return bytes
    }

    private static func dashed(_ hex: String) -> String {
        var text = ""
        for (index, digit) in hex.enumerated() {
            if [8, 12, 16, 20].contains(index) { text += "-" }
            text.append(digit)
        }
        return text
    }

    /// The UUID in its usual spelling (lower case, without `uri:urn:`), or nil when `text` is none.
    package static func normalized(_ text: String) -> String? {
        let bare = (text.hasPrefix("uri:urn:") ? text.dropFirst(8) : text[...]).lowercased()
        let parts = bare.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.map(\.utf8.count) == [8, 4, 4, 4, 12] else { return nil }
        return Hexadecimal.bytes(parts.joined()) == nil ? nil : bare
    }

    /// The whole UUID as one number: what Hashids of path elements are made from (section 4.5).
    package static func number(_ uuid: String) -> UInt128 {
        UInt128(uuid.filter { $0 != "-" }, radix: 16) ?? 0
    }
}

/// SHA-256 of bytes, in hex.
package enum Fingerprint {
    @Sendable package static func sha256(_ bytes: [UInt8]) -> String { Hexadecimal.text(SHA256.hash(data: bytes)) }
}
