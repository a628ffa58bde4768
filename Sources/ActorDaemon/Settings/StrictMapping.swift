import ActorCore

/// Reads one mapping key by key: what is not asked for is an unknown key, what has another type is reported.
final class StrictMapping {
    let pointer: String
    let problems: ProblemCollector
    private let members: [JSONValue.Member]
    private var asked: [String] = []

    /// Nothing there, or `~`, is an empty mapping.
    init(_ value: JSONValue?, at pointer: String, _ problems: ProblemCollector) {
        self.pointer = pointer
        self.problems = problems
        switch value {
        case .object(let members): self.members = members
        case nil, .null: self.members = []
        case .some(let other):
            self.members = []
            let name = pointer.isEmpty ? "the file" : Pointer.dotted(pointer)
            problems.report(pointer, "\(name) takes a mapping (key: value), not \(Self.kind(of: other))")
        }
    }

    func place(_ key: String) -> String { "\(pointer)/\(Pointer.escape(key))" }
    func report(_ key: String, _ reason: String) {
        problems.report(place(key), "\(Pointer.dotted(place(key))) \(reason)")
    }

    /// The value, unless it is absent or `~`.
    func value(_ key: String) -> JSONValue? {
        asked.append(key)
        let value = members.first { $0.name == key }?.value
        return value == .null ? nil : value
    }

    func isSet(_ key: String) -> Bool { members.contains { $0.name == key && !$0.value.isNull } }

    // MARK: Scalars

    func text(_ key: String) -> String? {
        switch value(key) {
        case nil: return nil
        case .string(let text): return text
        case .some(let other):
            let quotes = other.array == nil && other.object == nil ? "; put it in quotes" : ""
            report(key, "takes text, not \(Self.kind(of: other))\(quotes)")
            return nil
        }
    }

    func text(_ key: String, or standard: String) -> String { text(key) ?? standard }

    /// An empty secret opens nothing and is taken for none.
    func secret(_ key: String) -> Secret? { text(key).flatMap { $0.isEmpty ? nil : Secret($0) } }

    func integer<Number: FixedWidthInteger>(
        _ key: String, or standard: Number, in range: ClosedRange<Number>
    ) -> Number {
        guard let value = value(key) else { return standard }
        let number: Number? =
            switch value {
            case .int(let number): Number(exactly: number)
            // Variables hold text; a number in a file must be written as one.
            case .string(let text) where problems.origins[place(key)] != nil: Number(text)
            default: nil
            }
        guard let number, range.contains(number) else {
            let bounds =
                range.upperBound >= Number.max / 2
                ? "of at least \(range.lowerBound)" : "from \(range.lowerBound) to \(range.upperBound)"
            report(key, "takes a whole number \(bounds), not \(shown(value, key))")
            return standard
        }
        return number
    }

    func number(
        _ key: String, or standard: Double, atLeast least: Double, atMost most: Double = 31_536_000
    ) -> Double {
        guard let value = value(key) else { return standard }
        guard let number = value.double, number >= least else {
            report(key, "takes a number of at least \(least), not \(shown(value, key))")
            return standard
        }
        guard number <= most else {
            report(key, "takes a number of at most \(Int64(most)), not \(shown(value, key))")
            return standard
        }
        return number
    }

    func flag(_ key: String, or standard: Bool) -> Bool {
        guard let value = value(key) else { return standard }
        guard let flag = value.bool else {
            report(key, "takes true or false, not \(shown(value, key))")
            return standard
        }
        return flag
    }

    /// One of a few words; `words` are listed in the message.
    func choice(_ key: String, or standard: String, of words: [String]) -> String {
        guard let value = value(key) else { return standard }
        guard let word = value.string, words.contains(word) else {
            let meant = value.string.flatMap { Suggestion.nearest(to: $0, in: words) }
            let hint = meant.map { "; did you mean \($0)?" } ?? ""
            report(key, "takes \(Self.list(words, "or")), not \(shown(value, key))\(hint)")
            return standard
        }
        return word
    }

    // MARK: Lists and mappings

    func texts(_ key: String, or standard: [String] = []) -> [String] {
        guard let value = value(key) else { return standard }
        guard case .array(let items) = value else {
            report(key, "takes a list of text, not \(Self.kind(of: value))")
            return standard
        }
        return items.enumerated().compactMap { index, item in
            guard let text = item.string else {
                problems.report(
                    "\(place(key))/\(index)",
                    "\(Pointer.dotted(place(key))) takes a list of text, but one item is \(Self.kind(of: item))")
                return nil
            }
            return text
        }
    }

    func mapping(_ key: String) -> StrictMapping { StrictMapping(value(key), at: place(key), problems) }

    func mappings(_ key: String) -> [StrictMapping] {
        guard let value = value(key) else { return [] }
        guard case .array(let items) = value else {
            report(key, "takes a list, not \(Self.kind(of: value)); begin each entry with a dash")
            return []
        }
        return items.enumerated().map { StrictMapping($1, at: "\(place(key))/\($0)", problems) }
    }

    /// The members of a mapping whose keys are free.
    func entries() -> [(name: String, value: StrictMapping)] {
        members.map { member in
            asked.append(member.name)
            return (member.name, StrictMapping(member.value, at: place(member.name), problems))
        }
    }

    /// The members of a mapping of free keys to text; numbers and flags are taken as they are written.
    func textEntries() -> [(name: String, value: String)] {
        members.compactMap { member in
            asked.append(member.name)
            switch member.value {
            case .string(let text): return (member.name, text)
            case .null: return (member.name, "")
            case .int, .wide, .double, .bool: return (member.name, JSONWriter.string(member.value))
            case .array, .object:
                report(member.name, "takes text, not \(Self.kind(of: member.value))")
                return nil
            }
        }
    }

    /// Reports every key that nobody asked for.
    ///
    /// - Parameter idle: keys that are read and that nothing acts on: nobody is led to them.
    func finish(notNaming idle: Set<String> = []) {
        let known = Set(asked).subtracting(idle).sorted()
        for member in members where !asked.contains(member.name) {
            let meant = Suggestion.nearest(to: member.name, in: known).map { "; did you mean \($0)?" } ?? ""
            let group = pointer.isEmpty ? "" : " of \(Pointer.dotted(pointer))"
            problems.report(
                place(member.name),
                "\(member.name.prefix(64)) is not a key\(group)\(meant) (keys: \(known.joined(separator: ", ")))")
        }
    }

    // MARK: Words for messages

    static func kind(of value: JSONValue) -> String {
        switch value {
        case .null: "nothing"
        case .bool: "true or false"
        case .int, .wide, .double: "a number"
        case .string: "text"
        case .array: "a list"
        case .object: "a mapping"
        }
    }

    static func list(_ words: [String], _ last: String) -> String {
        guard let final = words.last, words.count > 1 else { return words.first ?? "" }
        return words.dropLast().joined(separator: ", ") + " \(last) \(final)"
    }

    /// What stands there, short; never what came out of a variable, which may be a secret.
    private func shown(_ value: JSONValue, _ key: String) -> String {
        guard problems.origins[place(key)] == nil else { return "what this variable holds" }
        switch value {
        case .array, .object: return Self.kind(of: value)
        case .string(let text): return "\"\(text.prefix(40))\""
        default: return JSONWriter.string(value)
        }
    }
}
