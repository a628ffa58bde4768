import ActorCore

/// Field names of the actors API's replies (section 1.3).
enum KeyCase {
    case snake
    case camel

    /// Top-level keys of an object, or of the objects of a list; nested keys stay. camelCase drops nulls, except in
    /// what a search finds.
    func applied(to value: JSONValue, keepingNulls: Bool = false) -> JSONValue {
        guard self == .camel else { return value }
        switch value {
        case .object(let members):
            return .object(
                members.filter { keepingNulls || !$0.value.isNull }
                    .map { JSONValue.Member(Self.camel($0.name), $0.value) })
        case .array(let items): return .array(items.map { applied(to: $0, keepingNulls: keepingNulls) })
        default: return value
        }
    }

    /// `executionId` to `execution_id`.
    static func snake(_ name: String) -> String {
        var output = ""
        for character in name {
            if character.isUppercase, !output.isEmpty { output += "_" }
            output += character.lowercased()
        }
        return output
    }

    /// `execution_id` to `executionId`; a leading underscore stays.
    static func camel(_ name: String) -> String {
        guard name.dropFirst().contains("_") else { return name }
        var output = ""
        var raise = false
        for (index, character) in name.enumerated() {
            if character == "_", index > 0 {
                raise = true
            } else {
                output += raise ? character.uppercased() : String(character)
                raise = false
            }
        }
        return output
    }
}
