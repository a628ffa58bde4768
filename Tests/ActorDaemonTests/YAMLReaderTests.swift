import ActorCore
import ActorDaemon
import Testing

@Suite("YAML reader")
struct YAMLReaderTests {
    private func read(_ text: String) throws(ActorError) -> ParsedDocument {
        try YAMLReader().read(yaml: Array(text.utf8), file: "x.yml")
    }

    private func problem(_ text: String) throws -> ActorError.Detail {
        let error = try #require(throws: ActorError.self) {
            try YAMLReader().read(yaml: Array(text.utf8), file: "x.yml")
        }
        #expect(error.code == .invalidInput)
        return try #require(error.details.first)
    }

    @Test(
        "plain scalars follow the core schema",
        arguments: [
            ("~", JSONValue.null), ("null", .null), ("", .null), ("true", true), ("False", false), ("yes", "yes"),
            ("on", "on"), ("12", 12), ("-7", -7), ("+3", 3), ("0x1f", 31), ("0o17", 15), ("017", 17), ("1.5", 1.5),
            (".5", 0.5), ("1.", 1.0), ("1e3", 1000.0), ("-2.5E-1", -0.25), ("1e999", "1e999"), (".inf", ".inf"),
            ("1.2.3", "1.2.3"), ("2026-11-21", "2026-11-21"), ("\"12\"", "12"), ("'~'", "~"), ("!!str 12", "12"),
            ("99999999999999999999", 1e20), ("1e", "1e"), ("0x", "0x"), ("a: b", ["a": "b"]),
        ] as [(String, JSONValue)])
    func scalars(text: String, value: JSONValue) throws {
        #expect(try read("k: \(text.contains(": ") ? "{\(text)}" : text)\n").value == ["k": value])
    }

    @Test("every value has its line, and keys with slashes are escaped")
    func lines() throws {
        let document = try read("# c\na:\n  b: 1\n  c/d:\n    - x\n    - y\n\"e~\": |\n  text\n")
        #expect(document.lines["/a"] == 2)
        #expect(document.lines["/a/b"] == 3)
        #expect(document.lines["/a/c~1d"] == 4)
        #expect(document.lines["/a/c~1d/1"] == 6)
        #expect(document.lines["/e~0"] == 7)
        #expect(document.value["e~"] == "text\n")
    }

    @Test("an empty text is null", arguments: ["", "# only a comment\n", "---\n"])
    func empty(text: String) throws { #expect(try read(text).value == .null) }

    @Test(
        "what is wrong is named with its line",
        arguments: [
            ("a: 1\na: 2\n", 2, "twice"), ("1: a\n\"1\": b\n", 2, "twice"), ("a: 1\n--- \nb: 2\n", 2, "document"),
            ("a: !!python/object x\n", 1, "tag"), ("a: !custom {b: 1}\n", 1, "tag"), ("a:\n\t- b\n", 2, "not valid"),
            ("x: 1\n? [a, b]\n: c\n", 2, "key"), ("a: &x 1\nb: *x\n", 2, "aliases"), ("a: &x 1\n", 1, "anchors"),
            ("a: *nobody\n", 1, "alias"), ("a: {b: 1\nc: 2\n", 2, "not valid"), ("ok: 1\nbad: \u{7}\n", 2, "control"),
        ])
    func refusals(text: String, line: Int, word: String) throws {
        let problem = try problem(text)
        #expect(problem.place == "x.yml:\(line)")
        #expect(problem.problem.contains(word), "\(problem.problem)")
    }

    @Test("bytes that are no UTF-8 are named with their line")
    func badText() throws {
        let bytes = Array("a: 1\nb: ".utf8) + [0xff, 0x0a]
        let error = try #require(throws: ActorError.self) { try YAMLReader().read(yaml: bytes, file: "x.yml") }
        #expect(error.details.first?.place == "x.yml:2")
    }

    @Test("a job file with a misplaced indent is named with its line")
    func brokenJobFile() throws {
        var lines = (1...19).map { "# line \($0)" }
        lines[9] = "spec:"
        lines[10] = "  resources:"
        lines[11] = "      requests: {cpu: 1}"
        lines += ["     limits:", "        memory: 1Gi"]
        let problem = try problem(lines.joined(separator: "\n"))
        #expect(problem.place == "x.yml:20")
    }

    @Test("stars and ampersands of a shell script are text")
    func script() throws {
        let text = "run: |\n  rm -f *.tmp && ls *a 2>&1 &\n  * item\nglob: \"*.i16le\"\nand: a && b\n"
        #expect(try read(text).value["glob"] == "*.i16le")
    }
}

@Suite("YAML bombs")
struct YAMLBombTests {
    private static func laughs(_ levels: Int, asKey: Bool) -> String {
        var text = "l0: &l0 [x, x, x, x, x, x, x, x, x]\n"
        for level in 1...levels {
            let inner = (0..<9).map { _ in "*l\(level - 1)" }.joined(separator: ", ")
            text += "l\(level): &l\(level) [\(inner)]\n"
        }
        return asKey ? text + "? *l\(levels)\n: x\n" : text
    }

    static let bombs: [(name: String, text: String)] = [
        ("billion laughs", laughs(12, asKey: false)),
        ("billion laughs as a key", laughs(12, asKey: true)),
        ("a cycle", "a: &a [*a]\n"),
        ("a merge", "a: &a {x: 1}\nb: {<<: *a}\n"),
        ("many anchors", (0..<100_000).map { "- &a\($0) x\n" }.joined()),
        ("deep lists in flow style", String(repeating: "[", count: 500_000)),
        ("deep mappings in flow style", String(repeating: "{a: ", count: 200_000)),
        ("deep single pairs", String(repeating: "[a: ", count: 200_000)),
        ("deep lists in block style", String(repeating: "- ", count: 500_000) + "x"),
        ("deep question marks", String(repeating: "? ", count: 500_000) + "x"),
        ("deep but closed", String(repeating: "[", count: 900) + String(repeating: "]", count: 900)),
        ("too many bytes", "a: " + String(repeating: "x", count: 1_100_000)),
    ]

    @Test("is refused at once", arguments: bombs.indices)
    func refused(index: Int) throws {
        let text = Array(Self.bombs[index].text.utf8)
        let clock = ContinuousClock()
        let time = clock.measure {
            #expect(throws: ActorError.self, "\(Self.bombs[index].name)") {
                try YAMLReader().read(yaml: text, file: "bomb.yml")
            }
        }
        #expect(time < .seconds(5), "\(Self.bombs[index].name) took \(time)")
    }

    @Test("64 levels are read, 65 are not")
    func depth() throws {
        func nested(_ levels: Int) -> [UInt8] {
            Array((String(repeating: "[", count: levels) + String(repeating: "]", count: levels)).utf8)
        }
        _ = try YAMLReader().read(yaml: nested(64), file: "x")
        #expect(throws: ActorError.self) { try YAMLReader().read(yaml: nested(65), file: "x") }
    }

    @Test("a large honest file is read in reasonable time")
    func large() throws {
        let text = (0..<40_000).map { "key_\($0): value\n" }.joined()
        let clock = ContinuousClock()
        var document: ParsedDocument?
        let time = try clock.measure { document = try YAMLReader().read(yaml: Array(text.utf8), file: "x") }
        #expect(document?.value.object?.count == 40_000)
        #expect(time < .seconds(20))
    }
}
