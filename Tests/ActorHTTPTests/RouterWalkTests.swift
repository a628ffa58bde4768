import ActorCore
import ActorTesting
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Testing

@testable import ActorHTTP

/// Walks the router: whatever routes there are, now or later.
@Suite("every route")
struct RouterWalkTests {
    private struct Route: Hashable {
        let method: String
        let path: String
    }

    /// All that a stranger may have: answers that say nothing of what is here, and the page that asks for a token.
    private static let open = ["/healthz", "/readyz", "/", "/ui", "/ui/app.css", "/ui/app.js"]

    /// With every capture filled in.
    private func routes(of house: House, _ word: String = "hello") -> [Route] {
        house.front.router().routes.map { route in
            let parts = route.path.description.split(separator: "/").map { part -> String in
                part.hasPrefix("{") || part.hasPrefix(":") ? word : part.hasPrefix("*") ? "x/y" : String(part)
            }
            return Route(method: route.method.rawValue, path: "/" + parts.joined(separator: "/"))
        }
    }

    @Test("a stranger can do nothing but look whether somebody is there")
    func stranger() async throws {
        let house = House()
        let routes = Set(routes(of: house))
        #expect(routes.count > 300)
        try await house.test { client in
            for route in routes {
                guard let method = HTTPRequest.Method(rawValue: route.method) else { continue }
                for body in [nil, #"{"a":1}"#] {
                    let answer = try await client.execute(
                        uri: route.path, method: method, headers: [.contentType: "application/json"],
                        body: body.map { ByteBuffer(string: $0) })
                    let isLook = ["GET", "HEAD"].contains(route.method)
                    if route.method == "OPTIONS" {
                        #expect(answer.status == .ok && answer.body.readableBytes == 0, "\(route)")
                    } else if Self.open.contains(route.path) {
                        // This one is not ready: nobody runs it.
                        let isFine = answer.status.code < 400 || answer.status == .serviceUnavailable
                        #expect(isLook ? isFine : answer.status == .methodNotAllowed, "\(route)")
                    } else {
                        let isEnvelope = route.path.hasPrefix("/actors") || route.path.hasPrefix("/v3/actors")
                        #expect(answer.status == (isEnvelope ? .badRequest : .unauthorized), "\(route)")
                        #expect(isEnvelope || answer.status == .unauthorized, "\(route)")
                    }
                }
            }
        }
        #expect(try await house.store.mailboxes().isEmpty)
        #expect(try await house.store.audits(limit: 10).isEmpty)
        #expect(try await house.store.actors().isEmpty)
    }

    @Test("a wrong token and a wrong nonce open no more")
    func wrong() async throws {
        let house = House()
        try await house.test { client in
            for route in Set(routes(of: house)) where route.method != "OPTIONS" && !Self.open.contains(route.path) {
                guard let method = HTTPRequest.Method(rawValue: route.method) else { continue }
                for (query, token) in [("", "Bearer nothing"), ("?x-nonce=DEV-DEVELOP_nothing", nil)] {
                    var headers: HTTPFields = [.contentType: "application/json"]
                    headers[.authorization] = token
                    let answer = try await client.execute(
                        uri: route.path + query, method: method, headers: headers, body: ByteBuffer(string: "{}"))
                    #expect([400, 401].contains(answer.status.code), "\(route) \(answer.status)")
                }
            }
        }
    }

    @Test("all endpoints of the old service are there, under each of the three prefixes")
    func endpoints() throws {
        let path = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appendingPathComponent("EndToEndTests/Vectors/actors_api_endpoints.json")
        let document = try JSONReader.read(Array(try Data(contentsOf: path)))
        let endpoints = try #require(document["endpoints"]?.array)
        #expect(endpoints.count == 54)
        let routes = Set(routes(of: House(), "*"))
        for endpoint in endpoints {
            let method = try #require(endpoint["method"]?.string)
            for name in ["path", "public_v2", "public_v3"] {
                guard let path = endpoint[name]?.string else { continue }
                let parts = path.split(separator: "/").map { $0.hasPrefix("{") ? "*" : String($0) }
                let route = Route(method: method, path: "/" + parts.joined(separator: "/"))
                #expect(routes.contains(route), "\(route)")
            }
        }
    }
}
