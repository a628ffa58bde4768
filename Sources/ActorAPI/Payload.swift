package import ActorCore

/// One thing as the API sends it: to JSON and back.
package protocol Payload: Sendable, Equatable {
    /// Nil when a field that must be there is missing or of another type; unknown fields are skipped.
    init?(json: JSONValue)
    var json: JSONValue { get }
}

/// A list as the API sends it: `{"<plural>": [...], "next": cursor|null}`.
package struct Page<Item: Payload>: Sendable, Equatable {
    package var items: [Item]
    /// What to pass as the cursor for the following page; nil on the last one.
    package var next: String?

    package init(items: [Item], next: String? = nil) {
        self.items = items
        self.next = next
    }

    /// Nil when `plural` is missing or one of its items cannot be read.
    package init?(json: JSONValue, plural: String) {
        guard let values = json[plural]?.array else { return nil }
        var items: [Item] = []
        for value in values {
            guard let item = Item(json: value) else { return nil }
            items.append(item)
        }
        self.items = items
        self.next = json["next"]?.string
    }

    package func json(plural: String) -> JSONValue {
        [plural: .array(items.map(\.json)), "next": JSONValue(next)]
    }
}

extension JSONValue {
    /// The optional fields that have a value, in place of nulls.
    func withoutNulls(_ names: String...) -> JSONValue {
        guard case .object(let members) = self else { return self }
        return .object(members.filter { !(names.contains($0.name) && $0.value.isNull) })
    }
}
