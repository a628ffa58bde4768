package import ActorCore
import GRDB

extension SQLiteStore: OutboxStore {
    package func dueHeads(limit: Int) async throws(ActorError) -> [OutboxItem] {
        // From key to key through the index: a sink that is away for days leaves its calls behind one key.
        try await readSettled { db in
            try db.rows(
                """
                WITH RECURSIVE keys(name) AS (
                    SELECT min(order_key) FROM outbox WHERE given_up = 0
                    UNION ALL
                    SELECT (SELECT min(order_key) FROM outbox WHERE given_up = 0 AND order_key > name)
                    FROM keys WHERE name IS NOT NULL
                )
                SELECT \(OutboxRow.columns) FROM outbox
                WHERE id IN (
                        SELECT (SELECT min(id) FROM outbox WHERE given_up = 0 AND order_key = name) FROM keys
                        WHERE name IS NOT NULL
                    )
                    AND (subscription IS NULL OR subscription IN (SELECT id FROM subscriptions WHERE enabled = 1))
                ORDER BY next_attempt, id LIMIT ?
                """,
                [max(0, limit)], OutboxRow.item)
        }
    }

    package func undelivered(after item: OutboxItem, limit: Int) async throws(ActorError) -> [OutboxItem] {
        try await readSettled { db in
            try db.rows(
                """
                SELECT \(OutboxRow.columns) FROM outbox WHERE given_up = 0 AND order_key = ? AND id > ?
                ORDER BY id LIMIT ?
                """,
                [item.call.orderKey, item.id, max(0, limit)], OutboxRow.item)
        }
    }

    package func promise(_ call: OutgoingCall, at now: Timestamp) async throws(ActorError) {
        try await writer.submit { db, _ in try db.store(call, execution: nil, at: now) }
    }

    package func settle(_ outcomes: [OutboxOutcome], at now: Timestamp) async throws(ActorError) {
        let announcements = writer.announcements
        try await writer.submit { db, _ in
            var isAny = false
            for outcome in outcomes where try db.settle(outcome, at: now, announcements) { isAny = true }
            if let first = outcomes.first, !isAny {
                throw ActorError(.notFound, "there is no outgoing call \(first.id)")
            }
        }
    }
}

extension Database {
    /// False when there is no such call any more.
    fileprivate func settle(
        _ outcome: OutboxOutcome, at now: Timestamp, _ announcements: Announcements
    ) throws -> Bool {
        let id = outcome.id
        guard let row = try row("SELECT subscription FROM outbox WHERE id = ? AND given_up = 0", [id]) else {
            return false
        }
        let owner: String? = row[0]
        switch (outcome.verdict, owner.map { SubscriptionID($0) }) {
        case (.delivered, nil): try run("DELETE FROM outbox WHERE id = ?", [id])
        case (.delivered, let owner?): try finish(id, of: owner, as: DeliveryRow.delivered, reason: nil)
        case (.retry(let moment, let reason), _):
            try run(
                "UPDATE outbox SET attempts = attempts + 1, next_attempt = ?, reason = ? WHERE id = ?",
                [moment.milliseconds, reason, id])
        case (.givenUp(let reason), nil), (.gone(let reason), nil):
            try run("UPDATE outbox SET attempts = attempts + 1, given_up = 1, reason = ? WHERE id = ?", [reason, id])
        case (.givenUp(let reason), let owner?):
            try finish(id, of: owner, as: DeliveryRow.givenUp, reason: reason)
        case (.gone(let reason), let owner?):
            try finish(id, of: owner, as: DeliveryRow.givenUp, reason: reason)
            announcements.forgetAround(self)
            guard var subscription = try subscription(owner) else { return true }
            subscription.setEnabled(false, reason: reason, at: now)
            try write(subscription)
        }
        return true
    }
}
