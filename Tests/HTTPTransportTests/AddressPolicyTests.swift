import ActorCore
import HTTPTransport
import Logging
import Testing

/// The policy in the client: whatever a URL looks like, no private address gets a request that was not listed.
@Suite(.timeLimit(.minutes(3)))
struct AddressPolicyTests {
    static let spellings = [
        "127.0.0.1", "127.1", "127.0.1", "2130706433", "0x7f000001", "0x7f.0.0.1", "0x7f.1", "0177.0.0.1", "0177.1",
        "017700000001", "127.0.0.1.", "0.0.0.0", "0", "localhost", "LOCALHOST", "LocalHost", "localhost.",
        "%31%32%37.0.0.1", "[::1]", "[0:0:0:0:0:0:0:1]", "[::]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]",
        "[0:0:0:0:0:ffff:7f00:0001]", "[::127.0.0.1]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]", "①②⑦.⓪.⓪.①",
        "127。0。0。1",
    ]

    @Test(arguments: spellings) func noSpellingOfLoopbackIsCalled(_ host: String) async throws {
        try await withServer { client, server in
            let outcome = await Self.outcome(client, "http://\(host):\(server.port)/echo", .publicOr(allowed: []))
            // Names and addresses that cannot be resolved here get no answer; none is reached.
            #expect([.forbidden, .unavailable, .invalidInput].contains(outcome))
            let isNumeric = host.utf8.allSatisfy { (0x30...0x39).contains($0) || [0x2e, 0x66, 0x78].contains($0) }
            if isNumeric, !host.hasSuffix(".") { #expect(outcome == .forbidden) }
            #expect(server.requests.isEmpty)
        }
    }

    @Test(arguments: [
        "10.0.0.1", "192.168.1.1", "172.16.0.1", "100.64.0.1", "169.254.169.254", "224.0.0.1", "255.255.255.255",
        "192.0.2.1", "0xa9fea9fe", "2852039166", "0251.0376.0251.0376",
    ])
    func privateNetworksAreNotConnectedTo(_ host: String) async throws {
        try await withServer { client, _ in
            for scheme in ["http", "https"] {
                #expect(await Self.outcome(client, "\(scheme)://\(host)/", .publicOr(allowed: [])) == .forbidden)
            }
        }
    }

    @Test func listedTargetsAreCalledAsWritten() async throws {
        try await withServer { client, server in
            let port = server.port
            let cases: [(String, String, Bool)] = [
                ("127.0.0.1", "127.0.0.1", true), ("127.0.0.1", "127.0.0.1:\(port)", true),
                ("127.0.0.1", "127.0.0.1:\(port + 1)", false), ("127.0.0.1", "localhost", false),
                ("localhost", "LOCALHOST:\(port)", true), ("localhost", "127.0.0.1", false),
                ("127.0.0.1", "127.0.0", false), ("127.0.0.1", "", false), ("127.0.0.1", "*", false),
            ]
            for (host, entry, isCalled) in cases {
                let outcome = await Self.outcome(
                    client, "http://\(host):\(port)/echo", .publicOr(allowed: ["example.org", entry]))
                #expect(outcome == (isCalled ? nil : .forbidden), "\(host) with \(entry)")
            }
        }
    }

    /// An open connection of a trusted request must not carry one that may reach public addresses only.
    @Test func aPooledConnectionIsNoWayIn() async throws {
        try await withServer { client, server in
            let url = "\(server.base)/echo"
            for _ in 0..<5 {
                #expect(await Self.outcome(client, url, .anywhere) == nil)
                #expect(await Self.outcome(client, url, .publicOr(allowed: [])) == .forbidden)
            }
            #expect(server.requests.count == 5)
        }
    }

    @Test func redirectsAreNotFollowed() async throws {
        try await withServer { client, server in
            let response = try await client.send(
                OutgoingRequest(method: "GET", url: "\(server.base)/status/302"), policy: .anywhere)
            #expect(response.status == 302 && response.header("location") == "http://127.0.0.1:1/")
            #expect(server.requests.count == 1)
        }
    }

    @Test(arguments: [
        ("http://127.0.0.1:PORT@example.org/", ActorError.Code.invalidInput),
        ("http://user@127.0.0.1:PORT/", .invalidInput), ("http://:word@127.0.0.1:PORT/", .invalidInput),
        ("ftp://127.0.0.1:PORT/", .invalidInput), ("dict://127.0.0.1:PORT/", .invalidInput),
        ("gopher://127.0.0.1:PORT/_x", .invalidInput), ("file:///etc/passwd", .invalidInput),
        ("//127.0.0.1:PORT/", .invalidInput), ("127.0.0.1:PORT", .invalidInput), ("", .invalidInput),
        ("http://", .invalidInput), ("http:///127.0.0.1:PORT/", .invalidInput),
        ("http:/127.0.0.1:PORT/", .invalidInput), ("http://127.0.0.1:PORT/\r\nX: y", .invalidInput),
        ("http://127.0.0.1:99999/", .invalidInput), ("http://127.0.0.1 :PORT/", .invalidInput),
        ("http:\\\\127.0.0.1:PORT/", .invalidInput),
    ])
    func otherURLsAreRefused(_ url: String, _ code: ActorError.Code) async throws {
        try await withServer { client, server in
            let url = url.split(separator: "PORT", omittingEmptySubsequences: false).joined(separator: "\(server.port)")
            #expect(await Self.outcome(client, url, .anywhere) == code)
            #expect(server.requests.isEmpty)
        }
    }

    @Test func headersCannotForgeLines() async throws {
        try await withServer { client, server in
            let headers = [
                ("X", "a\r\nY: b"), ("X", "a\nY: b"), ("X", "a\rY: b"), ("X\r\nY", "b"), ("X Y", "b"), ("X:", "b"),
                ("", "b"), ("X", "a\0b"), ("Transfer-Encoding", "chunked"), ("Content-Length", "5"),
            ]
            for header in headers {
                let request = OutgoingRequest(method: "POST", url: "\(server.base)/echo", headers: [header], body: [1])
                let error = await #expect(throws: ActorError.self) {
                    try await client.send(request, policy: .anywhere)
                }
                #expect(error?.code == .invalidInput)
            }
            for method in ["", "get", "GET /", "G\r\nX: y", "GET HTTP/1.1"] {
                let request = OutgoingRequest(method: method, url: "\(server.base)/echo")
                let error = await #expect(throws: ActorError.self) {
                    try await client.send(request, policy: .anywhere)
                }
                #expect(error?.code == .invalidInput)
            }
            #expect(server.requests.isEmpty)
        }
    }

    private static func outcome(_ client: CurlClient, _ url: String, _ policy: AddressPolicy) async -> ActorError.Code?
    {
        do throws(ActorError) {
            let request = OutgoingRequest(method: "GET", url: url, timeoutMilliseconds: 10000)
            return try await client.send(request, policy: policy).status == 200 ? nil : .internalFailure
        } catch {
            return error.code
        }
    }

    private func withServer(_ body: (CurlClient, EchoServer) async throws -> Void) async throws {
        let server = EchoServer()
        defer { server.stop() }
        let client = try CurlClient(logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        do {
            try await body(client, server)
            await client.shutdown()
        } catch {
            await client.shutdown()
            throw error
        }
    }
}
