import ActorCore
import ActorTesting
import Reactors
import Testing

/// The actor that keeps nothing.
@Suite struct DiscardReactorTests {
    @Test(arguments: [JSONValue.null, "text", ["any": "thing"], [1, 2, 3]])
    func takesEverythingAndLeavesNothing(body: JSONValue) async throws {
        let world = TestWorld()
        try await world.deliver(envelope(body), to: DiscardReactor(), as: TestContext.Setup())
        #expect(world.read { $0.mail.isEmpty && $0.calls.isEmpty && $0.log.isEmpty })
        #expect(world.read { $0.documents.isEmpty && $0.states.isEmpty && $0.replies.isEmpty })
    }

    @Test func isInTheCatalog() { #expect(Catalog.makers["discard"] != nil) }
}
