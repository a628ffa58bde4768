import ActorTesting
import Foundation

/// How hard the crash tests try: briefly in `make test`, for long in `make soak`.
enum Soak {
    private static let environment = ProcessInfo.processInfo.environment

    static let isOn = environment["REACTORD_SOAK"] == "1"

    static func rounds(_ short: Int, soak: Int) -> Int { isOn ? soak : short }

    /// The seed of a scenario's choices, printed; `REACTORD_SEED` makes them again.
    static func seed(of scenario: String) -> UInt64 {
        let seed = environment["REACTORD_SEED"].flatMap(UInt64.init) ?? UInt64.random(in: 0..<UInt64.max)
        print("\(scenario): REACTORD_SEED=\(seed)")
        return seed
    }
}

/// What came of one scenario: the line of the table that `make soak` prints.
struct Tally {
    let scenario: String
    /// How often the daemon was killed, stopped, filled or had its clock set.
    var blows = 0
    var acknowledged = 0
    var lost = 0
    var twice = 0
    var outOfOrder = 0

    /// Columns as in `scripts/soak-table`.
    func report() {
        let numbers = [blows, acknowledged, lost, twice, outOfOrder]
        let line = ([scenario] + numbers.map(String.init)).joined(separator: "\t")
        print("soak: \(line.replacing("\t", with: " "))  (blows, acknowledged, lost, twice, out of order)")
        guard let path = ProcessInfo.processInfo.environment["REACTORD_SOAK_REPORT"] else { return }
        let file = open(path, O_WRONLY | O_CREAT | O_APPEND, 0o644)
        defer { close(file) }
        let bytes = Array("\(line)\n".utf8)
        write(file, bytes, bytes.count)
    }
}
