import ActorCore
import Testing

@testable import ActorHTTP

@Suite("what a message body means (actors API, section 3.1)")
struct MessageBodyTests {
    struct Row: Sendable, CustomTestStringConvertible {
        var type: String?
        var body: String
        var query = ""
        /// Nil: refused.
        var kind: MessageKind?
        var bytes = ""
        var shown: JSONValue = .null

        var testDescription: String { "\(type ?? "no type"), \(body.utf8.count) bytes, ?\(query)" }
    }

    static let multipart =
        "--xx\r\nContent-Disposition: form-data; name=\"file\"; filename=\"message\"\r\n\r\nno\r\n"
        + "--xx\r\nContent-Disposition: form-data; name=\"message\"\r\n\r\nfrom a part\r\n--xx--\r\n"

    static let rows: [Row] = [
        Row(type: "application/json", body: #"{"message": "hi"}"#, kind: .text, bytes: "hi", shown: "hi"),
        Row(
            type: "application/json", body: #"{"message": {"a": true, "b": null}}"#, kind: .text,
            bytes: "{'a': True, 'b': None}", shown: "{'a': True, 'b': None}"),
        Row(type: "application/json", body: #"{"message": 5}"#, kind: .text, bytes: "5", shown: "5"),
        Row(
            type: "application/json", body: #"{"message": ""}"#, kind: .json, bytes: #"{"message": ""}"#,
            shown: ["message": ""]),
        Row(
            type: "application/json; charset=utf-8", body: #"{"a":1}"#, kind: .json, bytes: #"{"a":1}"#,
            shown: ["a": 1]),
        Row(type: "application/cloudevents+json", body: "[1, 2]", kind: .json, bytes: "[1, 2]", shown: [1, 2]),
        Row(type: "application/json", body: "{}", kind: .json, bytes: "{}", shown: [:]),
        Row(type: "application/json", body: "null", kind: .json, bytes: "null"),
        Row(
            type: "application/json", body: "", query: "message=by+query", kind: .text, bytes: "by query",
            shown: "by query"),
        Row(
            type: "application/json", body: #"{"message":"a"}"#, query: "message=b", kind: .text, bytes: "a", shown: "a"
        ),
        Row(type: "application/json", body: "", kind: nil),
        Row(
            type: "application/x-www-form-urlencoded", body: "message=testing+execution&x=1", kind: .text,
            bytes: "testing execution", shown: "testing execution"),
        Row(type: "application/x-www-form-urlencoded", body: #"{"a":1}"#, kind: nil),
        Row(type: "application/x-www-form-urlencoded", body: "a=1", kind: nil),
        Row(
            type: "multipart/form-data; boundary=xx", body: multipart, kind: .text, bytes: "from a part",
            shown: "from a part"),
        Row(type: "multipart/form-data; boundary=yy", body: multipart, kind: nil),
        Row(
            type: "application/octet-stream", body: #"{"message":"x"}"#, kind: .binary, bytes: #"{"message":"x"}"#,
            shown: "binary - omitted"),
        Row(type: "application/octet-stream", body: "", kind: .binary, shown: "binary - omitted"),
        Row(type: "text/plain", body: #"{"a": 1}"#, kind: .json, bytes: #"{"a": 1}"#, shown: ["a": 1]),
        Row(type: nil, body: #""word""#, kind: .text, bytes: "word", shown: "word"),
        Row(type: nil, body: "true", kind: .text, bytes: "True", shown: "True"),
        Row(type: "text/plain", body: "just words", kind: nil),
        Row(type: nil, body: "", kind: nil),
        Row(type: nil, body: "", query: "a=1&message=m%C3%BC", kind: .text, bytes: "mü", shown: "mü"),
    ]

    @Test("one rule applies, the first", arguments: rows)
    func rule(_ row: Row) throws {
        let found = try? MessageBody.interpret(
            contentType: ContentType(row.type), body: Array(row.body.utf8), query: FormItems(row.query), maxDepth: 8)
        #expect(found?.kind == row.kind)
        guard let found, row.kind != nil else { return }
        #expect(found.bytes == Array(row.bytes.utf8))
        #expect(try JSONReader.read(found.shown) == row.shown)
        let callsItselfJSON = row.type?.contains("json") == true
        #expect(found.isLoose == (row.kind == .json && !callsItselfJSON))
    }

    @Test(
        "broken JSON names the byte",
        arguments: [
            (#"{"a": 1, "a": 2}"#, "byte 9"), ("[[[[[[[[[1]]]]]]]]]", "byte 8"), (#"{"a": }"#, "byte 6"),
        ])
    func broken(body: String, place: String) {
        #expect {
            try MessageBody.interpret(
                contentType: ContentType("application/json"), body: Array(body.utf8), query: FormItems(""), maxDepth: 8)
        } throws: { error in
            (error as? ActorError)?.details.first?.place == place
        }
    }
}

@Suite("query parameters as environment (actors API, section 3.2)")
struct MessageEnvironmentTests {
    private func entries(_ query: String, limits: Limits = Limits()) throws -> [EnvironmentEntry] {
        try MessageEnvironment.entries(
            query: FormItems(query), limits: limits)
    }

    @Test("all but the message and what the daemon tells itself, the first of a name")
    func order() throws {
        let found = try entries("x-nonce=N&message=m&uuid=U&uuid=V&MSG=x&empty=&flag&_abaco_username=root")
        #expect(
            found == [
                EnvironmentEntry("x-nonce", "N"), EnvironmentEntry("uuid", "U"), EnvironmentEntry("MSG", "x"),
                EnvironmentEntry("empty", ""), EnvironmentEntry("flag", ""),
            ])
    }

    @Test(
        "what would change the program is refused",
        arguments: [
            "LD_PRELOAD=/x", "BASH_ENV=x", "PYTHONPATH=x", "PATH=/x", "HOME=/x", "PERL5DB=x", "Http_Proxy=x",
            "_JAVA_OPTIONS=x", "a%00=1", "a=%00", "a%3Db=1", "=1", "_REACTOR_API_URL=https://evil",
            "_REACTOR_API_KEY=x", "LOCALONLY=1", "REACTORD_ATTEMPT=2", "AWS_ACCESS_KEY_ID=x", "ZIP=-TT+sh",
        ])
    func refused(query: String) {
        #expect(throws: ActorError.self) { try entries(query) }
    }

    @Test(
        "a value is taken, whatever tool has a variable of a similar name",
        arguments: [
            "TEMP=37", "USER=ann", "TERM=2026-2", "ZIP=12345-6789", "NODE_ID=4", "LD_score=0.3", "LD_R2=1",
            "COR_matrix=m", "GEM_MODEL=iJO1366", "UV_DOSE=5", "OPAL_ID=1", "R_VERSION=4.3", "GITHUB_SHA=abc",
            "GIT_COMMIT=abc", "SLURM_JOB_ID=7", "SGE_TASK_ID=1", "AWS_REGION=eu-central-1",
        ])
    func taken(query: String) throws { #expect(try entries(query).count == 1) }

    @Test("a refusal names the variable, why, and what to do")
    func reason() {
        #expect {
            try entries("LD_PRELOAD=/x")
        } throws: { error in
            let text = (error as? ActorError)?.message ?? ""
            return text.contains("LD_PRELOAD may not be set by a message: it changes which programs")
                && text.hasSuffix("give the query parameter another name")
        }
    }

    @Test("more than the bound is refused")
    func bound() {
        var limits = Limits()
        limits.maxEnvironmentEntries = 2
        #expect(throws: ActorError.self) { try entries("a=1&b=2&c=3", limits: limits) }
        #expect(throws: Never.self) { try entries("a=1&b=2&b=3", limits: limits) }
    }
}

@Suite("small readers")
struct ReaderTests {
    @Test(
        "percent decoding",
        arguments: [
            ("a%20b", "a b"), ("%", "%"), ("%4", "%4"), ("%zz", "%zz"), ("%C3%BC", "ü"), ("%ff", "\u{fffd}"),
            ("a+b", "a+b"), ("%41%42", "AB"),
        ])
    func percent(text: String, wanted: String) { #expect(FormItems.decoded(percent: text) == wanted) }

    @Test(
        "hosts of authorities",
        arguments: [
            ("localhost:8000", "localhost"), ("LAB.example", "lab.example"), ("[::1]:80", "::1"), ("", nil),
            ("[::1", nil),
        ] as [(String, String?)])
    func hosts(authority: String, host: String?) { #expect(OriginMiddleware.host(of: authority) == host) }

    @Test(
        "times with zone",
        arguments: [
            ("1970-01-01T00:00:00Z", 0), ("1970-01-02T00:00:00.5Z", 86_400_500), ("2026-11-21T00:03:55.077Z", nil),
            ("1970-01-01T01:00:00+01:00", 0), ("2026-11-21", -1), ("2026-13-21T00:00:00Z", -1),
            ("2026-11-21T00:03:55", -1), ("2026-11-21T00:03:55.Z", -1), ("yesterday, about noon", -1),
        ] as [(String, Int64?)])
    func times(text: String, milliseconds: Int64?) {
        let found = Timestamp(iso8601: text)
        switch milliseconds {
        case .some(-1): #expect(found == nil)
        case .some(let wanted): #expect(found?.milliseconds == wanted)
        case nil: #expect(found?.iso8601 == text)
        }
    }

    @Test(
        "camelCase",
        arguments: [
            ("execution_id", "executionId"), ("_links", "_links"), ("id", "id"), ("last_use_time", "lastUseTime"),
        ])
    func camel(snake: String, camel: String) { #expect(KeyCase.camel(snake) == camel) }

    @Test(
        "bearer tokens",
        arguments: [
            ("Bearer abc", "abc"), ("bearer  abc", "abc"), ("Bearer", nil), ("Bearer a b", nil), ("Basic abc", nil),
            ("abc", nil), ("", nil),
        ] as [(String, String?)])
    func bearer(header: String, token: String?) { #expect(Credentials.bearer(header) == token) }
}

@Suite("when, in which order and until when a message is delivered")
struct DeliveryOptionsTests {
    private static let now = Timestamp(milliseconds: 1_700_000_000_000)

    private func options(_ fields: [String: String], _ query: String = "") throws -> DeliveryOptions {
        try DeliveryOptions(fields, query: FormItems(query), now: Self.now)
    }

    @Test func readsTheFields() throws {
        let found = try options(
            [
                "reactord-priority": "-9", "reactord-delay": "2h", "reactord-expires-at": "2027-01-31T12:00:00Z",
            ], "key=sample+1")
        #expect(found.key == "sample 1")
        #expect(found.priority == -9)
        #expect(found.deliverAt == Self.now.adding(milliseconds: 7_200_000))
        #expect(found.expires == Timestamp(iso8601: "2027-01-31T12:00:00Z"))
        #expect(try options(["reactord-key": "a"], "key=b").key == "a")
        #expect(try options([:]) == options(["reactord-priority": "0"]))
    }

    @Test(
        arguments: [
            ("0", 0), ("90", 90), ("90s", 90), ("10m", 600), ("2h", 7200), ("3d", 259_200), ("", nil), ("s", nil),
            ("-1", nil), ("1.5s", nil), ("1 h", nil), ("1w", nil), ("9999999999", nil), ("367d", nil), ("٣", nil),
        ] as [(String, Int64?)])
    func spans(_ text: String, _ seconds: Int64?) { #expect(DeliveryOptions.seconds(text) == seconds) }

    @Test(arguments: [
        ["reactord-priority": "10"], ["reactord-priority": "high"], ["reactord-delay": "soon"],
        ["reactord-deliver-at": "tomorrow"], ["reactord-delay": "1", "reactord-deliver-at": "2027-01-31T12:00:00Z"],
        ["reactord-expires-in": "0"], ["reactord-expires-at": "2020-01-31T12:00:00Z"],
        ["reactord-delay": "2m", "reactord-expires-in": "1m"], ["reactord-key": String(repeating: "x", count: 256)],
    ])
    func refusesAndNamesTheHeader(_ fields: [String: String]) {
        #expect { try options(fields) } throws: { error in
            (error as? ActorError)?.code == .invalidInput
                && (error as? ActorError)?.details.first?.place.hasPrefix("Reactord-") == true
        }
    }
}
