package import ActorCore
internal import Logging
internal import Synchronization

/// Has the store tell committed events to those who subscribed, and rings the deliverer when it did.
enum Announcing {
    static func begin(in environment: RuntimeEnvironment) {
        let bell = environment.outboxBell
        let clock = environment.clock
        let logger = environment.logger
        let full = Mutex<Set<SubscriptionID>>([])
        environment.store.announce(
            as: Announcer(
                base: environment.configuration.eventSource, now: { clock.now() }, makeID: { eventID() },
                queued: { bell.ring() },
                overflowed: { id in
                    guard full.withLock({ $0.insert(id).inserted }) else { return }
                    logger.warning(
                        "the queue of a subscription is full: its events are dropped and counted",
                        metadata: [LogKeys.subscription: "\(id)"])
                }))
    }

    /// 128 random bits, so that no two daemons ever make the same.
    static func eventID() -> String {
        let digits = (0..<2).map { _ in
            let text = String(UInt64.random(in: .min ... .max), radix: 16)
            return String(repeating: "0", count: 16 - text.count) + text
        }
        return "evt_" + digits.joined()
    }
}

extension ActorSystem {
    /// An event that says nothing but that its sink is reached, queued for one subscription.
    package func sendTestEvent(to id: SubscriptionID) async throws(ActorError) -> CloudEvent {
        let event = CloudEvent(
            id: Announcing.eventID(), source: eventSource + "/subscriptions/\(id)",
            type: CloudEvent.typePrefix + "test", subject: id.rawValue, time: now().iso8601,
            dataContentType: "application/json",
            payload: .json(JSONWriter.bytes(["subscription": .string(id.rawValue)])))
        try await store.queue(event, for: id, at: now())
        return event
    }
}
