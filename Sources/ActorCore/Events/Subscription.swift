package enum SubscriptionTag {}

/// The hashid of a subscription.
package typealias SubscriptionID = Identifier<SubscriptionTag>

/// Somebody outside who is told of committed events, over HTTP, signed, in order.
package struct Subscription: Sendable, Equatable {
    /// A secret that was rotated out, valid for some time more.
    package struct Retired: Sendable, Equatable {
        package let secret: WebhookSecret
        package let expires: Timestamp

        package init(secret: WebhookSecret, expires: Timestamp) {
            self.secret = secret
            self.expires = expires
        }
    }

    /// What became of the events that matched.
    package struct Counts: Sendable, Equatable {
        /// Wait for their delivery.
        package var waiting = 0
        package var delivered = 0
        /// Tried until the end of their time, or refused for good.
        package var givenUp = 0
        /// Never queued: as many waited as may.
        package var dropped = 0

        package init(waiting: Int = 0, delivered: Int = 0, givenUp: Int = 0, dropped: Int = 0) {
            self.waiting = waiting
            self.delivered = delivered
            self.givenUp = givenUp
            self.dropped = dropped
        }
    }

    package let id: SubscriptionID
    package var sink: String
    /// One of these types; empty for any.
    package var types: [String]
    /// Exactly this source; nil for any.
    package var source: String?
    /// All of them match.
    package var filters: [EventFilter]
    package var secret: WebhookSecret
    package var retired: Retired?
    package let owner: String
    package var description: String
    /// No events are queued for one that is not, and what waits stays.
    package var enabled: Bool
    /// Why the daemon disabled it.
    package var disabledReason: String?
    package let created: Timestamp
    package var updated: Timestamp
    /// Kept by the store.
    package var counts: Counts

    package init(
        id: SubscriptionID, sink: String, types: [String] = [], source: String? = nil, filters: [EventFilter] = [],
        secret: WebhookSecret, retired: Retired? = nil, owner: String, description: String = "",
        enabled: Bool = true, disabledReason: String? = nil, created: Timestamp, updated: Timestamp,
        counts: Counts = Counts()
    ) {
        self.id = id
        self.sink = sink
        self.types = types
        self.source = source
        self.filters = filters
        self.secret = secret
        self.retired = retired
        self.owner = owner
        self.description = description
        self.enabled = enabled
        self.disabledReason = disabledReason
        self.created = created
        self.updated = updated
        self.counts = counts
    }

    package func matches(_ event: CloudEvent) -> Bool {
        (types.isEmpty || types.contains { $0.utf8.elementsEqual(event.type.utf8) })
            && (source.map { $0.utf8.elementsEqual(event.source.utf8) } ?? true)
            && filters.allSatisfy { $0.matches(event) }
    }

    /// Those that sign a delivery at `now`: the current one first.
    package func liveSecrets(at now: Timestamp) -> [WebhookSecret] {
        [secret] + (retired.map { $0.expires > now ? [$0.secret] : [] } ?? [])
    }

    /// Puts a new secret in place; the one before stays valid until `expires`.
    package mutating func rotate(to new: WebhookSecret, expires: Timestamp, at now: Timestamp) {
        retired = expires > now ? Retired(secret: secret, expires: expires) : nil
        secret = new
        updated = now
    }

    /// Sinks that were told that they are gone, or an owner's pause, end with this.
    package mutating func setEnabled(_ flag: Bool, reason: String? = nil, at now: Timestamp) {
        enabled = flag
        disabledReason = flag ? nil : reason
        updated = now
    }

    /// What it wants delivered of one event. Events of one subscription leave in order; others go on beside it.
    package func call(for event: CloudEvent) -> OutgoingCall {
        OutgoingCall(
            url: sink, contentType: CloudEvent.structuredType, body: event.structured,
            orderKey: "subscription:\(id)", idempotencyKey: event.id, subscription: id, eventType: event.type)
    }

    /// How many there may be, how many events may wait for one, and how many finished deliveries are remembered.
    package static let maxCount = 1000
    package static let maxWaiting = 10000
    package static let keptDelivered = 50
    package static let keptGivenUp = 1000
}

/// One event on its way to one sink, or past it.
package struct Delivery: Sendable, Equatable {
    package enum State: String, Sendable {
        case waiting
        case delivered
        case givenUp = "given_up"
    }

    package let id: Int64
    package let event: String
    package let type: String
    package let state: State
    package let attempts: Int
    /// When it is tried (again); nil when it is over.
    package let nextAttempt: Timestamp?
    /// What went wrong last.
    package let reason: String?
    package let created: Timestamp

    package init(
        id: Int64, event: String, type: String, state: State, attempts: Int, nextAttempt: Timestamp?,
        reason: String?, created: Timestamp
    ) {
        self.id = id
        self.event = event
        self.type = type
        self.state = state
        self.attempts = attempts
        self.nextAttempt = nextAttempt
        self.reason = reason
        self.created = created
    }
}

/// With what a store turns committed events into deliveries.
package struct Announcer: Sendable {
    /// What the sources of events start with: the public URL without a slash at its end, or "".
    package let base: String
    package let now: @Sendable () -> Timestamp
    /// A new id for each event.
    package let makeID: @Sendable () -> String
    /// Called after a commit that queued deliveries; must return at once.
    package let queued: @Sendable () -> Void
    /// Called when a subscription's queue has become full; must return at once.
    package let overflowed: @Sendable (SubscriptionID) -> Void

    package init(
        base: String, now: @escaping @Sendable () -> Timestamp, makeID: @escaping @Sendable () -> String,
        queued: @escaping @Sendable () -> Void, overflowed: @escaping @Sendable (SubscriptionID) -> Void
    ) {
        self.base = base
        self.now = now
        self.makeID = makeID
        self.queued = queued
        self.overflowed = overflowed
    }

    /// What each subscription gets of one commit, in the order of the events. Pure but for clock and ids.
    package func plan(
        _ events: [CommittedEvent], for subscriptions: [Subscription], at now: Timestamp
    ) -> [(subscription: Subscription, calls: [OutgoingCall])] {
        guard !subscriptions.isEmpty else { return [] }
        let told = events.map { CloudEvent($0, id: makeID(), base: base, at: now) }
        return subscriptions.compactMap { subscription in
            let calls = told.filter(subscription.matches).map(subscription.call)
            return calls.isEmpty ? nil : (subscription, calls)
        }
    }
}
