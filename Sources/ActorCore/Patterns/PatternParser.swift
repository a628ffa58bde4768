/// A pattern as a tree.
indirect enum PatternTree: Sendable, Equatable {
    case empty
    case one(LinearPattern.Test)
    case assert(LinearPattern.Assertion)
    case sequence([PatternTree])
    case alternatives([PatternTree])
    /// `most` nil: without an end.
    case repeated(PatternTree, least: Int, most: Int?)
}

/// Reads the syntax of Python's `re`, as far as it can be run in one pass.
struct PatternParser {
    private static let maxDepth = 50

    private let dialect: LinearPattern.Dialect
    private let scalars: [Unicode.Scalar]
    private var position = 0
    private var depth = 0
    private(set) var ignoresCase = false

    init(_ text: String, _ dialect: LinearPattern.Dialect) {
        scalars = Array(text.unicodeScalars)
        self.dialect = dialect
    }

    mutating func parse() throws(PatternError) -> PatternTree {
        try flags()
        let tree = try alternatives()
        guard position == scalars.count else { throw wrong("an unbalanced )") }
        return tree
    }

    private var next: Unicode.Scalar? { position < scalars.count ? scalars[position] : nil }

    private func wrong(_ what: String) -> PatternError { PatternError("has \(what) at character \(position + 1)") }

    private func starts(_ text: String) -> Bool { scalars[position...].starts(with: text.unicodeScalars) }

    private mutating func take(_ scalar: Unicode.Scalar) -> Bool {
        guard next == scalar else { return false }
        position += 1
        return true
    }

    /// `(?i)` at the beginning; other flags change nothing about a single line, or nothing that is offered here.
    private mutating func flags() throws(PatternError) {
        guard starts("(?") else { return }
        var end = position + 2
        while end < scalars.count, "aimsu".unicodeScalars.contains(scalars[end]) { end += 1 }
        guard end > position + 2, end < scalars.count, scalars[end] == ")" else { return }
        ignoresCase = scalars[position..<end].contains("i")
        position = end + 1
    }

    private mutating func alternatives() throws(PatternError) -> PatternTree {
        depth += 1
        defer { depth -= 1 }
        guard depth <= Self.maxDepth else { throw wrong("groups nested deeper than \(Self.maxDepth)") }
        var branches = [try sequence()]
        while take("|") { branches.append(try sequence()) }
        return branches.count == 1 ? branches[0] : .alternatives(branches)
    }

    private mutating func sequence() throws(PatternError) -> PatternTree {
        var items: [PatternTree] = []
        while let scalar = next, scalar != "|", scalar != ")" {
            let item = try atom()
            items.append(try quantified(item))
        }
        return items.isEmpty ? .empty : .sequence(items)
    }

    private mutating func atom() throws(PatternError) -> PatternTree {
        guard let scalar = next else { return .empty }
        position += 1
        switch scalar {
        case ".": return .one(.any)
        case "^": return .assert(.start)
        case "$": return .assert(.end)
        case "(": return try group()
        case "[": return .one(.set(try set()))
        case "\\": return try escape()
        case "*", "+", "?":
            position -= 1
            throw wrong("\(scalar), which has nothing to repeat,")
        default: return .one(.scalar(fold(scalar)))
        }
    }

    private func fold(_ scalar: Unicode.Scalar) -> Unicode.Scalar {
        guard ignoresCase else { return scalar }
        let lower = scalar.properties.lowercaseMapping.unicodeScalars
        return lower.count == 1 ? lower.first ?? scalar : scalar
    }

    private mutating func group() throws(PatternError) -> PatternTree {
        if take("?") {
            if starts("P<"), let end = scalars[position...].firstIndex(of: ">") {
                position = end + 1
            } else if !take(":") {
                throw wrong("a kind of group that is not offered here (look-around, flags)")
            }
        }
        let tree = try alternatives()
        guard take(")") else { throw wrong("a ( without its )") }
        return tree
    }

    private mutating func quantified(_ item: PatternTree) throws(PatternError) -> PatternTree {
        var tree = item
        while let scalar = next {
            let range: (least: Int, most: Int?)
            switch scalar {
            case "*": range = (0, nil)
            case "+": range = (1, nil)
            case "?": range = (0, 1)
            case "{":
                // Braces that hold no count are text: the next atom.
                guard let counted = try counts() else { return tree }
                range = counted
                // On the closing brace, as if it were a sign.
                position -= 1
            default: return tree
            }
            position += 1
            if case .assert = item { throw wrong("a repetition of a place") }
            // Greedy or not makes no difference to whether it is found.
            if next == "?" { position += 1 }
            if let next, "*+".unicodeScalars.contains(next) { throw wrong("a repetition of a repetition") }
            tree = .repeated(tree, least: range.least, most: range.most)
        }
        return tree
    }

    /// `{2}`, `{2,}`, `{,3}`, `{2,3}`; anything else in braces is text, as in Python.
    private mutating func counts() throws(PatternError) -> (least: Int, most: Int?)? {
        guard let end = scalars[position...].firstIndex(of: "}") else { return nil }
        let inside = String(String.UnicodeScalarView(scalars[(position + 1)..<end]))
        let parts = inside.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        let numbers = parts.map { $0.isEmpty ? nil : Int($0) }
        guard parts.count <= 2, inside != "", inside != ",", zip(parts, numbers).allSatisfy({ $0.isEmpty || $1 != nil })
        else { return nil }
        guard dialect.countsFromNothing || numbers[0] != nil else { return nil }
        let least = numbers[0] ?? 0
        let most = parts.count == 1 ? least : numbers[1]
        guard least >= 0, least <= dialect.maxRepeat, most.map({ $0 >= least && $0 <= dialect.maxRepeat }) ?? true
        else {
            throw wrong("a repetition that is not from 0 to \(dialect.maxRepeat)")
        }
        position = end + 1
        return (least, most)
    }

    private mutating func escape() throws(PatternError) -> PatternTree {
        guard let scalar = next else { throw wrong("a \\ with nothing behind it") }
        switch scalar {
        case "A": return place(.start)
        case "Z": return place(.absoluteEnd)
        case "b": return place(.wordBorder)
        case "B": return place(.noWordBorder)
        case "1"..."9": throw wrong("a back-reference, which is not offered here,")
        default:
            guard let part = classPart(scalar) else { return .one(.scalar(fold(try literal()))) }
            position += 1
            return .one(.set(ScalarSet(parts: [part])))
        }
    }

    private mutating func place(_ assertion: LinearPattern.Assertion) -> PatternTree {
        position += 1
        return .assert(assertion)
    }

    private func classPart(_ scalar: Unicode.Scalar) -> ScalarSet.Part? {
        switch scalar {
        case "d": .digit
        case "D": .noDigit
        case "w": .word
        case "W": .noWord
        case "s": .space
        case "S": .noSpace
        default: nil
        }
    }

    /// What stands behind a backslash, as one scalar.
    private mutating func literal() throws(PatternError) -> Unicode.Scalar {
        guard let scalar = next else { throw wrong("a \\ with nothing behind it") }
        position += 1
        switch scalar {
        case "n": return "\n"
        case "t": return "\t"
        case "r": return "\r"
        case "f": return "\u{0c}"
        case "v": return "\u{0b}"
        case "a": return "\u{07}"
        case "0": return "\0"
        case "x": return try hexadecimal(2)
        case "u": return try hexadecimal(4)
        case "U": return try hexadecimal(8)
        default:
            guard !scalar.properties.isAlphabetic else {
                position -= 1
                throw wrong("the unknown escape \\\(scalar)")
            }
            return scalar
        }
    }

    private mutating func hexadecimal(_ digits: Int) throws(PatternError) -> Unicode.Scalar {
        guard position + digits <= scalars.count,
            let code = UInt32(String(String.UnicodeScalarView(scalars[position..<(position + digits)])), radix: 16),
            let scalar = Unicode.Scalar(code)
        else { throw wrong("an escape without its \(digits) hexadecimal digits") }
        position += digits
        return scalar
    }

    private mutating func set() throws(PatternError) -> ScalarSet {
        var set = ScalarSet()
        set.isNegated = take("^")
        var isFirst = true
        while true {
            guard let scalar = next else { throw wrong("a [ without its ]") }
            if scalar == "]", !isFirst {
                position += 1
                return set
            }
            isFirst = false
            if scalar == "\\", position + 1 < scalars.count, let part = classPart(scalars[position + 1]) {
                position += 2
                set.parts.append(part)
                continue
            }
            let first = try member()
            if next == "-", position + 1 < scalars.count, scalars[position + 1] != "]" {
                position += 1
                let last = try member()
                guard first <= last else { throw wrong("a range from high to low") }
                set.parts.append(.range(first, last))
            } else {
                set.parts.append(.range(first, first))
            }
        }
    }

    private mutating func member() throws(PatternError) -> Unicode.Scalar {
        guard let scalar = next else { throw wrong("a [ without its ]") }
        position += 1
        guard scalar == "\\" else { return scalar }
        if take("b") { return "\u{08}" }
        return try literal()
    }
}

/// Turns the tree into instructions.
struct PatternCompiler {
    private(set) var program: [LinearPattern.Instruction] = []
    /// What is repeated is visited each time, also where it writes nothing.
    private var visits = 0
    private let maxInstructions: Int

    init(_ dialect: LinearPattern.Dialect) { maxInstructions = dialect.maxInstructions }

    mutating func add(_ tree: PatternTree) throws(PatternError) {
        visits += 1
        guard program.count <= maxInstructions, visits <= 8 * maxInstructions else {
            throw PatternError("is too large once its repetitions are written out")
        }
        switch tree {
        case .empty: break
        case .one(let test): program.append(.match(test))
        case .assert(let assertion): program.append(.assert(assertion))
        case .sequence(let items): for item in items { try add(item) }
        case .alternatives(let branches): try add(branches)
        case .repeated(let item, let least, let most):
            for _ in 0..<least { try add(item) }
            guard let most else { return try addLoop(item) }
            for _ in least..<most { try addOptional(item) }
        }
    }

    private mutating func add(_ branches: [PatternTree]) throws(PatternError) {
        var ends: [Int] = []
        for (index, branch) in branches.enumerated() {
            guard index < branches.count - 1 else {
                try add(branch)
                break
            }
            let split = program.count
            program.append(.split(split + 1, 0))
            try add(branch)
            ends.append(program.count)
            program.append(.jump(0))
            program[split] = .split(split + 1, program.count)
        }
        for end in ends { program[end] = .jump(program.count) }
    }

    private mutating func addLoop(_ item: PatternTree) throws(PatternError) {
        let split = program.count
        program.append(.split(split + 1, 0))
        try add(item)
        program.append(.jump(split))
        program[split] = .split(split + 1, program.count)
    }

    private mutating func addOptional(_ item: PatternTree) throws(PatternError) {
        let split = program.count
        program.append(.split(split + 1, 0))
        try add(item)
        program[split] = .split(split + 1, program.count)
    }
}
