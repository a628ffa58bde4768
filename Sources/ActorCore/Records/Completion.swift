/// Everything that one step of an execution changes, committed in one transaction (row 9 of a message's way).
package struct Effects: Sendable, Equatable {
    package var mail: [NewMessage] = []
    /// The actor's new state; nil leaves it.
    package var state: JSONValue?
    package var jobs: [JobChange] = []
    package var calls: [OutgoingCall] = []
    package var documents: [Document] = []
    /// Lines of the audit log.
    package var audits: [AuditEntry] = []
    /// Journal of durable steps: step name to its result.
    package var steps: [StepResult] = []

    package init() {}

    package var isEmpty: Bool { self == Effects() }
}

/// What a Reactor keeps under a kind and an id, readable through the API.
package struct Document: Sendable, Equatable {
    package let kind: String
    package let id: String
    package var body: JSONValue
    package var created: Timestamp
    package var updated: Timestamp

    package init(kind: String, id: String, body: JSONValue, created: Timestamp, updated: Timestamp) {
        self.kind = kind
        self.id = id
        self.body = body
        self.created = created
        self.updated = updated
    }
}

/// The journalled result of a durable step, answered again after a crash.
package struct StepResult: Sendable, Equatable {
    package let name: String
    package let value: JSONValue

    package init(name: String, value: JSONValue) {
        self.name = name
        self.value = value
    }
}

/// The end of one attempt: what becomes of the message, the record, the log, and the effects.
package struct Completion: Sendable, Equatable {
    package enum Disposition: Sendable, Equatable {
        /// Done: the message leaves its mailbox.
        case acknowledge
        /// Stays in its mailbox, invisible until then.
        case retry(at: Timestamp)
        /// Leaves its mailbox for the dead letters.
        case park(reason: String)
        /// Given back untouched: the daemon drains. The attempt does not count.
        case release
    }

    package var envelope: Envelope
    /// The attempt's begin is on disk. What runs in a moment and leaves no trace before its end needs none.
    package var hasBegun: Bool
    package var attempt: AttemptRecord
    package var disposition: Disposition
    package var status: ExecutionStatus
    package var result: JSONValue?
    package var log: LogRecord?
    package var effects: Effects
    /// Who did the work, in the terms of the actors API; nil where nobody is named.
    package var worker: String?
    /// What this attempt has used; kept where a worker is named.
    package var use = ResourceUse()

    package var actor: ActorID { envelope.actor }

    package init(
        _ envelope: Envelope, hasBegun: Bool = true, attempt: AttemptRecord, disposition: Disposition,
        status: ExecutionStatus, result: JSONValue? = nil, log: LogRecord? = nil, effects: Effects = Effects()
    ) {
        self.envelope = envelope
        self.hasBegun = hasBegun
        self.attempt = attempt
        self.disposition = disposition
        self.status = status
        self.result = result
        self.log = log
        self.effects = effects
    }
}
