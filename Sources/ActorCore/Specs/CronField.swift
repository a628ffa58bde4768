/// One field of a cron line: which values match.
struct CronField: Sendable, Equatable {
    /// What a field may hold.
    struct Kind: Sendable {
        let name: String
        let range: ClosedRange<Int>
        /// Words for values, from the range's lowest on; any case.
        var words: [String] = []

        /// How many there are; both ends of the week are one day.
        var count: Int { words.isEmpty ? range.count : Set(words).count }

        static let minute = Kind(name: "minute", range: 0...59)
        static let hour = Kind(name: "hour", range: 0...23)
        static let day = Kind(name: "day", range: 1...31)
        static let month = Kind(
            name: "month", range: 1...12,
            words: ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"])
        /// 0 and 7 are Sunday; the last word makes `FRI-SUN` a range.
        static let weekday = Kind(
            name: "weekday", range: 0...7, words: ["sun", "mon", "tue", "wed", "thu", "fri", "sat", "sun"])
    }

    /// Bit n is set when n matches.
    private let bits: UInt64
    /// `*` and `*/2` leave a day field unrestricted in cron's sense, and make an hour field follow elapsed time.
    let startsWithStar: Bool
    /// What a step means that is longer than the field's range, and what to write instead; nil when none is.
    let stepProblem: String?

    func contains(_ value: Int) -> Bool { bits & (1 << UInt64(value)) != 0 }

    init(_ text: String, _ kind: Kind) throws(ActorError) {
        var bits: UInt64 = 0
        var stepProblem: String?
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            let halves = part.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
            let step = halves.count == 2 ? Self.number(halves[1]) : 1
            let bounds = halves[0].split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
            var low = kind.range.lowerBound
            var high = kind.range.upperBound
            if halves[0] != "*" {
                guard let first = Self.value(bounds[0], kind, isEnd: false),
                    let last = bounds.count == 2 ? Self.value(bounds[1], kind, isEnd: true) : first
                else {
                    throw ActorError(.invalidInput, "the \(kind.name) field of a schedule cannot be \"\(text)\"")
                }
                low = first
                high = bounds.count == 1 && halves.count == 2 ? kind.range.upperBound : last
            }
            guard let step, step > 0, low <= high, kind.range.contains(low), kind.range.contains(high) else {
                let range = "\(kind.range.lowerBound)-\(kind.range.upperBound)"
                throw ActorError(
                    .invalidInput, "the \(kind.name) field of a schedule takes \(range), not \"\(text)\"")
            }
            if step > kind.count { stepProblem = Self.problem(of: part, step, from: low, kind) }
            for value in stride(from: low, through: high, by: step) { bits |= 1 << UInt64(value) }
        }
        // Both ends of the week are Sunday.
        if kind.range == Kind.weekday.range, bits & (1 << 7) != 0 { bits |= 1 }
        self.bits = bits
        self.startsWithStar = text.hasPrefix("*")
        self.stepProblem = stepProblem
    }

    private static func problem(of part: Substring, _ step: Int, from low: Int, _ kind: Kind) -> String {
        "the \(kind.name) field of a schedule takes steps of at most \(kind.count): \"\(part)\" means \(kind.name) "
            + "\(low) alone, not every \(step) \(kind.name)s; write which ones are meant, or START + N hours"
    }

    private static func value(_ text: Substring, _ kind: Kind, isEnd: Bool) -> Int? {
        if let number = number(text) { return number }
        let word = text.lowercased()
        let index = isEnd ? kind.words.lastIndex(of: word) : kind.words.firstIndex(of: word)
        return index.map { $0 + kind.range.lowerBound }
    }

    /// One to four digits and nothing else; `Int` would take a sign.
    private static func number(_ text: Substring) -> Int? {
        (1...4).contains(text.utf8.count) && text.utf8.allSatisfy { (0x30...0x39).contains($0) } ? Int(text) : nil
    }
}
