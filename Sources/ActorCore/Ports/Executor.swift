/// One command to run: everything an executor needs, nothing it has to look up.
package struct Work: Sendable, Equatable {
    /// Names this command for good, over restarts of the daemon: an execution id with a step or a number behind a dash.
    package var id: String
    /// A program and its arguments; with an image, what replaces the image's entry point (empty: its own).
    package var command: [String]
    /// What follows the command; with an image, what replaces its own arguments.
    package var arguments: [String] = []
    package var environment: [EnvironmentEntry]
    /// Absolute.
    package var workingDirectory: String
    /// Absolute; output and errors go there, merged, appended.
    package var logFile: String
    package var maxLogBytes: Int
    /// Milliseconds, counted from its start, whether the daemon runs meanwhile or not; nil for no limit.
    package var timeoutMilliseconds: Int64?

    /// Which executor is to run it, by name; nil for the one that runs such work here.
    package var executor: String?
    /// A container image; nil for a command of this machine.
    package var image: String?
    /// At most so many thousandths of a processor, so much memory; nil where nothing is said.
    package var cpuMillis: Int64?
    package var memoryBytes: Int64?
    /// Folders of the house that the command works in: seen inside under the same path. No policy applies to them.
    package var folders: [WorkMount] = []
    /// What a job file asks for beside: only as far as the administrator allows it.
    package var mounts: [WorkMount] = []
    /// Nil is what the administrator set: no network, where nothing is set.
    package var network: String?
    /// `user` or `user:group` inside a container; nil is what the image says.
    package var user: String?
    /// What it belongs to, for people who look at the engine: job, attempt, step.
    package var labels: [EnvironmentEntry] = []

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

/// A folder or file of this machine that a container sees.
package struct WorkMount: Sendable, Hashable {
    /// Absolute.
    package var host: String
    /// Absolute, in the container.
    package var inside: String
    package var isReadOnly: Bool

    package init(host: String, inside: String, isReadOnly: Bool) {
        self.host = host
        self.inside = inside
        self.isReadOnly = isReadOnly
    }
}

/// How a command ended. A non-zero exit is a result, not an error.
package struct WorkResult: Sendable, Equatable {
    package enum End: Sendable, Equatable {
        case exited(Int)
        case signalled(Int)
        /// It used more memory than it was given.
        case outOfMemory
        /// Somebody or something took it away while it ran: the machine went down, its container was removed. Running
        /// it again is a new start, once it was forgotten.
        case evicted(String)
        /// Stopped because its time was up.
        case timedOut
        /// Stopped because its task was cancelled.
        case cancelled
        /// Left running by a daemon that ends: the next one takes it over.
        case detached
        /// Never ran: what was wrong and what to do.
        case couldNotStart(String)
        /// What runs it could not (this machine lacked space or open files, the engine did not answer or refused): no
        /// word about the command, which may even run. Asking again under the same id may help and starts it once.
        case engineFailed(String)
    }

    package let end: End
    package let logBytes: Int
    package let logTruncated: Bool
    package let milliseconds: Int64
    /// Nothing where the executor does not measure it.
    package let use: ResourceUse

    package init(
        end: End, logBytes: Int = 0, logTruncated: Bool = false, milliseconds: Int64 = 0,
        use: ResourceUse = ResourceUse()
    ) {
        self.end = end
        self.logBytes = logBytes
        self.logTruncated = logTruncated
        self.milliseconds = milliseconds
        self.use = use
    }

    package var succeeded: Bool { end == .exited(0) }

    /// The command is known to be over.
    package var isEnd: Bool {
        switch end {
        case .detached, .engineFailed: false
        case .exited, .signalled, .outOfMemory, .evicted, .timedOut, .cancelled, .couldNotStart: true
        }
    }

    /// The shell's way of telling: the exit status, or 128 + the signal.
    package var exitCode: Int? {
        switch end {
        case .exited(let code): code
        case .signalled(let signal): 128 + signal
        case .outOfMemory: 128 + 9
        case .timedOut, .cancelled, .couldNotStart, .engineFailed, .evicted, .detached: nil
        }
    }

    /// One line for a record; nil when it succeeded.
    package var reason: String? {
        switch end {
        case .exited(0): nil
        case .exited(let code): "exited with status \(code)"
        case .signalled(let signal): "ended by signal \(signal)"
        case .outOfMemory: "ran out of memory"
        case .timedOut: "its time was up"
        case .cancelled: "cancelled"
        case .detached: "left running"
        case .evicted(let why), .couldNotStart(let why), .engineFailed(let why): why
        }
    }
}

/// Runs commands, each id once. Cancelling the calling task stops the command and everything it started, after its
/// grace time.
package protocol Executor: Sendable {
    /// Returns when the command and everything it started have ended; waits for a free slot first. What runs already
    /// under this id, or has ended and was not forgotten, is taken over: nothing is started a second time.
    func run(_ work: Work) async -> WorkResult
    /// Its result is on record: what is kept of it may go.
    func forget(_ id: String) async
    /// Ends what runs under this id, if anything does, and forgets it.
    func reclaim(_ id: String) async
    /// Ids of all that runs and of all that has ended and was not forgotten, whoever started it.
    func kept() async -> [String]
    /// It was started, and nobody can say how it would have ended: what ran it went down, or it was stopped by a daemon
    /// that did not live to note that. Known until it is forgotten.
    func isLost(_ id: String) async -> Bool
    /// The daemon ends: from now on a cancelled `run` leaves its command running and answers `detached`.
    func detach()
    /// Throws what keeps this work from being run here, whatever happens: an image nobody knows, a mount that is not
    /// allowed. Starts nothing.
    func admit(_ work: Work) throws(ActorError)
}

/// An engine that keeps what it runs knows how everything has ended.
extension Executor {
    package func isLost(_ id: String) async -> Bool { false }
}
