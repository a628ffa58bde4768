import ActorCore
import ActorStore
import ActorTesting
import Testing

/// One suite, both stores: what the model promises the database keeps.
struct StoreConformanceTests {
    @Test(arguments: StoreSuite.checks)
    func model(_ check: StoreSuite.Check) async throws { try await check.run(MemoryStore()) }

    @Test(arguments: StoreSuite.checks)
    func database(_ check: StoreSuite.Check) async throws {
        try await withStore { store, _ in try await check.run(store) }
    }
}
