import ActorCore
import ActorTesting
import Testing

@Suite struct ExecutionNumbersTests {
    private static let seed = UInt64.random(in: 0...UInt64.max)
    private let numbers = ExecutionNumbers(key: (0x0123_4567_89ab_cdef, 0xfedc_ba98_7654_3210))

    @Test func everySequenceIsFoundAgain() {
        var random = SeededGenerator(seed: Self.seed)
        let last = ExecutionNumbers.sequences.upperBound - 1
        var sequences: [Int64] = [0, 1, 2, 1 << 30 - 1, 1 << 30, 1 << 30 + 1, 1 << 59, last - 1, last]
        for _ in 0..<20_000 { sequences.append(Int64.random(in: ExecutionNumbers.sequences, using: &random)) }
        for sequence in sequences {
            let id = numbers.id(of: sequence)
            #expect(numbers.sequence(of: id) == sequence, "seed \(Self.seed)")
            #expect((12...14).contains(id.rawValue.utf8.count))
        }
    }

    @Test func neighboursHaveDistinctAndUnrelatedIds() {
        let values = (0..<20_000).map { Hashids.abaco.decode(numbers.id(of: $0).rawValue).map(UInt64.init) ?? 0 }
        #expect(Set(values).count == values.count)
        // Of 60 bits, neighbours differ in half of them, more or less.
        var turned = 0
        for (left, right) in zip(values, values.dropFirst()) { turned += (left ^ right).nonzeroBitCount }
        let average = Double(turned) / Double(values.count - 1)
        #expect((29.5...30.5).contains(average), "\(average)")
        let rising = zip(values, values.dropFirst()).count { $0 < $1 }
        #expect((9_500...10_500).contains(rising))
    }

    @Test func anotherKeyGivesOtherIds() {
        let others = ExecutionNumbers(key: (0x0123_4567_89ab_cdef, 0xfedc_ba98_7654_3211))
        #expect((0..<1000).allSatisfy { numbers.id(of: $0) != others.id(of: $0) })
    }

    @Test func whatCannotBeOursHasNoSequence() {
        for text in ["", "a", "ü", "hello", "6y", "R4Xo", "not-a-hashid", String(repeating: "e", count: 100)] {
            #expect(numbers.sequence(of: ExecutionID(text)) == nil)
        }
        for number in [UInt128(1) << 60 - 1, 1 << 61, 1 << 64, 1 << 60 | 1 << 65, .max] {
            #expect(numbers.sequence(of: ExecutionID(Hashids.abaco.encode(number))) == nil)
        }
        #expect(numbers.sequence(of: ExecutionID(Hashids.abaco.encode(1 << 60))) != nil)
        #expect(numbers.sequence(of: ExecutionID(Hashids.abaco.encode(1 << 61 - 1))) != nil)
    }
}
