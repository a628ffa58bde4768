package import ActorCore
import Crypto

/// Signs requests for AWS and whoever speaks like it (Signature Version 4); no clock, no I/O.
package struct SigV4: Sendable {
    /// An access key and what it opens.
    package struct Credentials: Sendable, Equatable {
        package let accessKey: String
        package let secretKey: String
        /// Of credentials that end.
        package let sessionToken: String?

        package init(accessKey: String, secretKey: String, sessionToken: String? = nil) {
            self.accessKey = accessKey
            self.secretKey = secretKey
            self.sessionToken = sessionToken
        }
    }

    /// Instead of a payload's hash, where only the head is to be signed.
    package static let unsignedPayload = "UNSIGNED-PAYLOAD"
    private static let algorithm = "AWS4-HMAC-SHA256"

    package let credentials: Credentials
    package let region: String
    /// `s3`, `ec2`, `sqs` …: S3 encodes paths once and says its payload's hash in a header, the others do neither.
    package let service: String

    package init(credentials: Credentials, region: String, service: String) {
        self.credentials = credentials
        self.region = region
        self.service = service
    }

    /// Hex SHA-256 of a payload.
    package static func hash(_ payload: [UInt8]) -> String { Hexadecimal.text(SHA256.hash(data: payload)) }

    /// All headers to send for a request: those given, the ones that a signature needs, and `Authorization`.
    ///
    /// - Parameters:
    ///   - headers: sent and signed; without `Host`, which the HTTP client writes.
    ///   - payload: hex SHA-256 of the body, or ``unsignedPayload``.
    package func headers(
        method: String, address: WebAddress, headers: [(name: String, value: String)] = [], payload: String,
        at moment: Timestamp
    ) -> [(name: String, value: String)] {
        var all = headers
        all.append(("x-amz-date", moment.compact))
        if service == "s3" { all.append(("x-amz-content-sha256", payload)) }
        if let token = credentials.sessionToken { all.append(("x-amz-security-token", token)) }
        let authorization = authorization(
            method: method, address: address, headers: all + [("host", address.host)], payload: payload, at: moment)
        return all + [("Authorization", authorization)]
    }

    /// The value of `Authorization` over exactly these headers, `host` among them.
    package func authorization(
        method: String, address: WebAddress, headers: [(name: String, value: String)], payload: String,
        at moment: Timestamp
    ) -> String {
        let (lines, names) = Self.canonical(headers)
        let request = canonicalRequest(method, address, address.query, lines, names, payload)
        let signature = signature(request, at: moment)
        return "\(Self.algorithm) Credential=\(credentials.accessKey)/\(scope(moment)), SignedHeaders=\(names), "
            + "Signature=\(signature)"
    }

    /// A URL that lets whoever has it make this one request until its time is up.
    ///
    /// - Parameter headers: which the caller has to send as they are here, beside `Host`.
    package func presigned(
        method: String, address: WebAddress, seconds: Int, headers: [(name: String, value: String)] = [],
        payload: String = unsignedPayload, at moment: Timestamp
    ) -> String {
        let (lines, names) = Self.canonical(headers + [("host", address.host)])
        var signed = address
        signed.query += [
            .init("X-Amz-Algorithm", Self.algorithm),
            .init("X-Amz-Credential", "\(credentials.accessKey)/\(scope(moment))"), .init("X-Amz-Date", moment.compact),
            .init("X-Amz-Expires", String(seconds)), .init("X-Amz-SignedHeaders", names),
        ]
        if let token = credentials.sessionToken { signed.query.append(.init("X-Amz-Security-Token", token)) }
        let request = canonicalRequest(method, signed, signed.query, lines, names, payload)
        signed.query.append(.init("X-Amz-Signature", signature(request, at: moment)))
        return signed.url
    }

    // MARK: - The parts of a signature

    private func scope(_ moment: Timestamp) -> String {
        "\(moment.compact.prefix(8))/\(region)/\(service)/aws4_request"
    }

    private func canonicalRequest(
        _ method: String, _ address: WebAddress, _ query: [WebAddress.Item], _ lines: String, _ names: String,
        _ payload: String
    ) -> String {
        let items = query.map { (PercentText.escaped($0.name), PercentText.escaped($0.value)) }
            .sorted { $0.0 == $1.0 ? Self.precedes($0.1, $1.1) : Self.precedes($0.0, $1.0) }
            .map { "\($0.0)=\($0.1)" }.joined(separator: "&")
        return [method, canonicalPath(address.path), items, lines, names, payload].joined(separator: "\n")
    }

    private static func precedes(_ left: String, _ right: String) -> Bool {
        left.utf8.lexicographicallyPrecedes(right.utf8)
    }

    /// S3 keeps every slash and dot, since a key may hold them; the others tidy the path and encode it once more.
    private func canonicalPath(_ path: String) -> String {
        let parts = path.split(separator: "/", omittingEmptySubsequences: false)
        if service == "s3" {
            return parts.map { PercentText.escaped(WebAddress.decoded($0)) }.joined(separator: "/")
        }
        var kept: [Substring] = []
        for part in parts where !part.isEmpty && part != "." {
            if part == ".." { _ = kept.popLast() } else { kept.append(part) }
        }
        let tidied = kept.map { PercentText.escaped(String($0)) }.joined(separator: "/")
        return "/" + tidied + (path.hasSuffix("/") && !kept.isEmpty ? "/" : "")
    }

    /// The header lines, each ended, and their names.
    private static func canonical(_ headers: [(name: String, value: String)]) -> (lines: String, names: String) {
        var values: [String: [String]] = [:]
        for (name, value) in headers {
            let words = value.split { $0 == " " || $0 == "\t" }.joined(separator: " ")
            values[name.lowercased(), default: []].append(words)
        }
        let names = values.keys.sorted(by: precedes)
        let lines = names.map { "\($0):\((values[$0] ?? []).joined(separator: ","))\n" }.joined()
        return (lines, names.joined(separator: ";"))
    }

    private func signature(_ request: String, at moment: Timestamp) -> String {
        let text = [Self.algorithm, moment.compact, scope(moment), Self.hash(Array(request.utf8))]
            .joined(separator: "\n")
        var key = SymmetricKey(data: Array("AWS4\(credentials.secretKey)".utf8))
        for word in [String(moment.compact.prefix(8)), region, service, "aws4_request"] {
            key = SymmetricKey(data: HMAC<SHA256>.authenticationCode(for: Array(word.utf8), using: key))
        }
        return Hexadecimal.text(HMAC<SHA256>.authenticationCode(for: Array(text.utf8), using: key))
    }
}
