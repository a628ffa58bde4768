/// A regular expression as Python's `re` reads it, searched in one file name.
///
/// Patterns come from whoever creates a job. It is run as a set of states that moves over the name once, so the time is
/// bounded by the length of the name times the length of the pattern, whatever the pattern is; what cannot be run
/// that way (look-around, back-references) is refused by name.
package struct NamePattern: Sendable, Equatable {
    package static let longest = 1000
    /// Counted repetitions are unrolled; this bounds the result.
    static let maxInstructions = 20_000

    /// What one scalar must be.
    enum Test: Sendable, Equatable {
        case scalar(Unicode.Scalar)
        case any
        case set(ScalarSet)
    }

    /// Where in the name something must be.
    enum Assertion: Sendable, Equatable {
        case start, end, absoluteEnd, wordBorder, noWordBorder
    }

    enum Instruction: Sendable, Equatable {
        case match(Test)
        case assert(Assertion)
        case split(Int, Int)
        case jump(Int)
        case done
    }

    package let text: String
    private let program: [Instruction]
    private let ignoresCase: Bool

    /// Throws what is wrong with the pattern, and where.
    package init(_ text: String) throws(PatternError) {
        guard text.utf8.count <= Self.longest else {
            throw PatternError("is longer than \(Self.longest) bytes")
        }
        var parser = PatternParser(text)
        let tree = try parser.parse()
        var compiler = PatternCompiler()
        try compiler.add(tree)
        self.text = text
        self.program = compiler.program + [.done]
        self.ignoresCase = parser.ignoresCase
    }

    /// Whether it is found anywhere in `name`, as `re.search` would.
    package func isFound(in name: String) -> Bool {
        let scalars = Array((ignoresCase ? name.lowercased() : name).unicodeScalars)
        var current = StateSet(count: program.count)
        var next = StateSet(count: program.count)
        for position in 0...scalars.count {
            // A search may begin at every position.
            if add(0, at: position, of: scalars, to: &current) { return true }
            guard position < scalars.count else { break }
            for index in 0..<current.count {
                let state = current[index]
                guard case .match(let test) = program[state], passes(test, scalars[position]) else { continue }
                if add(state + 1, at: position + 1, of: scalars, to: &next) { return true }
            }
            swap(&current, &next)
            next.clear()
        }
        return false
    }

    /// Adds a state and all that follow from it without a scalar; true when the pattern is found by then.
    private func add(_ first: Int, at position: Int, of scalars: [Unicode.Scalar], to set: inout StateSet) -> Bool {
        var waiting = [first]
        while let state = waiting.popLast() {
            guard set.insert(state) else { continue }
            switch program[state] {
            case .match: continue
            case .done: return true
            case .jump(let target): waiting.append(target)
            case .split(let one, let other): waiting += [other, one]
            case .assert(let assertion):
                if holds(assertion, at: position, of: scalars) { waiting.append(state + 1) }
            }
        }
        return false
    }

    private func passes(_ test: Test, _ scalar: Unicode.Scalar) -> Bool {
        switch test {
        case .any: scalar != "\n"
        case .scalar(let wanted): scalar == wanted
        case .set(let set): set.contains(scalar, ignoringCase: ignoresCase)
        }
    }

    private func holds(_ assertion: Assertion, at position: Int, of scalars: [Unicode.Scalar]) -> Bool {
        switch assertion {
        case .start: return position == 0
        case .absoluteEnd: return position == scalars.count
        case .end:
            return position == scalars.count || (position == scalars.count - 1 && scalars[position] == "\n")
        case .wordBorder, .noWordBorder:
            let before = position > 0 && ScalarSet.isWord(scalars[position - 1])
            let after = position < scalars.count && ScalarSet.isWord(scalars[position])
            return (before != after) == (assertion == .wordBorder)
        }
    }
}

/// Why a pattern cannot be used.
package struct PatternError: Error, Sendable, Equatable {
    package let problem: String

    init(_ problem: String) { self.problem = problem }
}

/// States without repeats, in the order in which they came.
private struct StateSet {
    private var members: [Int] = []
    private var isMember: [Bool]

    init(count: Int) { isMember = Array(repeating: false, count: count) }

    var count: Int { members.count }
    subscript(index: Int) -> Int { members[index] }

    mutating func insert(_ state: Int) -> Bool {
        guard !isMember[state] else { return false }
        isMember[state] = true
        members.append(state)
        return true
    }

    mutating func clear() {
        for state in members { isMember[state] = false }
        members.removeAll(keepingCapacity: true)
    }
}

/// A class of scalars: `[a-z_]`, `\d`, `[^/]`.
struct ScalarSet: Sendable, Equatable {
    enum Part: Sendable, Equatable {
        case range(Unicode.Scalar, Unicode.Scalar)
        case digit, noDigit, word, noWord, space, noSpace
    }

    var parts: [Part] = []
    var isNegated = false

    func contains(_ scalar: Unicode.Scalar, ignoringCase: Bool) -> Bool {
        var found = parts.contains { Self.holds($0, scalar) }
        // The name is in lower case then; a class may be written in upper case.
        if ignoringCase, !found {
            found = scalar.properties.uppercaseMapping.unicodeScalars.contains { upper in
                parts.contains { Self.holds($0, upper) }
            }
        }
        return found != isNegated
    }

    private static func holds(_ part: Part, _ scalar: Unicode.Scalar) -> Bool {
        switch part {
        case .range(let first, let last): first <= scalar && scalar <= last
        case .digit: isDigit(scalar)
        case .noDigit: !isDigit(scalar)
        case .word: isWord(scalar)
        case .noWord: !isWord(scalar)
        case .space: scalar.properties.isWhitespace
        case .noSpace: !scalar.properties.isWhitespace
        }
    }

    static func isDigit(_ scalar: Unicode.Scalar) -> Bool { scalar.properties.generalCategory == .decimalNumber }

    static func isWord(_ scalar: Unicode.Scalar) -> Bool {
        scalar == "_" || scalar.properties.isAlphabetic || scalar.properties.numericType != nil
    }
}
