import ActorCore
import ActorTesting
import Testing

/// ``JSONScan`` against ``JSONReader``: both take a text or both refuse it, and for the same reason.
@Suite struct JSONScanTests {
    private static let seed = UInt64.random(in: 0...UInt64.max)
    private static let cases = 40_000

    private func expectAgreement(_ bytes: [UInt8], maxDepth: Int = 64, _ note: String = "") {
        let read = Result { try JSONReader.read(bytes, maxDepth: maxDepth) }
        let found = Result { try JSONScan.check(bytes, maxDepth: maxDepth, member: "key") }
        let text = String(decoding: bytes.prefix(200), as: UTF8.self)
        switch (read, found) {
        case (.success(let value), .success(let finding)):
            #expect(finding.shape == Self.shape(of: value), "\(note)\(text)")
            #expect(finding.hasMember == (value["key"] != nil), "\(note)\(text)")
        case (.failure(let left), .failure(let right)):
            #expect(left as? JSONReader.Failure == right as? JSONReader.Failure, "\(note)\(text)")
        default:
            Issue.record("\(note)the reader says \(read), the scan \(found): \(text)")
        }
        let bare = bytes.withUnsafeBytes { JSONScan.finding($0, maxDepth: maxDepth) }
        #expect((bare != nil) == ((try? read.get()) != nil), "\(note)\(text)")
    }

    private static func shape(of value: JSONValue) -> JSONScan.Shape {
        switch value {
        case .null: .null
        case .bool: .bool
        case .int, .wide, .double: .number
        case .string: .string
        case .array: .array
        case .object: .object
        }
    }

    @Test func decidesLikeTheReaderOnRandomTexts() {
        var random = SeededGenerator(seed: Self.seed)
        let maker = JSONFuzzTests()
        for number in 0..<Self.cases {
            var bytes = Array(maker.text(&random, depth: 0).utf8)
            if number % 2 == 1 { maker.mutate(&bytes, &random) }
            let depth = number % 8 == 0 ? 3 : 64
            expectAgreement(bytes, maxDepth: depth, "seed \(Self.seed), case \(number): ")
        }
    }

    @Test func decidesLikeTheReaderOnRandomBytesInStrings() {
        var random = SeededGenerator(seed: Self.seed)
        for number in 0..<Self.cases {
            var bytes: [UInt8] = [0x22]
            for _ in 0..<Int.random(in: 0...24, using: &random) {
                switch random.next() % 8 {
                case 0: bytes.append(UInt8(truncatingIfNeeded: random.next()))
                case 1: bytes += Array("é中😀\u{7f}".utf8).shuffled(using: &random).prefix(3)
                case 2: bytes += Array((["\\u", "\\ud8", "\\udc00", "\\"].randomElement(using: &random) ?? "").utf8)
                default: bytes.append(UInt8.random(in: 0x1f...0x80, using: &random))
                }
            }
            bytes.append(0x22)
            expectAgreement(bytes, "seed \(Self.seed), case \(number): ")
        }
    }

    @Test(arguments: JSONReaderTests.good) func takes(_ item: JSONReaderTests.Good) {
        expectAgreement(Array(item.text.utf8))
    }

    @Test(arguments: JSONReaderTests.bad) func refuses(_ item: JSONReaderTests.Bad) {
        expectAgreement(Array(item.text.utf8))
    }

    @Test func everyByteAtEveryPlaceOfAWord() {
        for length in 1...17 {
            for place in 0..<length {
                for byte in UInt8.min...UInt8.max {
                    var text = [UInt8](repeating: 0x61, count: length)
                    text[place] = byte
                    expectAgreement([0x22] + text + [0x22])
                }
            }
        }
    }

    @Test(
        "numbers at the edges of a double",
        arguments: [
            "1e308", "1.7976931348623158e308", "1.7976931348623159e308", "1e309", "-1e309", "0e999999999999", "1e-400",
            "0.0000000001e318", "1e99", "9e0000000000000000000000000000000001", "1e00000000000400",
        ])
    func numbers(_ text: String) {
        expectAgreement(Array(text.utf8))
        for count in [199, 200, 201, 308, 309, 310, 400] {
            expectAgreement(Array((String(repeating: "9", count: count) + text.dropFirst()).utf8))
        }
    }

    /// One name in two spellings is one key, in small objects and in large ones.
    @Test(arguments: [
        (#""a""#, ##""\u0061""##), (#""é""#, "\"e\u{301}\""), (#""K""#, "\"\u{212a}\""), (#""""#, #""""#),
        (#""abcdefghi""#, #""abcdefghi""#), (#""a\/b""#, #""a/b""#),
    ])
    func duplicateKeys(_ first: String, _ second: String) {
        for others in [0, 5, 11, 12, 13, 100] {
            let filler = (0..<others).map { #""other\#($0)":{"a":1},"# }.joined()
            expectAgreement(Array("{\(first):1,\(filler)\(second):2}".utf8))
            expectAgreement(Array("{\(first):1,\(filler)\"last\":[{\(second):2}]}".utf8))
        }
    }

    @Test(arguments: [
        (#"{"message":1}"#, true), (##"{"m\u0065ssage":1}"##, true), (#"{"a":{"message":1}}"#, false), ("[]", false),
        (#"[{"message":1}]"#, false), (#"{"messagf":1}"#, false), (#"{"a":"message"}"#, false), ("{}", false),
    ])
    func tellsWhetherTheOutermostObjectHasAMember(_ text: String, _ hasMember: Bool) throws {
        #expect(try JSONScan.check(Array(text.utf8), member: "message").hasMember == hasMember)
    }

    @Test func largeTextsTakeTimeInProportion() throws {
        let keys = (0..<200_000).map { #""k\#($0)":0"# }.joined(separator: ",")
        #expect(try JSONScan.check(Array("{\(keys)}".utf8)).shape == .object)
        #expect(throws: JSONReader.Failure.self) {
            try JSONScan.check([UInt8](repeating: UInt8(ascii: "["), count: 1_000_000))
        }
    }
}
