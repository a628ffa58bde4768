package import ActorCore
import GRDB

extension SQLiteStore: SubscriptionStore {
    package func announce(as announcer: Announcer) { writer.announcements.set(announcer) }

    package func create(_ subscription: Subscription) async throws(ActorError) {
        try await changing { db, _ in
            guard try db.subscription(subscription.id) == nil else {
                throw ActorError(.conflict, "there is a subscription \(subscription.id) already")
            }
            let count: Int = try db.row("SELECT count(*) FROM subscriptions")?[0] ?? 0
            guard count < Subscription.maxCount else {
                throw ActorError(
                    .tooManyRequests, "there are \(count) subscriptions, which is as many as may be; delete one first")
            }
            try db.write(subscription)
        }
    }

    package func subscriptions() async throws(ActorError) -> [Subscription] {
        try await read { db in
            try db.rows(
                "SELECT \(SubscriptionRow.columns), \(SubscriptionRow.counts) FROM subscriptions ORDER BY number", [],
                SubscriptionRow.subscription)
        }
    }

    package func subscription(_ id: SubscriptionID) async throws(ActorError) -> Subscription? {
        try await read { db in try db.subscription(id) }
    }

    package func update(
        _ id: SubscriptionID, _ change: @escaping @Sendable (inout Subscription) -> Void
    ) async throws(ActorError) -> Subscription {
        let announcements = writer.announcements
        return try await changing { db, ledger in
            guard var subscription = try db.subscription(id) else { throw Self.noSubscription(id) }
            let counts = subscription.counts
            change(&subscription)
            subscription.counts = counts
            try db.write(subscription)
            // What waited for a sink now goes to its new address.
            try db.run(
                "UPDATE outbox SET url = ? WHERE subscription = ? AND given_up = \(DeliveryRow.waiting)",
                [subscription.sink, id.rawValue])
            ledger.after(announcements.announcer) { $0.queued() }
            return subscription
        }
    }

    package func deleteSubscription(_ id: SubscriptionID) async throws(ActorError) -> Bool {
        try await changing { db, _ in
            try db.run("DELETE FROM outbox WHERE subscription = ?", [id.rawValue])
            try db.run("DELETE FROM subscriptions WHERE id = ?", [id.rawValue])
            return db.changesCount == 1
        }
    }

    package func queue(
        _ event: CloudEvent, for id: SubscriptionID, at now: Timestamp
    ) async throws(ActorError) {
        let announcements = writer.announcements
        try await writer.submit { db, ledger in
            guard let subscription = try db.subscription(id) else { throw Self.noSubscription(id) }
            guard subscription.enabled else {
                throw ActorError(.conflict, "subscription \(id) is disabled; enable it first")
            }
            guard subscription.counts.waiting < Subscription.maxWaiting else { throw Self.fullQueue(id) }
            try db.queue([subscription.call(for: event)], for: id, announcements.announcer, at: now, &ledger)
        }
    }

    package func deliveries(of id: SubscriptionID, limit: Int) async throws(ActorError) -> [Delivery] {
        try await read { db in
            try db.rows(
                "SELECT \(DeliveryRow.columns) FROM outbox WHERE subscription = ? ORDER BY id DESC LIMIT ?",
                [id.rawValue, max(0, limit)], DeliveryRow.delivery)
        }
    }

    package func resend(
        _ delivery: Int64, of id: SubscriptionID, at now: Timestamp
    ) async throws(ActorError) -> Bool {
        let announcements = writer.announcements
        return try await writer.submit { db, ledger in
            let found = try db.row(
                "SELECT given_up FROM outbox WHERE id = ? AND subscription = ?", [delivery, id.rawValue])
            guard let code: Int = found?[0], let subscription = try db.subscription(id) else { return false }
            ledger.after(announcements.announcer) { $0.queued() }
            if code == DeliveryRow.waiting {
                try db.run("UPDATE outbox SET next_attempt = ? WHERE id = ?", [now.milliseconds, delivery])
                return true
            }
            guard subscription.counts.waiting < Subscription.maxWaiting else { throw Self.fullQueue(id) }
            try db.run(
                """
                INSERT INTO outbox (
                    order_key, url, content_type, body, idempotency_key, next_attempt, created, subscription, event_type
                )
                SELECT order_key, ?, content_type, body, idempotency_key, ?, ?, subscription, event_type
                FROM outbox WHERE id = ?
                """,
                [subscription.sink, now.milliseconds, now.milliseconds, delivery])
            try db.run("UPDATE subscriptions SET waiting = waiting + 1 WHERE id = ?", [id.rawValue])
            return true
        }
    }

    /// A change of who is told: the list in memory is read again, whether the commit succeeds or not.
    private func changing<Value: Sendable>(
        _ body: @escaping @Sendable (Database, inout CommitLedger) throws -> Value
    ) async throws(ActorError) -> Value {
        let announcements = writer.announcements
        return try await writer.submit { db, ledger in
            announcements.forgetAround(db)
            return try body(db, &ledger)
        }
    }

    private static func noSubscription(_ id: SubscriptionID) -> ActorError {
        ActorError(.notFound, "there is no subscription \(id.rawValue.prefix(64))")
    }

    private static func fullQueue(_ id: SubscriptionID) -> ActorError {
        ActorError(.tooManyRequests, "\(Subscription.maxWaiting) events wait for subscription \(id) already")
    }
}

extension Announcements {
    /// The list is read again inside this transaction, and again after it: it may be rolled back.
    func forgetAround(_ db: Database) {
        forget()
        db.afterNextTransaction(onCommit: { _ in self.forget() }, onRollback: { _ in self.forget() })
    }
}
