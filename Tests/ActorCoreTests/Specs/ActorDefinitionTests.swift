import ActorCore
import Testing

@Suite("what an actor may use")
struct ActorDefinitionTests {
    @Test(
        arguments: [
            ("100m", 104_857_600), ("2g", 2_147_483_648), ("512", 512), ("64KiB", 65_536), ("1Gb", 1_073_741_824),
            ("", nil), ("lots", nil), ("-1m", nil), ("0", nil), ("1.5g", nil), ("9223372036854775807t", nil),
            ("5x", nil),
        ] as [(String, Int64?)])
    func sizes(text: String, expected: Int64?) {
        #expect(ActorDefinition.bytes(text) == expected)
    }

    @Test(arguments: [(1_500_000_000, 1500), (1_000_000, 1), (3, nil)] as [(Int, Int64?)])
    func processors(billionths: Int, expected: Int64?) {
        var definition = ActorDefinition(image: "i")
        definition.maxCPUs = billionths
        #expect(definition.cpuMillis == expected)
    }
}
