import ActorCore
import GRDB

/// A subscription as it lies in its table.
enum SubscriptionRow {
    static let columns = """
        id, sink, types, source, filters, secret, retired_secret, retired_expires, owner, description, enabled, \
        disabled_reason, created, updated
        """
    static let counts = "waiting, delivered, given_up, dropped"

    static func arguments(_ subscription: Subscription) -> StatementArguments {
        [
            subscription.id.rawValue, subscription.sink,
            JSONText.encode(.array(subscription.types.map { .string($0) })), subscription.source,
            JSONText.encode(.array(subscription.filters.map(\.json))), subscription.secret.reveal(),
            subscription.retired?.secret.reveal(), subscription.retired?.expires.milliseconds, subscription.owner,
            subscription.description, subscription.enabled, subscription.disabledReason,
            subscription.created.milliseconds, subscription.updated.milliseconds,
        ]
    }

    /// From the columns and then the counts.
    static func subscription(_ row: Row) throws -> Subscription {
        let retired: String? = row[6]
        let expires: Int64? = row[7]
        return Subscription(
            id: SubscriptionID(row[0]), sink: row[1],
            types: try (JSONText.decode(row[2], of: "event types").array ?? []).compactMap(\.string), source: row[3],
            filters: try EventFilter.list(try JSONText.decode(row[4], of: "filters")),
            secret: try secret(row[5]),
            retired: try retired.map {
                Subscription.Retired(secret: try secret($0), expires: Timestamp(milliseconds: expires ?? 0))
            },
            owner: row[8], description: row[9], enabled: row[10], disabledReason: row[11],
            created: Timestamp(milliseconds: row[12]), updated: Timestamp(milliseconds: row[13]),
            counts: Subscription.Counts(waiting: row[14], delivered: row[15], givenUp: row[16], dropped: row[17]))
    }

    private static func secret(_ text: String) throws -> WebhookSecret {
        guard let secret = WebhookSecret(text) else {
            throw ActorError(.internalFailure, "a stored webhook secret cannot be read; rotate it")
        }
        return secret
    }
}

/// An event on its way to a sink, as it lies in the outbox.
enum DeliveryRow {
    static let columns = "id, idempotency_key, event_type, given_up, attempts, next_attempt, reason, created"
    static let waiting = 0
    static let givenUp = 1
    static let delivered = 2

    static func delivery(_ row: Row) -> Delivery {
        let code: Int = row[3]
        let type: String? = row[2]
        let next: Int64 = row[5]
        return Delivery(
            id: row[0], event: row[1], type: type ?? "",
            state: code == waiting ? .waiting : code == delivered ? .delivered : .givenUp, attempts: row[4],
            nextAttempt: code == waiting ? Timestamp(milliseconds: next) : nil, reason: row[6],
            created: Timestamp(milliseconds: row[7]))
    }
}
