package import ActorCore

/// A subscription on the wire. Its secret is there when it was made or rotated, and never again.
package struct SubscriptionPayload: Payload {
    package var id: String
    package var sink: String
    package var types: [String]
    package var source: String?
    /// In the filter dialects of CloudEvents.
    package var filters: JSONValue
    package var description: String
    package var owner: String
    package var enabled: Bool
    package var disabledReason: String?
    package var waiting: Int
    package var delivered: Int
    package var givenUp: Int
    package var dropped: Int
    package var created: String
    package var updated: String
    /// Until when the secret before this one signs too.
    package var previousSecretExpires: String?
    package var secret: String?

    package init(
        id: String, sink: String, types: [String], source: String?, filters: JSONValue, description: String,
        owner: String, enabled: Bool, disabledReason: String?, waiting: Int, delivered: Int, givenUp: Int,
        dropped: Int, created: String, updated: String, previousSecretExpires: String?, secret: String?
    ) {
        self.id = id
        self.sink = sink
        self.types = types
        self.source = source
        self.filters = filters
        self.description = description
        self.owner = owner
        self.enabled = enabled
        self.disabledReason = disabledReason
        self.waiting = waiting
        self.delivered = delivered
        self.givenUp = givenUp
        self.dropped = dropped
        self.created = created
        self.updated = updated
        self.previousSecretExpires = previousSecretExpires
        self.secret = secret
    }

    package init?(json: JSONValue) {
        guard let id = json["id"]?.string, let sink = json["sink"]?.string, let enabled = json["enabled"]?.bool else {
            return nil
        }
        self.init(
            id: id, sink: sink, types: (json["types"]?.array ?? []).compactMap(\.string),
            source: json["source"]?.string, filters: json["filters"] ?? [],
            description: json["description"]?.string ?? "", owner: json["owner"]?.string ?? "", enabled: enabled,
            disabledReason: json["disabled_reason"]?.string, waiting: json["waiting"]?.int ?? 0,
            delivered: json["delivered"]?.int ?? 0, givenUp: json["given_up"]?.int ?? 0,
            dropped: json["dropped"]?.int ?? 0, created: json["created"]?.string ?? "",
            updated: json["updated"]?.string ?? "", previousSecretExpires: json["previous_secret_expires"]?.string,
            secret: json["secret"]?.string)
    }

    package var json: JSONValue {
        let value: JSONValue = [
            "id": .string(id), "protocol": "HTTP", "sink": .string(sink),
            "types": .array(types.map { .string($0) }), "source": JSONValue(source), "filters": filters,
            "description": .string(description), "owner": .string(owner), "enabled": .bool(enabled),
            "disabled_reason": JSONValue(disabledReason), "waiting": JSONValue(waiting),
            "delivered": JSONValue(delivered), "given_up": JSONValue(givenUp), "dropped": JSONValue(dropped),
            "created": .string(created), "updated": .string(updated),
            "previous_secret_expires": JSONValue(previousSecretExpires), "secret": JSONValue(secret),
        ]
        return value.withoutNulls("secret", "source", "disabled_reason", "previous_secret_expires")
    }
}

/// One event on its way to a subscription's sink, on the wire.
package struct DeliveryPayload: Payload {
    package var id: Int64
    /// The event's id, which is `webhook-id` on every attempt.
    package var eventID: String
    package var type: String
    /// `waiting`, `delivered` or `given_up`.
    package var state: String
    package var attempts: Int
    package var nextAttempt: String?
    package var reason: String?
    package var created: String

    package init(
        id: Int64, eventID: String, type: String, state: String, attempts: Int, nextAttempt: String?,
        reason: String?, created: String
    ) {
        self.id = id
        self.eventID = eventID
        self.type = type
        self.state = state
        self.attempts = attempts
        self.nextAttempt = nextAttempt
        self.reason = reason
        self.created = created
    }

    package init?(json: JSONValue) {
        guard let id = json["id"]?.int, let event = json["event_id"]?.string, let state = json["state"]?.string
        else { return nil }
        self.init(
            id: Int64(id), eventID: event, type: json["type"]?.string ?? "", state: state,
            attempts: json["attempts"]?.int ?? 0, nextAttempt: json["next_attempt"]?.string,
            reason: json["reason"]?.string, created: json["created"]?.string ?? "")
    }

    package var json: JSONValue {
        [
            "id": .int(id), "event_id": .string(eventID), "type": .string(type), "state": .string(state),
            "attempts": JSONValue(attempts), "next_attempt": JSONValue(nextAttempt), "reason": JSONValue(reason),
            "created": .string(created),
        ]
    }
}
