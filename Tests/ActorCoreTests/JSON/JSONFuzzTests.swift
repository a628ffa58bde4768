import ActorCore
import ActorTesting
import Foundation
import Testing

/// ``JSONReader`` against Foundation's reader: both take a text or both refuse it, and what they take is equal.
@Suite struct JSONFuzzTests {
    private static let seed = UInt64.random(in: 0...UInt64.max)
    private static let cases = 20_000

    /// Why ``JSONReader`` may refuse what Foundation takes.
    private static let stricter = [
        "duplicate key", "surrogate stands alone", "out of range", "nested deeper", "not valid UTF-8",
    ]

    @Test func agreesWithFoundation() throws {
        var random = SeededGenerator(seed: Self.seed)
        var taken = 0
        for number in 0..<Self.cases {
            var bytes = Array(text(&random, depth: 0).utf8)
            if number % 2 == 1 { mutate(&bytes, &random) }
            // Foundation also reads UTF-16 and UTF-32, which it recognises by zero bytes or a mark at the start.
            if bytes.prefix(4).contains(0) || bytes.first.map({ $0 >= 0xef }) == true { continue }
            let theirs = try? JSONSerialization.jsonObject(with: Data(bytes), options: .fragmentsAllowed)
            do throws(JSONReader.Failure) {
                let ours = try JSONReader.read(bytes)
                taken += 1
                let isEqual = theirs.map { Self.equal(ours, $0) } ?? false
                #expect(isEqual, "seed \(Self.seed), case \(number): \(String(decoding: bytes, as: UTF8.self))")
                let again = try JSONReader.read(JSONWriter.bytes(ours))
                #expect(again == ours, "seed \(Self.seed), case \(number): the writer changed the value")
            } catch {
                let isExpected =
                    theirs == nil || Self.stricter.contains { error.reason.contains($0) }
                    || Self.isTrailingComma(bytes, error.offset)
                #expect(
                    isExpected,
                    "seed \(Self.seed), case \(number): \(error): \(String(decoding: bytes, as: UTF8.self))")
                #expect((0...bytes.count).contains(error.offset), "seed \(Self.seed), case \(number): \(error)")
            }
        }
        #expect(taken > Self.cases / 3, "seed \(Self.seed): only \(taken) texts were JSON")
    }

    /// Foundation takes `[1,]`; RFC 8259 does not.
    private static func isTrailingComma(_ bytes: [UInt8], _ offset: Int) -> Bool {
        guard offset < bytes.count, "]}".utf8.contains(bytes[offset]) else { return false }
        return bytes[..<offset].last { !" \n\r\t".utf8.contains($0) } == UInt8(ascii: ",")
    }

    /// Foundation reads many digits through a decimal number and may round the last bits otherwise.
    private static func isNear(_ number: Double, _ theirs: Any) -> Bool {
        let other = (theirs as? NSNumber)?.doubleValue ?? .nan
        return abs(number - other) <= 1e-14 * abs(number)
    }

    private static func equal(_ ours: JSONValue, _ theirs: Any) -> Bool {
        switch ours {
        case .null: return theirs is NSNull
        case .bool(let flag): return (theirs as? NSNumber)?.boolValue == flag
        case .int(let number): return (theirs as? NSNumber)?.int64Value == number
        case .wide(let digits): return isNear(Double(digits) ?? .nan, theirs)
        case .double(let number): return isNear(number, theirs)
        case .string(let text): return (theirs as? String).map { Array($0.utf8) == Array(text.utf8) } ?? false
        case .array(let items):
            guard let others = theirs as? [Any], others.count == items.count else { return false }
            return zip(items, others).allSatisfy { equal($0, $1) }
        case .object(let members):
            guard let others = theirs as? [String: Any], others.count == members.count else { return false }
            return members.allSatisfy { member in others[member.name].map { equal(member.value, $0) } ?? false }
        }
    }

    func text(_ random: inout SeededGenerator, depth: Int) -> String {
        let blank = ["", "", "", " ", "\n\t"].randomElement(using: &random) ?? ""
        let inner: String
        switch Int.random(in: 0..<(depth > 4 ? 6 : 10), using: &random) {
        case 0: inner = ["true", "false", "null"].randomElement(using: &random) ?? "null"
        case 1: inner = String(Int64(bitPattern: random.next()) >> Int64.random(in: 0..<64, using: &random))
        case 2: inner = number(&random)
        case 3...5: inner = string(&random)
        case 6, 7:
            let items = (0..<Int.random(in: 0...4, using: &random)).map { _ in text(&random, depth: depth + 1) }
            inner = "[" + items.joined(separator: ",") + "]"
        default:
            let members = (0..<Int.random(in: 0...4, using: &random)).map { _ in
                string(&random) + blank + ":" + text(&random, depth: depth + 1)
            }
            inner = "{" + members.joined(separator: ",") + "}"
        }
        return blank + inner + blank
    }

    private func number(_ random: inout SeededGenerator) -> String {
        let whole = String(Int.random(in: -1000...1000, using: &random))
        let fraction = ["", ".0", ".5", ".000001", ".\(random.next())"].randomElement(using: &random) ?? ""
        let exponent = ["", "e5", "E-7", "e+20", "e300"].randomElement(using: &random) ?? ""
        return whole + fraction + exponent
    }

    private func string(_ random: inout SeededGenerator) -> String {
        let pieces = [
            "a", "key", " ", "é", "中", "😀", "\\n", "\\\"", "\\\\", "\\/", "\\u0041", "\\u00e9", "\\ud83d\\ude00",
            "\u{7f}",
            "\\u0000", "e\u{301}", "\\b\\f\\r\\t",
        ]
        let parts = (0..<Int.random(in: 0...4, using: &random)).map { _ in pieces.randomElement(using: &random) ?? "" }
        return "\"" + parts.joined() + "\""
    }

    func mutate(_ bytes: inout [UInt8], _ random: inout SeededGenerator) {
        let interesting = Array("{}[]\",:\\0123456789eE+-.tfnu \n\u{1f}".utf8) + [0x80, 0xc0, 0xed, 0xff]
        for _ in 0..<Int.random(in: 1...3, using: &random) {
            let place = Int.random(in: 0...bytes.count, using: &random)
            let byte = interesting.randomElement(using: &random) ?? 0x20
            switch Int.random(in: 0..<4, using: &random) {
            case 0: bytes.insert(byte, at: place)
            case 1 where place < bytes.count: bytes.remove(at: place)
            case 2 where place < bytes.count: bytes[place] = byte
            case 3: bytes.removeSubrange(place...)
            default: break
            }
        }
    }
}
