import ActorCore

/// A regular expression that takes time in proportion to the text, whatever somebody asks for: no backtracking, no
/// references to groups.
///
/// It knows characters, `.`, classes (`[a-z]`, `[^…]`, `\d \w \s` and their capitals), `( )`, `|`, `* + ?`, `{m,n}`,
/// `^` and `$`; it matches anywhere in the text.
struct LinearPattern {
    private indirect enum Node {
        case empty
        case scalars(Set)
        case start
        case end
        case sequence(Node, Node)
        case either(Node, Node)
        case any(Node)
    }

    private struct Set {
        var ranges: [ClosedRange<UInt32>]
        var isNegated = false

        func contains(_ scalar: UInt32) -> Bool { ranges.contains { $0.contains(scalar) } != isNegated }
    }

    private enum Step {
        case scalars(Set, next: Int)
        case split(Int, Int)
        case start(next: Int)
        case end(next: Int)
        case match
    }

    private static let longest = 512
    private static let mostSteps = 1024
    private static let mostVisits = 16384
    /// No more of a text is looked at.
    private static let longestText = 65536
    private static let mostRepeats = 100

    private var steps: [Step] = [.match]
    private let first: Int

    /// Throws `invalidInput` with the reason.
    init(_ text: String) throws(ActorError) {
        guard text.utf8.count <= Self.longest else {
            throw Self.refusal("has more than \(Self.longest) bytes")
        }
        var parser = Parser(scalars: Array(text.unicodeScalars))
        let node = try parser.alternatives(depth: 0)
        guard parser.isAtEnd else { throw Self.refusal("has a ) too many") }
        var steps: [Step] = [.match]
        var visits = 0
        first = try Self.compile(node, then: 0, &steps, &visits)
        self.steps = steps
    }

    private static func refusal(_ what: String) -> ActorError {
        ActorError(.invalidInput, "the pattern of like or nlike \(what)")
    }

    private static func compile(
        _ node: Node, then next: Int, _ steps: inout [Step], _ visits: inout Int
    ) throws(ActorError) -> Int {
        visits += 1
        guard steps.count < mostSteps, visits < mostVisits else { throw refusal("is too large: repeat less") }
        switch node {
        case .empty: return next
        case .scalars(let set): steps.append(.scalars(set, next: next))
        case .start: steps.append(.start(next: next))
        case .end: steps.append(.end(next: next))
        case .sequence(let left, let right):
            return try compile(left, then: try compile(right, then: next, &steps, &visits), &steps, &visits)
        case .either(let left, let right):
            let one = try compile(left, then: next, &steps, &visits)
            let other = try compile(right, then: next, &steps, &visits)
            steps.append(.split(one, other))
        case .any(let inner):
            let loop = steps.count
            steps.append(.split(next, next))
            let body = try compile(inner, then: loop, &steps, &visits)
            steps[loop] = .split(body, next)
            return loop
        }
        return steps.count - 1
    }

    func matches(_ text: String) -> Bool {
        let scalars = Array(text.unicodeScalars.prefix(Self.longestText))
        var current: [Int] = []
        var seen = [Int](repeating: -1, count: steps.count)
        for position in 0...scalars.count {
            // It may begin here as well.
            if add(first, position, scalars.count, &current, &seen) { return true }
            guard position < scalars.count else { break }
            var next: [Int] = []
            for index in current {
                if case .scalars(let set, let target) = steps[index], set.contains(scalars[position].value),
                    add(target, position + 1, scalars.count, &next, &seen)
                {
                    return true
                }
            }
            current = next
        }
        return false
    }

    /// Takes up a step and all that it leads to without a character; true when that is the end of the pattern.
    private func add(_ step: Int, _ position: Int, _ count: Int, _ list: inout [Int], _ seen: inout [Int]) -> Bool {
        var pending = [step]
        while let index = pending.popLast() {
            guard seen[index] != position else { continue }
            seen[index] = position
            switch steps[index] {
            case .match: return true
            case .split(let one, let other): pending += [one, other]
            case .start(let next): if position == 0 { pending.append(next) }
            case .end(let next): if position == count { pending.append(next) }
            case .scalars: list.append(index)
            }
        }
        return false
    }

    private struct Parser {
        let scalars: [Unicode.Scalar]
        var index = 0

        var isAtEnd: Bool { index == scalars.count }
        private var next: Unicode.Scalar? { isAtEnd ? nil : scalars[index] }

        mutating func alternatives(depth: Int) throws(ActorError) -> Node {
            guard depth < 32 else { throw refusal("has too many groups within groups") }
            var node = try sequence(depth)
            while next == "|" {
                index += 1
                node = .either(node, try sequence(depth))
            }
            return node
        }

        private mutating func sequence(_ depth: Int) throws(ActorError) -> Node {
            var node = Node.empty
            while let scalar = next, scalar != "|", scalar != ")" {
                node = .sequence(node, try repeated(try atom(depth)))
            }
            return node
        }

        private mutating func repeated(_ atom: Node) throws(ActorError) -> Node {
            var node = atom
            while let scalar = next {
                switch scalar {
                case "*": node = .any(node)
                case "+": node = .sequence(node, .any(node))
                case "?": node = .either(node, .empty)
                case "{":
                    guard let (least, most) = counts() else { return node }
                    guard least <= mostRepeats, most ?? 0 <= mostRepeats, most.map({ $0 >= least }) ?? true else {
                        throw refusal("repeats more than \(mostRepeats) times")
                    }
                    var result = Node.empty
                    for _ in 0..<least { result = .sequence(result, node) }
                    if let most {
                        for _ in least..<most { result = .sequence(result, .either(node, .empty)) }
                    } else {
                        result = .sequence(result, .any(node))
                    }
                    node = result
                    continue
                default: return node
                }
                index += 1
            }
            return node
        }

        /// `{m}`, `{m,}`, `{m,n}`; anything else is a brace.
        private mutating func counts() -> (Int, Int?)? {
            guard let end = scalars[index...].firstIndex(of: "}") else { return nil }
            let text = String(String.UnicodeScalarView(scalars[(index + 1)..<end]))
            let parts = text.split(separator: ",", omittingEmptySubsequences: false)
            guard (1...2).contains(parts.count), let least = Int(parts[0]), least >= 0 else { return nil }
            let most: Int?
            if parts.count == 1 {
                most = least
            } else if parts[1].isEmpty {
                most = nil
            } else {
                guard let number = Int(parts[1]) else { return nil }
                most = number
            }
            index = end + 1
            return (least, most)
        }

        private mutating func atom(_ depth: Int) throws(ActorError) -> Node {
            let scalar = scalars[index]
            index += 1
            switch scalar {
            case "(":
                // Whether a group is counted makes no difference here.
                if next == "?", index + 1 < scalars.count, scalars[index + 1] == ":" { index += 2 }
                let node = try alternatives(depth: depth + 1)
                guard next == ")" else { throw refusal("has a ( without its )") }
                index += 1
                return node
            case "[": return .scalars(try characters())
            case ".": return .scalars(Set(ranges: [10...10], isNegated: true))
            case "^": return .start
            case "$": return .end
            case "*", "+", "?": throw refusal("repeats nothing with \(scalar)")
            case "\\": return .scalars(try escaped())
            default: return .scalars(Set(ranges: [scalar.value...scalar.value]))
            }
        }

        private mutating func escaped() throws(ActorError) -> Set {
            guard let scalar = next else { throw refusal("ends with a backslash") }
            index += 1
            let digits: [ClosedRange<UInt32>] = [0x30...0x39]
            let word = digits + [0x41...0x5a, 0x61...0x7a, 0x5f...0x5f]
            let blank: [ClosedRange<UInt32>] = [0x09...0x0d, 0x20...0x20]
            switch scalar {
            case "d": return Set(ranges: digits)
            case "D": return Set(ranges: digits, isNegated: true)
            case "w": return Set(ranges: word)
            case "W": return Set(ranges: word, isNegated: true)
            case "s": return Set(ranges: blank)
            case "S": return Set(ranges: blank, isNegated: true)
            case "n": return Set(ranges: [10...10])
            case "t": return Set(ranges: [9...9])
            case "b", "B", "1"..."9": throw refusal("uses \\\(scalar), which is not known here")
            default: return Set(ranges: [scalar.value...scalar.value])
            }
        }

        private mutating func characters() throws(ActorError) -> Set {
            var set = Set(ranges: [])
            if next == "^" {
                set.isNegated = true
                index += 1
            }
            var isFirst = true
            while let scalar = next, scalar != "]" || isFirst {
                isFirst = false
                index += 1
                if scalar == "\\" {
                    let part = try escaped()
                    guard !part.isNegated else { throw refusal("has \\D, \\W or \\S within [ ]") }
                    set.ranges += part.ranges
                    continue
                }
                var last = scalar
                if next == "-", index + 1 < scalars.count, scalars[index + 1] != "]" {
                    last = scalars[index + 1]
                    index += 2
                }
                guard last >= scalar else { throw refusal("has a range in [ ] that ends before it begins") }
                set.ranges.append(scalar.value...last.value)
            }
            guard next == "]" else { throw refusal("has a [ without its ]") }
            index += 1
            return set
        }
    }
}
