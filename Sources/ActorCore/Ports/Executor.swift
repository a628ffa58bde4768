/// One command to run: everything an executor needs, nothing it has to look up.
package struct Work: Sendable, Equatable {
    /// Names the run folder and finds leftovers after a crash: an execution id, or one with a step behind a dash.
    package var id: String
    package var command: [String]
    package var environment: [EnvironmentEntry]
    /// Absolute.
    package var workingDirectory: String
    /// Absolute; output and errors go there, merged, appended.
    package var logFile: String
    package var maxLogBytes: Int
    /// Milliseconds; nil for no limit.
    package var timeoutMilliseconds: Int64?

    package init(
        id: String, command: [String], environment: [EnvironmentEntry], workingDirectory: String, logFile: String,
        maxLogBytes: Int, timeoutMilliseconds: Int64?
    ) {
        self.id = id
        self.command = command
        self.environment = environment
        self.workingDirectory = workingDirectory
        self.logFile = logFile
        self.maxLogBytes = maxLogBytes
        self.timeoutMilliseconds = timeoutMilliseconds
    }
}

/// How a command ended. A non-zero exit is a result, not an error.
package struct WorkResult: Sendable, Equatable {
    package enum End: Sendable, Equatable {
        case exited(Int)
        case signalled(Int)
        /// Stopped because its time was up.
        case timedOut
        /// Stopped because its task was cancelled.
        case cancelled
        /// Never ran: what was wrong and what to do.
        case couldNotStart(String)
        /// This machine lacked something (space, open files, memory), before the command ran or while it did: trying
        /// again may help.
        case machineFailed(String)
    }

    package let end: End
    package let logBytes: Int
    package let logTruncated: Bool
    package let milliseconds: Int64

    package init(end: End, logBytes: Int, logTruncated: Bool, milliseconds: Int64) {
        self.end = end
        self.logBytes = logBytes
        self.logTruncated = logTruncated
        self.milliseconds = milliseconds
    }

    package var succeeded: Bool { end == .exited(0) }

    /// The shell's way of telling: the exit status, or 128 + the signal.
    package var exitCode: Int? {
        switch end {
        case .exited(let code): code
        case .signalled(let signal): 128 + signal
        case .timedOut, .cancelled, .couldNotStart, .machineFailed: nil
        }
    }

    /// One line for a record; nil when it succeeded.
    package var reason: String? {
        switch end {
        case .exited(0): nil
        case .exited(let code): "exited with status \(code)"
        case .signalled(let signal): "ended by signal \(signal)"
        case .timedOut: "its time was up"
        case .cancelled: "cancelled"
        case .couldNotStart(let why), .machineFailed(let why): why
        }
    }
}

/// Runs commands. Cancelling the calling task stops the command and everything it started, after its grace time.
package protocol Executor: Sendable {
    /// Returns when the command and its process group have ended; waits for a free slot first.
    func run(_ work: Work) async -> WorkResult
    /// Ends what an earlier daemon left running under this id, if it still runs.
    func reclaim(_ id: String) async
    /// The local command that an image name stands for, or why there is none.
    func resolve(image: String, command: [String], arguments: [String]) throws(ActorError) -> [String]
}
