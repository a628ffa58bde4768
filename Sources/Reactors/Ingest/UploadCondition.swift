package import ActorCore

/// What a condition of a job file or of a folder rule may ask of an upload.
package struct UploadFacts: Sendable, Equatable {
    package var name: String
    package var files: [String]
    package var bytes: Int64
    /// The content of `metadata.json`.
    package var metadata: JSONValue

    package init(name: String, files: [String] = [], bytes: Int64 = 0, metadata: JSONValue = .null) {
        self.name = name
        self.files = files
        self.bytes = bytes
        self.metadata = metadata
    }
}

/// A condition on an upload, as people write it: `name[11] == "e" and metadata.instrument ~ "MEA*"`.
///
/// Operands are `name`, `name[N]` (its character at N, from 0), `bytes`, `count` (of files), `file` (any of the files'
/// paths), `metadata.a.b` (a member of `metadata.json`), texts in quotes and whole numbers. Comparisons are `==`, `!=`,
/// `~` (a pattern with `*` and `?`), `<`, `<=`, `>`, `>=`; they are joined by `and`, `or`, `not` and parentheses. A
/// member that is not there is equal to nothing, and a metadata member alone asks whether it is there and not false.
package indirect enum UploadCondition: Sendable, Equatable {
    package enum Operand: Sendable, Equatable {
        case name
        case character(Int)
        case bytes
        case count
        case file
        case metadata([String])
        case text(String)
        case number(Int64)
    }

    package enum Comparison: String, Sendable, CaseIterable {
        case lessOrEqual = "<="
        case greaterOrEqual = ">="
        case equal = "=="
        case unequal = "!="
        case matches = "~"
        case less = "<"
        case greater = ">"
    }

    case compare(Operand, Comparison, Operand)
    case holds(Operand)
    case not(UploadCondition)
    case all([UploadCondition])
    case any([UploadCondition])

    package func isTrue(of upload: UploadFacts) -> Bool {
        switch self {
        case .compare(.file, let comparison, let right):
            upload.files.contains { path in
                Self.compare(.string(path), comparison, Self.value(right, upload))
                    || Self.compare(.string(Self.base(path)), comparison, Self.value(right, upload))
            }
        case .compare(let left, let comparison, let right):
            Self.compare(Self.value(left, upload), comparison, Self.value(right, upload))
        case .holds(let operand): Self.holds(Self.value(operand, upload))
        case .not(let condition): !condition.isTrue(of: upload)
        case .all(let conditions): conditions.allSatisfy { $0.isTrue(of: upload) }
        case .any(let conditions): conditions.contains { $0.isTrue(of: upload) }
        }
    }

    private static func base(_ path: String) -> String { path.split(separator: "/").last.map(String.init) ?? path }

    private static func value(_ operand: Operand, _ upload: UploadFacts) -> JSONValue? {
        switch operand {
        case .name: return .string(upload.name)
        case .character(let index): return upload.name.dropFirst(index).first.map { .string(String($0)) }
        case .bytes: return .int(upload.bytes)
        case .count: return JSONValue(upload.files.count)
        case .file: return upload.files.first.map { .string($0) }
        case .metadata(let names):
            return names.reduce(Optional(upload.metadata)) { value, name in
                if let index = Int(name), let items = value?.array {
                    return items.indices.contains(index) ? items[index] : nil
                }
                return value?[name]
            }
        case .text(let text): return .string(text)
        case .number(let number): return .int(number)
        }
    }

    private static func holds(_ value: JSONValue?) -> Bool {
        guard let value, !value.isNull else { return false }
        return value.bool ?? true
    }

    private static func compare(_ left: JSONValue?, _ comparison: Comparison, _ right: JSONValue?) -> Bool {
        if comparison == .unequal { return !compare(left, .equal, right) }
        guard let left, let right else { return false }
        if let (left, right) = numbers(left, right) {
            switch comparison {
            case .equal: return left == right
            case .less: return left < right
            case .lessOrEqual: return left <= right
            case .greater: return left > right
            case .greaterOrEqual: return left >= right
            case .matches, .unequal: return false
            }
        }
        guard let left = text(left), let right = text(right) else { return false }
        switch comparison {
        case .equal: return left == right
        case .matches: return Glob.matches(right, left)
        case .less: return left < right
        case .lessOrEqual: return left <= right
        case .greater: return left > right
        case .greaterOrEqual: return left >= right
        case .unequal: return false
        }
    }

    private static func numbers(_ left: JSONValue, _ right: JSONValue) -> (Double, Double)? {
        guard let left = left.double, let right = right.double else { return nil }
        return (left, right)
    }

    private static func text(_ value: JSONValue) -> String? {
        if let text = value.string { return text }
        if let bool = value.bool { return bool ? "true" : "false" }
        return value.int.map(String.init)
    }
}

extension UploadCondition {
    /// What is wrong with a condition, and at which character (1 is the first).
    package struct Malformed: Error, Sendable, Equatable, CustomStringConvertible {
        package let position: Int
        package let reason: String

        package var description: String { "at character \(position): \(reason)" }
    }

    package init(parsing text: String) throws(Malformed) {
        guard text.utf8.count <= 4096 else { throw Malformed(position: 4096, reason: "it is longer than 4096 bytes") }
        var parser = ConditionParser(text)
        self = try parser.whole()
    }
}

/// Reads a condition from left to right.
private struct ConditionParser {
    private static let maxDepth = 32
    private let text: [Character]
    private var index = 0
    private var depth = 0

    init(_ text: String) { self.text = Array(text) }

    mutating func whole() throws(UploadCondition.Malformed) -> UploadCondition {
        let condition = try disjunction()
        skipBlanks()
        guard index == text.count else { throw wrong("expected and, or, or the end") }
        return condition
    }

    private mutating func disjunction() throws(UploadCondition.Malformed) -> UploadCondition {
        var parts = [try conjunction()]
        while takeWord("or") { parts.append(try conjunction()) }
        return parts.count == 1 ? parts[0] : .any(parts)
    }

    private mutating func conjunction() throws(UploadCondition.Malformed) -> UploadCondition {
        var parts = [try negation()]
        while takeWord("and") { parts.append(try negation()) }
        return parts.count == 1 ? parts[0] : .all(parts)
    }

    private mutating func negation() throws(UploadCondition.Malformed) -> UploadCondition {
        depth += 1
        defer { depth -= 1 }
        guard depth <= Self.maxDepth else { throw wrong("it is nested deeper than \(Self.maxDepth) levels") }
        if takeWord("not") { return .not(try negation()) }
        skipBlanks()
        if take("(") {
            let inner = try disjunction()
            skipBlanks()
            guard take(")") else { throw wrong("a parenthesis is not closed") }
            return inner
        }
        let left = try operand()
        guard let comparison = comparison() else {
            if case .metadata = left { return .holds(left) }
            throw wrong("expected one of ==, !=, ~, <, <=, >, >=")
        }
        return .compare(left, comparison, try operand())
    }

    private mutating func comparison() -> UploadCondition.Comparison? {
        skipBlanks()
        return UploadCondition.Comparison.allCases.first { candidate in
            let word = Array(candidate.rawValue)
            guard text[index...].starts(with: word) else { return false }
            index += word.count
            return true
        }
    }

    private mutating func operand() throws(UploadCondition.Malformed) -> UploadCondition.Operand {
        skipBlanks()
        guard index < text.count else { throw wrong("it ends where a value is expected") }
        if text[index] == "\"" || text[index] == "'" { return .text(try quoted(text[index])) }
        if text[index].isASCII, text[index].isNumber { return .number(try number()) }
        let start = index
        let word = name()
        switch word {
        case "name":
            guard take("[") else { return .name }
            let place = try number()
            guard take("]"), place <= 1000 else { throw wrong("expected name[N] with N from 0 to 1000") }
            return .character(Int(place))
        case "bytes": return .bytes
        case "count": return .count
        case "file": return .file
        case "metadata":
            var names: [String] = []
            while take(".") {
                let part = name()
                guard !part.isEmpty else { throw wrong("expected a member's name behind the point") }
                names.append(part)
            }
            guard !names.isEmpty else { throw wrong("expected metadata.NAME") }
            return .metadata(names)
        default:
            index = start
            throw wrong("expected name, name[N], bytes, count, file, metadata.NAME, a text in quotes or a number")
        }
    }

    private mutating func quoted(_ mark: Character) throws(UploadCondition.Malformed) -> String {
        let start = index
        index += 1
        var value = ""
        while index < text.count, text[index] != mark {
            value.append(text[index])
            index += 1
        }
        guard take(mark) else {
            index = start
            throw wrong("the text that begins here is not closed")
        }
        return value
    }

    private mutating func number() throws(UploadCondition.Malformed) -> Int64 {
        let start = index
        while index < text.count, text[index].isASCII, text[index].isNumber { index += 1 }
        guard let value = Int64(String(text[start..<index])) else { throw wrong("expected a whole number") }
        return value
    }

    private mutating func name() -> String {
        let start = index
        while index < text.count, text[index].isASCII,
            text[index].isLetter || text[index].isNumber || text[index] == "_" || text[index] == "-"
        {
            index += 1
        }
        return String(text[start..<index])
    }

    private mutating func takeWord(_ word: String) -> Bool {
        skipBlanks()
        let start = index
        if name() == word { return true }
        index = start
        return false
    }

    private mutating func take(_ character: Character) -> Bool {
        guard index < text.count, text[index] == character else { return false }
        index += 1
        return true
    }

    private mutating func skipBlanks() {
        while index < text.count, text[index].isWhitespace { index += 1 }
    }

    private func wrong(_ reason: String) -> UploadCondition.Malformed { .init(position: index + 1, reason: reason) }
}
