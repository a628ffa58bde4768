package import ActorCore

/// One line of squeue or sacct.
package struct SlurmRow: Sendable, Equatable {
    /// Of the whole array, for a job of an array.
    package let id: String
    /// Of one job of an array.
    package let task: String
    package let name: String
    /// `RUNNING`; what sacct says behind it (`CANCELLED by 0`) is left out.
    package let state: String
    package let reason: String?
    package let node: String?
    package let exit: String?

    /// Fields by `|`: array job id, state, reason, nodes, name.
    package static let queueFormat = "%F|%T|%r|%N|%j"

    package init?(queue line: Substring) {
        let fields = line.split(separator: "|", maxSplits: 4, omittingEmptySubsequences: false).map(String.init)
        guard fields.count == 5, !fields[0].isEmpty else { return nil }
        id = fields[0]
        task = fields[0]
        state = Self.word(fields[1])
        reason = Self.known(fields[2])
        node = Self.known(fields[3])
        name = fields[4]
        exit = nil
    }

    package static let accountingFields = "JobID,JobName,State,ExitCode,NodeList,Reason"

    package init?(accounting line: Substring) {
        let fields = line.split(separator: "|", omittingEmptySubsequences: false).map(String.init)
        guard fields.count >= 6, !fields[0].isEmpty else { return nil }
        // 12, 12_3, 12_[4-9]: the array's own number.
        id = String(fields[0].prefix { $0.isNumber })
        task = fields[0]
        name = fields[1]
        state = Self.word(fields[2])
        exit = Self.known(fields[3])
        node = Self.known(fields[4])
        reason = Self.known(fields[5])
    }

    private static func word(_ text: String) -> String { String(text.prefix { $0 != " " && $0 != "+" }) }

    private static func known(_ text: String) -> String? {
        ["", "None", "(null)", "N/A", "None assigned", "Unknown"].contains(text) ? nil : text
    }
}

/// What one step has noted of itself.
package struct SlurmStepNote: Sendable, Equatable {
    package let phase: JobPhase
    package let name: String
    /// The how many-th time that Slurm has begun the job again.
    package let place: String
    package let code: Int?
    package let begun: Int64?
    package let ended: Int64?

    /// `init convert 0 ended 1795262094 3 1795262099`
    package init?(_ text: String) {
        let words = text.split(whereSeparator: \.isWhitespace).map(String.init)
        guard words.count >= 5, let phase = JobPhase(rawValue: words[0]) else { return nil }
        self.phase = phase
        name = words[1]
        place = words[2]
        begun = Int64(words[4])
        code = words.count > 5 ? Int(words[5]) : nil
        ended = words.count > 6 ? Int64(words[6]) : nil
    }
}

/// Turns what Slurm and the steps say into what is seen of a job.
package enum SlurmReports {
    private static let waiting: Set<String> = [
        "PENDING", "CONFIGURING", "REQUEUED", "REQUEUE_FED", "REQUEUE_HOLD", "RESV_DEL_HOLD", "SPECIAL_EXIT",
    ]
    private static let running: Set<String> = [
        "RUNNING", "COMPLETING", "STAGE_OUT", "SIGNALING", "RESIZING", "STOPPED", "SUSPENDED",
    ]

    /// - Parameters:
    ///   - rows: of this job; several for an array.
    ///   - end: what the script noted when it was through: its status.
    /// - Returns: nil when nobody knows of it.
    package static func observation(
        _ rows: [SlurmRow], steps: [SlurmStepNote], end: Int?
    ) -> EngineObservation? {
        let noted = steps.map(step)
        let started = steps.compactMap(\.begun).min().map(moment)
        let node = rows.compactMap(\.node).first
        func seen(_ phase: EngineObservation.Phase, _ reason: String? = nil) -> EngineObservation {
            EngineObservation(phase, reason: reason, node: node, started: started, steps: noted)
        }
        guard !rows.isEmpty else { return end.map { seen(.ended(closing($0, steps))) } }
        if let row = rows.first(where: { running.contains($0.state) }) {
            return seen(.running, row.state == "RUNNING" || row.state == "COMPLETING" ? nil : row.state.lowercased())
        }
        if let row = rows.first(where: { waiting.contains($0.state) }) {
            return seen(.pending, row.reason ?? row.state.lowercased())
        }
        let ends = rows.map { self.end(of: $0, steps, end) }
        return seen(.ended(ends.first { !$0.succeeded } ?? EngineEnd(.succeeded, exitCode: 0)))
    }

    /// The notes are files that the job itself can write: any number may stand there.
    private static func moment(_ seconds: Int64) -> Timestamp {
        Timestamp(milliseconds: 0).adding(seconds: Double(seconds))
    }

    private static func step(_ note: SlurmStepNote) -> EngineObservation.Step {
        let state: EngineObservation.Step.State = note.code.map { .ended(.exited($0)) } ?? .running
        var milliseconds: Int64?
        if let begun = note.begun, let ended = note.ended { milliseconds = moment(ended).since(moment(begun)) }
        return EngineObservation.Step(
            note.phase, note.name, place: note.place, state, milliseconds: milliseconds)
    }

    private static func end(of row: SlurmRow, _ steps: [SlurmStepNote], _ end: Int?) -> EngineEnd {
        let message = row.reason
        switch row.state {
        case "COMPLETED": return EngineEnd(.succeeded, exitCode: 0)
        case "TIMEOUT", "DEADLINE": return EngineEnd(.timedOut, message: "Slurm's time limit")
        case "OUT_OF_MEMORY": return EngineEnd(.outOfMemory, exitCode: steps.compactMap(\.code).first { $0 != 0 })
        case "NODE_FAIL", "BOOT_FAIL", "LAUNCH_FAILED": return EngineEnd(.nodeFailed, message: row.node)
        case "PREEMPTED": return EngineEnd(.preempted, message: message)
        case "CANCELLED": return EngineEnd(.cancelled, message: message)
        case "REVOKED": return EngineEnd(.lost, message: "revoked by another cluster")
        case "FAILED":
            if end != nil || steps.contains(where: { ($0.code ?? 0) != 0 }) { return closing(end ?? 1, steps) }
            guard let exit = code(row.exit) else { return EngineEnd(.failed, message: message) }
            // Its script did not get to its own end.
            return exit.signal > 0
                ? EngineEnd(.failed, exitCode: 128 + exit.signal, signal: exit.signal, message: message)
                : EngineEnd(.failed, exitCode: exit.code, message: message)
        default: return EngineEnd(.failed, message: "Slurm says \(row.state)")
        }
    }

    /// By what the script says of itself.
    private static func closing(_ code: Int, _ steps: [SlurmStepNote]) -> EngineEnd {
        let failed = steps.first { ($0.code ?? 0) != 0 }?.code
        return .exited(failed ?? code)
    }

    /// `3:0`: exit status and signal.
    private static func code(_ text: String?) -> (code: Int, signal: Int)? {
        guard let parts = text?.split(separator: ":"), let code = parts.first.flatMap({ Int($0) }) else { return nil }
        return (code, parts.count > 1 ? Int(parts[1]) ?? 0 : 0)
    }

    /// What a program of Slurm says when it fails, by what can be done about it.
    package static func failure(_ program: String, _ errors: String) -> EngineFailure {
        let lines = errors.split(separator: "\n").map { line in
            line.hasPrefix("\(program): error: ") ? line.dropFirst(program.count + 9) : line
        }
        let message = "\(program): \(lines.prefix(3).joined(separator: "; ").prefix(500))"
        func says(_ words: String...) -> Bool { words.contains { errors.lowercased().contains($0) } }
        if says(
            "unable to contact", "socket timed out", "connection refused", "communication", "transport endpoint",
            "zero bytes", "slurm_persist_conn", "try again", "temporarily", "connection timed out")
        {
            return EngineFailure(.unreachable, message)
        }
        if says("limit", "policy", "maxsubmit") { return EngineFailure(.quota, message) }
        if says(
            "node configuration is not available", "memory specification", "more processors requested",
            "unrecognized option", "invalid generic resource", "invalid numeric", "invalid time",
            "batch script is empty")
        {
            return EngineFailure(.unacceptable, message)
        }
        return EngineFailure(.refused, message)
    }
}
