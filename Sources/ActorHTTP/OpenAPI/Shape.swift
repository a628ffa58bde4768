import ActorCore

/// A JSON schema (draft 2020-12) as far as the description of this API needs one.
indirect enum Shape: Sendable {
    case any
    case text
    /// A moment in ISO 8601.
    case moment
    case integer
    case number
    case flag
    case null
    case words([String])
    case range(ClosedRange<Int>)
    case list(Shape)
    /// An object with names that are not known beforehand.
    case map(Shape)
    case members([Field])
    /// The same, or null.
    case maybe(Shape)
    case anyOf([Shape])
    /// Described once, under this name.
    case named(String, Shape)
    /// What a search finds keeps its nulls, also where others are left out.
    case withNulls(Shape)
    /// A member whose own members are spelled as those of the outermost object.
    case spelled(Shape)
    /// Abaco's envelope around a result.
    case envelope(Shape)

    static func object(_ fields: Field...) -> Shape { .members(fields) }
}

/// A member of an object.
struct Field: Sendable {
    let name: String
    let shape: Shape
    let isRequired: Bool
    let note: String

    /// One that is always there.
    static func has(_ name: String, _ shape: Shape, _ note: String = "") -> Field {
        Field(name: name, shape: shape, isRequired: true, note: note)
    }

    /// One that may be missing.
    static func may(_ name: String, _ shape: Shape, _ note: String = "") -> Field {
        Field(name: name, shape: shape, isRequired: false, note: note)
    }
}

/// Writes shapes as JSON schemas and keeps those that have a name.
struct SchemaWriter {
    /// How the names of the outermost object are spelled, as ``KeyCase`` does it to replies.
    enum Spelling {
        case asIs
        case camel
        /// What a search finds keeps its nulls.
        case camelWithNulls

        var suffix: String {
            switch self {
            case .asIs: ""
            case .camel: "Camel"
            case .camelWithNulls: "CamelFound"
            }
        }
    }

    private(set) var components: [JSONValue.Member] = []

    mutating func schema(_ shape: Shape, _ spelling: Spelling = .asIs) -> JSONValue {
        switch shape {
        case .any: return [:]
        case .text: return ["type": "string"]
        case .moment: return ["type": "string", "format": "date-time"]
        case .integer: return ["type": "integer"]
        case .number: return ["type": "number"]
        case .flag: return ["type": "boolean"]
        case .null: return ["type": "null"]
        case .words(let words): return ["type": "string", "enum": .array(words.map { .string($0) })]
        case .range(let range):
            return ["type": "integer", "minimum": JSONValue(range.lowerBound), "maximum": JSONValue(range.upperBound)]
        case .list(let item): return ["type": "array", "items": schema(item, spelling)]
        case .map(let value): return ["type": "object", "additionalProperties": schema(value)]
        case .members(let fields): return object(fields, spelling)
        case .maybe(let inner): return ["anyOf": [schema(inner, spelling), ["type": "null"]]]
        case .anyOf(let shapes): return ["anyOf": .array(shapes.map { schema($0, spelling) })]
        case .withNulls(let inner): return schema(inner, spelling == .asIs ? .asIs : .camelWithNulls)
        case .spelled(let inner): return schema(inner, spelling)
        case .envelope(let result): return envelope(result, spelling)
        case .named(let name, let inner): return reference(name + spelling.suffix, inner, spelling)
        }
    }

    private mutating func reference(_ name: String, _ shape: Shape, _ spelling: Spelling) -> JSONValue {
        if !components.contains(where: { $0.name == name }) {
            // Its place is taken first: it may speak of itself.
            let index = components.count
            components.append(JSONValue.Member(name, .null))
            components[index] = JSONValue.Member(name, schema(shape, spelling))
        }
        return ["$ref": .string("#/components/schemas/\(name)")]
    }

    private mutating func envelope(_ result: Shape, _ spelling: Spelling) -> JSONValue {
        [
            "type": "object", "required": ["message", "status", "version", "result"],
            "properties": [
                "message": ["type": "string"], "status": ["const": "success"], "version": ["type": "string"],
                "result": schema(result, spelling),
            ],
        ]
    }

    private mutating func object(_ fields: [Field], _ spelling: Spelling) -> JSONValue {
        var properties: [JSONValue.Member] = []
        var required: [JSONValue] = []
        for field in fields {
            var shape = field.shape
            var isRequired = field.isRequired
            // camelCase drops what is null.
            if spelling == .camel, case .maybe(let inner) = shape {
                shape = inner
                isRequired = false
            }
            let name = spelling == .asIs ? field.name : KeyCase.camel(field.name)
            var member: JSONValue
            if case .spelled(let inner) = shape {
                member = schema(inner, spelling)
            } else {
                member = schema(shape)
            }
            if !field.note.isEmpty { member = member.setting("description", .string(field.note)) }
            properties.append(JSONValue.Member(name, member))
            if isRequired { required.append(.string(name)) }
        }
        var json: JSONValue = ["type": "object"]
        if !properties.isEmpty { json = json.setting("properties", .object(properties)) }
        if !required.isEmpty { json = json.setting("required", .array(required)) }
        return json
    }
}
