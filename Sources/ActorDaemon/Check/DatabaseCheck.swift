package import ActorCore
internal import ActorStore
internal import Foundation

/// What `reactord verify` found in a data folder's database, for people and for programs.
package struct DatabaseCheck: Sendable {
    private let report: IntegrityReport

    package var isGood: Bool { report.isSound }

    /// Reads the whole database, whether a daemon runs on it or not. Blocks.
    ///
    /// - Parameter progress: called now and then with the pages read and their number.
    package static func run(
        dataDirectory: String, configFile: String?, progress: @escaping (Int64, Int64) -> Void
    ) throws -> DatabaseCheck {
        let settings = try SettingsLoader.load(file: configFile, environment: ProcessInfo.processInfo.environment)
        let report = try SQLiteStore.verify(
            path: DataFolder.database(in: dataDirectory), synchronousFull: settings.store.synchronous == .full,
            progress: progress)
        return DatabaseCheck(report: report)
    }

    /// One line per place or problem, then a sentence.
    package var text: String {
        var lines = report.damage.map { "\(report.path): \($0.place) is damaged" }
        if report.damagedPlaces > report.damage.count {
            lines.append("\(report.path): \(report.damagedPlaces - report.damage.count) more damaged places")
        }
        lines += report.problems.map { "\(report.path): \($0)" }
        if !report.hasSums {
            lines.append(
                "\(report.path) has no checksums yet: the next start adds them; only its structure was checked")
        }
        let log = report.frames > 0 ? " and \(report.frames) frames of its log" : ""
        let read = report.hasSums ? "\(report.pages) pages\(log) read" : "structure checked"
        lines.append(
            isGood ? "\(read): all good" : "\(read): DAMAGED; stop the daemon, then `reactord restore BACKUP`")
        return lines.joined(separator: "\n") + "\n"
    }

    package var json: JSONValue {
        [
            "ok": .bool(isGood), "database": .string(report.path), "checksums": .bool(report.hasSums),
            "pages": .int(report.pages), "log_frames": .int(report.frames),
            "damaged_places": JSONValue(report.damagedPlaces),
            "damage": .array(
                report.damage.map { place in
                    [
                        "page": place.page.map { .int($0) } ?? .null,
                        "log_frame": place.frame.map { .int($0) } ?? .null,
                        "table": place.owner.map { .string($0) } ?? .null,
                    ]
                }),
            "problems": .array(report.problems.map { .string($0) }),
        ]
    }
}
