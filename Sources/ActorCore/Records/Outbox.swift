/// An HTTP call that was promised: committed with the state change that caused it, then delivered at least once.
package struct OutgoingCall: Sendable, Equatable {
    package var url: String
    package var contentType: String
    package var body: [UInt8]
    /// Calls of one key leave in order, one at a time; other keys go on.
    package var orderKey: String
    /// Sent as `Idempotency-Key`, so that a repeat after a crash is recognised; an event's id for a subscription.
    package var idempotencyKey: String
    /// Whose event this is: signed with its secrets, tried as webhooks are.
    package var subscription: SubscriptionID?
    /// The event's type, for lists of deliveries; "" for callbacks.
    package var eventType: String

    private static let webhookPrefix = "webhook:"

    /// The order key of an actor's webhook: its events arrive in order.
    package static func webhookKey(of actor: ActorID) -> String { webhookPrefix + actor.rawValue }

    /// The actor whose webhook is called, if that is what this is.
    package var webhookActor: ActorID? {
        guard subscription == nil, orderKey.hasPrefix(Self.webhookPrefix) else { return nil }
        return ActorID(String(orderKey.dropFirst(Self.webhookPrefix.count)))
    }

    private static let endMark = "#webhook"

    /// The key of what a webhook is told of the end of an execution. It is the same whenever it is told, and holds how
    /// many messages lead to it: a target may send the next.
    package static func webhookEnd(of execution: ExecutionID, hops: Int) -> String {
        execution.rawValue + endMark + (hops > 1 ? ":\(hops)" : "")
    }

    /// How many messages lead to this call of a webhook; 0 for what no message has caused.
    package var hops: Int {
        guard webhookActor != nil, let mark = idempotencyKey.firstIndex(of: "#"),
            idempotencyKey[mark...].hasPrefix(Self.endMark)
        else { return 0 }
        return Int(idempotencyKey[mark...].dropFirst(Self.endMark.count + 1)) ?? 1
    }

    private static let signedPrefix = "signed:"

    /// The order key of calls that are signed with a secret of an actor's, by the name of the secret.
    package static func signedKey(of actor: ActorID, secret: String, order: String) -> String {
        "\(signedPrefix)\(actor.rawValue):\(secret):\(order)"
    }

    /// Whose secret signs this call, if that is what was asked.
    package var signer: (actor: ActorID, secret: String)? {
        guard subscription == nil, orderKey.hasPrefix(Self.signedPrefix) else { return nil }
        let parts = orderKey.dropFirst(Self.signedPrefix.count).split(separator: ":", maxSplits: 2)
        return parts.count == 3 ? (ActorID(String(parts[0])), String(parts[1])) : nil
    }

    /// The URL up to its path: calls of one target fare alike.
    var target: String {
        var slashes = 0
        return String(
            url.prefix { character in
                if character == "/" { slashes += 1 }
                return slashes < 3 && character != "?"
            })
    }

    package init(
        url: String, contentType: String, body: [UInt8], orderKey: String, idempotencyKey: String,
        subscription: SubscriptionID? = nil, eventType: String = ""
    ) {
        self.url = url
        self.contentType = contentType
        self.body = body
        self.orderKey = orderKey
        self.idempotencyKey = idempotencyKey
        self.subscription = subscription
        self.eventType = eventType
    }
}

/// A row of the outbox.
package struct OutboxItem: Sendable, Equatable {
    package let id: Int64
    package let call: OutgoingCall
    package let execution: ExecutionID?
    package var attempts: Int
    package var nextAttempt: Timestamp
    package let created: Timestamp

    package init(
        id: Int64, call: OutgoingCall, execution: ExecutionID?, attempts: Int, nextAttempt: Timestamp,
        created: Timestamp
    ) {
        self.id = id
        self.call = call
        self.execution = execution
        self.attempts = attempts
        self.nextAttempt = nextAttempt
        self.created = created
    }

    /// No wait between two attempts is longer, in milliseconds: the most of a Retry-After that is honoured.
    static let longestWait: Int64 = 86_400_000

    /// What was made later than now, or waits longer than anything does, is due: the clock was set back.
    func isDue(_ now: Timestamp) -> Bool {
        nextAttempt <= now || created > now || nextAttempt.since(now) > Self.longestWait
    }
}

/// What becomes of one row of the outbox.
package struct OutboxOutcome: Sendable, Equatable {
    package let id: Int64
    package let verdict: OutboxVerdict

    package init(_ id: Int64, _ verdict: OutboxVerdict) {
        self.id = id
        self.verdict = verdict
    }
}

/// What became of one delivery attempt.
package enum OutboxVerdict: Sendable, Equatable {
    case delivered
    case retry(at: Timestamp, reason: String)
    case givenUp(reason: String)
    /// Given up, and its subscription is disabled: the sink wants nothing more.
    case gone(reason: String)
}
