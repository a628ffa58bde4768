/// A regular expression that takes time in proportion to the text, whatever somebody asks for: searched anywhere in it,
/// without regard to where it is found.
///
/// It is run as a set of states that moves over the text once, so the time is bounded by the length of the text times
/// the length of the pattern; what cannot be run that way (look-around, back-references) is refused by name.
package struct LinearPattern: Sendable, Equatable {
    /// Who writes the pattern, and how much of it is taken.
    package struct Dialect: Sendable {
        /// Bytes of the pattern.
        let longest: Int
        /// Counted repetitions are unrolled; these bound the result.
        let maxRepeat: Int
        let maxInstructions: Int
        /// Scalars of the text that are looked at.
        let longestText: Int
        /// `a{,3}` is a count; elsewhere it is text.
        let countsFromNothing: Bool

        /// Python's `re`, for the names of files.
        package static let python = Dialect(
            longest: 1000, maxRepeat: 1000, maxInstructions: 20_000, longestText: .max, countsFromNothing: true)
        /// What a search of the actors API may ask for.
        package static let search = Dialect(
            longest: 512, maxRepeat: 100, maxInstructions: 1024, longestText: 65_536, countsFromNothing: false)
    }

    /// What one scalar must be.
    enum Test: Sendable, Equatable {
        case scalar(Unicode.Scalar)
        case any
        case set(ScalarSet)
    }

    /// Where in the text something must be.
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
    private let longestText: Int

    /// Throws what is wrong with the pattern, and where.
    package init(_ text: String, as dialect: Dialect) throws(PatternError) {
        guard text.utf8.count <= dialect.longest else {
            throw PatternError("is longer than \(dialect.longest) bytes")
        }
        var parser = PatternParser(text, dialect)
        let tree = try parser.parse()
        var compiler = PatternCompiler(dialect)
        try compiler.add(tree)
        self.text = text
        self.program = compiler.program + [.done]
        self.ignoresCase = parser.ignoresCase
        self.longestText = dialect.longestText
    }

    /// Whether it is found anywhere in `text`, as `re.search` would.
    package func isFound(in text: String) -> Bool {
        let scalars = Array((ignoresCase ? text.lowercased() : text).unicodeScalars.prefix(longestText))
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
        // The text is in lower case then; a class may be written in upper case.
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
