/// How the body of a message was sent, which decides how it is handed to a script (actors API, section 3.1).
package enum MessageKind: String, Sendable {
    case text = "str"
    case json = "application/json"
    case binary = "application/octet-stream"

    /// The variable of a message that says so to its script, where that is another word than its kind.
    package static let variable = "_abaco_Content_Type"
}

/// A message that is about to be accepted: everything but its place and its id, which the store gives. Small to pass
/// around: its content is shared.
package struct NewMessage: Sendable, Equatable {
    /// Lowest and highest urgency that a sender may ask for; the higher leaves its mailbox first.
    package static let priorities = -9...9
    /// Longer bodies stay in the store while their message waits: what a mailbox takes of memory is bounded, however
    /// long the messages are.
    package static let mostKept = 65_536

    /// What a message says, to be changed as a whole.
    package struct Content: Sendable, Equatable {
        package var actor: ActorID
        package var body: [UInt8]
        package var kind: MessageKind
        package var environment: [EnvironmentEntry]
        package var sender: String
        package var cause: ExecutionID?
        package var hops: Int
        package var idempotency: IdempotencyKey?
        package var key: String?
        package var priority: Int
        package var deliverAt: Timestamp?
        package var expires: Timestamp?
        package var received: Timestamp
        package var nonce: NonceID?
        /// Of a body that is in the store and not here.
        package var absentBytes = 0
    }

    private final class Box: Sendable {
        let content: Content
        init(_ content: Content) { self.content = content }
    }

    private let box: Box

    private init(_ content: Content) {
        var content = content
        // No key at all: what has none shares a lane only in an actor that runs one at a time.
        if content.key == "" { content.key = nil }
        content.priority = min(max(content.priority, Self.priorities.lowerBound), Self.priorities.upperBound)
        box = Box(content)
    }

    package init(
        actor: ActorID, body: [UInt8], kind: MessageKind = .json, environment: [EnvironmentEntry] = [],
        sender: String, cause: ExecutionID? = nil, hops: Int = 0, idempotency: IdempotencyKey? = nil,
        key: String? = nil, priority: Int = 0, deliverAt: Timestamp? = nil, expires: Timestamp? = nil,
        received: Timestamp, nonce: NonceID? = nil
    ) {
        self.init(
            Content(
                actor: actor, body: body, kind: kind, environment: environment, sender: sender, cause: cause,
                hops: hops, idempotency: idempotency, key: key, priority: priority, deliverAt: deliverAt,
                expires: expires, received: received, nonce: nonce))
    }

    /// Several changes at once.
    package func changed(_ change: (inout Content) -> Void) -> NewMessage {
        var content = box.content
        change(&content)
        return NewMessage(content)
    }

    package var actor: ActorID {
        get { box.content.actor }
        set { self = changed { $0.actor = newValue } }
    }
    /// The body as received; JSON was checked at the door, never rewritten.
    package var body: [UInt8] {
        get { box.content.body }
        set { self = changed { $0.body = newValue } }
    }
    /// The length of the body, whether it is here or only in the store.
    package var bodyBytes: Int { box.content.body.count + box.content.absentBytes }
    package var hasBody: Bool { box.content.absentBytes == 0 }
    package var kind: MessageKind {
        get { box.content.kind }
        set { self = changed { $0.kind = newValue } }
    }
    /// Query parameters and what the front adds (actors API, section 3.2).
    package var environment: [EnvironmentEntry] {
        get { box.content.environment }
        set { self = changed { $0.environment = newValue } }
    }
    /// Who sent it: a user name, or `actor:<id>`.
    package var sender: String {
        get { box.content.sender }
        set { self = changed { $0.sender = newValue } }
    }
    /// The execution that caused it, for messages between actors.
    package var cause: ExecutionID? {
        get { box.content.cause }
        set { self = changed { $0.cause = newValue } }
    }
    /// How many messages led to this one.
    package var hops: Int {
        get { box.content.hops }
        set { self = changed { $0.hops = newValue } }
    }
    package var idempotency: IdempotencyKey? {
        get { box.content.idempotency }
        set { self = changed { $0.idempotency = newValue } }
    }
    /// Messages of one key are handled one after another; other keys go on meanwhile.
    package var key: String? {
        get { box.content.key }
        set { self = changed { $0.key = newValue } }
    }
    package var priority: Int {
        get { box.content.priority }
        set { self = changed { $0.priority = newValue } }
    }
    /// Not to be delivered before this moment.
    package var deliverAt: Timestamp? {
        get { box.content.deliverAt }
        set { self = changed { $0.deliverAt = newValue } }
    }
    /// Not to be run any more from this moment on.
    package var expires: Timestamp? {
        get { box.content.expires }
        set { self = changed { $0.expires = newValue } }
    }
    package var received: Timestamp {
        get { box.content.received }
        set { self = changed { $0.received = newValue } }
    }
    /// The nonce that opened the door; its use is counted in the transaction that stores the message.
    package var nonce: NonceID? {
        get { box.content.nonce }
        set { self = changed { $0.nonce = newValue } }
    }

    package static func == (left: NewMessage, right: NewMessage) -> Bool {
        left.box === right.box || left.box.content == right.box.content
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
