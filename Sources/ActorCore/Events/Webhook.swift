/// A key that sink and daemon share: `whsec_` and Base64 of 24 to 64 bytes (Standard Webhooks 1.0).
///
/// Printing it shows nothing; who needs the text asks for ``reveal()``.
package struct WebhookSecret: Sendable, Equatable, CustomStringConvertible, CustomDebugStringConvertible {
    package static let prefix = "whsec_"

    package let key: [UInt8]

    /// Nil when the text is no such key.
    package init?(_ text: String) {
        guard text.hasPrefix(Self.prefix) else { return nil }
        self.init(key: Base64.decode(String(text.dropFirst(Self.prefix.count))) ?? [])
    }

    /// Nil when it is too short or too long.
    package init?(key: [UInt8]) {
        guard (24...64).contains(key.count) else { return nil }
        self.key = key
    }

    package func reveal() -> String { Self.prefix + Base64.encode(key) }

    package var description: String { Self.prefix + "*****" }
    package var debugDescription: String { description }
}

/// Signs outgoing webhooks and checks incoming ones, as Standard Webhooks 1.0 has it (`v1`, HMAC-SHA256).
package struct WebhookSignature: Sendable {
    package enum Header {
        package static let id = "webhook-id"
        package static let timestamp = "webhook-timestamp"
        package static let signature = "webhook-signature"
    }

    /// What became of a check.
    package enum Verdict: Sendable, Equatable {
        case valid
        /// A header is missing or cannot be read.
        case malformed(String)
        /// Sent too long ago, or from the future: perhaps a recording.
        case outsideTolerance(seconds: Int64)
        /// No signature fits any of the secrets.
        case mismatch
    }

    /// Seconds that sender and receiver may be apart.
    package static let tolerance: Int64 = 300
    private static let maxSignatures = 16

    /// HMAC-SHA256 of a message under a key: cryptography comes from outside, this value knows only what is signed.
    private let hmac: @Sendable (_ key: [UInt8], _ message: [UInt8]) -> [UInt8]

    package init(hmac: @escaping @Sendable (_ key: [UInt8], _ message: [UInt8]) -> [UInt8]) { self.hmac = hmac }

    /// The three headers of one attempt: a signature for each secret, so that a receiver may know either.
    package func headers(
        id: String, at now: Timestamp, body: [UInt8], secrets: [WebhookSecret]
    ) -> [(name: String, value: String)] {
        let seconds = String(now.milliseconds / 1000)
        let signatures = secrets.map { "v1,\(Base64.encode(code(id, seconds, body, $0)))" }
        return [
            (name: Header.id, value: id), (name: Header.timestamp, value: seconds),
            (name: Header.signature, value: signatures.joined(separator: " ")),
        ]
    }

    /// - Parameters:
    ///   - header: the value of a header by its name in lower case.
    ///   - secrets: any of them may have signed.
    package func check(
        header: (String) -> String?, body: [UInt8], secrets: [WebhookSecret], at now: Timestamp,
        tolerance: Int64 = WebhookSignature.tolerance
    ) -> Verdict {
        guard let id = header(Header.id), !id.isEmpty else { return .malformed("\(Header.id) is missing") }
        guard let stamp = header(Header.timestamp), let seconds = Int64(stamp), seconds >= 0, String(seconds) == stamp
        else { return .malformed("\(Header.timestamp) must be whole seconds since 1970") }
        guard let text = header(Header.signature) else { return .malformed("\(Header.signature) is missing") }
        let (away, overflow) = (now.milliseconds / 1000).subtractingReportingOverflow(seconds)
        guard !overflow, abs(away) <= tolerance else { return .outsideTolerance(seconds: overflow ? .max : away) }
        let offered = text.split(separator: " ").prefix(Self.maxSignatures).filter { $0.hasPrefix("v1,") }
            .compactMap { Base64.decode(String($0.dropFirst(3))) }
        guard !offered.isEmpty else { return .malformed("\(Header.signature) has no v1 signature") }
        var fits = false
        // All pairs, always: the time it takes tells nothing.
        for secret in secrets {
            let expected = code(id, stamp, body, secret)
            for signature in offered where ConstantTime.areEqual(expected, signature) { fits = true }
        }
        return fits ? .valid : .mismatch
    }

    private func code(_ id: String, _ seconds: String, _ body: [UInt8], _ secret: WebhookSecret) -> [UInt8] {
        hmac(secret.key, Array("\(id).\(seconds).".utf8) + body)
    }
}

/// The header `Retry-After` (RFC 9110, section 10.2.3): seconds, or a date.
package enum RetryAfter {
    private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

    /// Seconds from now; nil when it cannot be read.
    package static func seconds(_ text: String, at now: Timestamp) -> Int? {
        if let seconds = Int(text) { return max(0, seconds) }
        // Sun, 06 Nov 1994 08:49:37 GMT
        let words = text.split(separator: " ")
        guard words.count == 6, words[0].hasSuffix(","), words[5] == "GMT", let day = Int(words[1]),
            let month = months.firstIndex(of: String(words[2])), let year = Int(words[3])
        else { return nil }
        let time = words[4].split(separator: ":").compactMap { Int($0) }
        guard time.count == 3, (1...31).contains(day), (1970...9999).contains(year), (0..<24).contains(time[0]),
            (0..<60).contains(time[1]), (0...60).contains(time[2])
        else { return nil }
        let days = Timestamp.daysSince1970(year: year, month: month + 1, day: day)
        let moment = ((days * 24 + time[0]) * 60 + time[1]) * 60 + time[2]
        return max(0, moment - Int(now.milliseconds / 1000))
    }
}
