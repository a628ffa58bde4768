package import ActorCore

/// A dead letter on the wire.
package struct DeadLetterPayload: Payload {
    package var id: Int64
    package var actorID: String
    package var actor: String
    package var executionID: String
    package var reason: String
    package var attempts: Int
    package var parked: String
    package var replayedAs: String?
    /// The message as text, cut after 4 KiB.
    package var message: String

    package init(
        id: Int64, actorID: String, actor: String, executionID: String, reason: String, attempts: Int,
        parked: String, replayedAs: String?, message: String
    ) {
        self.id = id
        self.actorID = actorID
        self.actor = actor
        self.executionID = executionID
        self.reason = reason
        self.attempts = attempts
        self.parked = parked
        self.replayedAs = replayedAs
        self.message = message
    }

    package init?(json: JSONValue) {
        guard let id = json["id"]?.int, let actorID = json["actor_id"]?.string else { return nil }
        self.init(
            id: Int64(id), actorID: actorID, actor: json["actor"]?.string ?? actorID,
            executionID: json["execution_id"]?.string ?? "", reason: json["reason"]?.string ?? "",
            attempts: json["attempts"]?.int ?? 0, parked: json["parked"]?.string ?? "",
            replayedAs: json["replayed_as"]?.string, message: json["message"]?.string ?? "")
    }

    package var json: JSONValue {
        [
            "id": .int(id), "actor_id": .string(actorID), "actor": .string(actor),
            "execution_id": .string(executionID), "reason": .string(reason), "attempts": JSONValue(attempts),
            "parked": .string(parked), "replayed_as": JSONValue(replayedAs), "message": .string(message),
        ]
    }
}

/// One dead letter with what happened to it: its attempts and what they printed.
package struct DeadLetterDetailPayload: Payload {
    package var letter: DeadLetterPayload
    package var sender: String
    package var received: String
    /// The execution that caused the message, for messages between actors.
    package var cause: String?
    package var attemptList: [AttemptPayload]
    /// All that its attempts printed; ends with a notice where it was cut.
    package var log: String

    package init(
        letter: DeadLetterPayload, sender: String, received: String, cause: String?, attemptList: [AttemptPayload],
        log: String
    ) {
        self.letter = letter
        self.sender = sender
        self.received = received
        self.cause = cause
        self.attemptList = attemptList
        self.log = log
    }

    package init?(json: JSONValue) {
        guard let letter = DeadLetterPayload(json: json) else { return nil }
        self.init(
            letter: letter, sender: json["sender"]?.string ?? "", received: json["received"]?.string ?? "",
            cause: json["cause"]?.string,
            attemptList: (json["attempt_list"]?.array ?? []).compactMap(AttemptPayload.init(json:)),
            log: json["log"]?.string ?? "")
    }

    package var json: JSONValue {
        letter.json.setting("sender", .string(sender)).setting("received", .string(received))
            .setting("cause", JSONValue(cause)).setting("attempt_list", .array(attemptList.map(\.json)))
            .setting("log", .string(log))
    }
}
