/// Lengths of time, which files and answers give in seconds: however absurd the number, it never ends the daemon.
package enum Milliseconds {
    /// A hundred years, so that sums and clocks that count in nanoseconds still hold it.
    package static let longest: Int64 = 36_525 * 86_400_000

    /// Between nothing and ``longest``; what is no number is nothing.
    package static func of(seconds: Double) -> Int64 {
        guard seconds > 0 else { return 0 }
        return seconds < Double(longest / 1000) ? Int64(seconds * 1000) : longest
    }

    /// Between nothing and ``longest``.
    package static func of(seconds: some BinaryInteger) -> Int64 {
        max(0, min(Int64(clamping: seconds), longest / 1000)) * 1000
    }
}
