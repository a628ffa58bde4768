import ActorCore
import NIOCore
import ServiceLifecycle
import Testing

@testable import ActorHTTP

@Suite("the server on a socket", .serialized)
struct LiveTests {
    struct Exchange: Sendable {
        var name: String
        var request: String
        var endlessly: String?
        var status: String
        /// The parser of heads answers and closes at once: who floods it may be cut off before he has read why.
        var mayBeCut = false
    }

    private static let post = "POST /actors/v2/hello/messages HTTP/1.1\r\nHost: localhost\r\n"
    private static let admin = "Authorization: Bearer \(House.adminToken)\r\n"
    private static let json = "Content-Type: application/json\r\n"

    static let exchanges: [Exchange] = [
        Exchange(
            name: "a plain message", request: post + admin + json + "Content-Length: 3\r\nConnection: close\r\n\r\n[1]",
            status: "200"),
        Exchange(
            name: "a message in chunks",
            request: post + admin + json
                + "Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n3\r\n[1]\r\n0\r\n\r\n",
            status: "200"),
        Exchange(
            name: "length and chunks together",
            request: post + admin + json + "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            status: "400"),
        Exchange(
            name: "a chunk size that is none",
            request: post + admin + json + "Transfer-Encoding: chunked\r\n\r\n0x3\r\n[1]\r\n0\r\n\r\n", status: "400"),
        Exchange(
            name: "chunks with bare line feeds",
            request: post + admin + json + "Transfer-Encoding: chunked\r\n\r\n3\n[1]\n0\n\n", status: "400"),
        Exchange(
            name: "a coding that nobody knows",
            request: post + admin + json + "Transfer-Encoding: x, chunked\r\n\r\n3\r\n[1]\r\n0\r\n\r\n",
            status: "501"),
        Exchange(
            name: "two host names",
            request: post + admin + json + "Host: localhost\r\nContent-Length: 3\r\nConnection: close\r\n\r\n[1]",
            status: "400"),
        Exchange(
            name: "two lengths", request: post + admin + json + "Content-Length: 3\r\nContent-Length: 4\r\n\r\n[1]",
            status: "400"),
        Exchange(
            name: "a folded header", request: post + "X-A: 1\r\n folded: 2\r\nContent-Length: 0\r\n\r\n",
            status: "400"),
        Exchange(name: "a blank before the colon", request: post + "Content-Length : 0\r\n\r\n", status: "400"),
        Exchange(
            name: "too many headers",
            request: post + (0..<200).map { "X-\($0): 1\r\n" }.joined() + "\r\n", status: "400"),
        Exchange(
            name: "a header that is too long", request: post + "X-A: " + String(repeating: "a", count: 82_000),
            status: "400"),
        Exchange(
            name: "a header without end", request: post + "X-A: ", endlessly: String(repeating: "a", count: 4096),
            status: "400", mayBeCut: true),
        Exchange(
            name: "gigabytes announced", request: post + admin + json + "Content-Length: 10000000000\r\n\r\n",
            endlessly: String(repeating: "x", count: 65536), status: "413"),
        Exchange(
            name: "chunks without end", request: post + admin + json + "Transfer-Encoding: chunked\r\n\r\n",
            endlessly: "400\r\n" + String(repeating: "1", count: 1024) + "\r\n", status: "413"),
        Exchange(
            name: "a stranger's chunks without end", request: post + json + "Transfer-Encoding: chunked\r\n\r\n",
            endlessly: "400\r\n" + String(repeating: "1", count: 1024) + "\r\n", status: "400"),
        Exchange(
            name: "a foreign host name",
            request: "GET /healthz HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n", status: "421"),
    ]

    @Test("one request on a connection each, all against one server")
    func exchange() async throws {
        let house = House(port: 0) { $0.maxBodyBytes = 100_000 }
        try await LiveServer.run(house) { port, _ in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for row in Self.exchanges {
                    group.addTask {
                        let answer = try await LiveServer.exchange(port, row.request, endlessly: row.endlessly)
                        let isCut = row.mayBeCut && answer.isEmpty
                        #expect(
                            isCut || answer.hasPrefix("HTTP/1.1 \(row.status) "), "\(row.name): \(answer.prefix(200))")
                    }
                }
                try await group.waitForAll()
            }
        }
    }

    @Test("an open event stream does not keep the daemon from stopping")
    func stopping() async throws {
        try await LiveServer.run(House(port: 0)) { port, group in
            let request =
                "GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer \(House.bobToken)\r\n\r\n"
            try await LiveServer.connect(port).executeThenClose { inbound, outbound in
                try await outbound.write(ByteBuffer(string: request))
                var seen = ""
                for try await chunk in inbound {
                    seen += String(buffer: chunk)
                    if seen.contains(": connected") { await group.triggerGracefulShutdown() }
                }
                #expect(seen.hasPrefix("HTTP/1.1 200 "))
                #expect(seen.hasSuffix("0\r\n\r\n"), "the stream ends as it should")
            }
        }
    }
}
