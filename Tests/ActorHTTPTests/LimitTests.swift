import ActorCore
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Testing

@testable import ActorHTTP

@Suite("bounds, hosts and headers")
struct LimitTests {
    @Test(
        "what is announced too large is refused before anybody reads it",
        arguments: [
            ("/actors/v2/hello/messages", House.adminToken, 413), ("/api/v1/jobs", House.adminToken, 413),
            ("/actors/v2/hello/messages", nil, 413),
        ] as [(String, String?, Int)])
    func announced(path: String, token: String?, status: Int) async throws {
        let house = House { $0.maxBodyBytes = 100 }
        try await house.expect(
            Row(
                name: path, method: .post, path: path, token: token, type: "application/json",
                body: "\"" + String(repeating: "x", count: 200) + "\"", status: status, has: ["at most 100"]))
    }

    @Test("what turns out too large is refused while it streams")
    func streamed() async throws {
        await #expect(throws: ActorError.self) {
            let (body, source) = RequestBody.makeStream()
            let request = Request(head: HTTPRequest(method: .post, scheme: nil, authority: nil, path: "/"), body: body)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    for _ in 0..<4 { await source.yield(ByteBuffer(repeating: 1, count: 60)) }
                    source.finish()
                }
                defer { group.cancelAll() }
                _ = try await BodyReader.bytes(of: request, limit: 100)
            }
        }
    }

    @Test("a stranger's body is not read: the refusal comes without it")
    func unread() async throws {
        let house = House()
        let responder = house.front.router().buildResponder()
        let (body, source) = RequestBody.makeStream()
        defer { source.finish() }
        let request = Request(
            head: HTTPRequest(
                method: .post, scheme: "http", authority: "localhost", path: "/actors/v2/hello/messages",
                headerFields: [.transferEncoding: "chunked"]), body: body)
        let answer = try await responder.respond(to: request, context: TestChannel.context())
        #expect(answer.status == .badRequest)
        #expect(answer.headers[.connection] == "close")
    }

    @Test(
        "host names on loopback",
        arguments: [
            ("localhost:8000", 200), ("127.0.0.1", 200), ("[::1]:9", 200), ("lab.example:8000", 200),
            ("evil.example", 421), ("169.254.169.254", 421), (nil, 421),
        ] as [(String?, Int)])
    func hosts(authority: String?, status: Int) async throws {
        #expect(try await answer(House(), authority).code == status)
        #expect(try await answer(House(host: "0.0.0.0"), authority).code == 200)
    }

    private func answer(_ house: House, _ authority: String?) async throws -> HTTPResponse.Status {
        let responder = house.front.router().buildResponder()
        let request = Request(
            head: HTTPRequest(method: .get, scheme: "http", authority: authority, path: "/healthz"),
            body: RequestBody(buffer: ByteBuffer()))
        return try await responder.respond(to: request, context: TestChannel.context()).status
    }

    static let openRows: [Row] = [
        Row(name: "health", path: "/healthz", status: 200, has: [#"{"status":"ok"}"#]),
        Row(name: "not ready yet", path: "/readyz", status: 503),
        Row(name: "root for scripts", path: "/", status: 200, has: ["/api/v1"]),
        Row(
            name: "root for browsers", path: "/", headers: ["Accept": "text/html,*/*"], status: 303,
            answers: ["Location": "/ui/"]),
        Row(name: "page without slash", path: "/ui", status: 303, answers: ["Location": "/ui/"]),
        Row(
            name: "page", path: "/ui/", status: 200, has: ["<!doctype html>", "app.js"], lacks: ["<style", "onclick="],
            answers: [
                "Content-Type": "text/html; charset=utf-8", "X-Content-Type-Options": "nosniff",
                "Content-Security-Policy": HeadersMiddleware.pagePolicy,
            ]),
        Row(
            name: "script", path: "/ui/app.js", status: 200, has: ["textContent"], lacks: ["innerHTML", "eval("],
            answers: ["Content-Type": "text/javascript; charset=utf-8"]),
        Row(name: "style", path: "/ui/app.css", status: 200, answers: ["Content-Type": "text/css; charset=utf-8"]),
        Row(name: "nothing there", path: "/favicon.ico", status: 404, has: ["urn:reactord:problem:not-found"]),
        Row(name: "no way up", path: "/ui/../etc/passwd", status: 404),
        Row(name: "wrong method", method: .post, path: "/healthz", status: 405, answers: ["Allow": "GET, HEAD"]),
    ]

    @Test("what is open to everybody", arguments: openRows)
    func isOpen(_ row: Row) async throws { try await House().expect(row) }
}
