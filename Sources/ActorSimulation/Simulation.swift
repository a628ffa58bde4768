/// One run of the machines under a seeded scheduler, a virtual clock and a store that loses what was not synced.
package enum Simulation {
    package struct Result: Sendable {
        package let seed: UInt64
        package let violation: Violation?
        package let trace: Trace
        package let steps: Int
        /// Messages that were stored.
        package let messages: Int
        package var hash: UInt64 { trace.hash }
    }

    package static let defaultSteps = 600

    /// The same arguments give the same result, in every process and on every machine.
    package static func run(seed: UInt64, steps: Int = defaultSteps, bug: PlantedBug? = nil) -> Result {
        let simulator = Simulator(seed: seed, bug: bug)
        let violation = simulator.run(steps: max(0, steps))
        return Result(
            seed: seed, violation: violation, trace: simulator.trace, steps: simulator.step,
            messages: simulator.oracle.stories.count)
    }
}
