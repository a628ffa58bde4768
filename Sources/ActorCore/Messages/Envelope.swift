/// How the body of a message was sent, which decides how it is handed to a script (actors API, section 3.1).
package enum MessageKind: String, Sendable {
    case text = "str"
    case json = "application/json"
    case binary = "application/octet-stream"
}

/// A message that is about to be accepted: everything but its place and its id, which the store gives.
package struct NewMessage: Sendable, Equatable {
    /// Lowest and highest urgency that a sender may ask for; the higher leaves its mailbox first.
    package static let priorities = -9...9

    package var actor: ActorID
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
    /// Messages of one key are handled one after another; other keys go on meanwhile.
    package var key: String?
    package var priority: Int
    /// Not to be delivered before this moment.
    package var deliverAt: Timestamp?
    /// Not to be run any more from this moment on.
    package var expires: Timestamp?
    package var received: Timestamp
    /// The nonce that opened the door; its use is counted in the transaction that stores the message.
    package var nonce: NonceID?

    package init(
        actor: ActorID, body: [UInt8], kind: MessageKind = .json, environment: [EnvironmentEntry] = [],
        sender: String, cause: ExecutionID? = nil, hops: Int = 0, idempotency: IdempotencyKey? = nil,
        key: String? = nil, priority: Int = 0, deliverAt: Timestamp? = nil, expires: Timestamp? = nil,
        received: Timestamp, nonce: NonceID? = nil
    ) {
        self.actor = actor
        self.body = body
        self.kind = kind
        self.environment = environment
        self.sender = sender
        self.cause = cause
        self.hops = hops
        self.idempotency = idempotency
        // No key at all: what has none shares a lane only in an actor that runs one at a time.
        self.key = key == "" ? nil : key
        self.priority = min(max(priority, Self.priorities.lowerBound), Self.priorities.upperBound)
        self.deliverAt = deliverAt
        self.expires = expires
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

/// An accepted message: on disk, with its place in its mailbox. Small to pass around: its content is shared.
package struct Envelope: Sendable, Equatable {
    private final class Content: Sendable {
        let sequence: Int64
        let execution: ExecutionID
        let message: NewMessage

        init(sequence: Int64, execution: ExecutionID, message: NewMessage) {
            self.sequence = sequence
            self.execution = execution
            self.message = message
        }
    }

    private let content: Content
    /// Attempts begun before this delivery, as far as they are on disk.
    package var attempts: Int
    /// Not to be delivered before this moment: the sender's wish, or the wait for the next attempt.
    package var notBefore: Timestamp?
    /// It may have been running when an earlier process ended: its start is put on disk before it runs.
    package var isSuspect = false

    package init(sequence: Int64, execution: ExecutionID, message: NewMessage, attempts: Int = 0) {
        self.content = Content(sequence: sequence, execution: execution, message: message)
        self.attempts = attempts
        self.notBefore = message.deliverAt
    }

    /// The order of acceptance over all mailboxes.
    package var sequence: Int64 { content.sequence }
    package var execution: ExecutionID { content.execution }
    package var message: NewMessage { content.message }
    package var actor: ActorID { content.message.actor }
    package var key: String? { content.message.key }
    package var expires: Timestamp? { content.message.expires }
    package var rank: Rank { Rank(priority: content.message.priority, sequence: content.sequence) }
    /// The body as a JSON tree; nil when it is not JSON.
    package var json: JSONValue? { try? JSONReader.read(content.message.body) }
    /// The value of the query parameter `name`: the first one sent.
    package func parameter(_ name: String) -> String? {
        content.message.environment.first { $0.name == name }?.value
    }

    package static func == (left: Envelope, right: Envelope) -> Bool {
        left.attempts == right.attempts && left.notBefore == right.notBefore && left.isSuspect == right.isSuspect
            && (left.content === right.content
                || left.sequence == right.sequence && left.execution == right.execution
                    && left.message == right.message)
    }
}

/// A place in the order in which the messages of one mailbox leave it: by urgency, then by acceptance.
package struct Rank: Sendable, Hashable, Comparable {
    package let priority: Int
    package let sequence: Int64

    package init(priority: Int, sequence: Int64) {
        self.priority = priority
        self.sequence = sequence
    }

    /// Before every message there can be.
    package static let first = Rank(priority: Int.max, sequence: 0)

    package static func < (left: Rank, right: Rank) -> Bool {
        left.priority != right.priority ? left.priority > right.priority : left.sequence < right.sequence
    }
}

/// A place in the order in which delayed messages come due.
package struct DuePlace: Sendable, Hashable, Comparable {
    package let moment: Timestamp
    package let sequence: Int64

    package init(moment: Timestamp, sequence: Int64) {
        self.moment = moment
        self.sequence = sequence
    }

    /// Before every message there can be.
    package static let first = DuePlace(moment: Timestamp(milliseconds: .min), sequence: 0)

    package static func < (left: DuePlace, right: DuePlace) -> Bool {
        left.moment != right.moment ? left.moment < right.moment : left.sequence < right.sequence
    }
}
