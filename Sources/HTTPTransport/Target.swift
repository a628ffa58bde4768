import ActorCore
import CCurl

/// A URL that was taken apart by the parser that will also call it, so that both understand the same host.
struct Target: Equatable {
    /// The URL as libcurl writes it.
    let url: String
    let scheme: String
    /// Lower case; IPv6 in brackets.
    let host: String
    let port: String

    /// What errors say: never the path or the query, where secrets live.
    var origin: String { "\(scheme)://\(host):\(port)" }

    init(_ text: String) throws(ActorError) {
        guard text.utf8.count <= 65536, text.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7f }) else {
            throw ActorError(.invalidInput, "the URL is too long, or holds blanks or control characters: encode them")
        }
        guard let handle = curl_url() else { throw ActorError(.unavailable, "no memory for a request") }
        defer { curl_url_cleanup(handle) }
        // Every scheme is parsed, so that the refusal below can say which one it was.
        let flags = UInt32(CURLU_NON_SUPPORT_SCHEME)
        guard curl_url_set(handle, CURLUPART_URL, text, flags) == CURLUE_OK,
            let scheme = Self.part(handle, CURLUPART_SCHEME)?.lowercased()
        else { throw ActorError(.invalidInput, "the URL cannot be read: write it as https://host/path") }
        guard scheme == "http" || scheme == "https" else {
            throw ActorError(.invalidInput, "the URL's scheme is \(scheme): only http and https are called")
        }
        // libcurl forgives one slash or three; other readers of the same text would see another host then.
        let rest = text.dropFirst(scheme.utf8.count)
        guard rest.hasPrefix("://"), !rest.hasPrefix(":///"), !text.utf8.contains(UInt8(ascii: "\\")) else {
            throw ActorError(.invalidInput, "the URL has no host: write it as https://host/path")
        }
        guard Self.part(handle, CURLUPART_USER) == nil, Self.part(handle, CURLUPART_PASSWORD) == nil else {
            throw ActorError(.invalidInput, "the URL carries credentials: send them in a header")
        }
        guard let host = Self.part(handle, CURLUPART_HOST), !host.isEmpty,
            let port = Self.part(handle, CURLUPART_PORT, UInt32(CURLU_DEFAULT_PORT)),
            let url = Self.part(handle, CURLUPART_URL)
        else { throw ActorError(.invalidInput, "the URL has no host: write it as https://host/path") }
        self.url = url
        self.scheme = scheme
        self.host = host.lowercased()
        self.port = port
    }

    /// The same URL with another host: a server's name, to be looked for in its certificate.
    func url(named name: String) throws(ActorError) -> String {
        guard (1...253).contains(name.utf8.count),
            name.utf8.allSatisfy({ NameRules.isAlphanumeric($0) || $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: "-") }
            ),
            let handle = curl_url()
        else { throw ActorError(.invalidInput, "the server name of a certificate is a host name: \"\(name)\" is not") }
        defer { curl_url_cleanup(handle) }
        guard curl_url_set(handle, CURLUPART_URL, url, 0) == CURLUE_OK,
            curl_url_set(handle, CURLUPART_HOST, name, 0) == CURLUE_OK, let url = Self.part(handle, CURLUPART_URL)
        else { throw ActorError(.invalidInput, "the server name \"\(name)\" does not fit into a URL") }
        return url
    }

    /// Whether one of these `host:port` or `host` entries names this target as it is written.
    func isListed(in entries: [String]) -> Bool {
        entries.contains { entry in
            let entry = entry.lowercased()
            return entry == host || entry == "\(host):\(port)" || "[\(entry)]" == host
        }
    }

    private static func part(_ handle: OpaquePointer, _ part: CURLUPart, _ flags: UInt32 = 0) -> String? {
        var text: UnsafeMutablePointer<CChar>?
        guard curl_url_get(handle, part, &text, flags) == CURLUE_OK, let text else { return nil }
        defer { curl_free(text) }
        return String(cString: text)
    }
}

/// The parts of a request that go on the wire as lines: checked, so that no value can add a line of its own.
enum RequestLines {
    static func check(_ request: OutgoingRequest) throws(ActorError) {
        guard request.source == nil || (request.body.isEmpty && request.source.map { $0.count >= 0 } == true) else {
            throw ActorError(.invalidInput, "a request has a body or a source of one, not both")
        }
        guard (1...32).contains(request.method.utf8.count),
            request.method.utf8.allSatisfy({ (0x41...0x5a).contains($0) })
        else { throw ActorError(.invalidInput, "the method of a request is a word in capital letters") }
        for (name, value) in request.headers {
            guard !name.isEmpty, name.utf8.count <= 256, name.utf8.allSatisfy(isToken) else {
                throw ActorError(.invalidInput, "a header's name holds a character that is not allowed (RFC 9110, 5.1)")
            }
            // Bytes above 0x7f are let through as they are; control characters end or forge a line.
            guard value.utf8.count <= 65536, value.utf8.allSatisfy({ $0 == 0x09 || ($0 >= 0x20 && $0 != 0x7f) }) else {
                throw ActorError(
                    .invalidInput, "the header \(name) holds a line break or another control character, or is too long")
            }
            switch name.lowercased() {
            case "transfer-encoding":
                throw ActorError(.invalidInput, "the header \(name) is set by the client itself: leave it out")
            case "content-length" where value != String(request.source?.count ?? Int64(request.body.count)):
                throw ActorError(.invalidInput, "the header \(name) does not fit the body: leave it out")
            default: continue
            }
        }
    }

    /// As libcurl takes them: a bare `Name:` would remove the header, `Name;` sends an empty one.
    static func lines(_ request: OutgoingRequest) -> [String] {
        var lines = request.headers.filter { $0.name.lowercased() != "content-length" }
            .map { $0.value.allSatisfy { $0 == " " || $0 == "\t" } ? "\($0.name);" : "\($0.name): \($0.value)" }
        // libcurl would wait a second for leave to send a body, and call every body a form. A long file is worth the
        // question: a server that refuses it says so before it was sent.
        if request.source == nil { lines.append("Expect:") }
        if !request.headers.contains(where: { $0.name.lowercased() == "content-type" }) {
            lines.append("Content-Type:")
        }
        return lines
    }

    /// RFC 9110, section 5.6.2.
    private static func isToken(_ byte: UInt8) -> Bool {
        NameRules.isAlphanumeric(byte) || Array("!#$%&'*+-.^_`|~".utf8).contains(byte)
    }
}
