/// A place in a JSON value: a JSON Pointer (RFC 6901) that may also choose an element of an array by what it holds,
/// `/status/conditions/[type=Complete]/status`.
package struct JSONPlace: Sendable, Hashable {
    private enum Step: Sendable, Hashable {
        case name(String)
        case choice(name: String, value: String)
    }

    private static let maxSteps = 16

    package let text: String
    private let steps: [Step]

    /// Nil when `text` is no place: it starts with `/` and has at most 16 steps.
    package init?(_ text: String) {
        guard text.hasPrefix("/"), text.utf8.count <= 512 else { return nil }
        var steps: [Step] = []
        for part in text.dropFirst().split(separator: "/", omittingEmptySubsequences: false) {
            if part.hasPrefix("["), part.hasSuffix("]"), let sign = part.firstIndex(of: "=") {
                let name = part[part.index(after: part.startIndex)..<sign]
                let value = part[part.index(after: sign)...].dropLast()
                steps.append(.choice(name: String(name), value: String(value)))
            } else {
                steps.append(.name(Self.unescaped(part)))
            }
        }
        guard steps.count <= Self.maxSteps else { return nil }
        self.text = text
        self.steps = steps
    }

    private static func unescaped(_ part: Substring) -> String {
        var output = ""
        var isEscape = false
        for character in part {
            if isEscape {
                output.append(character == "1" ? "/" : "~")
                isEscape = false
            } else if character == "~" {
                isEscape = true
            } else {
                output.append(character)
            }
        }
        return output
    }

    package func value(in json: JSONValue) -> JSONValue? {
        var value = json
        for step in steps {
            guard let next = Self.next(step, value) else { return nil }
            value = next
        }
        return value
    }

    private static func next(_ step: Step, _ value: JSONValue) -> JSONValue? {
        switch step {
        case .name(let name):
            guard let items = value.array else { return value[name] }
            guard let index = Int(name), items.indices.contains(index) else { return nil }
            return items[index]
        case .choice(let name, let wanted): return value.array?.first { $0[name].flatMap(word) == wanted }
        }
    }

    /// A scalar as text; of a list its first element. Nil for null and for objects.
    package static func word(_ value: JSONValue) -> String? {
        switch value {
        case .string(let text): text
        case .bool(let flag): flag ? "true" : "false"
        case .int(let number): String(number)
        case .double(let number): String(number)
        case .array(let items): items.first.flatMap(word)
        default: nil
        }
    }
}
