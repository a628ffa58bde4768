package import ActorCore
import GRDB

extension SQLiteStore: OutboxStore {
    package func dueHeads(limit: Int) async throws(ActorError) -> [OutboxItem] {
        try await read { db in
            try db.rows(
                """
                SELECT \(OutboxRow.columns) FROM outbox
                WHERE id IN (SELECT min(id) FROM outbox WHERE given_up = 0 GROUP BY order_key)
                ORDER BY next_attempt, id LIMIT ?
                """,
                [max(0, limit)], OutboxRow.item)
        }
    }

    package func settle(
        _ id: Int64, _ verdict: OutboxVerdict, at now: Timestamp
    ) async throws(ActorError) {
        try await writer.submit { db, _ in
            switch verdict {
            case .delivered: try db.run("DELETE FROM outbox WHERE id = ?", [id])
            case .retry(let moment, let reason):
                try db.run(
                    "UPDATE outbox SET attempts = attempts + 1, next_attempt = ?, reason = ? WHERE id = ?",
                    [moment.milliseconds, reason, id])
            case .givenUp(let reason):
                try db.run(
                    "UPDATE outbox SET attempts = attempts + 1, given_up = 1, reason = ? WHERE id = ?", [reason, id])
            }
            guard db.changesCount == 1 else { throw ActorError(.notFound, "there is no outgoing call \(id)") }
        }
    }
}
