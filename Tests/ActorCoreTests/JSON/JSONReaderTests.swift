import ActorCore
import Testing

@Suite struct JSONReaderTests {
    struct Good: Sendable {
        let text: String
        let value: JSONValue
    }

    static let good = [
        Good(text: "null", value: .null),
        Good(text: " \t\r\n true ", value: true),
        Good(text: "0", value: 0),
        Good(text: "-0", value: 0),
        Good(text: "-0.0", value: .double(-0.0)),
        Good(text: "9223372036854775807", value: .int(.max)),
        Good(text: "-9223372036854775808", value: .int(.min)),
        Good(text: "9223372036854775808", value: .wide("9223372036854775808")),
        Good(text: "1E+2", value: .double(100)),
        Good(text: "1e-400", value: .double(0)),
        Good(text: "1.7976931348623157e308", value: .double(.greatestFiniteMagnitude)),
        Good(text: #""""#, value: ""),
        Good(text: #""\"\\\/\b\f\n\r\t""#, value: "\"\\/\u{8}\u{c}\n\r\t"),
        Good(text: #""\u00e9\uD83D\uDE00\u0000""#, value: "\u{e9}\u{1f600}\u{0}"),
        Good(text: "\"\u{7f}\u{e9}\u{1f600}\"", value: "\u{7f}\u{e9}\u{1f600}"),
        Good(text: "[]", value: []),
        Good(text: "[1 , [ ] ,{ } ]", value: [1, [], [:]]),
        Good(text: #"{"b":1,"a":{"":null}}"#, value: ["b": 1, "a": ["": nil]]),
    ]

    @Test(arguments: good) func reads(_ item: Good) throws {
        #expect(try JSONReader.read(Array(item.text.utf8)) == item.value)
    }

    struct Bad: Sendable {
        let text: String
        let offset: Int
        let reason: String
    }

    static let bad = [
        Bad(text: "", offset: 0, reason: "ends where a value"),
        Bad(text: "  ", offset: 2, reason: "ends where a value"),
        Bad(text: "\u{feff}1", offset: 0, reason: "not a JSON value"),
        Bad(text: "1 2", offset: 2, reason: "something follows"),
        Bad(text: "nul", offset: 0, reason: "not a JSON value"),
        Bad(text: "nulL", offset: 0, reason: "not a JSON value"),
        Bad(text: "NaN", offset: 0, reason: "not a JSON value"),
        Bad(text: "Infinity", offset: 0, reason: "not a JSON value"),
        Bad(text: "01", offset: 1, reason: "start with 0"),
        Bad(text: "-01", offset: 2, reason: "start with 0"),
        Bad(text: "-", offset: 0, reason: "not a JSON value"),
        Bad(text: "+1", offset: 0, reason: "not a JSON value"),
        Bad(text: ".5", offset: 0, reason: "not a JSON value"),
        Bad(text: "1.", offset: 2, reason: "digit must follow the point"),
        Bad(text: "1e", offset: 2, reason: "digit must follow the e"),
        Bad(text: "1e+", offset: 3, reason: "digit must follow the e"),
        Bad(text: "[1e400]", offset: 1, reason: "out of range"),
        Bad(text: "0x10", offset: 1, reason: "something follows"),
        Bad(text: "[1,]", offset: 3, reason: "not a JSON value"),
        Bad(text: "[1 2]", offset: 3, reason: "comma or ]"),
        Bad(text: "[", offset: 1, reason: "ends where a value"),
        Bad(text: "{", offset: 1, reason: "key must be a string"),
        Bad(text: "{1:2}", offset: 1, reason: "key must be a string"),
        Bad(text: #"{"a":1,}"#, offset: 7, reason: "key must be a string"),
        Bad(text: #"{"a" 1}"#, offset: 5, reason: "colon"),
        Bad(text: #"{"a":1 "b"}"#, offset: 7, reason: "comma or }"),
        Bad(text: #"{"a":1,"b":2,"a":3}"#, offset: 13, reason: "duplicate key \"a\""),
        Bad(text: ##"{"a":1,"\u0061":3}"##, offset: 7, reason: "duplicate key \"a\""),
        Bad(text: "\"a", offset: 2, reason: "ends inside a string"),
        Bad(text: "\"a\nb\"", offset: 2, reason: "control character"),
        Bad(text: #""\x41""#, offset: 3, reason: "unknown escape"),
        Bad(text: #""\u12"#, offset: 3, reason: "ends inside an escape"),
        Bad(text: #""\u12g4""#, offset: 5, reason: "four hexadecimal digits"),
        Bad(text: #""\ud800""#, offset: 7, reason: "high surrogate stands alone"),
        Bad(text: #""\ud800\n""#, offset: 8, reason: "high surrogate stands alone"),
        Bad(text: #""\ud800\ud800""#, offset: 13, reason: "high surrogate stands alone"),
        Bad(text: #""\udc00""#, offset: 7, reason: "low surrogate stands alone"),
    ]

    @Test(arguments: bad) func refusesAndSaysWhere(_ item: Bad) {
        let failure = #expect(throws: JSONReader.Failure.self) { try JSONReader.read(Array(item.text.utf8)) }
        #expect(failure?.offset == item.offset)
        #expect(failure?.reason.contains(item.reason) == true, "\(String(describing: failure))")
    }

    /// Overlong forms, surrogates, stray and missing continuation bytes.
    @Test(
        arguments: [
            [0xc0, 0x80], [0xed, 0xa0, 0x80], [0x80], [0xe2, 0x82], [0xf5, 0x80, 0x80, 0x80], [0xff],
        ] as [[UInt8]])
    func stringsMustBeUTF8(_ bytes: [UInt8]) {
        #expect(throws: JSONReader.Failure.self) { try JSONReader.read([0x22] + bytes + [0x22]) }
        #expect(throws: JSONReader.Failure.self) { try JSONReader.read(bytes) }
    }

    @Test func depthIsBoundedWhateverTheLength() throws {
        func nested(_ count: Int) -> [UInt8] {
            Array(repeating: UInt8(ascii: "["), count: count) + Array(repeating: UInt8(ascii: "]"), count: count)
        }
        #expect(throws: Never.self) { try JSONReader.read(nested(64)) }
        let failure = #expect(throws: JSONReader.Failure.self) { try JSONReader.read(nested(65)) }
        #expect(failure?.description == "byte 64: nested deeper than 64 levels")
        #expect(throws: JSONReader.Failure.self) { try JSONReader.read(nested(1_000_000)) }
        let objects = Array(String(repeating: #"{"a":"#, count: 200_000).utf8)
        #expect(throws: JSONReader.Failure.self) { try JSONReader.read(objects) }
    }
}

@Suite struct JSONWriterTests {
    static let table: [(value: JSONValue, text: String)] = [
        (nil, "null"), (true, "true"), (.int(.min), "-9223372036854775808"), (.double(1), "1.0"),
        (.double(-0.0), "-0.0"), (.double(.leastNonzeroMagnitude), "5e-324"), (.double(1e16), "1e+16"),
        (.double(.infinity), "null"),
        (.double(.nan), "null"), ("\"\\/\u{8}\u{1f}\n\t\r\u{7f}é", "\"\\\"\\\\/\\u0008\\u001f\\n\\t\\r\u{7f}é\""),
        (["b": [1, [], [:]], "a": ""], #"{"b":[1,[],{}],"a":""}"#),
    ]

    @Test(arguments: table) func writes(_ value: JSONValue, _ text: String) throws {
        #expect(JSONWriter.string(value) == text)
    }

    @Test func prettyTextIsIndentedAndTheSameValue() throws {
        let value: JSONValue = ["b": [1, []], "a": [:], "c": ["d": nil]]
        let pretty = JSONWriter.pretty(value)
        #expect(pretty == "{\n  \"b\": [\n    1,\n    []\n  ],\n  \"a\": {},\n  \"c\": {\n    \"d\": null\n  }\n}")
        #expect(try JSONReader.read(Array(pretty.utf8)) == value)
    }
}

@Suite struct PythonTextTests {
    @Test(arguments: PythonTable.rows)
    func printsWhatPythonPrints(_ text: String, _ repr: String, _ minified: String) throws {
        let value = try JSONReader.read(Array(text.utf8))
        #expect(Array(PythonText.repr(value).unicodeScalars) == Array(repr.unicodeScalars))
        #expect(PythonText.minified(value) == minified)
    }

    /// Python keeps whole numbers of any size, and ids are hashed from their digits.
    @Test(arguments: ["18446744073709551616", "-9223372036854775809", "123456789012345678901234567890"])
    func wholeNumbersBeyond64BitsKeepTheirDigits(digits: String) throws {
        let value = try JSONReader.read(Array(digits.utf8))
        #expect(value == .wide(digits))
        #expect(PythonText.minified(value) == digits)
        #expect(PythonText.repr(value) == digits)
        #expect(JSONWriter.string(value) == digits)
        #expect(value.int == nil && value.double == Double(digits))
    }
}
