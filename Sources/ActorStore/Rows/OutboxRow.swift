import ActorCore
import Foundation
import GRDB

/// A promised HTTP call as it lies in the outbox.
enum OutboxRow {
    static let columns = """
        id, order_key, url, content_type, body, idempotency_key, execution, attempts, next_attempt, created, \
        subscription, event_type
        """

    static func arguments(
        _ call: OutgoingCall, execution: ExecutionID?, at now: Timestamp
    ) -> StatementArguments {
        [
            call.orderKey, call.url, call.contentType, Data(call.body), call.idempotencyKey,
            execution?.rawValue, now.milliseconds, now.milliseconds,
        ]
    }

    static func item(_ row: Row) -> OutboxItem {
        let body: Data = row[4]
        let execution: String? = row[6]
        let subscription: String? = row[10]
        let eventType: String? = row[11]
        let call = OutgoingCall(
            url: row[2], contentType: row[3], body: [UInt8](body), orderKey: row[1], idempotencyKey: row[5],
            subscription: subscription.map { SubscriptionID($0) }, eventType: eventType ?? "")
        return OutboxItem(
            id: row[0], call: call, execution: execution.map { ExecutionID($0) }, attempts: row[7],
            nextAttempt: Timestamp(milliseconds: row[8]), created: Timestamp(milliseconds: row[9]))
    }
}
