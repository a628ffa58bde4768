import ActorCore
import Testing

/// Names of files that are not UTF-8: kept byte by byte, and shown so that people can find them.
@Suite struct RawNameTests {
    @Test(
        arguments: [
            ([0x61, 0x2e, 0x64], "a.d", true), ([0xc3, 0xa4], "ä", true), ([0x61, 0xff, 0x62], "a\\xffb", false),
            ([0xe2, 0x82, 0xac, 0xe2, 0x82], "€\\xe2\\x82", false), ([0x5c, 0x0a, 0x07], "\\\\\\n\\x07", true),
            // What stands for a byte is no byte when it is on disk itself.
            ([0xf4, 0x8f, 0xbf, 0xbf], "\\xf4\\x8f\\xbf\\xbf", false), ([0x80], "\\x80", false),
        ] as [([UInt8], String, Bool)])
    func namesThereAndBack(bytes: [UInt8], shown: String, isUTF8: Bool) {
        let text = RawName.text(bytes)
        #expect(RawName.bytes(text) == bytes && RawName.shown(text) == shown && RawName.isUTF8(text) == isUTF8)
        let copied = RawName.withCString(text) { name in bytes.indices.map { UInt8(bitPattern: name[$0]) } }
        #expect(copied == bytes)
    }
}
