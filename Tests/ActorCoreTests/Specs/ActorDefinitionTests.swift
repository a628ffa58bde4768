import ActorCore
import Testing

@Suite("what an actor may use")
struct ActorDefinitionTests {
    static let sizes: [(String, Int64?)] = [
        ("100m", 104_857_600), ("2g", 2_147_483_648), ("512", 512), ("64KiB", 65_536), ("1Gb", 1_073_741_824),
        ("", nil), ("lots", nil), ("-1m", nil), ("0", nil), ("1.5g", nil), ("9223372036854775807t", nil), ("5x", nil),
    ]

    @Test(arguments: sizes)
    func size(text: String, expected: Int64?) {
        #expect(ActorDefinition.bytes(text) == expected)
    }

    static let processors: [(Int, Int64?)] = [(1_500_000_000, 1500), (1_000_000, 1), (3, nil)]

    @Test(arguments: processors)
    func processor(billionths: Int, expected: Int64?) {
        var definition = ActorDefinition(image: "i")
        definition.maxCPUs = billionths
        #expect(definition.cpuMillis == expected)
    }
}
