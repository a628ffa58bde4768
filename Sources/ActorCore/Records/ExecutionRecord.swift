/// Where an execution stands, in the words of the actors API (section 2.4).
package enum ExecutionStatus: String, Sendable, CaseIterable {
    /// Accepted, waiting in its mailbox (also between two attempts).
    case submitted = "SUBMITTED"
    case running = "RUNNING"
    /// Ended, whatever its exit code.
    case complete = "COMPLETE"
    /// Could not be run at all.
    case error = "ERROR"
}

/// How an attempt or an execution ended.
package enum Outcome: String, Sendable, CaseIterable {
    case succeeded
    case failed
    case cancelled
    case timedOut = "timed_out"
    /// Its time was over before it could run.
    case expired
    /// The daemon ended while it ran; it says nothing about the work.
    case interrupted
}

/// One message's stay with one executor, as the store keeps it.
package struct ExecutionRecord: Sendable, Equatable {
    package var id: ExecutionID
    package var actor: ActorID
    package var sequence: Int64
    package var status: ExecutionStatus
    package var outcome: Outcome?
    package var exitCode: Int?
    /// Why it ended as it did, in one line; nil when it succeeded.
    package var reason: String?
    package var attempts: Int
    package var sender: String
    package var cause: ExecutionID?
    package var received: Timestamp
    package var started: Timestamp?
    package var finished: Timestamp?
    /// What the Reactor answered, JSON.
    package var result: JSONValue?
    /// The worker that handled it last, for what is no built-in Reactor.
    package var worker: String?
    /// By all of its attempts.
    package var use: ResourceUse

    package init(
        id: ExecutionID, actor: ActorID, sequence: Int64, status: ExecutionStatus = .submitted,
        outcome: Outcome? = nil, exitCode: Int? = nil, reason: String? = nil, attempts: Int = 0, sender: String,
        cause: ExecutionID? = nil, received: Timestamp, started: Timestamp? = nil, finished: Timestamp? = nil,
        result: JSONValue? = nil, worker: String? = nil, use: ResourceUse = ResourceUse()
    ) {
        self.id = id
        self.actor = actor
        self.sequence = sequence
        self.status = status
        self.outcome = outcome
        self.exitCode = exitCode
        self.reason = reason
        self.attempts = attempts
        self.sender = sender
        self.cause = cause
        self.received = received
        self.started = started
        self.finished = finished
        self.result = result
        self.worker = worker
        self.use = use
    }
}

/// What commands have used of the machine, in the units of the actors API (section 6.2).
package struct ResourceUse: Sendable, Equatable {
    /// Nanoseconds of processors.
    package var cpu: Int64
    /// Bytes that were read and written.
    package var io: Int64

    package init(cpu: Int64 = 0, io: Int64 = 0) {
        self.cpu = cpu
        self.io = io
    }

    package static func + (one: ResourceUse, other: ResourceUse) -> ResourceUse {
        ResourceUse(cpu: one.cpu &+ other.cpu, io: one.io &+ other.io)
    }
}

/// What all executions of one actor come to.
package struct ExecutionTotals: Sendable, Equatable {
    package let count: Int
    /// Whole seconds that each of those ran which have ended, added up.
    package let seconds: Int
    package let use: ResourceUse

    package init(count: Int, seconds: Int, use: ResourceUse = ResourceUse()) {
        self.count = count
        self.seconds = seconds
        self.use = use
    }
}

/// One try at one message.
package struct AttemptRecord: Sendable, Equatable {
    package let execution: ExecutionID
    /// 1 is the first.
    package let number: Int
    package let started: Timestamp
    package let finished: Timestamp
    package let outcome: Outcome
    package let exitCode: Int?
    package let reason: String?

    package init(
        execution: ExecutionID, number: Int, started: Timestamp, finished: Timestamp, outcome: Outcome,
        exitCode: Int? = nil, reason: String? = nil
    ) {
        self.execution = execution
        self.number = number
        self.started = started
        self.finished = finished
        self.outcome = outcome
        self.exitCode = exitCode
        self.reason = reason
    }
}

/// What an execution printed, as the logs index keeps it: text in the row, or the file that holds it.
package struct LogRecord: Sendable, Equatable {
    package enum Place: Sendable, Equatable {
        case inline([UInt8])
        /// Path below the data folder.
        case file(String)
    }

    package let execution: ExecutionID
    package let place: Place
    package let bytes: Int
    package let truncated: Bool

    package init(execution: ExecutionID, place: Place, bytes: Int, truncated: Bool) {
        self.execution = execution
        self.place = place
        self.bytes = bytes
        self.truncated = truncated
    }
}

/// A message that used up its attempts, parked with its reason; it can be replayed.
package struct DeadLetter: Sendable, Equatable {
    package let id: Int64
    package let execution: ExecutionID
    /// In a list: its beginning, when it is long.
    package var message: NewMessage
    package let reason: String
    package let attempts: Int
    package let parked: Timestamp
    package let replayedAs: ExecutionID?

    package init(
        id: Int64, execution: ExecutionID, message: NewMessage, reason: String, attempts: Int, parked: Timestamp,
        replayedAs: ExecutionID?
    ) {
        self.id = id
        self.execution = execution
        self.message = message
        self.reason = reason
        self.attempts = attempts
        self.parked = parked
        self.replayedAs = replayedAs
    }
}
