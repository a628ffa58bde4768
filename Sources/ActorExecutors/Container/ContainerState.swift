import ActorCore

/// A container as the engine's inspection shows it, and what that says about how it ended. Pure.
struct ContainerState: Equatable {
    enum Phase: Equatable {
        /// Made, not started.
        case created
        case running
        case ended
        /// Somebody is removing it.
        case leaving
    }

    let phase: Phase
    let exitCode: Int
    let isOutOfMemory: Bool
    let problem: String
    let started: Timestamp?
    let finished: Timestamp?
    let logOffset: Int?
    let memoryBytes: Int64
    let workID: String?

    /// - Parameter json: the answer to `GET /containers/NAME/json`; nil when it is none.
    init?(json: JSONValue) {
        guard let state = json["State"], let status = state["Status"]?.string else { return nil }
        switch status {
        case "created", "configured", "initialized": phase = .created
        case "removing", "dead": phase = .leaving
        // Podman's "stopped" has no exit code yet.
        case "exited": phase = .ended
        default: phase = .running
        }
        exitCode = state["ExitCode"]?.int ?? 0
        isOutOfMemory = state["OOMKilled"]?.bool ?? false
        problem = state["Error"]?.string ?? ""
        started = Self.moment(state["StartedAt"])
        finished = Self.moment(state["FinishedAt"])
        let labels = json["Config"]?["Labels"]
        logOffset = labels?[ContainerOrder.Label.logOffset]?.string.flatMap { Int($0) }
        workID = labels?[ContainerOrder.Label.work]?.string
        memoryBytes = Int64(json["HostConfig"]?["Memory"]?.int ?? 0)
    }

    /// Engines write the year 1 for what has not happened.
    private static func moment(_ value: JSONValue?) -> Timestamp? {
        value?.string.flatMap { Timestamp(iso8601: $0) }.flatMap { $0.milliseconds > 0 ? $0 : nil }
    }

    var milliseconds: Int64 {
        guard let started, let finished else { return 0 }
        return max(0, finished.since(started))
    }

    /// How the command ended.
    ///
    /// - Parameters:
    ///   - limit: milliseconds that it was given.
    ///   - tellsMemory: whether the engine tells out of memory from any other kill.
    func end(limit: Int64?, tellsMemory: Bool) -> WorkResult.End {
        if started == nil, let problem = Self.unstartable(problem, exitCode) { return problem }
        if isOutOfMemory, exitCode != 0 { return .outOfMemory }
        let signal = (129...192).contains(exitCode) ? exitCode - 128 : nil
        // Stopped by us and not told any more, because the daemon was killed before it could say so.
        if let limit, signal == 9 || signal == 15, milliseconds >= limit { return .timedOut }
        if signal == 9, !tellsMemory, memoryBytes > 0 { return .outOfMemory }
        return signal.map { .signalled($0) } ?? .exited(exitCode)
    }

    /// What the engine says when the program is not in the image, or cannot be run: nothing that time mends.
    static func unstartable(_ message: String, _ exitCode: Int) -> WorkResult.End? {
        let words = [
            "executable file not found", "no such file or directory", "permission denied", "not a directory",
            "exec format error", "is a directory", "cwd must be", "unable to find user",
            "no matching entries in passwd",
        ]
        let known = words.contains { message.lowercased().contains($0) }
        guard known || exitCode == 126 || exitCode == 127 else { return nil }
        let what = message.isEmpty ? "the program is not in the image, or may not be run" : message
        return .couldNotStart("the container could not start its program: \(what)")
    }
}
