import ActorCore
import ActorRuntime
import HTTPTypes
import Hummingbird
import NIOCore
import Testing

@testable import ActorHTTP

@Suite("how many streams may be open")
struct StreamSeatsTests {
    private func person(_ name: String) -> Principal {
        Principal(username: name, tenant: House.tenant, roles: [.user])
    }

    @Test("one caller has so many, all have so many, and what ends makes room")
    func counts() throws {
        let seats = StreamSeats(perCaller: 2, total: 3)
        let first = try seats.take(for: person("ann"))
        var second: StreamSeats.Seat? = try seats.take(for: person("ann"))
        #expect(throws: ActorError.self) { try seats.take(for: person("ann")) }
        let other = try seats.take(for: person("bob"))
        #expect(throws: ActorError.self) { try seats.take(for: person("cay")) }
        #expect(second != nil)
        second = nil
        let third = try seats.take(for: person("cay"))
        first.giveBack()
        first.giveBack()
        let fourth = try seats.take(for: person("ann"))
        #expect(throws: ActorError.self) { try seats.take(for: person("ann")) }
        withExtendedLifetime((first, other, third, fourth)) {}
    }

    private static func listen(
        _ responder: RouterResponder<HTTPContext>, _ token: String, _ path: String = "/api/v1/events"
    ) async throws -> Response {
        let request = Request(
            head: HTTPRequest(
                method: .get, scheme: "http", authority: "localhost", path: path,
                headerFields: [.authorization: "Bearer \(token)"]),
            body: RequestBody(buffer: ByteBuffer()))
        return try await responder.respond(to: request, context: TestChannel.context())
    }

    @Test(
        "the next event stream of one caller is refused until another ends",
        arguments: [House.adminToken, House.annToken])
    func events(token: String) async throws {
        let house = House()
        let responder = house.front.router().buildResponder()
        var open: [Response] = []
        for _ in 0..<64 {
            let answer = try await Self.listen(responder, token)
            #expect(answer.status == .ok)
            open.append(answer)
        }
        for path in ["/api/v1/events", "/api//v1/events/"] {
            let refused = try await Self.listen(responder, token, path)
            #expect(refused.status == .tooManyRequests)
            #expect(refused.headers[.retryAfter] != nil)
        }
        #expect(try await Self.listen(responder, House.bobToken).status == .ok)
        #expect(try await Self.listen(responder, token, "/api/v1/actors").status == .ok)
        // One that nobody will read any more, and one that ends while its answer is still there.
        open.removeLast()
        open.append(try await Self.listen(responder, token))
        #expect(open.allSatisfy { $0.status == .ok })
        house.system.events.close()
        try await open[0].body.write(Collector())
        #expect(try await Self.listen(responder, token).status == .ok)
        #expect(open.count == 64)
    }
}
