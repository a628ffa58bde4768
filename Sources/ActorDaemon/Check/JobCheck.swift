package import ActorCore
internal import ActorStore
internal import Foundation

/// What `reactord job verify` found in the histories of jobs, for people and for programs.
package struct JobCheck: Sendable {
    private let report: JobLedgerReport

    package var isGood: Bool { report.isSound }

    /// Reads them from the database itself, whether a daemon runs on it or not. Blocks.
    ///
    /// - Parameter uuid: nil for all jobs.
    package static func run(dataDirectory: String, configFile: String?, uuid: String?) throws -> JobCheck {
        let settings = try SettingsLoader.load(file: configFile, environment: ProcessInfo.processInfo.environment)
        let report = try SQLiteStore.verifyJobs(
            path: DataFolder.database(in: dataDirectory), only: uuid.map { JobID($0.lowercased()) },
            synchronousFull: settings.store.synchronous == .full)
        return JobCheck(report: report)
    }

    /// Whether there is a database in the data folder, and may be read.
    package static func isReadable(_ dataDirectory: String) -> Bool {
        access(DataFolder.database(in: dataDirectory), R_OK) == 0
    }

    /// One line per problem, then a sentence.
    package var text: String {
        var lines = report.findings.map { "job \($0.job): \($0.problem)" }
        if report.count > report.findings.count {
            lines.append("\(report.count - report.findings.count) more problems")
        }
        if report.isDamaged {
            lines.append(
                "\(report.path): pages are damaged, or another program has written to them (reactord verify names them)"
            )
        }
        let read = "\(report.jobs) \(report.jobs == 1 ? "job" : "jobs"), \(report.lines) lines of history read"
        lines.append(
            isGood ? "\(read): every line is what was written" : "\(read): CHANGED since it was written")
        return lines.joined(separator: "\n") + "\n"
    }

    package var json: JSONValue {
        [
            "ok": .bool(isGood), "damaged": .bool(report.isDamaged), "database": .string(report.path),
            "jobs": JSONValue(report.jobs),
            "lines": JSONValue(report.lines), "problem_count": JSONValue(report.count),
            "problems": .array(
                report.findings.map { ["uuid": .string($0.job), "problem": .string($0.problem)] }),
        ]
    }
}
