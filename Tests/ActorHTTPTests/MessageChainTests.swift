import ActorCore
import ActorRuntime
import ActorTesting
import HTTPTypes
import Testing

@testable import ActorHTTP

@Suite("messages that one actor's events cause at another")
struct MessageChainTests {
    private func send(
        _ house: House, _ count: String?, batch: Bool = false, status: Int = 200, has: [String] = []
    ) async throws {
        try await house.expect(
            Row(
                name: count ?? "none", method: .post, path: "/actors/v2/hello/messages" + (batch ? "/batch" : ""),
                token: House.annToken, type: batch ? "application/x-ndjson" : "application/json",
                headers: count.map { [SelfAddress.hopsHeader: $0] } ?? [:], body: "[1]", status: status, has: has))
    }

    @Test("a webhook that leads back is counted; what others say of it is not")
    func counted() async throws {
        let house = House { $0.maxHops = 9 }
        let own = house.front.address
        for count in [nil, own.hopsText(3), SelfAddress().hopsText(3), "3", "3 guess"] { try await send(house, count) }
        try await send(house, own.hopsText(9), batch: true)
        let stored = try await house.store.waiting(for: House.helloID)
        #expect(stored.map(\.message.hops) == [0, 3, 0, 0, 0, 9])
        try await send(house, own.hopsText(10), status: 400, has: ["looks like a loop; at most 9 are followed"])
        try await send(house, own.hopsText(10), batch: true, has: [#""accepted":0"#, "looks like a loop"])
        #expect(try await house.store.waiting(for: House.helloID).count == 6)
    }

    @Test("who changes an actor links it where its owner may send")
    func owner() async throws {
        let house = House()
        let actor = try await house.makeActor()
        let make = Row(
            name: "make", method: .post, path: "/v3/actors", token: House.bobToken, type: "application/json",
            body: #"{"image":"lab/any"}"#, status: 200)
        let made = try await house.test { try await make.send($0) }.json
        let target = ActorID(try #require(made["result"]?["id"]?.string))
        try await house.grant("bob", .update, on: actor)
        func link(_ status: Int, has: [String] = []) async throws {
            try await house.expect(
                Row(
                    name: "link", method: .put, path: "/v3/actors/\(actor)", token: House.bobToken,
                    type: "application/json", body: #"{"image":"lab/any","link":"\#(target)"}"#, status: status,
                    has: has))
        }
        try await link(400, has: ["ann, who owns actor \(actor), may not send to the linked actor \(target)"])
        try await house.grant("ann", .execute, on: target)
        try await link(200)
    }
}
