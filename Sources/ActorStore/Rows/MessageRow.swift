import ActorCore
import Foundation
import GRDB

/// A message as the mailbox and the dead letters keep it: thirteen columns in one order.
enum MessageRow {
    static let columns = """
        actor, execution, body, kind, environment, sender, cause, hops, idempotency_key, idempotency_digest, \
        deliver_at, received, nonce
        """
    /// One per column. An empty body is bound as NULL by the driver, hence the `ifnull`.
    static let placeholders = "?, ?, ifnull(?, x''), ?, ?, ?, ?, ?, ?, ?, ?, ?, ?"

    static func arguments(_ message: NewMessage) -> StatementArguments {
        [
            message.actor.rawValue, message.execution.rawValue, Data(message.body), message.kind.rawValue,
            environmentText(message.environment), message.sender, message.cause?.rawValue, message.hops,
            message.idempotency?.key, message.idempotency?.digest, message.deliverAt?.milliseconds,
            message.received.milliseconds, message.nonce?.rawValue,
        ]
    }

    /// The message whose first column is number `first` of the row.
    static func message(_ row: Row, at first: Int) throws -> NewMessage {
        let body: Data = row[first + 2]
        let environment: String? = row[first + 4]
        let cause: String? = row[first + 6]
        let key: String? = row[first + 8]
        let digest: String? = row[first + 9]
        let deliverAt: Int64? = row[first + 10]
        let nonce: String? = row[first + 12]
        return NewMessage(
            actor: ActorID(row[first]), execution: ExecutionID(row[first + 1]), body: [UInt8](body),
            kind: try StoredWord.decode(row[first + 3], of: "message kind"),
            environment: try environment.map(self.environment) ?? [], sender: row[first + 5],
            cause: cause.map { ExecutionID($0) }, hops: row[first + 7],
            idempotency: key.map { IdempotencyKey(key: $0, digest: digest ?? "") },
            deliverAt: deliverAt.map { Timestamp(milliseconds: $0) },
            received: Timestamp(milliseconds: row[first + 11]), nonce: nonce.map { NonceID($0) })
    }

    /// Pairs and not an object: a name may come twice, and order counts.
    private static func environmentText(_ entries: [EnvironmentEntry]) -> String? {
        if entries.isEmpty { return nil }
        return JSONText.encode(.array(entries.map { .array([.string($0.name), .string($0.value)]) }))
    }

    private static func environment(_ text: String) throws -> [EnvironmentEntry] {
        let pairs = try JSONText.decode(text, of: "environment").array ?? []
        return try pairs.map { pair in
            guard let pair = pair.array, pair.count == 2, let name = pair[0].string, let value = pair[1].string else {
                throw ActorError(.internalFailure, "the stored environment is no list of names and values")
            }
            return EnvironmentEntry(name, value)
        }
    }
}

/// A mailbox row as an envelope.
enum EnvelopeRow {
    static let columns = "sequence, attempts, \(MessageRow.columns)"

    static func envelope(_ row: Row) throws -> Envelope {
        Envelope(sequence: row[0], message: try MessageRow.message(row, at: 2), attempts: row[1])
    }
}
