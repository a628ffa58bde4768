import ActorCore
import Foundation
import Yams

/// Turns the library's tree into a ``JSONValue`` by the core schema and notes the line of every value.
struct NodeConverter {
    let maxDepth: Int
    private(set) var lines: [String: Int] = [:]

    init(maxDepth: Int) { self.maxDepth = maxDepth }

    /// `line` is where the value's key stands: what a person looks for, also when the value begins further down.
    mutating func convert(
        _ node: Node, at pointer: String, line: Int, depth: Int
    ) throws(YAMLFailure) -> JSONValue {
        lines[pointer] = line
        switch node {
        case .scalar(let scalar):
            try refuse(anchor: scalar.anchor, line: line)
            return try value(of: scalar, line: line)
        case .sequence(let sequence):
            try refuse(anchor: sequence.anchor, line: line)
            try check(tag: sequence.tag, allowed: "seq", line: line)
            try check(depth: depth, line: line)
            var items: [JSONValue] = []
            for (index, item) in sequence.enumerated() {
                let place = "\(pointer)/\(index)"
                items.append(try convert(item, at: place, line: item.mark?.line ?? line, depth: depth + 1))
            }
            return .array(items)
        case .mapping(let mapping):
            try refuse(anchor: mapping.anchor, line: line)
            try check(tag: mapping.tag, allowed: "map", line: line)
            try check(depth: depth, line: line)
            return try object(mapping, at: pointer, depth: depth)
        case .alias:
            throw YAMLFailure(line: line, reason: "aliases (*name) are not supported here; write the value out")
        }
    }

    private mutating func object(
        _ mapping: Node.Mapping, at pointer: String, depth: Int
    ) throws(YAMLFailure) -> JSONValue {
        var members: [JSONValue.Member] = []
        var names: Set<String> = []
        for (key, value) in mapping {
            let line = key.mark?.line ?? 1
            guard case .scalar(let scalar) = key else {
                throw YAMLFailure(line: line, reason: "a key must be plain text, not a list or a mapping")
            }
            try refuse(anchor: scalar.anchor, line: line)
            // `1` and `"1"` differ for the library but not as names.
            guard names.insert(scalar.string).inserted else {
                throw YAMLFailure(line: line, reason: "the key \"\(scalar.string.prefix(64))\" is there twice")
            }
            let place = "\(pointer)/\(Pointer.escape(scalar.string))"
            members.append(
                JSONValue.Member(scalar.string, try convert(value, at: place, line: line, depth: depth + 1)))
        }
        return .object(members)
    }

    private func check(depth: Int, line: Int) throws(YAMLFailure) {
        guard depth <= maxDepth else {
            throw YAMLFailure(line: line, reason: "it is nested deeper than \(maxDepth) levels")
        }
    }

    private func refuse(anchor: Anchor?, line: Int) throws(YAMLFailure) {
        guard anchor == nil else {
            throw YAMLFailure(line: line, reason: "anchors (&name) are not supported here; write the value out")
        }
    }

    private func check(tag: Tag, allowed: String, line: Int) throws(YAMLFailure) {
        let name = tag.description
        guard name.isEmpty || name == "tag:yaml.org,2002:\(allowed)" else { throw Self.badTag(name, line: line) }
    }

    private static func badTag(_ name: String, line: Int) -> YAMLFailure {
        YAMLFailure(line: line, reason: "the tag \(name.prefix(64)) is not supported here; leave it out")
    }

    private func value(of scalar: Node.Scalar, line: Int) throws(YAMLFailure) -> JSONValue {
        let name = scalar.tag.description
        let text = scalar.string
        let plain = name.isEmpty ? scalar.style == .plain || scalar.style == .any : false
        guard !plain else { return CoreSchema.value(of: text) }
        let resolved = CoreSchema.value(of: text)
        switch (name, resolved) {
        case ("", _), ("!", _), ("tag:yaml.org,2002:str", _): return .string(text)
        case ("tag:yaml.org,2002:null", .null), ("tag:yaml.org,2002:bool", .bool),
            ("tag:yaml.org,2002:int", .int), ("tag:yaml.org,2002:float", .double):
            return resolved
        case ("tag:yaml.org,2002:float", .int(let number)): return .double(Double(number))
        default: throw Self.badTag(name, line: line)
        }
    }
}

/// What a plain scalar means: YAML 1.2, section 10.3.2. `yes`, `on` and dates are text.
enum CoreSchema {
    static func value(of text: String) -> JSONValue {
        switch text {
        case "", "~", "null", "Null", "NULL": return .null
        case "true", "True", "TRUE": return .bool(true)
        case "false", "False", "FALSE": return .bool(false)
        default: break
        }
        let bytes = Array(text.utf8)
        guard let first = bytes.first, (0x30...0x39).contains(first) || [0x2b, 0x2d, 0x2e].contains(first) else {
            return .string(text)
        }
        if text.hasPrefix("0x"), let number = digits(text.dropFirst(2), radix: 16) { return .int(number) }
        if text.hasPrefix("0o"), let number = digits(text.dropFirst(2), radix: 8) { return .int(number) }
        return decimal(bytes, text) ?? .string(text)
    }

    private static func digits(_ text: Substring, radix: Int) -> Int64? {
        guard let first = text.first, first != "+", first != "-" else { return nil }
        return Int64(text, radix: radix)
    }

    /// `[-+]? ( \. [0-9]+ | [0-9]+ ( \. [0-9]* )? ) ( [eE] [-+]? [0-9]+ )?`; what no number can hold stays text.
    private static func decimal(_ bytes: [UInt8], _ text: String) -> JSONValue? {
        var index = 0
        func run() -> Int {
            let start = index
            while index < bytes.count, (0x30...0x39).contains(bytes[index]) { index += 1 }
            return index - start
        }
        if bytes[0] == 0x2b || bytes[0] == 0x2d { index = 1 }
        let whole = run()
        var fraction = 0
        var isWhole = true
        if index < bytes.count, bytes[index] == 0x2e {
            isWhole = false
            index += 1
            fraction = run()
        }
        guard whole + fraction > 0 else { return nil }
        if index < bytes.count, bytes[index] == 0x65 || bytes[index] == 0x45 {
            isWhole = false
            index += 1
            if index < bytes.count, bytes[index] == 0x2b || bytes[index] == 0x2d { index += 1 }
            guard run() > 0 else { return nil }
        }
        guard index == bytes.count else { return nil }
        if isWhole, let number = Int64(text) { return .int(number) }
        // Swift's parser wants a digit on both sides of the point.
        guard let number = Double(text.replacing(".", with: fraction == 0 ? "" : whole == 0 ? "0." : ".")),
            number.isFinite
        else { return nil }
        return .double(number)
    }
}

/// JSON pointers (RFC 6901) as places in a document.
enum Pointer {
    static func escape(_ name: String) -> String {
        name.replacing("~", with: "~0").replacing("/", with: "~1")
    }

    static func unescape(_ name: String) -> String {
        name.replacing("~1", with: "/").replacing("~0", with: "~")
    }

    /// `/server/port` as people write it: `server.port`.
    static func dotted(_ pointer: String) -> String {
        pointer.split(separator: "/").map { unescape(String($0)) }.joined(separator: ".")
    }
}
