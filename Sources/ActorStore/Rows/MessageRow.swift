import ActorCore
import Foundation
import GRDB

/// A message as the mailbox and the dead letters keep it: columns in one order.
enum MessageRow {
    static let columns = columns(body: "body")
    /// The same, with nothing for a body that is too long to wait in memory.
    static let waitingColumns = columns(
        body: "CASE WHEN length(body) > \(NewMessage.mostKept) THEN x'' ELSE body END")

    static func columns(body: String) -> String {
        """
        actor, \(body), kind, environment, sender, cause, hops, idempotency_key, idempotency_digest, message_key, \
        rank, deliver_at, expires, received, nonce
        """
    }

    /// How many they are.
    static let count = 15

    /// The message whose first column is number `first` of the row.
    static func message(_ row: Row, at first: Int) throws -> NewMessage {
        let body: Data = row[first + 1]
        let environment: String? = row[first + 3]
        let cause: String? = row[first + 5]
        let key: String? = row[first + 7]
        let digest: String? = row[first + 8]
        let rank: Int = row[first + 10]
        let deliverAt: Int64? = row[first + 11]
        let expires: Int64? = row[first + 12]
        let nonce: String? = row[first + 14]
        return NewMessage(
            actor: ActorID(row[first]), body: [UInt8](body),
            kind: try StoredWord.decode(row[first + 2], of: "message kind"),
            environment: try environment.map(self.environment) ?? [], sender: row[first + 4],
            cause: cause.map { ExecutionID($0) }, hops: row[first + 6],
            idempotency: key.map { IdempotencyKey(key: $0, digest: digest ?? "") }, key: row[first + 9],
            priority: -rank, deliverAt: deliverAt.map { Timestamp(milliseconds: $0) },
            expires: expires.map { Timestamp(milliseconds: $0) },
            received: Timestamp(milliseconds: row[first + 13]), nonce: nonce.map { NonceID($0) })
    }

    /// Pairs and not an object: a name may come twice, and order counts.
    static func environmentText(_ entries: [EnvironmentEntry]) -> String? {
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
    static let columns = "sequence, attempts, old_id, \(MessageRow.columns)"
    static let waitingColumns = "sequence, attempts, old_id, \(MessageRow.waitingColumns), length(body)"

    /// As it waits in memory, from a row of ``waitingColumns``.
    static func waiting(_ row: Row, _ numbers: ExecutionNumbers) throws -> Envelope {
        let envelope = try envelope(row, numbers)
        let bytes: Int = row[3 + MessageRow.count]
        if bytes == envelope.message.body.count { return envelope }
        return Envelope(
            sequence: envelope.sequence, execution: envelope.execution,
            message: envelope.message.changed { $0.absentBytes = bytes }, attempts: envelope.attempts)
    }

    static func envelope(_ row: Row, _ numbers: ExecutionNumbers) throws -> Envelope {
        let sequence: Int64 = row[0]
        return Envelope(
            sequence: sequence, execution: numbers.id(of: sequence, old: row[2]),
            message: try MessageRow.message(row, at: 3), attempts: row[1])
    }
}

extension ExecutionNumbers {
    /// The id of a message, which an earlier version may have given it.
    func id(of sequence: Int64, old: String?) -> ExecutionID { old.map { ExecutionID($0) } ?? id(of: sequence) }
}
