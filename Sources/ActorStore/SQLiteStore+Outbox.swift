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

    package func promise(_ call: OutgoingCall, at now: Timestamp) async throws(ActorError) {
        try await writer.submit { db, _ in try db.store(call, execution: nil, at: now) }
    }

    package func settle(
        _ id: Int64, _ verdict: OutboxVerdict, at now: Timestamp
    ) async throws(ActorError) {
        let announcements = writer.announcements
        try await writer.submit { db, _ in
            guard let row = try db.row("SELECT subscription FROM outbox WHERE id = ? AND given_up = 0", [id]) else {
                throw ActorError(.notFound, "there is no outgoing call \(id)")
            }
            let owner: String? = row[0]
            switch (verdict, owner.map { SubscriptionID($0) }) {
            case (.delivered, nil): try db.run("DELETE FROM outbox WHERE id = ?", [id])
            case (.delivered, let owner?):
                try db.finish(id, of: owner, as: DeliveryRow.delivered, reason: nil)
            case (.retry(let moment, let reason), _):
                try db.run(
                    "UPDATE outbox SET attempts = attempts + 1, next_attempt = ?, reason = ? WHERE id = ?",
                    [moment.milliseconds, reason, id])
            case (.givenUp(let reason), nil), (.gone(let reason), nil):
                try db.run(
                    "UPDATE outbox SET attempts = attempts + 1, given_up = 1, reason = ? WHERE id = ?", [reason, id])
            case (.givenUp(let reason), let owner?):
                try db.finish(id, of: owner, as: DeliveryRow.givenUp, reason: reason)
            case (.gone(let reason), let owner?):
                try db.finish(id, of: owner, as: DeliveryRow.givenUp, reason: reason)
                announcements.forgetAround(db)
                guard var subscription = try db.subscription(owner) else { return }
                subscription.setEnabled(false, reason: reason, at: now)
                try db.write(subscription)
            }
        }
    }
}
