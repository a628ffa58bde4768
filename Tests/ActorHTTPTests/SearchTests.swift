import ActorCore
import Testing

@testable import ActorHTTP

@Suite("searches")
struct SearchTests {
    static let document: JSONValue = [
        "id": "R4Xo", "image": "abacosamples/sleep_loop", "token": "false", "stateless": true, "revision": 2,
        "runtime": 2.5, "status": "COMPLETE", "create_time": "2026-11-21T00:09:07.134Z", "log_ex": nil,
        "message_received_time": "2026-11-21T00:09:05.042Z", "start_time": "None", "name": "The Sleep Actor",
        "final_state": ["StartedAt": "2026-11-21T00:09:05.049Z", "ExitCode": 0], "hints": ["a", "b"],
    ]

    static let rows: [(String, Bool)] = [
        ("image=abacosamples/sleep_loop", true), ("image=abacosamples", false),
        ("image.eq=abacosamples/sleep_loop", true),
        ("image.neq=x", true), ("image.neq=abacosamples/sleep_loop", false), ("token=false", true),
        ("token=true", false),
        ("stateless=true", true), ("stateless=True", true), ("stateless=false", false), ("revision=2", true),
        ("revision=2.0", true), ("revision.gt=1", true), ("revision.gt=2", false), ("revision.gte=2", true),
        ("revision.lt=2", false), ("revision.lte=2", true), ("runtime.between=2,3", true),
        ("runtime.between=3,4", false),
        ("log_ex=none", true), ("log_ex=None", true), ("log_ex.neq=none", false), ("logEx=none", true),
        ("nowhere=1", false), ("nowhere.neq=1", true), ("nowhere=none", true),
        (#"status.in=["COMPLETE", "READY"]"#, true), (#"status.in=["READY"]"#, false),
        (#"status.nin=["COMPLETE", "READY"]"#, false), (#"status.nin=["READY"]"#, true), ("revision.in=[1,2]", true),
        ("create_time.gt=2000-05:00", true), ("create_time.lt=2000-05:00", false),
        ("create_time.gt=2000-01-01T01:00", true), ("create_time.gt=2000-01-01T01:00:00.000Z", true),
        ("createTime.gt=2000-01-01", true), ("create_time.lt=2200-12-21T00:09:05.042+01:00", true),
        ("create_time.between=2000-01-01,2200-01-01", true), ("create_time.between=2000-05:00,2001-05:00", false),
        ("create_time.between=2200-01-01T01:00,2201-01-01", false), ("create_time=2026-11-21T00:09:07.134Z", true),
        ("create_time=2026-11-21T01:09:07.134%2B01:00", true), ("create_time.gt=2026-11-21T00:09:07.134Z", false),
        ("final_state.StartedAt.gt=2000-01-01", true), ("finalState.StartedAt.lt=2000-01-01", false),
        ("final_state.ExitCode=0", true), ("start_time.gt=2000-01-01", false), ("start_time=None", true),
        ("image.like=sleep", true), ("image.like=^sleep", false), ("image.like=^aba.*loop$", true),
        ("image.nlike=sleep", false), ("image.nlike=wake", true), ("revision.like=2", false),
        (#"hints=["a","b"]"#, true), ("search=sleep", true), ("search=wake", false), ("search=wake%20SLEEP", true),
        (#"search="Sleep%20Actor""#, true), (#"search="Actor%20Sleep""#, false), ("exactsearch=the%20sleep", true),
        ("exactsearch=sleep%20the", false), ("image=abacosamples/sleep_loop&status=READY", false), ("limit=1", true),
    ]

    @Test("conditions", arguments: rows)
    func matches(query: String, expected: Bool) throws {
        let search = try #require(try SearchQuery(FormItems(query)))
        #expect(search.matches(Self.document) == expected)
    }

    @Test("limit and skip", arguments: [("limit=5&skip=2", 5, 2), ("skip=3", 100, 3), ("limit=0", 0, 0)])
    func page(query: String, limit: Int, skip: Int) throws {
        let search = try #require(try SearchQuery(FormItems(query)))
        #expect(search.limit == limit && search.skip == skip)
    }

    @Test(
        "what cannot be searched for is refused",
        arguments: [
            "limit=many", "skip=-1", "limit=10001", "create_time.between=2000", "image.like=(", "image.like=a**[",
            "image.like=%5C1", "image.like=((a{100}){100}){100}", "image.like=(((){100}){100}){100}", ".=1", "a..b=1",
        ])
    func refused(query: String) {
        #expect(throws: ActorError.self) { _ = try SearchQuery(FormItems(query)) }
    }

    @Test("no parameters are no search")
    func nothing() throws {
        #expect(try SearchQuery(FormItems("")) == nil)
        #expect(try SearchQuery(FormItems("x-nonce=N"), ignoring: ["x-nonce"]) == nil)
    }

    static let times: [(String, String?)] = [
        ("2000", "2000-01-01T00:00:00.000Z"), ("2000-05:00", "2000-01-01T05:00:00.000Z"),
        ("2000+05:30", "1999-12-31T18:30:00.000Z"), ("2000-02", "2000-02-01T00:00:00.000Z"),
        ("2000-02-03", "2000-02-03T00:00:00.000Z"), ("2000-02-03T04", "2000-02-03T04:00:00.000Z"),
        ("2000-02-03T04:05", "2000-02-03T04:05:00.000Z"), ("2000-02-03T04:05:06", "2000-02-03T04:05:06.000Z"),
        ("2000-02-03T04:05:06.7", "2000-02-03T04:05:06.700Z"),
        ("2000-02-03 04:05:06.1234Z", "2000-02-03T04:05:06.123Z"),
        ("2000-02-03T04:05:06-01:00", "2000-02-03T05:05:06.000Z"), ("2000-02-03-01:00", "2000-02-03T01:00:00.000Z"),
        ("2000-13", nil), ("2000-02-30", nil), ("2000-02-03T25", nil), ("20", nil), ("2000x", nil), ("", nil),
        ("2000-02-03T04:05:06.", nil),
    ]

    @Test("times", arguments: times)
    func time(text: String, expected: String?) {
        #expect(SearchTime.parse(text)?.iso8601 == expected)
    }
}

@Suite("patterns that take no longer than the text")
struct LinearPatternTests {
    static let rows: [(String, String, Bool)] = [
        ("", "anything", true), ("b", "abc", true), ("^b", "abc", false), ("c$", "abc", true), ("^abc$", "abc", true),
        ("^ab$", "abc", false), ("a.c", "abc", true), ("a.c", "a\nc", false), ("a*", "", true), ("^a*$", "aaab", false),
        ("^a+$", "aaa", true), ("^a+$", "", false), ("^ab?c$", "ac", true), ("^(ab|cd)+$", "abcdab", true),
        ("^(ab|cd)+$", "abc", false), ("^(?:a|b)c$", "bc", true), ("[a-c]x", "bx", true), ("[^a-c]x", "bx", false),
        ("[]a]", "]", true), ("[a-]", "-", true), ("\\d+", "a12", true), ("^\\D+$", "a1", false),
        ("\\w\\s\\w", "a b", true),
        ("^\\S+$", "a b", false), ("a{2}", "aa", true), ("^a{2}$", "aaa", false), ("^a{2,}$", "aaaa", true),
        ("^a{1,3}$", "aaaa", false), ("^a{,3}$", "a{,3}", true), ("a{x", "a{x", true), ("\\.", "a.b", true),
        ("\\.", "ab", false), ("ä+", "zää", true), ("[\\d.]+$", "v1.2", true), ("x|^$", "", true), ("()*y", "y", true),
    ]

    @Test(arguments: rows)
    func matches(pattern: String, text: String, expected: Bool) throws {
        #expect(try LinearPattern(pattern, as: .search).isFound(in: text) == expected)
    }

    @Test(
        "what cannot be run in one pass, or is too large, is refused",
        arguments: [
            "(((){100}){100}){100}", "a{101}", "(a)\\1", "(?=a)", "(", ")", "[a", "*", "a\\", "[z-a]",
            String(repeating: "a", count: 513), String(repeating: "(", count: 60), "((a{100}){100}){2}",
        ])
    func refuses(pattern: String) {
        #expect(throws: ActorError.self) { try SearchQuery(FormItems("name.like=" + PercentText.escaped(pattern))) }
    }

    @Test("what ruins others is done in a moment")
    func evil() throws {
        let text = String(repeating: "a", count: 20_000) + "!"
        #expect(try !LinearPattern("^(a+)+$", as: .search).isFound(in: text))
        #expect(try !LinearPattern("^(a|aa)*$", as: .search).isFound(in: text))
        #expect(try !LinearPattern("^(a*)*b", as: .search).isFound(in: text))
    }
}
