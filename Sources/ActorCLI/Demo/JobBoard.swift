import ActorAPI
import ActorCore

/// Where the demo's jobs stand at one moment, as the API tells it.
package struct JobBoard: Sendable, Equatable {
    package struct Line: Sendable, Equatable {
        package var uuid: String
        package var name: String
        package var status: String
        /// What happened last: `after check-recording`.
        package var step: String
        /// Milliseconds since 1970.
        package var started: Int64?
        package var ended: Int64?
        package var archiveFolder: String?
        /// Why it failed.
        package var reason: String?

        package init(
            uuid: String, name: String, status: String, step: String, started: Int64?, ended: Int64?,
            archiveFolder: String?, reason: String?
        ) {
            self.uuid = uuid
            self.name = name
            self.status = status
            self.step = step
            self.started = started
            self.ended = ended
            self.archiveFolder = archiveFolder
            self.reason = reason
        }

        package var isOver: Bool { !["CREATED", "RUNNING", "RESET"].contains(status) }

        /// Seconds that it took, or has taken up to `now`.
        package func seconds(now: Int64) -> Double {
            guard let started else { return 0 }
            return Double(max(0, (isOver ? ended ?? now : now) - started)) / 1000
        }
    }

    package var lines: [Line] = []

    package init(lines: [Line] = []) { self.lines = lines }

    package var isOver: Bool { lines.allSatisfy(\.isOver) }

    /// One line a job, aligned, for a terminal that draws them again and again.
    ///
    /// - Parameter width: columns of the terminal; a line that wrapped could not be drawn over.
    package func frame(_ style: Style, now: Int64, width: Int = 200) -> [String] {
        let names = min(lines.reduce(0) { max($0, $1.name.count) }, max(8, width - 22))
        return lines.map { line in
            let name = pad(String(Safe.line(line.name).prefix(names)), names)
            let status = style.paint(pad(line.status, 8), .of(status: line.status))
            let seconds = pad(Duration.milliseconds(Int64(line.seconds(now: now) * 1000)).tenths, 7)
            let step = Safe.line(line.step).prefix(max(0, width - names - 22))
            return "\(name)  \(status)  \(seconds)" + (step.isEmpty ? "" : "  " + style.paint(String(step), .faint))
        }
    }

    /// One line for each job that is not as it was, for a pipe.
    package func changes(since old: JobBoard) -> [String] {
        lines.compactMap { line in
            let before = old.lines.first { $0.uuid == line.uuid }
            guard before?.status != line.status || before?.step != line.step else { return nil }
            return "\(Safe.line(line.name)): \(line.status)" + (line.step.isEmpty ? "" : " \(Safe.line(line.step))")
        }
    }

    private func pad(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.count))
    }
}

extension JobBoard.Line {
    /// - Parameter history: newest last.
    init(_ job: JobPayload, _ history: [HistoryPayload]) {
        let name = history.lazy.compactMap { $0.data["name"]?.string }.first ?? job.session
        self.init(
            uuid: job.uuid, name: name.isEmpty ? job.uuid : name, status: job.status, step: "",
            started: MomentText.milliseconds(job.created), ended: nil, archiveFolder: job.archiveFolder, reason: nil)
        if isOver { ended = MomentText.milliseconds(history.last?.date ?? job.updated) }
        if let last = history.last(where: { $0.data["step"]?.string != nil }), let title = last.data["step"]?.string {
            step = last.name == "fail" ? "at \(title)" : "after \(title)"
        }
        reason = history.last { $0.name == "fail" }?.data["reason"]?.string
    }
}

/// Times as the API writes them.
package enum MomentText {
    /// Milliseconds since 1970 of `2026-11-21T03:16:59.123Z`, or nil.
    package static func milliseconds(_ text: String) -> Int64? {
        let parts = text.split(whereSeparator: { "-T:.Z ".contains($0) }).map { Int64($0) }
        guard parts.count >= 6, let year = parts[0], let month = parts[1], let day = parts[2], let hour = parts[3],
            let minute = parts[4], let second = parts[5], (1...12).contains(month)
        else { return nil }
        let days = Int64(Timestamp.daysSince1970(year: Int(year), month: Int(month), day: Int(day)))
        let fraction = parts.count > 6 ? (parts[6] ?? 0) : 0
        return ((days * 24 + hour) * 60 + minute) * 60_000 + second * 1000 + fraction
    }
}

extension Duration {
    /// `3.2 s`
    var tenths: String {
        let tenths = components.seconds * 10 + components.attoseconds / 100_000_000_000_000_000
        return "\(tenths / 10).\(tenths % 10) s"
    }
}
