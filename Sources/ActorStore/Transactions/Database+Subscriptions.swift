import ActorCore
import Foundation
import GRDB
import Synchronization

/// Who is told of commits. The list is kept in memory, so that a commit nobody listens to pays for one look.
final class Announcements: Sendable {
    private struct State {
        var announcer: Announcer?
        /// Nil when it has to be read again.
        var enabled: [Subscription]?
    }

    private let state = Mutex(State())

    func set(_ announcer: Announcer) { state.withLock { $0.announcer = announcer } }

    var announcer: Announcer? { state.withLock(\.announcer) }

    func forget() { state.withLock { $0.enabled = nil } }

    /// On the writer only. Reads the list when it changed since.
    fileprivate func listeners(
        _ read: () throws -> [Subscription]
    ) throws -> (announcer: Announcer, subscriptions: [Subscription])? {
        let (announcer, known) = state.withLock { ($0.announcer, $0.enabled) }
        guard let announcer else { return nil }
        if let known { return known.isEmpty ? nil : (announcer, known) }
        let found = try read()
        state.withLock { $0.enabled = found }
        return found.isEmpty ? nil : (announcer, found)
    }
}

/// Subscriptions inside a transaction of the writer.
extension Database {
    /// Queues what this commit has to tell, as its last change.
    func announce(
        _ events: [CommittedEvent], through announcements: Announcements, _ ledger: inout CommitLedger
    ) throws {
        guard !events.isEmpty,
            let (announcer, listeners) = try announcements.listeners({ try self.enabledSubscriptions() })
        else { return }
        let now = announcer.now()
        for (subscription, calls) in announcer.plan(events, for: listeners, at: now) {
            try queue(calls, for: subscription.id, announcer, at: now, &ledger)
        }
    }

    /// Answers how many found room; the others are counted as dropped.
    @discardableResult
    func queue(
        _ calls: [OutgoingCall], for id: SubscriptionID, _ announcer: Announcer?, at now: Timestamp,
        _ ledger: inout CommitLedger
    ) throws -> Int {
        let waiting: Int = try row("SELECT waiting FROM subscriptions WHERE id = ?", [id.rawValue])?[0] ?? 0
        let taken = min(calls.count, max(0, Subscription.maxWaiting - waiting))
        for call in calls.prefix(taken) { try insert(call, at: now) }
        let dropped = calls.count - taken
        try run(
            "UPDATE subscriptions SET waiting = waiting + ?, dropped = dropped + ? WHERE id = ?",
            [taken, dropped, id.rawValue])
        ledger.after(announcer) { announcer in
            if taken > 0 { announcer.queued() }
            if dropped > 0 { announcer.overflowed(id) }
        }
        return taken
    }

    private func insert(_ call: OutgoingCall, at now: Timestamp) throws {
        try run(
            """
            INSERT INTO outbox (
                order_key, url, content_type, body, idempotency_key, next_attempt, created, subscription, event_type
            ) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
            """,
            [
                call.orderKey, call.url, call.contentType, Data(call.body), call.idempotencyKey, now.milliseconds,
                now.milliseconds, call.subscription?.rawValue, call.eventType,
            ])
    }

    private func enabledSubscriptions() throws -> [Subscription] {
        try rows(
            """
            SELECT \(SubscriptionRow.columns), \(SubscriptionRow.counts) FROM subscriptions
            WHERE enabled = 1 ORDER BY number
            """, [], SubscriptionRow.subscription)
    }

    func subscription(_ id: SubscriptionID) throws -> Subscription? {
        try row(
            "SELECT \(SubscriptionRow.columns), \(SubscriptionRow.counts) FROM subscriptions WHERE id = ?",
            [id.rawValue]
        ).map(SubscriptionRow.subscription)
    }

    func write(_ subscription: Subscription) throws {
        try run(
            """
            INSERT INTO subscriptions (\(SubscriptionRow.columns))
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT (id) DO UPDATE SET sink = excluded.sink, types = excluded.types, source = excluded.source,
                filters = excluded.filters, secret = excluded.secret, retired_secret = excluded.retired_secret,
                retired_expires = excluded.retired_expires, description = excluded.description,
                enabled = excluded.enabled, disabled_reason = excluded.disabled_reason, updated = excluded.updated
            """,
            SubscriptionRow.arguments(subscription))
    }

    /// The end of a delivery: its row becomes history, of which the newest part is kept.
    func finish(
        _ delivery: Int64, of id: SubscriptionID, as code: Int, reason: String?
    ) throws {
        try run(
            "UPDATE outbox SET attempts = attempts + 1, given_up = ?, reason = ? WHERE id = ?",
            [code, reason, delivery])
        let isDelivered = code == DeliveryRow.delivered
        try run(
            """
            UPDATE subscriptions
            SET waiting = waiting - 1, delivered = delivered + ?, given_up = given_up + ? WHERE id = ?
            """,
            [isDelivered ? 1 : 0, isDelivered ? 0 : 1, id.rawValue])
        try run(
            """
            DELETE FROM outbox WHERE subscription = ?1 AND given_up = ?2 AND id <= (
                SELECT id FROM outbox WHERE subscription = ?1 AND given_up = ?2 ORDER BY id DESC LIMIT 1 OFFSET ?3
            )
            """,
            [id.rawValue, code, isDelivered ? Subscription.keptDelivered : Subscription.keptGivenUp])
    }
}
