import ActorCore
import GRDB

/// How mailboxes change, inside a transaction of the writer.
extension Database {
    /// How long an idempotency key is remembered, in milliseconds.
    static let idempotencyWindow: Int64 = 72 * 3_600_000

    /// - Parameter limit: the most messages that the mailbox may hold; nil for mail between actors, which was
    ///   promised already.
    func append(_ message: NewMessage, limit: Int?, _ ledger: inout CommitLedger) throws -> AcceptResult {
        if let answer = try earlierAnswer(to: message) { return answer }
        if let limit, ledger.held(by: message.actor) >= limit { return .mailboxFull }
        if let nonce = message.nonce, try !countUse(of: nonce, at: message.received) { return .nonceRefused }
        return .accepted(try insert(message, &ledger))
    }

    /// Stores a message whatever its idempotency key and nonce say.
    func insert(_ message: NewMessage, _ ledger: inout CommitLedger) throws -> Envelope {
        try run(
            "INSERT INTO mailbox (\(MessageRow.columns)) VALUES (\(MessageRow.placeholders))",
            MessageRow.arguments(message))
        let sequence = lastInsertedRowID
        try run(
            """
            INSERT INTO executions (sequence, id, actor, status, sender, cause, received)
            VALUES (?, ?, ?, ?, ?, ?, ?)
            """,
            [
                sequence, message.execution.rawValue, message.actor.rawValue, ExecutionStatus.submitted.rawValue,
                message.sender, message.cause?.rawValue, message.received.milliseconds,
            ])
        if let key = message.idempotency {
            try run(
                "INSERT OR REPLACE INTO idempotency (actor, key, digest, execution, received) VALUES (?, ?, ?, ?, ?)",
                [
                    message.actor.rawValue, key.key, key.digest, message.execution.rawValue,
                    message.received.milliseconds,
                ])
        }
        let envelope = Envelope(sequence: sequence, message: message)
        ledger.accepted(envelope)
        return envelope
    }

    private func earlierAnswer(to message: NewMessage) throws -> AcceptResult? {
        guard let key = message.idempotency,
            let row = try row(
                "SELECT digest, execution, received FROM idempotency WHERE actor = ? AND key = ?",
                [message.actor.rawValue, key.key])
        else { return nil }
        let received: Int64 = row[2]
        if message.received.milliseconds - received > Self.idempotencyWindow { return nil }
        let digest: String = row[0]
        return digest == key.digest ? .repeated(ExecutionID(row[1])) : .keyReused
    }

    /// False when none is left, or when the nonce was deleted meanwhile.
    func countUse(of nonce: NonceID, at now: Timestamp) throws -> Bool {
        try run(
            """
            UPDATE nonces SET current_uses = current_uses + 1, last_used = ?
            WHERE id = ? AND (max_uses < 0 OR current_uses < max_uses)
            """,
            [now.milliseconds, nonce.rawValue])
        return changesCount == 1
    }

    func begin(_ sequence: Int64, attempt: Int, at now: Timestamp, _ ledger: inout CommitLedger) throws {
        try run(
            "UPDATE mailbox SET running = 1, attempts = attempts + 1, started = ? WHERE sequence = ? AND running = 0",
            [now.milliseconds, sequence])
        guard changesCount == 1 else {
            throw ActorError(.conflict, "message \(sequence) does not wait: it runs already, or was withdrawn")
        }
        try run(
            """
            UPDATE executions SET status = ?, attempts = attempts + 1, started = ifnull(started, ?)
            WHERE sequence = ?
            """,
            [ExecutionStatus.running.rawValue, now.milliseconds, sequence])
        guard let row = try row("SELECT actor, id FROM executions WHERE sequence = ?", [sequence]) else {
            throw ActorError(.internalFailure, "message \(sequence) has no execution")
        }
        ledger.note(.executionStarted(actor: ActorID(row[0]), execution: ExecutionID(row[1]), attempt: attempt))
    }

    func recover(at now: Timestamp) throws -> [Envelope] {
        // Also the start of the attempt that was cut off, which only its mailbox row knows.
        let running = try rows(
            "SELECT \(EnvelopeRow.columns), started FROM mailbox WHERE running = 1 ORDER BY sequence"
        ) { row in
            let started: Int64? = row[15]
            return (try EnvelopeRow.envelope(row), started.map { Timestamp(milliseconds: $0) } ?? now)
        }
        for (envelope, started) in running {
            let attempt = AttemptRecord(
                execution: envelope.execution, number: envelope.attempts, started: started, finished: now,
                outcome: .interrupted, reason: "the daemon ended while it ran")
            try insert(attempt)
            try run(
                "UPDATE executions SET status = ? WHERE sequence = ?",
                [ExecutionStatus.submitted.rawValue, envelope.sequence])
        }
        try run("UPDATE mailbox SET running = 0, started = NULL WHERE running = 1")
        return running.map(\.0)
    }

    func insert(_ attempt: AttemptRecord) throws {
        try run(
            "INSERT OR REPLACE INTO attempts (\(AttemptRow.columns)) VALUES (?, ?, ?, ?, ?, ?, ?)",
            AttemptRow.arguments(attempt))
    }

    func withdraw(_ execution: ExecutionID, at now: Timestamp, _ ledger: inout CommitLedger) throws -> Bool {
        guard let row = try row("SELECT sequence, actor FROM executions WHERE id = ?", [execution.rawValue])
        else { return false }
        return try cancel(
            row[0], actor: ActorID(row[1]), execution, reason: "withdrawn while it waited", at: now, &ledger)
    }

    /// Removes up to `count` waiting messages of a mailbox, up to and including sequence `last`.
    func purge(
        _ actor: ActorID, upTo last: Int64, count: Int, at now: Timestamp, _ ledger: inout CommitLedger
    ) throws -> Int {
        let waiting: [(Int64, ExecutionID)] = try rows(
            """
            SELECT sequence, execution FROM mailbox WHERE actor = ? AND running = 0 AND sequence <= ?
            ORDER BY sequence LIMIT ?
            """,
            [actor.rawValue, last, count]
        ) { ($0[0], ExecutionID($0[1])) }
        for (sequence, execution) in waiting {
            _ = try cancel(
                sequence, actor: actor, execution, reason: "removed with all that waited in the mailbox", at: now,
                &ledger)
        }
        return waiting.count
    }

    /// False when the message does not wait.
    private func cancel(
        _ sequence: Int64, actor: ActorID, _ execution: ExecutionID, reason: String, at now: Timestamp,
        _ ledger: inout CommitLedger
    ) throws -> Bool {
        try run("DELETE FROM mailbox WHERE sequence = ? AND running = 0", [sequence])
        guard changesCount == 1 else { return false }
        try run("DELETE FROM steps WHERE execution = ?", [execution.rawValue])
        try run(
            "UPDATE executions SET status = ?, outcome = ?, reason = ?, finished = ? WHERE sequence = ?",
            [
                ExecutionStatus.complete.rawValue, Outcome.cancelled.rawValue, reason, now.milliseconds, sequence,
            ])
        ledger.left(actor)
        ledger.note(.executionFinished(actor: actor, execution: execution, status: .complete, outcome: .cancelled))
        return true
    }

    /// Messages in each mailbox, running ones included. Two queries, each answered by one index alone.
    func heldMessages() throws -> [ActorID: Int] {
        var held: [ActorID: Int] = [:]
        for running in [0, 1] {
            let counts = try rows("SELECT actor, count(*) FROM mailbox WHERE running = \(running) GROUP BY actor") {
                Backlog(actor: ActorID($0[0]), count: $0[1])
            }
            for backlog in counts { held[backlog.actor, default: 0] += backlog.count }
        }
        return held
    }
}
