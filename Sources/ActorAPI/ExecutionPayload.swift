package import ActorCore

/// An execution on the wire.
package struct ExecutionPayload: Payload {
    package var id: String
    package var actorID: String
    /// The actor's name; its id when the actor is gone.
    package var actor: String
    package var status: String
    package var outcome: String?
    package var exitCode: Int?
    package var reason: String?
    package var attempts: Int
    package var sender: String
    package var cause: String?
    package var received: String
    package var started: String?
    package var finished: String?
    package var result: JSONValue
    /// Only when one execution is asked for.
    package var attemptList: [AttemptPayload]?

    package init(
        id: String, actorID: String, actor: String, status: String, outcome: String? = nil, exitCode: Int? = nil,
        reason: String? = nil, attempts: Int = 0, sender: String, cause: String? = nil, received: String,
        started: String? = nil, finished: String? = nil, result: JSONValue = .null,
        attemptList: [AttemptPayload]? = nil
    ) {
        self.id = id
        self.actorID = actorID
        self.actor = actor
        self.status = status
        self.outcome = outcome
        self.exitCode = exitCode
        self.reason = reason
        self.attempts = attempts
        self.sender = sender
        self.cause = cause
        self.received = received
        self.started = started
        self.finished = finished
        self.result = result
        self.attemptList = attemptList
    }

    package init?(json: JSONValue) {
        guard let id = json["id"]?.string, let actorID = json["actor_id"]?.string,
            let status = json["status"]?.string
        else { return nil }
        self.init(
            id: id, actorID: actorID, actor: json["actor"]?.string ?? actorID, status: status,
            outcome: json["outcome"]?.string, exitCode: json["exit_code"]?.int, reason: json["reason"]?.string,
            attempts: json["attempts"]?.int ?? 0, sender: json["sender"]?.string ?? "",
            cause: json["cause"]?.string, received: json["received"]?.string ?? "",
            started: json["started"]?.string, finished: json["finished"]?.string, result: json["result"] ?? .null,
            attemptList: json["attempt_list"]?.array.map { $0.compactMap(AttemptPayload.init(json:)) })
    }

    package var json: JSONValue {
        let value: JSONValue = [
            "id": .string(id), "actor_id": .string(actorID), "actor": .string(actor), "status": .string(status),
            "outcome": JSONValue(outcome), "exit_code": JSONValue(exitCode), "reason": JSONValue(reason),
            "attempts": JSONValue(attempts), "sender": .string(sender), "cause": JSONValue(cause),
            "received": .string(received), "started": JSONValue(started), "finished": JSONValue(finished),
            "result": result, "attempt_list": attemptList.map { .array($0.map(\.json)) } ?? .null,
        ]
        return value.withoutNulls("attempt_list")
    }
}

/// One attempt of an execution on the wire.
package struct AttemptPayload: Payload {
    package var number: Int
    package var started: String
    package var finished: String
    package var outcome: String
    package var exitCode: Int?
    package var reason: String?

    package init(
        number: Int, started: String, finished: String, outcome: String, exitCode: Int?, reason: String?
    ) {
        self.number = number
        self.started = started
        self.finished = finished
        self.outcome = outcome
        self.exitCode = exitCode
        self.reason = reason
    }

    package init?(json: JSONValue) {
        guard let number = json["number"]?.int, let outcome = json["outcome"]?.string else { return nil }
        self.init(
            number: number, started: json["started"]?.string ?? "", finished: json["finished"]?.string ?? "",
            outcome: outcome, exitCode: json["exit_code"]?.int, reason: json["reason"]?.string)
    }

    package var json: JSONValue {
        [
            "number": JSONValue(number), "started": .string(started), "finished": .string(finished),
            "outcome": .string(outcome), "exit_code": JSONValue(exitCode), "reason": JSONValue(reason),
        ]
    }
}

/// What the actors API answers to a message, without its links.
package struct MessageReceiptPayload: Payload {
    package var executionID: String
    package var message: JSONValue

    package init(executionID: String, message: JSONValue) {
        self.executionID = executionID
        self.message = message
    }

    /// Reads both spellings of the envelope's `result`.
    package init?(json: JSONValue) {
        guard let id = json["executionId"]?.string ?? json["execution_id"]?.string else { return nil }
        self.init(executionID: id, message: json["msg"] ?? .null)
    }

    package var json: JSONValue { ["execution_id": .string(executionID), "msg": message] }
}
