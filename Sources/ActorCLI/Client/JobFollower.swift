package import ActorAPI
package import ActorCore

/// Follows a job's history to its end, a line for each thing that happens.
package struct JobFollower: Sendable {
    package struct End: Sendable, Equatable {
        package let uuid: String
        package let status: String
        package let exitCode: Int?
        package let reason: String?
        package let archiveFolder: String?
        package let history: JSONValue

        package var succeeded: Bool { !["FAILED", "REJECTED", "RETIRED", "GONE"].contains(status) }

        package var json: JSONValue {
            [
                "uuid": .string(uuid), "status": .string(status), "exit_code": JSONValue(exitCode),
                "reason": JSONValue(reason), "archive_folder": JSONValue(archiveFolder), "history": history,
            ]
        }
    }

    /// Logs are asked for this often while a job runs.
    private static let logPause = Swift.Duration.seconds(1)

    let client: DaemonClient
    let isQuiet: Bool
    var showsLogs = true

    func follow(_ uuid: String) async throws -> End {
        var shown = 0
        var tails = LogTails()
        var logsAt = ContinuousClock.now
        if !isQuiet { Console.standard.out("job \(uuid)\n") }
        while true {
            // Asked before the history is read: what happened last is in it.
            let job = try await client.read(Paths.job(uuid), as: JobPayload.self)
            let history = try await client.read(
                Paths.query(Paths.history(uuid), [("form", "full")]), as: JobHistoryPayload.self
            ).history
            let isOver = !["CREATED", "RUNNING"].contains(job.status)
            // At the end of a step its output has to stand before the word of its end.
            if !isQuiet, showsLogs, isOver || history.count > shown || ContinuousClock.now >= logsAt {
                logsAt = ContinuousClock.now + Self.logPause
                // Without the right to read them the history alone is followed.
                let logs = (try? await client.get(Paths.jobLogs(uuid))) ?? .null
                for line in tails.news(in: logs, isOver: isOver) { Console.standard.out(line + "\n") }
            }
            for entry in history.dropFirst(shown) where !isQuiet {
                if let line = Self.line(entry) { Console.standard.out(line + "\n") }
            }
            shown = max(shown, history.count)
            if isOver { return Self.end(job, history) }
            try await Task.sleep(for: Waiting.interval)
        }
    }

    private static func end(_ job: JobPayload, _ history: [HistoryPayload]) -> End {
        let failure = history.last { $0.name == "fail" }?.data
        return End(
            uuid: job.uuid, status: job.status,
            exitCode: failure?["exit_code"]?.int ?? (failure == nil ? 0 : nil), reason: failure?["reason"]?.string,
            archiveFolder: job.archiveFolder, history: .array(history.map(\.json)))
    }

    /// Nil for what nobody needs to see.
    package static func line(_ entry: HistoryPayload) -> String? {
        let data = entry.data
        switch entry.name {
        case "run":
            return "running\(data["node"]?.string.map { " on \(Safe.line($0))" } ?? "")"
        case "update":
            guard let step = data["step"]?.string else { return data["note"]?.string.map(Safe.line) }
            let seconds = data["seconds"]?.double.map { ", \(Duration.milliseconds(Int64($0 * 1000)).tenths)" } ?? ""
            let code = data["exit_code"]?.int.map { "exit status \($0)" } ?? data["reason"]?.string ?? "ended"
            return Safe.line("\(step): \(code)\(seconds)")
        case "finish":
            let files = data["file_count"]?.int.map { ", \($0) files archived" } ?? ""
            return "finished\(files)"
        case "fail":
            let step = data["step"]?.string ?? ""
            let head = Safe.line("failed: \(step) \(data["reason"]?.string ?? data["note"]?.string ?? "")")
            guard let tail = data["log_tail"]?.string, !tail.isEmpty else { return head }
            return head + "\n" + Safe.block(tail)
        default: return nil
        }
    }
}
