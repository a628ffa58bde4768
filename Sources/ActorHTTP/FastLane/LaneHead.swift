import ActorCore
import NIOHTTP1

/// Which actor a `POST …/messages` is for, read from the request line alone.
struct MessageTarget: Equatable {
    let generation: ActorsGeneration
    let word: String
    let path: String
    let query: String

    /// Nil for every other path, and for spellings that the router has to judge.
    init?(_ uri: String) {
        let end = uri.utf8.firstIndex(of: UInt8(ascii: "?")) ?? uri.endIndex
        let path = uri[..<end]
        guard !uri.utf8.contains(UInt8(ascii: "#")), !path.utf8.contains(UInt8(ascii: "%")),
            path.hasSuffix("/messages"),
            let generation = ActorsGeneration.allCases.first(where: { path.hasPrefix($0.prefix + "/") })
        else { return nil }
        let word = path.utf8.dropFirst(generation.prefix.utf8.count + 1).dropLast("/messages".utf8.count)
        guard !word.isEmpty, !word.contains(UInt8(ascii: "/")) else { return nil }
        self.generation = generation
        self.word = String(Substring(word))
        self.path = String(path)
        query = end == uri.endIndex ? "" : String(uri[uri.index(after: end)...])
    }
}

/// The head of a request that the ``FastLane`` can take: a small message whose every field it understands.
struct LaneHead {
    static let mostBytes = 16384

    let target: MessageTarget
    private(set) var length = -1
    private(set) var host: String?
    private(set) var authorization: String?
    private(set) var contentType = ContentType(nil)
    private(set) var idempotencyKey: String?
    private(set) var options: [String: String] = [:]

    /// Nil: this is for the route.
    ///
    /// - Parameter credentials: beginnings of header names, in lower case, in which a token comes that takes time to
    ///   check.
    init?(_ head: HTTPRequestHead, credentials: [String] = [Credentials.tapisHeader]) {
        guard head.method == .POST, head.version == .http1_1, let target = MessageTarget(head.uri) else { return nil }
        self.target = target
        for (name, value) in head.headers {
            guard take(name, value), !Self.isCredential(name, credentials) else { return nil }
        }
        guard (0...Self.mostBytes).contains(length) else { return nil }
    }

    private static func isCredential(_ name: String, _ credentials: [String]) -> Bool {
        // Nearly every header is out by its first letter.
        let first = name.utf8.first.map { $0 | 0x20 }
        guard credentials.contains(where: { $0.utf8.first == first }) else { return false }
        let name = name.lowercased()
        return credentials.contains { name.hasPrefix($0) }
    }

    /// False for a field that only the route knows what to do with, and for one that comes twice.
    private mutating func take(_ name: String, _ value: String) -> Bool {
        switch name.utf8.count {
        case 4 where name.lowercased() == "host": return Self.set(&host, value)
        case 6 where ["expect", "origin"].contains(name.lowercased()): return false
        case 7 where ["trailer", "upgrade"].contains(name.lowercased()): return false
        case 10 where name.lowercased() == "connection": return value.lowercased() == "keep-alive"
        case 12 where name.lowercased() == "content-type":
            guard contentType.text.isEmpty else { return false }
            contentType = ContentType(value)
            return !contentType.isMultipart && !contentType.essence.hasPrefix("application/cloudevents")
        case 13 where name.lowercased() == "authorization": return Self.set(&authorization, value)
        case 14 where name.lowercased() == "content-length":
            guard length < 0, let number = Int(value), !value.hasPrefix("+"), !value.hasPrefix("-") else {
                return false
            }
            length = number
            return true
        case 14 where name.lowercased() == "sec-fetch-site": return false
        case 15 where name.lowercased() == "idempotency-key": return Self.set(&idempotencyKey, value)
        case 16 where name.lowercased() == "content-encoding": return false
        case 17 where name.lowercased() == "transfer-encoding": return false
        default: break
        }
        guard let first = name.utf8.first,
            first | 0x20 == UInt8(ascii: "r") || first | 0x20 == UInt8(ascii: "c")
                || first | 0x20 == UInt8(ascii: "w")
        else { return true }
        let name = name.lowercased()
        // CloudEvents and signatures.
        if name.hasPrefix("ce-") || name.hasPrefix("webhook-") { return false }
        guard name.hasPrefix(DeliveryOptions.prefix) else { return true }
        return DeliveryOptions.names.contains(name) && options.updateValue(value, forKey: name) == nil
    }

    private static func set(_ field: inout String?, _ value: String) -> Bool {
        guard field == nil else { return false }
        field = value
        return true
    }
}
