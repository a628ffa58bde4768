import ActorCore
import GRDB

/// The statements that every message costs: one row in, one row out, one record of its end.
///
/// Used on the queue of the write connection only.
final class HotStatements: @unchecked Sendable {
    private var acceptance: HotStatement?
    private var claim: HotStatement?
    private var departure: HotStatement?
    private var record: HotStatement?

    func insert(_ message: NewMessage, sequence: Int64, on db: Database) throws {
        let statement = try prepared(
            \.acceptance,
            """
            INSERT INTO mailbox (
                sequence, actor, body, kind, environment, sender, cause, hops, idempotency_key, idempotency_digest,
                message_key, rank, deliver_at, expires, received, nonce
            ) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """, on: db)
        statement.bind(1, sequence)
        statement.bind(2, message.actor.rawValue)
        statement.bind(4, message.kind.rawValue)
        statement.bind(5, MessageRow.environmentText(message.environment))
        statement.bind(6, message.sender)
        statement.bind(7, message.cause?.rawValue)
        statement.bind(8, Int64(message.hops))
        statement.bind(9, message.idempotency?.key)
        statement.bind(10, message.idempotency?.digest)
        statement.bind(11, message.key)
        statement.bind(12, Int64(-message.priority))
        statement.bind(13, message.deliverAt?.milliseconds)
        statement.bind(14, message.expires?.milliseconds)
        statement.bind(15, message.received.milliseconds)
        statement.bind(16, message.nonce?.rawValue)
        try statement.run(blob: (3, message.body))
    }

    /// Takes an idempotency key for the message that will have this id; false when the key was used before.
    func claim(
        _ key: IdempotencyKey, of actor: ActorID, for execution: ExecutionID, at received: Timestamp, on db: Database
    ) throws -> Bool {
        let statement = try prepared(
            \.claim,
            """
            INSERT INTO idempotency (actor, key, digest, execution, received) VALUES (?, ?, ?, ?, ?)
            ON CONFLICT (actor, key) DO NOTHING
            """, on: db)
        statement.bind(1, actor.rawValue)
        statement.bind(2, key.key)
        statement.bind(3, key.digest)
        statement.bind(4, execution.rawValue)
        statement.bind(5, received.milliseconds)
        return try statement.run() == 1
    }

    /// False when the message is gone, or does not run as the caller thinks.
    func delete(_ sequence: Int64, isRunning: Bool, on db: Database) throws -> Bool {
        let statement = try prepared(
            \.departure, "DELETE FROM mailbox WHERE sequence = ? AND running = ?", on: db)
        statement.bind(1, sequence)
        statement.bind(2, isRunning ? 1 : 0)
        return try statement.run() == 1
    }

    func insert(_ record: ExecutionRecord, finished: Timestamp, oldID: String?, on db: Database) throws {
        let statement = try prepared(
            \.record,
            """
            INSERT INTO executions (
                sequence, actor, status, outcome, exit_code, reason, attempts, sender, cause, received, started,
                finished, result, old_id
            ) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """, on: db)
        statement.bind(1, record.sequence)
        statement.bind(2, record.actor.rawValue)
        statement.bind(3, record.status.rawValue)
        statement.bind(4, record.outcome?.rawValue)
        statement.bind(5, record.exitCode.map(Int64.init))
        statement.bind(6, record.reason)
        statement.bind(7, Int64(record.attempts))
        statement.bind(8, record.sender)
        statement.bind(9, record.cause?.rawValue)
        statement.bind(10, record.received.milliseconds)
        statement.bind(11, record.started?.milliseconds)
        statement.bind(12, finished.milliseconds)
        statement.bind(13, record.result.map(JSONText.encode))
        statement.bind(14, oldID)
        try statement.run()
    }

    /// Before the connection closes, which it does not with statements open.
    func finalize() {
        for path in [\HotStatements.acceptance, \.claim, \.departure, \.record] {
            self[keyPath: path]?.finalize()
            self[keyPath: path] = nil
        }
    }

    private func prepared(
        _ path: ReferenceWritableKeyPath<HotStatements, HotStatement?>, _ sql: String, on db: Database
    ) throws -> HotStatement {
        if let statement = self[keyPath: path] { return statement }
        let statement = try HotStatement(sql, on: db)
        self[keyPath: path] = statement
        return statement
    }
}
