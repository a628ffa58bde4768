import ActorCore
import Reactors
import Testing

/// Patterns of file names, against what Python's `re.search` answered.
@Suite struct NamePatternTests {
    @Test(arguments: Fixture.rows("patterns", "patterns"))
    func asPythonSearches(row: JSONValue) throws {
        let pattern = try LinearPattern(row.at("pattern").string ?? "", as: .python)
        for name in row.at("found").texts { #expect(pattern.isFound(in: name), "\(pattern.text) in \(name)") }
        for name in row.at("missing").texts { #expect(!pattern.isFound(in: name), "\(pattern.text) not in \(name)") }
    }

    /// A backtracking engine would not come back from these.
    @Test(arguments: [#"(a+)+$"#, #"(a*)*b"#, #"(a|aa)+$"#, #"(.*)*\d"#, #"(a?){500}a{500}"#])
    func isNeverSlow(pattern: String) throws {
        let name = String(repeating: "a", count: 255) + "!"
        #expect(!(try LinearPattern(pattern, as: .python).isFound(in: name)) || pattern.contains("500"))
    }

    @Test(arguments: [
        ("(", "a ( without its )"), (")", "an unbalanced )"), ("[a", "a [ without its ]"), ("*", "nothing to repeat"),
        ("a**", "a repetition of a repetition"), ("(?=a)", "not offered here"), (#"(a)\1"#, "back-reference"),
        (#"\q"#, "unknown escape"), ("[z-a]", "from high to low"), ("a{1001}", "not from 0 to 1000"),
        (#"a\"#, "nothing behind it"), ("(((a{1000}){1000}){1000})", "too large"),
        ("((){1000}){1000}", "too large"), (#"\x4"#, "hexadecimal digits"),
    ])
    func saysWhatIsWrong(pattern: String, problem: String) {
        let error = #expect(throws: PatternError.self) { try LinearPattern(pattern, as: .python) }
        #expect(error?.problem.contains(problem) == true, "\(pattern): \(error?.problem ?? "")")
    }

    @Test func isBounded() {
        #expect(throws: PatternError.self) { try LinearPattern(String(repeating: "a", count: 1001), as: .python) }
        #expect(throws: PatternError.self) { try LinearPattern(String(repeating: "(", count: 400), as: .python) }
    }
}
