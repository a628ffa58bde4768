package import ActorCore
import ActorDaemon
import FoundationEssentials

/// What a person wants to see when the demo is over.
package struct DemoReport: Sendable, Equatable {
    /// What one job left in its archive.
    package struct Outcome: Sendable, Equatable {
        package var line: JobBoard.Line
        /// Absolute paths of the plots.
        package var plots: [String]
        /// `beats 512, rate per minute 104.7`
        package var summary: String

        package init(line: JobBoard.Line, plots: [String], summary: String) {
            self.line = line
            self.plots = plots
            self.summary = summary
        }
    }

    package var outcomes: [Outcome]
    package var pageURL: String

    package init(outcomes: [Outcome], pageURL: String) {
        self.outcomes = outcomes
        self.pageURL = pageURL
    }

    /// Reads the archive folders that the API named.
    static func of(_ board: JobBoard, pageURL: String) -> DemoReport {
        let outcomes = board.lines.map { line in
            let folder = line.archiveFolder ?? ""
            let names = folder.isEmpty ? [] : (try? FileManager.default.subpathsOfDirectory(atPath: folder)) ?? []
            let plots = names.filter { $0.hasSuffix(".svg") }.sorted().map { "\(folder)/\($0)" }
            let summary = names.filter { $0 == "summary.json" || $0.hasSuffix("/summary.json") }.sorted().first
            let text = summary.flatMap { try? BoundedFile.read("\(folder)/\($0)", limit: 1 << 20).bytes }
            return Outcome(
                line: line, plots: plots, summary: text.flatMap { try? JSONReader.read($0) }.map(sentence) ?? "")
        }
        return DemoReport(outcomes: outcomes, pageURL: pageURL)
    }

    /// The numbers of a summary in one line; what only programs need is left out.
    package static func sentence(_ summary: JSONValue) -> String {
        let skipped: Set<String> = ["uuid", "sha256", "version", "file", "recording"]
        let facts = (summary.object ?? []).compactMap { member -> String? in
            guard !skipped.contains(member.name) else { return nil }
            let name = member.name.replacing("_", with: " ")
            switch member.value {
            case .int, .wide, .double, .bool: return "\(name) \(JSONWriter.string(member.value))"
            case .string(let text) where !text.isEmpty: return "\(name) \(Safe.line(text))"
            default: return nil
            }
        }
        return facts.joined(separator: ", ")
    }

    /// - Parameter isKept: the daemon stays.
    package func render(_ style: Style, isKept: Bool = false) -> String {
        var table = Table("JOB", "STATE", "DURATION", "ARCHIVE")
        for outcome in outcomes {
            let line = outcome.line
            let seconds = Duration.milliseconds(Int64(line.seconds(now: 0) * 1000)).tenths
            table.add(
                Table.Cell(line.name), .status(line.status), Table.Cell(seconds),
                Table.Cell(line.archiveFolder ?? "-"))
        }
        var output = "\n" + table.render(style, empty: "no jobs were made")
        for outcome in outcomes {
            output += "\n" + style.paint(Safe.line(outcome.line.name), .strong) + "\n"
            if let reason = outcome.line.reason { output += "  \(style.paint(Safe.line(reason), .bad))\n" }
            if !outcome.summary.isEmpty { output += "  \(outcome.summary)\n" }
            for plot in outcome.plots { output += "  plot: \(Safe.line(plot))\n" }
        }
        return output + "\ndashboard: \(pageURL)\(isKept ? "" : " (ends with this demo; --keep leaves it running)")\n"
    }

    package var isGood: Bool { !outcomes.isEmpty && outcomes.allSatisfy { $0.line.status == "FINISHED" } }
}
