import ActorCore
import ActorSimulation
import ArgumentParser
import FoundationEssentials
import Glibc

/// `A..B`, both included.
struct SeedRange: ExpressibleByArgument {
    let seeds: ClosedRange<UInt64>

    init?(argument: String) {
        guard let dots = argument.firstRange(of: ".."),
            let first = UInt64(argument[..<dots.lowerBound]), let last = UInt64(argument[dots.upperBound...]),
            first <= last
        else { return nil }
        seeds = first...last
    }
}

/// `reactord-sim`: runs the machines from seeds, and says which seed breaks a promise.
@main
struct SimulatorCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reactord-sim",
        abstract: "Play the bus, the dispatcher, the executions and the outbox from a seed; find broken promises.",
        discussion: """
            The same seed and steps give the same run and the same trace hash, on every machine. Ends with 1 when a
            promise was broken, and names the seed.

            Examples:
              reactord-sim --seeds 1..10000
              reactord-sim --seed 42 --trace run.txt
              reactord-sim --count 200 --bug wake-up-lost

            Bugs that can be planted:
            \(PlantedBug.allCases.map { "  \($0.rawValue): \($0.summary)" }.joined(separator: "\n"))
            """)

    @Option(help: ArgumentHelp("Run this one seed.", valueName: "N")) var seed: UInt64?
    @Option(help: ArgumentHelp("Run all seeds from A to B.", valueName: "A..B")) var seeds: SeedRange?
    @Option(help: ArgumentHelp("Run the seeds 1 to N.", valueName: "N")) var count: UInt64?
    @Option(help: ArgumentHelp("Steps with troubles, before everything has to come to rest.", valueName: "N"))
    var steps = Simulation.defaultSteps
    @Option(help: ArgumentHelp("Write every event of the run to this file (one seed only).", valueName: "FILE"))
    var trace: String?
    @Option(help: ArgumentHelp("Plant a bug.", valueName: "NAME"), transform: Self.bug) var bug: PlantedBug?
    @Flag(help: "Print JSON, one line per seed with a violation and one at the end.") var json = false

    private var range: ClosedRange<UInt64> {
        if let seed { return seed...seed }
        if let seeds { return seeds.seeds }
        return 1...max(1, count ?? 100)
    }

    private static func bug(_ name: String) throws -> PlantedBug {
        guard let bug = PlantedBug(rawValue: name) else {
            throw ValidationError("no bug is called '\(name)'; --help lists them")
        }
        return bug
    }

    func validate() throws {
        if [seed != nil, seeds != nil, count != nil].count(where: { $0 }) > 1 {
            throw ValidationError("give one of --seed, --seeds and --count")
        }
        if count == 0 { throw ValidationError("--count is at least 1") }
        if steps < 0 { throw ValidationError("--steps is at least 0") }
        if trace != nil, range.count > 1 { throw ValidationError("--trace needs one seed: give --seed N") }
    }

    func run() throws {
        let clock = ContinuousClock()
        let start = clock.now
        var told = start
        var violations: [Simulation.Result] = []
        var (steps, messages, hash) = (0, 0, UInt64(0))
        for seed in range {
            let result = Simulation.run(seed: seed, steps: self.steps, bug: bug)
            steps += result.steps
            messages += result.messages
            hash = hash &* 0x100_0000_01b3 ^ result.hash
            if let trace { try write(result, to: trace) }
            if result.violation != nil {
                violations.append(result)
                report(result)
            } else if range.count == 1 {
                report(result)
            }
            if told.duration(to: clock.now) > .seconds(2) {
                told = clock.now
                let done = seed - range.lowerBound + 1
                say("\(done) of \(range.count) seeds, \(violations.count) with a violation\n", to: STDERR_FILENO)
            }
        }
        sum(violations, steps: steps, messages: messages, hash: hash, took: start.duration(to: clock.now))
        if !violations.isEmpty { throw ExitCode(1) }
    }

    private func report(_ result: Simulation.Result) {
        let hash = hex(result.hash)
        if json {
            let broken: JSONValue =
                if let violation = result.violation {
                    [
                        "promise": .string(violation.promise.rawValue), "step": JSONValue(violation.step),
                        "text": .string(violation.text),
                    ]
                } else {
                    .null
                }
            return say(
                line([
                    "seed": .string(String(result.seed)), "trace_hash": .string(hash),
                    "steps": JSONValue(result.steps), "messages": JSONValue(result.messages), "violation": broken,
                ]))
        }
        say("seed \(result.seed): trace hash \(hash), \(result.steps) steps, \(result.messages) messages\n")
        guard let violation = result.violation else { return }
        say("  broken at step \(violation.step): \(violation.promise.rawValue): \(violation.text)\n")
        if range.count == 1 { for event in result.trace.lines(last: 40) { say("    \(event)\n") } }
    }

    private func sum(
        _ violations: [Simulation.Result], steps: Int, messages: Int, hash: UInt64, took: Duration
    ) {
        if json {
            return say(
                line([
                    "seeds": JSONValue(range.count), "violations": JSONValue(violations.count),
                    "steps": JSONValue(steps), "messages": JSONValue(messages), "trace_hash": .string(hex(hash)),
                    "milliseconds": JSONValue(Int(took / .milliseconds(1))),
                ]))
        }
        if range.count == 1 { return }
        let seconds = Double(Int(took / .milliseconds(100))) / 10
        say(
            "seeds \(range.lowerBound)..\(range.upperBound): \(violations.count) with a violation, "
                + "\(steps) steps, \(messages) messages, \(seconds) s, hash of all traces \(hex(hash))\n")
    }

    private func write(_ result: Simulation.Result, to path: String) throws {
        let text =
            "# seed \(result.seed), trace hash \(hex(result.hash)): step, clock, event, values\n"
            + result.trace.lines().joined(separator: "\n") + "\n"
        try Data(text.utf8).write(to: URL(filePath: path))
    }

    private func line(_ value: JSONValue) -> String {
        String(decoding: JSONWriter.bytes(value), as: UTF8.self) + "\n"
    }

    private func hex(_ number: UInt64) -> String {
        let digits = String(number, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }

    private func say(_ text: String, to descriptor: Int32 = STDOUT_FILENO) {
        var bytes = Array(text.utf8)[...]
        while !bytes.isEmpty {
            let count = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count <= 0 { return }
            bytes = bytes.dropFirst(count)
        }
    }
}
