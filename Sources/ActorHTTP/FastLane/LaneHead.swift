import ActorCore
import NIOHTTP1

/// Which actor a `POST …/messages` is for, read from the request line alone.
struct MessageTarget: Equatable {
    let generation: ActorsGeneration
    let word: String
    let path: String
    let query: String

    private static let ending = Array("/messages".utf8)
    private static let beginnings = ActorsGeneration.allCases.map { ($0, prefix: Array(($0.prefix + "/").utf8)) }

    /// Nil for every other path, and for spellings that the router has to judge.
    init?(_ uri: String) {
        // By bytes: a path that means something else as text than it does as bytes is not for here.
        let bytes = uri.utf8
        let end = bytes.firstIndex(of: UInt8(ascii: "?")) ?? bytes.endIndex
        let path = bytes[..<end]
        guard !bytes.contains(UInt8(ascii: "#")), !path.contains(UInt8(ascii: "%")),
            path.suffix(Self.ending.count).elementsEqual(Self.ending),
            let (generation, prefix) = Self.beginnings.first(where: { path.starts(with: $0.prefix) })
        else { return nil }
        let word = path.dropFirst(prefix.count).dropLast(Self.ending.count)
        guard !word.isEmpty, !word.contains(UInt8(ascii: "/")) else { return nil }
        self.generation = generation
        self.word = String(Substring(word))
        self.path = String(Substring(path))
        query = String(Substring(bytes[end...].dropFirst()))
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
            guard take(name, value.withoutBlanks), !Self.isCredential(name, credentials) else { return nil }
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
        case 4 where name.isField("host"): return Self.set(&host, value)
        case 6 where name.isField("expect") || name.isField("origin"): return false
        case 7 where name.isField("trailer") || name.isField("upgrade"): return false
        case 10 where name.isField("connection"): return value.isField("keep-alive")
        case 12 where name.isField("content-type"):
            guard contentType.text.isEmpty else { return false }
            contentType = ContentType(value)
            return !contentType.isMultipart && !contentType.essence.hasPrefix("application/cloudevents")
        case 13 where name.isField("authorization"): return Self.set(&authorization, value)
        case 14 where name.isField("content-length"):
            guard length < 0, let number = Int(value), !value.hasPrefix("+"), !value.hasPrefix("-") else {
                return false
            }
            length = number
            return true
        case 14 where name.isField("sec-fetch-site"): return false
        case 15 where name.isField("idempotency-key"): return Self.set(&idempotencyKey, value)
        case 16 where name.isField("content-encoding"): return false
        case 17 where name.isField("transfer-encoding"): return false
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

extension String {
    /// Without the optional white space around a field's value (RFC 9110, section 5.5), as the route has it.
    fileprivate var withoutBlanks: String {
        func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }
        guard let first = utf8.first, let last = utf8.last, isBlank(first) || isBlank(last) else { return self }
        var text = Substring(self).utf8.drop(while: isBlank)
        while let last = text.last, isBlank(last) { text.removeLast() }
        return String(Substring(text))
    }

    /// The same header field name, whatever its case; `name` is in lower case.
    fileprivate func isField(_ name: StaticString) -> Bool {
        utf8.count == name.utf8CodeUnitCount
            && zip(utf8, UnsafeBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount)).allSatisfy {
                $0 | ($0 >= UInt8(ascii: "A") && $0 <= UInt8(ascii: "Z") ? 0x20 : 0) == $1
            }
    }
}
