import ActorCore

/// A URL in the parts that a signature is made of.
package struct WebAddress: Sendable, Equatable {
    package struct Item: Sendable, Equatable {
        package var name: String
        package var value: String

        package init(_ name: String, _ value: String = "") {
            self.name = name
            self.value = value
        }
    }

    package var scheme: String
    /// As it stands in the header `Host`: with the port, unless it is the scheme's own.
    package var host: String
    /// Percent-encoded; begins with a slash.
    package var path: String
    /// Decoded, in the order of the URL.
    package var query: [Item]

    package init(scheme: String, host: String, path: String, query: [Item] = []) {
        self.scheme = scheme
        self.host = host
        self.path = path.isEmpty ? "/" : path
        self.query = query
    }

    /// Nil for what is no http or https URL.
    package init?(_ url: String) {
        guard let end = url.firstRange(of: "://") else { return nil }
        let scheme = url[..<end.lowerBound].lowercased()
        guard scheme == "http" || scheme == "https" else { return nil }
        let rest = url[end.upperBound...].prefix { $0 != "#" }
        let authority = rest.prefix { $0 != "/" && $0 != "?" }
        guard !authority.isEmpty, !authority.contains("@") else { return nil }
        let tail = rest.dropFirst(authority.count)
        let path = tail.prefix { $0 != "?" }
        let query = tail.dropFirst(path.count).dropFirst()
        let standardPort = scheme == "http" ? ":80" : ":443"
        let host = authority.hasSuffix(standardPort) ? authority.dropLast(standardPort.count) : authority
        self.init(
            scheme: scheme, host: host.lowercased(), path: String(path),
            query: query.split(separator: "&").map { item in
                let name = item.prefix { $0 != "=" }
                return Item(
                    Self.decoded(name), item.count > name.count ? Self.decoded(item.dropFirst(name.count + 1)) : "")
            })
    }

    package var url: String {
        let query = query.map { "\(PercentText.escaped($0.name))=\(PercentText.escaped($0.value))" }
        return "\(scheme)://\(host)\(path)" + (query.isEmpty ? "" : "?" + query.joined(separator: "&"))
    }

    /// Each part of a path that may hold anything; the slashes between them stay.
    package static func encoded(path: String) -> String {
        path.split(separator: "/", omittingEmptySubsequences: false).map { PercentText.escaped(String($0)) }
            .joined(separator: "/")
    }

    /// What `%41` stands for; bytes that are no UTF-8 become the replacement character.
    static func decoded(_ text: Substring, plusIsBlank: Bool = false) -> String {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%"), rest.count >= 2,
                let value = Hexadecimal.bytes(String(decoding: rest.prefix(2), as: UTF8.self))
            {
                bytes += value
                rest = rest.dropFirst(2)
            } else {
                bytes.append(plusIsBlank && byte == UInt8(ascii: "+") ? 0x20 : byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
