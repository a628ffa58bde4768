import ActorCore
import GRDB

/// Row 9 of a message's way, inside a transaction of the writer.
extension Database {
    func complete(_ completion: Completion, _ ledger: inout CommitLedger) throws {
        switch completion.disposition {
        case .acknowledge: try finish(completion, &ledger)
        case .park(let reason):
            try park(completion, reason: reason)
            try finish(completion, &ledger)
            ledger.note(.deadLettered(actor: completion.actor, execution: completion.attempt.execution))
        case .retry(let moment): try retry(completion, at: moment, &ledger)
        case .release: try release(completion)
        }
    }

    /// Effects of an execution that goes on.
    func commit(
        _ effects: Effects, of envelope: Envelope, at now: Timestamp, _ ledger: inout CommitLedger
    ) throws {
        guard
            try row("SELECT 1 FROM mailbox WHERE sequence = ? AND running = 1", [envelope.sequence]) != nil
        else { throw notRunning(envelope.sequence) }
        try apply(effects, actor: envelope.actor, execution: envelope.execution, at: now, &ledger)
        try store(effects.steps, of: envelope.execution)
    }

    private func finish(_ completion: Completion, _ ledger: inout CommitLedger) throws {
        let attempt = completion.attempt
        try run(
            "DELETE FROM mailbox WHERE sequence = ? AND execution = ? AND running = 1",
            [completion.sequence, attempt.execution.rawValue])
        guard changesCount == 1 else { throw notRunning(completion.sequence) }
        ledger.left(completion.actor)
        try record(completion)
        try run(
            """
            UPDATE executions SET status = ?, outcome = ?, exit_code = ?, reason = ?, finished = ?, result = ?
            WHERE sequence = ?
            """,
            [
                completion.status.rawValue, attempt.outcome.rawValue, attempt.exitCode, attempt.reason,
                attempt.finished.milliseconds, completion.result.map(JSONText.encode), completion.sequence,
            ])
        try run("DELETE FROM steps WHERE execution = ?", [attempt.execution.rawValue])
        try apply(
            completion.effects, actor: completion.actor, execution: attempt.execution, at: attempt.finished, &ledger)
        ledger.note(
            .executionFinished(
                actor: completion.actor, execution: attempt.execution, status: completion.status,
                outcome: attempt.outcome))
    }

    private func park(_ completion: Completion, reason: String) throws {
        try run(
            """
            INSERT INTO dead_letters (\(MessageRow.columns), reason, attempts, parked)
            SELECT \(MessageRow.columns), ?, attempts, ? FROM mailbox WHERE sequence = ? AND running = 1
            """,
            [reason, completion.attempt.finished.milliseconds, completion.sequence])
    }

    private func retry(_ completion: Completion, at moment: Timestamp, _ ledger: inout CommitLedger) throws {
        let attempt = completion.attempt
        try run(
            """
            UPDATE mailbox SET running = 0, started = NULL, deliver_at = ?
            WHERE sequence = ? AND execution = ? AND running = 1
            """,
            [moment.milliseconds, completion.sequence, attempt.execution.rawValue])
        guard changesCount == 1 else { throw notRunning(completion.sequence) }
        try record(completion)
        try run(
            "UPDATE executions SET status = ? WHERE sequence = ?",
            [ExecutionStatus.submitted.rawValue, completion.sequence])
        try apply(
            completion.effects, actor: completion.actor, execution: attempt.execution, at: attempt.finished, &ledger)
        try store(completion.effects.steps, of: attempt.execution)
        ledger.note(.executionRetrying(actor: completion.actor, execution: attempt.execution, at: moment))
    }

    /// The message runs again as if nothing had happened: what the cut attempt buffered is dropped with it.
    private func release(_ completion: Completion) throws {
        try run(
            """
            UPDATE mailbox SET running = 0, started = NULL, attempts = attempts - 1
            WHERE sequence = ? AND execution = ? AND running = 1
            """,
            [completion.sequence, completion.attempt.execution.rawValue])
        guard changesCount == 1 else { throw notRunning(completion.sequence) }
        try run(
            "UPDATE executions SET status = ?, attempts = attempts - 1 WHERE sequence = ?",
            [ExecutionStatus.submitted.rawValue, completion.sequence])
    }

    private func record(_ completion: Completion) throws {
        try insert(completion.attempt)
        if let log = completion.log {
            try run(
                "INSERT OR REPLACE INTO logs (\(LogRow.columns)) VALUES (?, ?, ?, ?, ?)", LogRow.arguments(log))
        }
    }

    private func notRunning(_ sequence: Int64) -> ActorError {
        ActorError(.conflict, "message \(sequence) does not run: it ended already, or never began")
    }
}
