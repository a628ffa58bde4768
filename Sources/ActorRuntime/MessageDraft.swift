package import ActorCore

/// A message on its way in, before the bus has checked it.
package struct MessageDraft: Sendable {
    package var actor: ActorID
    package var body: [UInt8]
    package var kind: MessageKind
    package var environment: [EnvironmentEntry]
    package var sender: String
    package var cause: ExecutionID?
    package var hops: Int
    package var idempotency: IdempotencyKey?
    /// Messages of one key are handled one after another.
    package var key: String?
    /// The higher leaves its mailbox first; one of ``NewMessage/priorities``.
    package var priority: Int
    package var deliverAt: Timestamp?
    package var expires: Timestamp?
    package var nonce: NonceID?

    package init(
        actor: ActorID, body: [UInt8], kind: MessageKind = .json, environment: [EnvironmentEntry] = [],
        sender: String, cause: ExecutionID? = nil, hops: Int = 0, idempotency: IdempotencyKey? = nil,
        key: String? = nil, priority: Int = 0, deliverAt: Timestamp? = nil, expires: Timestamp? = nil,
        nonce: NonceID? = nil
    ) {
        self.actor = actor
        self.body = body
        self.kind = kind
        self.environment = environment
        self.sender = sender
        self.cause = cause
        self.hops = hops
        self.idempotency = idempotency
        self.key = key
        self.priority = priority
        self.deliverAt = deliverAt
        self.expires = expires
        self.nonce = nonce
    }
}

/// The answer to a message that is on disk.
package struct SendReceipt: Sendable, Equatable {
    package let execution: ExecutionID
    /// The idempotency key was seen before: this is the first answer, nothing new was stored.
    package let repeated: Bool
}
