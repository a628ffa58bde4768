/// Subscriptions and what is on its way to their sinks.
///
/// Once an announcer is set, every commit also queues, in the same transaction, its events for those who subscribed.
package protocol SubscriptionStore: Sendable {
    func announce(as announcer: Announcer)

    /// Throws `conflict` when the id is taken, `tooManyRequests` when there are as many as may be.
    func create(_ subscription: Subscription) async throws(ActorError)
    /// In the order of creation.
    func subscriptions() async throws(ActorError) -> [Subscription]
    func subscription(_ id: SubscriptionID) async throws(ActorError) -> Subscription?
    /// Reads, changes and writes one in one transaction; counts are the store's. Throws `notFound`.
    ///
    /// - Parameter change: pure; it may be run twice.
    func update(
        _ id: SubscriptionID, _ change: @escaping @Sendable (inout Subscription) -> Void
    ) async throws(ActorError) -> Subscription
    /// What waits for it goes with it. False when there is none.
    func deleteSubscription(_ id: SubscriptionID) async throws(ActorError) -> Bool

    /// Queues one event for one subscription, whatever it filters. Throws `notFound`, `conflict` when it is disabled,
    /// `tooManyRequests` when its queue is full.
    func queue(_ event: CloudEvent, for id: SubscriptionID, at now: Timestamp) async throws(ActorError)
    /// Newest first.
    func deliveries(of id: SubscriptionID, limit: Int) async throws(ActorError) -> [Delivery]
    /// Makes a waiting delivery due now, and queues another copy of one that is over, with the same event id.
    /// False when there is none of that number.
    func resend(_ delivery: Int64, of id: SubscriptionID, at now: Timestamp) async throws(ActorError) -> Bool
}
