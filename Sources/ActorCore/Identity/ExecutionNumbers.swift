/// Execution ids that are their sequence number in disguise: found again without an index, and telling nobody how many
/// messages there were.
///
/// A Feistel network over two halves of 30 bits under a key of 128 bits. It hides; it is no proof of origin.
package struct ExecutionNumbers: Sendable {
    private static let halfBits: UInt64 = 30
    private static let half: UInt64 = 1 << halfBits - 1
    /// All ids carry this bit, so that all have about the same length and none is a small number.
    private static let mark: UInt64 = 1 << 60
    private static let rounds = 6

    /// Sequence numbers that have an id.
    package static let sequences: Range<Int64> = 0..<1 << 60

    private let keys: [UInt64]

    /// - Parameter key: 128 bits that stay the same as long as the store lives.
    package init(key: (UInt64, UInt64)) {
        var keys: [UInt64] = []
        var state = key.0
        for round in 0..<UInt64(Self.rounds) {
            state = Self.mixed(state ^ key.1 &+ round &* 0x9e37_79b9_7f4a_7c15)
            keys.append(state)
        }
        self.keys = keys
    }

    /// - Precondition: `sequence` is one of ``sequences``.
    package func id(of sequence: Int64) -> ExecutionID {
        precondition(Self.sequences.contains(sequence), "sequence \(sequence) has no execution id")
        return ExecutionID(Hashids.abaco.encode(UInt128(Self.mark | permuted(UInt64(sequence)))))
    }

    /// Nil when `id` cannot be one of ours.
    package func sequence(of id: ExecutionID) -> Int64? {
        guard let number = Hashids.abaco.decode(id.rawValue).flatMap(UInt64.init(exactly:)),
            number & ~(Self.mark - 1) == Self.mark
        else { return nil }
        return Int64(restored(number & (Self.mark - 1)))
    }

    private func permuted(_ number: UInt64) -> UInt64 {
        var left = number >> Self.halfBits
        var right = number & Self.half
        for key in keys { (left, right) = (right, left ^ (Self.mixed(right ^ key) & Self.half)) }
        return left << Self.halfBits | right
    }

    private func restored(_ number: UInt64) -> UInt64 {
        var left = number >> Self.halfBits
        var right = number & Self.half
        for key in keys.reversed() { (left, right) = (right ^ (Self.mixed(left ^ key) & Self.half), left) }
        return left << Self.halfBits | right
    }

    /// Every bit of the input turns about half of the bits of the output.
    private static func mixed(_ input: UInt64) -> UInt64 {
        var value = input
        value = (value ^ (value >> 30)) &* 0xbf58_476d_1ce4_e5b9
        value = (value ^ (value >> 27)) &* 0x94d0_49bb_1331_11eb
        return value ^ (value >> 31)
    }
}
