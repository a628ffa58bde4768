import ActorCore
import ActorRuntime
import ActorTesting
import Testing

/// What comes over HTTP while the folders are taken up.
@Suite struct MakingTests {
    @Test func anAliasWaitsUntilTheFoldersHaveTheirNames() async throws {
        let rig = Rig()
        let system = rig.system
        let (actor, other) = (rig.spec("clash"), rig.spec("other"))
        system.install([other], quarantined: [])
        let alias = Alias(tenant: "LAB", name: "clash", actor: other.id, owner: "ada", created: rig.clock.now())
        let (entered, enter) = AsyncStream.makeStream(of: Void.self)
        let (leave, go) = AsyncStream.makeStream(of: Void.self)
        async let taken: Void = system.betweenChanges { () async throws(ActorError) in
            enter.finish()
            for await _ in leave {}
            system.install([actor, other], quarantined: [])
        }
        for await _ in entered {}
        async let made: Void = system.create(alias)
        for _ in 0..<100 { await Task.yield() }
        #expect(try await rig.store.aliases().isEmpty)
        go.finish()
        try await taken
        do {
            try await made
            Issue.record("the alias of a folder's name was made")
        } catch {
            #expect((error as? ActorError)?.code == .conflict)
        }
    }
}
