import ActorCore
import ActorRuntime
import ActorTesting
import HTTPTypes
import Testing

@testable import ActorHTTP

@Suite("message_schema of stored actors")
struct MessageSchemaTests {
    @Test("one that was taken once and is refused now keeps its actor in ERROR with the reason, and its mail waits")
    func refusedLater() async throws {
        let house = House()
        let id = ActorID(Hashids.abaco.encode(123_456_789))
        var definition = ActorDefinition(image: "lab/any")
        definition.messageSchema = .bool(false)
        let now = house.clock.now()
        try await house.store.make(
            StoredActor(
                id: id, tenant: House.tenant, name: "", owner: "ann", fingerprint: "", revision: 1, created: now,
                updated: now, definition: definition))
        try await house.system.loadMade()
        let status = try #require(house.system.status(of: id))
        #expect(status.status == "ERROR")
        #expect(status.statusMessage.contains("message_schema cannot be used"))
        try await house.expect(
            Row(
                name: "mail", method: .post, path: "/v3/actors/\(id)/messages", token: House.annToken,
                type: "application/json", body: "[1]", status: 200, has: ["execution_id"]))
        #expect(try await house.store.waiting(for: id).count == 1)
    }
}
