package import ActorCore

/// One container of one try of a job.
package struct JobStep: Sendable, Hashable {
    /// Init containers come before main ones.
    package typealias Phase = JobPhase

    package let phase: Phase
    package let name: String
    /// Its place in its phase.
    package let index: Int
    /// 1 is the first; a `backoffLimit` allows more.
    package let attempt: Int

    package init(_ phase: Phase, _ name: String, index: Int, attempt: Int = 1) {
        self.phase = phase
        self.name = name
        self.index = index
        self.attempt = attempt
    }

    /// What the job's history calls it, and the journal: `init/convert`, `main/sort#2` in the second try.
    package var title: String { "\(phase.rawValue)/\(name)\(attempt > 1 ? "#\(attempt)" : "")" }

    /// For a work id or a file name: `init-convert`, `main-sort-2`.
    package var slug: String { phase.slug(name, attempt: attempt) }
}

/// How a step ended, as it is journalled and told.
package struct StepReport: Sendable, Equatable {
    package var exitCode: Int?
    /// Nil when it succeeded.
    package var reason: String?
    package var milliseconds: Int64
    /// Absolute path of its log.
    package var log: String
    /// Another try cannot help: the time of the whole job is up.
    package var isFinal: Bool

    package init(
        exitCode: Int?, reason: String?, milliseconds: Int64, log: String = "", isFinal: Bool = false
    ) {
        self.exitCode = exitCode
        self.reason = reason
        self.milliseconds = milliseconds
        self.log = log
        self.isFinal = isFinal
    }

    package var succeeded: Bool { reason == nil }
    package var seconds: JSONValue { .double(Double(milliseconds) / 1000) }

    package var json: JSONValue {
        [
            "exit_code": JSONValue(exitCode), "reason": JSONValue(reason), "milliseconds": .int(milliseconds),
            "log": .string(log), "final": .bool(isFinal),
        ]
    }

    package init(json: JSONValue) {
        self.init(
            exitCode: json["exit_code"]?.int, reason: json["reason"]?.string,
            milliseconds: Int64(json["milliseconds"]?.int ?? 0), log: json["log"]?.string ?? "",
            isFinal: json["final"]?.bool ?? false)
    }
}
