/// How the body of a message was sent, which decides how it is handed to a script (actors API, section 3.1).
package enum MessageKind: String, Sendable {
    case text = "str"
    case json = "application/json"
    case binary = "application/octet-stream"
}

/// A message that is about to be accepted: everything but the sequence number that the store gives.
package struct NewMessage: Sendable, Equatable {
    package var actor: ActorID
    package var execution: ExecutionID
    /// The body as received; JSON was checked at the door, never rewritten.
    package var body: [UInt8]
    package var kind: MessageKind
    /// Query parameters and what the front adds (actors API, section 3.2).
    package var environment: [EnvironmentEntry]
    /// Who sent it: a user name, or `actor:<id>`.
    package var sender: String
    /// The execution that caused it, for messages between actors.
    package var cause: ExecutionID?
    /// How many messages led to this one.
    package var hops: Int
    package var idempotency: IdempotencyKey?
    /// Not to be delivered before this moment.
    package var deliverAt: Timestamp?
    package var received: Timestamp
    /// The nonce that opened the door; its use is counted in the transaction that stores the message.
    package var nonce: NonceID?

    package init(
        actor: ActorID, execution: ExecutionID, body: [UInt8], kind: MessageKind = .json,
        environment: [EnvironmentEntry] = [], sender: String, cause: ExecutionID? = nil, hops: Int = 0,
        idempotency: IdempotencyKey? = nil, deliverAt: Timestamp? = nil, received: Timestamp, nonce: NonceID? = nil
    ) {
        self.actor = actor
        self.execution = execution
        self.body = body
        self.kind = kind
        self.environment = environment
        self.sender = sender
        self.cause = cause
        self.hops = hops
        self.idempotency = idempotency
        self.deliverAt = deliverAt
        self.received = received
        self.nonce = nonce
    }
}

/// Makes a second sending of the same message answer like the first.
package struct IdempotencyKey: Sendable, Equatable {
    package let key: String
    /// SHA-256 of the body in hex, or "" when the sender vouches for it: the same key with another body is an error.
    package let digest: String

    package init(key: String, digest: String = "") {
        self.key = key
        self.digest = digest
    }
}

/// An accepted message: on disk, with its place in its mailbox.
package struct Envelope: Sendable, Equatable {
    /// The order of acceptance over all mailboxes; order in the store is order of delivery.
    package let sequence: Int64
    package let message: NewMessage
    /// Attempts begun before this delivery.
    package var attempts: Int

    package init(sequence: Int64, message: NewMessage, attempts: Int = 0) {
        self.sequence = sequence
        self.message = message
        self.attempts = attempts
    }

    package var actor: ActorID { message.actor }
    package var execution: ExecutionID { message.execution }
    /// The body as a JSON tree; nil when it is not JSON.
    package var json: JSONValue? { try? JSONReader.read(message.body) }
    /// The value of the query parameter `name`: the first one sent.
    package func parameter(_ name: String) -> String? { message.environment.first { $0.name == name }?.value }
}
