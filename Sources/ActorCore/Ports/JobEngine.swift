/// Which of a job's containers: those that run one after another before the others, or the others.
package enum JobPhase: String, Sendable {
    case initial = "init"
    case main

    /// For a file name: `init-convert`, `main-sort-2` in the second attempt.
    package func slug(_ name: String, attempt: Int) -> String {
        let plain = name.lowercased().map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "-" }
        return "\(rawValue)-\(String(plain))\(attempt > 1 ? "-\(attempt)" : "")"
    }
}

/// A whole job as a job engine takes it: everything it needs, nothing that it has to look up.
package struct JobOrder: Sendable, Equatable {
    /// One container of it, its variables filled in.
    package struct Step: Sendable, Equatable {
        package var phase: JobPhase
        package var name: String
        /// For a file name: `init-convert`.
        package var slug: String
        package var image: String
        package var command: [String]
        package var args: [String]
        package var environment: [EnvironmentEntry]
        /// Absolute; nil for the work folder.
        package var workingDirectory: String?
        package var resources: JobResources

        package init(
            phase: JobPhase, name: String, slug: String, image: String, command: [String], args: [String],
            environment: [EnvironmentEntry], workingDirectory: String? = nil, resources: JobResources = JobResources()
        ) {
            self.phase = phase
            self.name = name
            self.slug = slug
            self.image = image
            self.command = command
            self.args = args
            self.environment = environment
            self.workingDirectory = workingDirectory
            self.resources = resources
        }
    }

    /// Who it is, so that a second submission after a crash finds the first.
    package var run: EngineRun
    /// Init steps first, each list in its order.
    package var steps: [Step]
    /// What every container is told beside its own variables.
    package var environment: [EnvironmentEntry]
    package var folders: RunFolders
    package var deadlineSeconds: Int?
    package var backoffLimit: Int
    /// Annotations `reactord/…` of the job file, without that prefix.
    package var options: [String: String]
    /// The job file as it was read, for engines that take it as it is.
    package var manifest: JSONValue?

    package init(
        run: EngineRun, steps: [Step], environment: [EnvironmentEntry], folders: RunFolders,
        deadlineSeconds: Int? = nil, backoffLimit: Int = 0, options: [String: String] = [:],
        manifest: JSONValue? = nil
    ) {
        self.run = run
        self.steps = steps
        self.environment = environment
        self.folders = folders
        self.deadlineSeconds = deadlineSeconds
        self.backoffLimit = backoffLimit
        self.options = options
        self.manifest = manifest
    }
}

/// One submission: which job, the how many-th time, what the engine calls it.
package struct EngineRun: Sendable, Equatable {
    package let job: JobID
    /// 1 is the first; a job that is submitted again is another run.
    package let attempt: Int
    /// The same for the same job and attempt, and legal for every engine.
    package let name: String
    /// What the engine itself calls it; nil until that is known.
    package var id: String?
    /// Absolute folder in which the logs of its steps end up.
    package let logs: String

    package init(job: JobID, attempt: Int, name: String, id: String? = nil, logs: String) {
        self.job = job
        self.attempt = attempt
        self.name = name
        self.id = id
        self.logs = logs
    }

    /// Where the log of a container goes.
    package func logFile(_ phase: JobPhase, _ name: String) -> String {
        "\(logs)/\(phase.slug(name, attempt: attempt)).log"
    }

    /// A name that says whose job it is to people, and to engines: RFC 1123 label, at most 63 characters.
    package static func name(_ title: String, job: JobID, attempt: Int) -> String {
        let digits = job.rawValue.lowercased().filter { $0.isASCII && ($0.isLetter || $0.isNumber) }
        let tail = "\(digits.suffix(12))-\(attempt)"
        var head = ""
        for character in title.lowercased() {
            let isPlain = character.isASCII && (character.isLetter || character.isNumber)
            if isPlain { head.append(character) } else if head.last != "-", !head.isEmpty { head.append("-") }
            if head.utf8.count >= 62 - tail.utf8.count { break }
        }
        while head.last == "-" { head.removeLast() }
        return "\(head.isEmpty ? "job" : head)-\(tail)"
    }
}

/// How a container or a whole job ended, as far as the engine can tell.
package struct EngineEnd: Sendable, Equatable {
    package enum Kind: String, Sendable {
        case succeeded
        /// Its own doing: exit status or signal.
        case failed
        case outOfMemory = "out_of_memory"
        case timedOut = "timed_out"
        /// Stopped at the engine, by whoever may do that there.
        case cancelled
        /// No image, no secret, no program: it never ran.
        case couldNotStart = "could_not_start"
        case evicted
        case preempted
        case nodeFailed = "node_failed"
        /// The daemon asks for it in vain.
        case lost
    }

    package var kind: Kind
    package var exitCode: Int?
    package var signal: Int?
    /// What the engine says beside.
    package var message: String?

    package init(_ kind: Kind, exitCode: Int? = nil, signal: Int? = nil, message: String? = nil) {
        self.kind = kind
        self.exitCode = exitCode
        self.signal = signal
        self.message = message
    }

    /// As a shell tells it: 128 and the number of a signal above that.
    package static func exited(_ code: Int) -> EngineEnd {
        if code == 0 { return EngineEnd(.succeeded, exitCode: 0) }
        return EngineEnd(.failed, exitCode: code, signal: (129...192).contains(code) ? code - 128 : nil)
    }

    package var succeeded: Bool { kind == .succeeded }
    /// The engine's failure, not the job's.
    package var isOfTheEngine: Bool { [.evicted, .preempted, .nodeFailed, .lost].contains(kind) }

    /// One line for people; nil when it succeeded.
    package var reason: String? {
        let what: String
        switch kind {
        case .succeeded: return nil
        case .failed:
            if let signal {
                what = "ended by signal \(signal)"
            } else {
                what = exitCode.map { "exited with status \($0)" } ?? "failed"
            }
        case .outOfMemory: what = "ran out of memory"
        case .timedOut: what = "its time was up"
        case .cancelled: what = "was cancelled at the engine"
        case .couldNotStart: what = "could not start"
        case .evicted: what = "was evicted from its node"
        case .preempted: what = "was preempted"
        case .nodeFailed: what = "its node failed"
        case .lost: what = "the engine knows nothing of it any more"
        }
        return message.map { "\(what): \($0)" } ?? what
    }
}

/// What an engine says of one run at one moment.
package struct EngineObservation: Sendable, Equatable {
    package enum Phase: Sendable, Equatable {
        /// Accepted, not running.
        case pending
        case running
        case ended(EngineEnd)
    }

    /// One container.
    package struct Step: Sendable, Equatable {
        package enum State: Sendable, Equatable {
            case waiting
            case running
            case ended(EngineEnd)
        }

        package var phase: JobPhase
        package var name: String
        /// Tells the same container in another try of the engine's own from this one: a pod's name. Empty when there is
        /// only one.
        package var place: String
        package var state: State
        package var milliseconds: Int64?

        package init(
            _ phase: JobPhase, _ name: String, place: String = "", _ state: State, milliseconds: Int64? = nil
        ) {
            self.phase = phase
            self.name = name
            self.place = place
            self.state = state
            self.milliseconds = milliseconds
        }

        package var title: String { "\(phase.rawValue)/\(name)" }
    }

    package var phase: Phase
    /// Why it waits or what stands in its way, in the engine's words: `Resources`, `ImagePullBackOff: …`.
    package var reason: String?
    /// The node it runs on.
    package var node: String?
    /// When it began to run, if the engine says so.
    package var started: Timestamp?
    package var steps: [Step]

    package init(
        _ phase: Phase, reason: String? = nil, node: String? = nil, started: Timestamp? = nil, steps: [Step] = []
    ) {
        self.phase = phase
        self.reason = reason
        self.node = node
        self.started = started
        self.steps = steps
    }
}

/// Why an engine did not do what it was asked: never the job's own failure.
package struct EngineFailure: Error, Sendable, Equatable, CustomStringConvertible {
    package enum Kind: String, Sendable {
        /// No answer, or one that says "later".
        case unreachable
        /// It knows us and says no: rights, a partition that is closed.
        case refused
        /// No room under somebody's quota or limit.
        case quota
        /// The order itself is what it cannot take: asking again changes nothing.
        case unacceptable
    }

    package let kind: Kind
    package let message: String

    package init(_ kind: Kind, _ message: String) {
        self.kind = kind
        self.message = message
    }

    package var description: String { message }
}

/// Runs whole jobs somewhere else: a cluster's scheduler. Every call may be repeated.
package protocol JobEngine: Sendable {
    /// `slurm`, `kubernetes`, `argo`: what messages call it.
    var name: String { get }
    /// It starts a failed job again by itself, as often as `backoffLimit` says.
    var retriesItself: Bool { get }
    /// What it keeps of a job after its end until ``forget(_:)``.
    var leavesThings: Bool { get }

    /// What would be submitted, as text for people: throws when the order cannot be turned into it.
    func preview(_ order: JobOrder) throws(EngineFailure) -> String
    /// The engine's id of what was submitted under this name before; nil when there is nothing.
    func find(_ run: EngineRun) async throws(EngineFailure) -> String?
    /// Answers the engine's id. Submitting a name that is there already answers the id of that.
    func submit(_ order: JobOrder) async throws(EngineFailure) -> String
    /// How all of these stand, asked at once; what the engine does not know is left out.
    func look(_ runs: [EngineRun]) async throws(EngineFailure) -> [JobID: EngineObservation]
    /// Returns when something may have changed, or when the time is over.
    func pause(milliseconds: Int64) async throws
    /// Asks for its end; what runs gets this long to clean up. Nothing to stop is no failure.
    func cancel(_ run: EngineRun, graceSeconds: Int) async throws(EngineFailure)
    /// Sees to it that the logs of all its steps lie in `run.logs`, `<slug>.log` each, at most so many bytes.
    func keepLogs(_ run: EngineRun, maxBytes: Int) async throws(EngineFailure)
    /// Removes what the engine still keeps of it.
    func forget(_ run: EngineRun) async throws(EngineFailure)
}

/// The job engines of a house, by name.
package struct JobEngines: Sendable {
    package let engines: [String: any JobEngine]
    package let rules: JobRules

    package init(_ engines: [any JobEngine] = [], rules: JobRules = JobRules()) {
        self.engines = Dictionary(engines.map { ($0.name, $0) }) { first, _ in first }
        self.rules = rules
    }

    package subscript(name: String) -> (any JobEngine)? { engines[name] }
}
