import ActorCore
import Testing

@Suite struct MillisecondsTests {
    @Test(
        arguments: [
            (0, 0), (0.5, 500), (1.9999, 1999), (86400, 86_400_000), (-1, 0), (1e17, Milliseconds.longest),
            (1e30, Milliseconds.longest), (.infinity, Milliseconds.longest), (-.infinity, 0), (.nan, 0),
        ] as [(Double, Int64)])
    func ofFractions(seconds: Double, expected: Int64) {
        #expect(Milliseconds.of(seconds: seconds) == expected)
    }

    @Test(
        arguments: [
            (0, 0), (60, 60_000), (-1, 0), (.min, 0), (.max, Milliseconds.longest),
            (Int.max / 1000 + 1, Milliseconds.longest),
        ] as [(Int, Int64)])
    func ofWholeSeconds(seconds: Int, expected: Int64) {
        #expect(Milliseconds.of(seconds: seconds) == expected)
    }
}
