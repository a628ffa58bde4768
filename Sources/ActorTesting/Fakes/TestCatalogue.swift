import ActorCore

/// What a Reactor under test reads of the catalogue: what was committed to its world.
struct TestCatalogue: ModelledCatalogue {
    let world: TestWorld

    func reading<Value: Sendable>(_ body: (CatalogueModel, [JobRecord]) -> Value) -> Value {
        world.read { body($0.catalogue, $0.jobs.values.sorted { $0.created < $1.created }) }
    }
}
