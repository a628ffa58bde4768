import ActorCore

/// What a search asks for (actors API, section 6.8): words, conditions on fields, and which part of what is found.
struct SearchQuery {
    enum Operator: String, CaseIterable {
        case eq, neq, lt, lte, gt, gte, `in`, nin, between, like, nlike
    }

    private struct Condition {
        let path: [String]
        let test: Test
    }

    private enum Test {
        case equal(Term, Bool)
        case ordered(Term, Operator)
        case among([Term], Bool)
        case between(Term, Term)
        case pattern(LinearPattern, Bool)
    }

    static let standardLimit = 100
    static let mostLimit = 10_000
    private static let mostConditions = 64

    private(set) var limit = SearchQuery.standardLimit
    private(set) var skip = 0
    private var conditions: [Condition] = []
    /// Every one of these must be in it.
    private var phrases: [String] = []
    /// One of these must be in it, when there are no phrases.
    private var words: [String] = []

    /// Nil when nothing is asked for.
    init?(_ items: FormItems, ignoring ignored: Set<String> = []) throws(ActorError) {
        let items = items.items.filter { !ignored.contains($0.name) }
        guard !items.isEmpty else { return nil }
        guard items.count <= Self.mostConditions else {
            throw ActorError(.invalidInput, "a search has at most \(Self.mostConditions) parameters")
        }
        for item in items {
            switch item.name {
            case "limit": limit = try Self.number(item, 0...Self.mostLimit)
            case "skip": skip = try Self.number(item, 0...Int.max)
            case "search": readWords(item.value)
            case "exactsearch": phrases.append(item.value.lowercased())
            default: conditions.append(try Self.condition(item))
            }
        }
    }

    /// A search for everything.
    init() {}

    private static func number(_ item: FormItems.Item, _ range: ClosedRange<Int>) throws(ActorError) -> Int {
        guard let number = Int(item.value), range.contains(number) else {
            throw ActorError(
                .invalidInput,
                "\(item.name) of a search takes a whole number"
                    + (range.upperBound == Int.max ? "" : " up to \(range.upperBound)")
                    + ", not \"\(item.value.prefix(32))\"")
        }
        return number
    }

    private mutating func readWords(_ text: String) {
        for (index, part) in text.split(separator: "\"", omittingEmptySubsequences: false).enumerated() {
            if index % 2 == 1 {
                if !part.isEmpty { phrases.append(part.lowercased()) }
            } else {
                words += part.split(whereSeparator: \.isWhitespace).map { $0.lowercased() }
            }
        }
    }

    private static func condition(_ item: FormItems.Item) throws(ActorError) -> Condition {
        var path = item.name.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        var operation = Operator.eq
        if path.count > 1, let last = path.last, let known = Operator(rawValue: last) {
            operation = known
            path.removeLast()
        }
        guard path.count <= 8, !path.contains("") else {
            throw ActorError(.invalidInput, "\"\(item.name.prefix(64))\" is no field of a search")
        }
        let value = item.value
        let test: Test
        switch operation {
        case .eq, .neq: test = .equal(Term(value), operation == .eq)
        case .lt, .lte, .gt, .gte: test = .ordered(Term(value), operation)
        case .in, .nin:
            let list = try? JSONReader.read(Array(value.utf8), maxDepth: 4)
            let terms =
                list?.array?.map { Term(PythonText.str($0)) }
                ?? value.split(separator: ",").map { Term(String($0)) }
            test = .among(terms, operation == .in)
        case .between:
            let ends = value.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
            guard ends.count == 2 else {
                throw ActorError(
                    .invalidInput, "\(item.name.prefix(64)) takes two values with a comma between them")
            }
            test = .between(Term(ends[0]), Term(ends[1]))
        case .like, .nlike: test = .pattern(try pattern(value), operation == .like)
        }
        return Condition(path: path, test: test)
    }

    private static func pattern(_ text: String) throws(ActorError) -> LinearPattern {
        do throws(PatternError) {
            return try LinearPattern(text, as: .search)
        } catch {
            throw ActorError(.invalidInput, "the pattern of like or nlike \(error.problem)")
        }
    }

    // MARK: Matching

    /// Whether a document, with its names in snake_case, is one of those that are looked for.
    func matches(_ document: JSONValue) -> Bool {
        conditions.allSatisfy { Self.matches(document, $0) } && hasWords(document)
    }

    private func hasWords(_ document: JSONValue) -> Bool {
        guard !phrases.isEmpty || !words.isEmpty else { return true }
        let text = JSONWriter.string(document.removing("_links")).lowercased()
        guard phrases.isEmpty else { return phrases.allSatisfy(text.contains) }
        return words.contains(where: text.contains)
    }

    private static func matches(_ document: JSONValue, _ condition: Condition) -> Bool {
        let value = value(document, condition.path)
        switch condition.test {
        case .equal(let term, let wanted): return term.equals(value) == wanted
        case .ordered(let term, let operation):
            guard let order = term.order(of: value) else { return false }
            switch operation {
            case .lt: return order < 0
            case .lte: return order <= 0
            case .gt: return order > 0
            default: return order >= 0
            }
        case .among(let terms, let wanted): return terms.contains { $0.equals(value) } == wanted
        case .between(let low, let high):
            guard let lower = low.order(of: value), let upper = high.order(of: value) else { return false }
            return lower >= 0 && upper <= 0
        case .pattern(let pattern, let wanted):
            guard let text = value?.string else { return !wanted }
            return pattern.isFound(in: text) == wanted
        }
    }

    private static func value(_ document: JSONValue, _ path: [String]) -> JSONValue? {
        var value: JSONValue? = document
        for name in path { value = value?[name] ?? value?[KeyCase.snake(name)] }
        return value
    }
}

/// A value as somebody typed it: a word that may stand for a number, a truth value, nothing, a moment.
struct Term {
    private let text: String
    private let number: Double?
    private let moment: Timestamp?

    init(_ text: String) {
        self.text = text
        number = Double(text)
        moment = SearchTime.parse(text)
    }

    func equals(_ value: JSONValue?) -> Bool {
        switch value ?? .null {
        case .null: return ["none", "null"].contains(text.lowercased())
        case .bool(let flag): return text.lowercased() == (flag ? "true" : "false")
        case .wide(let digits): return digits == text
        case .int, .double: return number != nil && value?.double == number
        case .string(let word):
            if word == text { return true }
            guard let moment, let found = SearchTime.parse(word), word.utf8.count > 4 else { return false }
            return found == moment
        case .array, .object:
            guard let json = try? JSONReader.read(Array(text.utf8), maxDepth: 16) else { return false }
            return json == value
        }
    }

    /// Below, at or above this term; nil when the two cannot be compared.
    func order(of value: JSONValue?) -> Int? {
        switch value ?? .null {
        case .int, .double, .wide:
            guard let number, let found = value?.double else { return nil }
            return found < number ? -1 : found > number ? 1 : 0
        case .string(let word):
            if let moment, let found = SearchTime.parse(word) {
                return found < moment ? -1 : found > moment ? 1 : 0
            }
            // What has not happened has no moment.
            if moment != nil, word == "None" { return nil }
            return word < text ? -1 : word > text ? 1 : 0
        default: return nil
        }
    }
}
