import ActorCore

/// One document of a dump, with the place where it stands.
struct DumpItem {
    let json: JSONValue
    /// A JSON pointer.
    let place: String
    /// The name that it lies under, where documents lie under names.
    let key: String?
    /// The name that the documents around it lie under.
    let parentKey: String?

    init(json: JSONValue, place: String, key: String? = nil, parentKey: String? = nil) {
        self.json = json
        self.place = place
        self.key = key
        self.parentKey = parentKey
    }

    /// The documents of one part: a list, an answer of the API with a list in it, or documents under their names.
    ///
    /// - Parameter isNested: under a name there may lie several documents under names of their own.
    static func list(_ part: JSONValue?, at place: String, isNested: Bool = false) -> [DumpItem] {
        guard let part, !part.isNull else { return [] }
        if let items = part.array {
            return items.enumerated().map { DumpItem(json: $1, place: "\(place)/\($0)") }
        }
        if let result = part["result"], part["status"] != nil { return list(result, at: place, isNested: isNested) }
        return (part.object ?? []).flatMap { member -> [DumpItem] in
            let place = "\(place)/\(member.name.prefix(128))"
            let inner = member.value.object ?? []
            if isNested, !inner.isEmpty, inner.allSatisfy({ $0.value.object != nil || $0.name == "_id" }) {
                return inner.filter { $0.name != "_id" }.map {
                    DumpItem(
                        json: $0.value, place: "\(place)/\($0.name.prefix(128))", key: $0.name, parentKey: member.name)
                }
            }
            return [DumpItem(json: member.value, place: place, key: member.name)]
        }
    }

    /// By its name in snake_case; camelCase is taken as well.
    subscript(name: String) -> JSONValue? { json[name] ?? json[KeyCase.camel(name)] }

    /// A text that says something: the old service writes None where there is nothing.
    func text(_ name: String) -> String? {
        guard let text = self[name]?.string, !text.isEmpty, text != "None" else { return nil }
        return text
    }

    /// As the API writes it, or as the database exports it (`{"$date": …}`).
    func moment(_ name: String) -> Timestamp? {
        let value = self[name]?["$date"] ?? self[name]
        if let number = value?.int { return Timestamp(milliseconds: Int64(number)) }
        return value?.string.flatMap(SearchTime.parse)
    }
}

/// `TENANT_word`, as the old service's database names things.
struct DumpKey {
    let tenant: String?
    let word: String

    /// Nil for an empty text. Names may have underscores of their own: what stands before the last one is a tenant when
    /// an id follows, or when there is a tenant of that name.
    init?(_ text: String, _ tenants: [String]) {
        guard !text.isEmpty else { return nil }
        let known = tenants.first { text.hasPrefix($0 + "_") && text.utf8.count > $0.utf8.count + 1 }
        if let known {
            tenant = known
            word = String(text.dropFirst(known.count + 1))
        } else if let key = DumpKey(id: text), Hashids.abaco.decode(key.word) != nil {
            self = key
        } else {
            tenant = nil
            word = text
        }
    }

    /// A tenant and an id; nil for a text without an underscore.
    init?(id text: String) {
        guard let border = text.lastIndex(of: "_"), border > text.startIndex, text.index(after: border) < text.endIndex
        else { return nil }
        tenant = String(text[..<border])
        word = String(text[text.index(after: border)...])
    }

    /// The id that stands behind the tenant, or alone.
    static func word(_ text: String) -> String { DumpKey(text, [])?.word ?? "" }
}
