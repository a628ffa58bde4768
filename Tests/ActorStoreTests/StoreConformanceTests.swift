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
        try await withStore(slowSync: .max) { store, _ in try await check.run(store) }
    }

    /// As on a slow disk: commits are written while others are synced.
    @Test(arguments: StoreSuite.checks)
    func databaseThatSyncsBeside(_ check: StoreSuite.Check) async throws {
        try await withStore(slowSync: 0) { store, _ in try await check.run(store) }
    }
}
