/// Which events somebody wants: the filter dialects of the CloudEvents Subscriptions API.
package indirect enum EventFilter: Sendable, Equatable {
    /// An attribute and what is asked of it.
    package struct Term: Sendable, Equatable {
        package let attribute: String
        package let value: String

        package init(_ attribute: String, _ value: String) {
            self.attribute = attribute
            self.value = value
        }
    }

    /// Every attribute is there and has exactly this value.
    case exact([Term])
    case prefix([Term])
    case suffix([Term])
    case all([EventFilter])
    case any([EventFilter])
    case not(EventFilter)

    /// Nested deeper, or made of more parts, a filter is refused.
    package static let maxDepth = 8
    package static let maxParts = 128
    package static let maxValueBytes = 1024

    /// Values are compared byte by byte, with case.
    package func matches(_ event: CloudEvent) -> Bool {
        switch self {
        case .exact(let terms):
            terms.allSatisfy { term in
                event.attribute(term.attribute).map { $0.utf8.elementsEqual(term.value.utf8) } ?? false
            }
        case .prefix(let terms):
            terms.allSatisfy { term in
                event.attribute(term.attribute).map { $0.utf8.starts(with: term.value.utf8) } ?? false
            }
        case .suffix(let terms):
            terms.allSatisfy { term in
                event.attribute(term.attribute).map { $0.utf8.reversed().starts(with: term.value.utf8.reversed()) }
                    ?? false
            }
        case .all(let filters): filters.allSatisfy { $0.matches(event) }
        case .any(let filters): filters.contains { $0.matches(event) }
        case .not(let filter): !filter.matches(event)
        }
    }

    package var json: JSONValue {
        switch self {
        case .exact(let terms): ["exact": Self.json(terms)]
        case .prefix(let terms): ["prefix": Self.json(terms)]
        case .suffix(let terms): ["suffix": Self.json(terms)]
        case .all(let filters): ["all": .array(filters.map(\.json))]
        case .any(let filters): ["any": .array(filters.map(\.json))]
        case .not(let filter): ["not": filter.json]
        }
    }

    private static func json(_ terms: [Term]) -> JSONValue {
        .object(terms.map { JSONValue.Member($0.attribute, .string($0.value)) })
    }
}

extension EventFilter {
    /// The member `filters` of a subscription: an array of filters, all of which must match.
    ///
    /// Throws `invalidInput` with the JSON pointer of what is wrong.
    package static func list(_ json: JSONValue, at place: String = "/filters") throws(ActorError) -> [EventFilter] {
        var reader = Reader()
        return try reader.list(json, at: place, depth: 0, mayBeEmpty: true)
    }

    private struct Reader {
        private var parts = 0

        mutating func list(
            _ json: JSONValue, at place: String, depth: Int, mayBeEmpty: Bool
        ) throws(ActorError) -> [EventFilter] {
            guard let items = json.array else { throw wrong(place, "must be an array of filters") }
            guard mayBeEmpty || !items.isEmpty else { throw wrong(place, "needs at least one filter") }
            var filters: [EventFilter] = []
            for (index, item) in items.enumerated() {
                filters.append(try filter(item, at: "\(place)/\(index)", depth: depth + 1))
            }
            return filters
        }

        mutating func filter(_ json: JSONValue, at place: String, depth: Int) throws(ActorError) -> EventFilter {
            guard depth <= EventFilter.maxDepth else {
                throw wrong(place, "filters are nested deeper than \(EventFilter.maxDepth) levels")
            }
            try count(at: place)
            guard let members = json.object, members.count == 1, let member = members.first else {
                throw wrong(place, "must be an object with one member: exact, prefix, suffix, all, any or not")
            }
            let inside = "\(place)/\(member.name.prefix(32))"
            switch member.name {
            case "exact": return .exact(try terms(member.value, at: inside))
            case "prefix": return .prefix(try terms(member.value, at: inside))
            case "suffix": return .suffix(try terms(member.value, at: inside))
            case "all": return .all(try list(member.value, at: inside, depth: depth, mayBeEmpty: false))
            case "any": return .any(try list(member.value, at: inside, depth: depth, mayBeEmpty: false))
            case "not": return .not(try filter(member.value, at: inside, depth: depth + 1))
            default: throw wrong(inside, "is no filter dialect; those are exact, prefix, suffix, all, any and not")
            }
        }

        private mutating func terms(_ json: JSONValue, at place: String) throws(ActorError) -> [Term] {
            guard let members = json.object, !members.isEmpty else {
                throw wrong(place, "must be an object of attribute names and texts")
            }
            var terms: [Term] = []
            for member in members {
                try count(at: place)
                let inside = "\(place)/\(member.name.prefix(64))"
                guard CloudEvent.isAttributeName(member.name) else {
                    throw wrong(inside, "is no attribute name: those are made of a-z and 0-9")
                }
                guard let value = member.value.string, !value.isEmpty, value.utf8.count <= EventFilter.maxValueBytes
                else { throw wrong(inside, "must be a text of 1 to \(EventFilter.maxValueBytes) bytes") }
                terms.append(Term(member.name, value))
            }
            return terms
        }

        private mutating func count(at place: String) throws(ActorError) {
            parts += 1
            guard parts <= EventFilter.maxParts else {
                throw wrong(place, "the filters have more than \(EventFilter.maxParts) parts")
            }
        }

        private func wrong(_ place: String, _ problem: String) -> ActorError {
            ActorError(
                .invalidInput, "this is no filter", details: [ActorError.Detail(place: place, problem: problem)])
        }
    }
}
