import ActorCore
import ActorSchemas
import Testing

/// A schema, a message, and what is expected of them.
struct SchemaCase: Sendable, CustomTestStringConvertible {
    let schema: String
    let message: String
    /// `place: problem`, in order.
    let problems: [String]

    init(_ schema: String, _ message: String, _ problems: String...) {
        self.schema = schema
        self.message = message
        self.problems = problems
    }

    var testDescription: String { "\(schema.prefix(80)) <- \(message.prefix(40))".filter { $0 != "\n" } }
}

private func compile(_ text: String) throws(ActorError) -> any MessageSchema {
    try ValijsonCompiler().compile(SchemaSource(file: "message.jsonschema", text: Array(text.utf8)))
}

private func problems(_ details: [ActorError.Detail]) -> [String] { details.map { "\($0.place): \($0.problem)" } }

private func repeated(_ text: String, _ count: Int) -> String { String(repeating: text, count: count) }

/// Patterns that take as long as there are ways to match, which is for ever.
@Suite struct SlowPatternTests {
    private static let hopeless = "\"" + repeated("a", 3000) + "!\""

    @Test(arguments: ["^(a+)+$", "^(a|aa)*$", "(a*)*b", "^(a|a)*$", "(.*)(.*)(.*)(.*)(.*)x", "^([a-z]+-?)*\\\\d$"])
    func takeNoLongerThanOthers(pattern: String) throws {
        let schema = try compile(#"{"pattern": "\#(pattern)"}"#)
        #expect(schema.violations(of: Array(Self.hopeless.utf8)).count == 1)
    }

    @Test func keysTakeNoLongerThanOthersEither() throws {
        let schema = try foreign(
            #"{"patternProperties": {"^(a+)+$": {}, "a*a*a*b": {}}, "additionalProperties": false}"#)
        let message = "{\(Self.hopeless): 1}"
        #expect(schema.violations(of: Array(message.utf8)).count == 1)
    }

    /// Each pattern alone is quick enough, all of them on one text are not.
    @Test func whatAStrangersPatternsMayTakeHasABound() throws {
        let patterns = (0..<200).map { #"{"pattern": "^.?a{0,150}a{0,150}b{40}|\#($0)"}"# }.joined(separator: ",")
        let schema = try foreign(#"{"items": {"anyOf": [\#(patterns)]}}"#)
        let long = "[\"\(repeated("c", 4000))\"]"
        let found = problems(schema.violations(of: Array(long.utf8)))
        #expect(found.count == 1 && found.first?.hasPrefix("/0: takes too long to match") == true, "\(found)")
        #expect(schema.violations(of: Array(#"["c1"]"#.utf8)).isEmpty)
        #expect(try compile(#"{"items": {"anyOf": [\#(patterns)]}}"#).violations(of: Array(long.utf8)).count == 32)
    }

    private func foreign(_ text: String) throws(ActorError) -> any MessageSchema {
        try ValijsonCompiler().compile(SchemaSource(file: "message_schema", text: Array(text.utf8), isForeign: true))
    }

    @Test(arguments: [
        (#"{"pattern": "^(?=(a+)+$)"}"#, false), (#"{"pattern": "(a+)+\\1$"}"#, false),
        (#"{"properties": {"v": {"pattern": "(?!z)a*a*b"}}}"#, false),
        (#"{"pattern": "(?!z)a{0,300}a{0,300}b"}"#, false), (#"{"pattern": "^\\u0041$"}"#, false),
        (#"{"properties": {"x": {"patternProperties": {"^(?=a+)a+$": {}}}}}"#, false),
        (#"{"patternProperties": {"^(a+)+$": {}, "a*b*c*": {}, "(a|b)*": {}}}"#, true),
        (#"{"pattern": "^([a-z]+-)*[a-z]+$"}"#, true), (#"{"not": {"pattern": "^tmp"}}"#, true),
        (#"{"patternProperties": {"^(?:x_)+[0-9]{1,4}$": {}, "^[a-z]+_[0-9]+$": {}, "a|b": {}}}"#, true),
    ])
    func ofStrangersAreRefusedWhereOnlyTryingAllWaysMatches(schema: String, isTaken: Bool) throws {
        let own = try compile(schema)
        #expect(own.isQuick == isTaken)
        do {
            let theirs = try foreign(schema)
            #expect(isTaken && !theirs.isQuick)
        } catch {
            #expect(!isTaken && problems(error.details).joined().contains("may take very long to match"), "\(error)")
        }
    }
}

@Suite struct ViolationTests {
    static let cases: [SchemaCase] = [
        SchemaCase(#"{}"#, #"[1, {"a": null}]"#),
        SchemaCase(#"true"#, "1"),
        SchemaCase(#"false"#, "1", ": does not satisfy the schema"),
        SchemaCase(#"{"required": ["name"]}"#, "{}", ": missing required property 'name'"),
        SchemaCase(#"{"type": "object"}"#, "[1]", ": must be object, not array"),
        SchemaCase(#"{"type": ["string", "null"]}"#, "1.5", ": must be string or null, not number"),
        SchemaCase(#"{"type": "integer"}"#, "1.0"),
        SchemaCase(
            #"{"items": {"type": "string"}}"#, #"[1, "a", null]"#, "/0: must be string, not integer",
            "/2: must be string, not null"),
        SchemaCase(
            #"{"properties": {"a/b~c": {"enum": ["x"]}}}"#, #"{"a/b~c": 1}"#,
            "/a~1b~0c: is not one of the allowed values"),
        SchemaCase(
            #"{"properties": {"a": {}}, "additionalProperties": false}"#, #"{"a": 1, "b": 2}"#,
            ": property 'b' is not allowed"),
        SchemaCase(#"{"properties": {"a": false}}"#, #"{"a": 1}"#, "/a: is not allowed here"),
        // What is wrong with one key says nothing of those that further patterns match.
        SchemaCase(
            #"{"patternProperties": {"^a*$": {"type": "string"}, "^b": {}}, "additionalProperties": false}"#,
            #"{"aa": 1, "b1": 2}"#, "/aa: must be string, not integer"),
        SchemaCase(
            #"{"properties": {"a": {"properties": {"b": {"minimum": 3}}}}}"#, #"{"a": {"b": 2}}"#,
            "/a/b: must be greater than or equal to 3"),
        SchemaCase(
            #"{"anyOf": [{"required": ["a"]}, {"required": ["b"]}]}"#, "{}", ": missing required property 'a'",
            ": missing required property 'b'", ": fits none of the alternatives (anyOf)"),
        SchemaCase(#"{"oneOf": [{}, true]}"#, "1", ": fits more than one of the alternatives (oneOf)"),
        SchemaCase(#"{"not": {"type": "null"}}"#, "null", ": fits a schema that it must not fit (not)"),
        SchemaCase(#"{"pattern": "^[a-z]+$"}"#, #""aB""#, ": does not match the pattern ^[a-z]+$"),
        SchemaCase(#"{"uniqueItems": true}"#, #"[{"a": 1}, 2, {"a": 1.0}]"#, ": item 2 repeats an earlier one"),
        SchemaCase(#"{"uniqueItems": true}"#, #"[1, "1", true, [1], {"1": 1}, null, "null"]"#),
        SchemaCase(#"{"multipleOf": 2}"#, "4.5", ": must be a multiple of 2"),
        SchemaCase(#"{"multipleOf": 0.01}"#, "19.99"),
        SchemaCase(#"{"maximum": 10}"#, "18446744073709551615", ": must be less than or equal to 10"),
        // A string is counted to its end, not to its first U+0000.
        SchemaCase(#"{"maxLength": 3}"#, #""a\u0000bcd""#, ": should be no more than 3 characters in length"),
        SchemaCase(#"{"minLength": 3}"#, #""äö€""#),
        // An annotation, never an error (and no regular expression over unbounded digits).
        SchemaCase(#"{"format": "date"}"#, "\"\(repeated("1", 200_000))\""),
        // Draft 4's way of saying it, which predecessors' schemas use.
        SchemaCase(#"{"minimum": 3, "exclusiveMinimum": true}"#, "3", ": must be greater than 3"),
        SchemaCase(
            ##"{"id": "#/x", "properties": {"id": {"type": "string"}}}"##, ##"{"id": 1}"##,
            "/id: must be string, not integer"),
        SchemaCase(#"{"required": ["a"]}"#, #"{"a": 1"#, ": is not JSON"),
    ]

    @Test(arguments: cases) func namesThePlaceAndTheProblem(_ item: SchemaCase) throws {
        #expect(problems(try compile(item.schema).violations(of: Array(item.message.utf8))) == item.problems)
    }

    @Test func listsAtMostThirtyTwoOfManyProblems() throws {
        let schema = try compile(#"{"items": {"type": "string"}}"#)
        let message = "[" + repeated("1,", 20_000) + "1]"
        #expect(schema.violations(of: Array(message.utf8)).count == 32)
    }

    @Test func uniqueItemsOfALargeArrayTakesNoQuadraticTime() throws {
        let schema = try compile(#"{"uniqueItems": true}"#)
        let message = "[" + (0..<50_000).map(String.init).joined(separator: ",") + "]"
        let clock = ContinuousClock()
        let time = clock.measure { #expect(schema.violations(of: Array(message.utf8)).isEmpty) }
        // Comparing every pair would take minutes.
        #expect(time < .seconds(20))
    }

    @Test func manyCallersValidateAtOnce() async throws {
        let schema = try compile(#"{"properties": {"a": {"pattern": "^x+$", "type": "string"}}, "required": ["a"]}"#)
        await withTaskGroup(of: Bool.self) { group in
            for number in 0..<64 {
                group.addTask {
                    let isGood = number.isMultiple(of: 2)
                    return schema.violations(of: Array(#"{"a": "\#(isGood ? "xx" : "y")"}"#.utf8)).isEmpty == isGood
                }
            }
            for await isRight in group { #expect(isRight) }
        }
    }
}

@Suite struct PatternBoundTests {
    /// `not` would turn "cannot be matched" into "fits", so the bound does not depend on what stands above.
    @Test(arguments: [
        #"{"pattern": "^(a|b)*$"}"#, #"{"not": {"pattern": "^c"}}"#, #"{"anyOf": [{"pattern": "^a"}, true]}"#,
    ])
    func aStringTooLongForItsPatternIsAViolation(_ schema: String) throws {
        let compiled = try compile(schema)
        #expect(compiled.violations(of: Array("\"\(repeated("a", 4096))\"".utf8)).isEmpty)
        #expect(
            problems(compiled.violations(of: Array("\"\(repeated("a", 4097))\"".utf8)))
                == [": is longer than 4096 bytes, too long to be matched with its pattern"])
    }

    @Test func stringsThatNoPatternSeesMayBeLong() throws {
        let schema = try compile(#"{"properties": {"id": {"pattern": "^[0-9]+$"}, "text": {"type": "string"}}}"#)
        let message = #"{"id": "12", "text": "\#(repeated("x", 1_000_000))"}"#
        #expect(schema.violations(of: Array(message.utf8)).isEmpty)
    }

    @Test func aKeyTooLongForPatternPropertiesIsAViolation() throws {
        let schema = try compile(#"{"patternProperties": {"^x": {"type": "string"}}}"#)
        let message = #"{"\#(repeated("x", 5000))": "1"}"#
        #expect(
            problems(schema.violations(of: Array(message.utf8)))
                == [": has a key longer than 4096 bytes, too long to be matched"])
        #expect(problems(schema.violations(of: Array(#"{"xa": 1}"#.utf8))) == ["/xa: must be string, not integer"])
    }

    /// Nested groups recurse most per character; this overflowed 8 MiB of stack.
    @Test func deepPatternsDoNotOverflowTheStack() throws {
        let nested = "^" + repeated("(", 30) + "a" + repeated(")", 30) + "*$"
        let schema = try compile(#"{"pattern": "\#(nested)"}"#)
        #expect(schema.violations(of: Array("\"\(repeated("a", 2000))\"".utf8)).isEmpty)
    }
}

@Suite struct RefusedSchemaTests {
    static let cases: [SchemaCase] = [
        SchemaCase(#"{"type": "#, "", "parse error"),
        SchemaCase("", "", "parse error"),
        SchemaCase("[]", "", ": must be object or boolean, not array"),
        SchemaCase(#"{"type": "strnig"}"#, "", "/type: is not one of the allowed values"),
        SchemaCase(#"{"multipleOf": 0}"#, "", "/multipleOf: must be greater than 0"),
        SchemaCase(#"{"minLength": -1}"#, "", "/minLength: must be greater than or equal to 0"),
        SchemaCase(#"{"required": "name"}"#, "", "/required: must be array, not string"),
        SchemaCase(#"{"properties": {"a": {"pattern": "("}}}"#, "", "/properties/a/pattern: is no regular expression"),
        SchemaCase(#"{"pattern": "((a{30}){30}){30}"}"#, "", "/pattern: repeats and nests too much"),
        SchemaCase(##"{"$ref": "#/definitions/a"}"##, "", "/$ref: \"#/definitions/a\" leads nowhere"),
        SchemaCase(#"{"$ref": "http://example.org/s.json"}"#, "", "other documents are never fetched"),
        SchemaCase(#"{"$ref": "file:///etc/hostname"}"#, "", "other documents are never fetched"),
        SchemaCase(##"{"$ref": "#"}"##, "", "leads back to itself"),
        SchemaCase(##"{"allOf": [{"not": {"$ref": "#"}}]}"##, "", "leads back to itself"),
        SchemaCase(
            ##"""
            {"$ref": "#/definitions/a", "definitions": {
                "a": {"$ref": "#/definitions/b"}, "b": {"$ref": "#/definitions/a"}
            }}
            """##,
            "", "leads back to itself"),
        SchemaCase(#"{"$schema": "https://json-schema.org/draft/2020-12/schema"}"#, "", "/$schema: must be draft 7"),
        SchemaCase(repeated(#"{"not": "#, 100) + "true" + repeated("}", 100), "", "nested deeper than 64"),
        SchemaCase(repeated(#"{"not": "#, 40) + "true" + repeated("}", 40), "", "more than 32"),
        SchemaCase(repeated("[", 1_000_000), "", "nested deeper than 64"),
        SchemaCase(#"{"description": "\#(repeated("x", 1_100_000))"}"#, "", "larger than 1 MiB"),
    ]

    @Test(arguments: cases) func saysWhy(_ item: SchemaCase) throws {
        let error = #expect(throws: ActorError.self) { try compile(item.schema) }
        #expect(error?.code == .invalidInput)
        #expect(error?.message.contains("message.jsonschema") == true)
        let text = error.map { problems($0.details).joined(separator: "\n") } ?? ""
        #expect(text.contains(try #require(item.problems.first)), "\(text)")
    }

    /// Five definitions that each apply the next one ten times: 100 000 checks of one value.
    @Test func combinationsThatMultiplyAreRefused() throws {
        let definitions = (0..<5).map { level in
            let one = ##"{"$ref": "#/definitions/d\##(level + 1)"}"##
            let inner = Array(repeating: one, count: 10).joined(separator: ",")
            return #""d\#(level)": {"allOf": [\#(inner)]}"#
        }
        let all = definitions.joined(separator: ",")
        let text = ##"{"$ref": "#/definitions/d0", "definitions": {\##(all), "d5": {}}}"##
        let error = #expect(throws: ActorError.self) { try compile(text) }
        #expect(error?.details.first?.problem.contains("multiply") == true)
    }
}

@Suite struct RecursionTests {
    static let tree = ##"""
        {"$ref": "#/definitions/node", "definitions": {"node": {
            "type": "object", "required": ["v"],
            "properties": {
                "v": {"type": "integer"}, "children": {"type": "array", "items": {"$ref": "#/definitions/node"}}
            }
        }}}
        """##

    @Test func recursiveSchemasFollowTheMessage() throws {
        let schema = try compile(Self.tree)
        #expect(schema.violations(of: Array(#"{"v": 1, "children": [{"v": 2}]}"#.utf8)).isEmpty)
        #expect(
            problems(schema.violations(of: Array(#"{"v": 1, "children": [{"v": 2, "children": [{"v": "3"}]}]}"#.utf8)))
                == ["/children/0/children/0/v: must be integer, not string"])
    }

    @Test func aMessageNestedWithoutMeasureIsAViolation() throws {
        let schema = try compile(Self.tree)
        let message = repeated("[", 2_000_000) + repeated("]", 2_000_000)
        #expect(
            problems(schema.violations(of: Array(message.utf8))) == [": is nested deeper than 128 levels"])
    }

    /// The deepest message under the longest chain of combinations.
    @Test func deepMessagesDoNotOverflowTheStack() throws {
        let chain = repeated(#"{"anyOf": ["#, 26) + ##"{"items": {"$ref": "#/definitions/n"}}"## + repeated("]}", 26)
        let schema = try compile(##"{"$ref": "#/definitions/n", "definitions": {"n": \##(chain)}}"##)
        let message = repeated("[", 128) + repeated("]", 128)
        #expect(schema.violations(of: Array(message.utf8)).isEmpty)
    }

    @Test func theMetaSchemaIsBuiltIn() throws {
        let schema = try compile(#"{"$ref": "http://json-schema.org/draft-07/schema#"}"#)
        #expect(schema.violations(of: Array(#"{"minLength": 1}"#.utf8)).isEmpty)
        #expect(!schema.violations(of: Array(#"{"properties": {"a": {"minLength": -1}}}"#.utf8)).isEmpty)
    }
}
