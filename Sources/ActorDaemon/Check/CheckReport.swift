package import ActorCore

/// What `reactord check` found, for people and for programs.
package struct CheckReport: Sendable, Equatable {
    /// One thing to look at.
    package struct Finding: Sendable, Equatable {
        package enum Severity: String, Sendable {
            case error
            case warning
        }

        package let severity: Severity
        package let problem: Problem
    }

    package private(set) var findings: [Finding] = []
    /// What was looked at.
    package var actors = 0
    package var samples = 0
    package var jobFiles = 0

    package init() {}

    package var errors: [Problem] { findings.filter { $0.severity == .error }.map(\.problem) }
    package var warnings: [Problem] { findings.filter { $0.severity == .warning }.map(\.problem) }
    package var isGood: Bool { errors.isEmpty }

    mutating func error(_ problem: Problem) { findings.append(Finding(severity: .error, problem: problem)) }
    mutating func warn(_ problem: Problem) { findings.append(Finding(severity: .warning, problem: problem)) }

    /// `file:line: reason`, one line each, then a sentence. Paths below `folder` are shown from there.
    package func text(relativeTo folder: String) -> String {
        var lines = findings.map { finding in
            let mark = finding.severity == .warning ? "warning: " : ""
            return "\(short(finding.problem.place, folder)): \(mark)\(finding.problem.reason)"
        }
        let looked = "\(count(actors, "actor")), \(count(samples, "sample")), \(count(jobFiles, "job file")) checked"
        let verdict =
            isGood ? warnings.isEmpty ? "all good" : count(warnings.count, "warning") : count(errors.count, "error")
        lines.append("\(looked): \(verdict)")
        return lines.joined(separator: "\n") + "\n"
    }

    package func json(relativeTo folder: String) -> JSONValue {
        [
            "ok": .bool(isGood), "actors": JSONValue(actors), "samples": JSONValue(samples),
            "job_files": JSONValue(jobFiles),
            "findings": .array(
                findings.map { finding in
                    [
                        "severity": .string(finding.severity.rawValue),
                        "file": .string(short(finding.problem.file, folder)),
                        "line": JSONValue(finding.problem.line), "reason": .string(finding.problem.reason),
                    ]
                }),
        ]
    }

    private func short(_ path: String, _ folder: String) -> String {
        path.hasPrefix(folder + "/") ? String(path.dropFirst(folder.count + 1)) : path
    }

    private func count(_ number: Int, _ noun: String) -> String { "\(number) \(noun)\(number == 1 ? "" : "s")" }
}
