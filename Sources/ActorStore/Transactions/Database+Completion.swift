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
            ledger.note(.deadLettered(actor: completion.actor, execution: completion.envelope.execution))
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
        else { throw notRunning(envelope) }
        try apply(effects, actor: envelope.actor, execution: envelope.execution, at: now, &ledger)
        try store(effects.steps, of: envelope.sequence)
    }

    private func finish(_ completion: Completion, _ ledger: inout CommitLedger) throws {
        let envelope = completion.envelope
        let message = envelope.message
        let attempt = completion.attempt
        guard try ledger.hot.delete(envelope.sequence, isRunning: completion.hasBegun, on: self) else {
            throw notRunning(envelope)
        }
        ledger.left(MailCounts.Item(actor: message.actor, sender: message.sender, bytes: message.bodyBytes))
        try record(completion)
        let record = ExecutionRecord(
            id: envelope.execution, actor: message.actor, sequence: envelope.sequence, status: completion.status,
            outcome: attempt.outcome, exitCode: attempt.exitCode, reason: attempt.reason, attempts: attempt.number,
            sender: message.sender, cause: message.cause, received: message.received,
            started: try firstStart(completion),
            result: completion.result)
        let isOld = ledger.numbers.id(of: envelope.sequence) != envelope.execution
        try ledger.hot.insert(
            record, finished: attempt.finished, oldID: isOld ? envelope.execution.rawValue : nil, on: self)
        // Told now: its start was no commit of its own.
        if !completion.hasBegun, attempt.outcome != .expired {
            ledger.note(
                .executionStarted(
                    actor: message.actor, execution: envelope.execution, attempt: attempt.number))
        }
        if completion.hasBegun || envelope.attempts > 0 {
            try run("DELETE FROM steps WHERE sequence = ?", [envelope.sequence])
        }
        try apply(
            completion.effects, actor: completion.actor, execution: envelope.execution, at: attempt.finished, &ledger)
        ledger.note(
            .executionFinished(
                actor: completion.actor, execution: envelope.execution, status: completion.status,
                outcome: attempt.outcome))
    }

    /// When the first attempt began; nil for a message that never ran.
    private func firstStart(_ completion: Completion) throws -> Timestamp? {
        let attempt = completion.attempt
        if attempt.number == 1, attempt.outcome != .expired { return attempt.started }
        return try row(
            "SELECT started FROM attempts WHERE sequence = ? ORDER BY number LIMIT 1", [completion.envelope.sequence]
        ).map { Timestamp(milliseconds: $0[0]) }
    }

    private func park(_ completion: Completion, reason: String) throws {
        try run(
            """
            INSERT INTO dead_letters (execution, \(MessageRow.columns), reason, attempts, parked)
            SELECT ?, \(MessageRow.columns), ?, ?, ? FROM mailbox WHERE sequence = ?
            """,
            [
                completion.envelope.execution.rawValue, reason, completion.attempt.number,
                completion.attempt.finished.milliseconds, completion.envelope.sequence,
            ])
    }

    private func retry(_ completion: Completion, at moment: Timestamp, _ ledger: inout CommitLedger) throws {
        let envelope = completion.envelope
        try run(
            """
            UPDATE mailbox SET running = 0, started = NULL, deliver_at = ?, attempts = ?
            WHERE sequence = ? AND running = ?
            """,
            [moment.milliseconds, completion.attempt.number, envelope.sequence, completion.hasBegun])
        guard changesCount == 1 else { throw notRunning(envelope) }
        try record(completion)
        try apply(
            completion.effects, actor: completion.actor, execution: envelope.execution,
            at: completion.attempt.finished, &ledger)
        try store(completion.effects.steps, of: envelope.sequence)
        ledger.note(.executionRetrying(actor: completion.actor, execution: envelope.execution, at: moment))
    }

    /// The message runs again as if nothing had happened: what the cut attempt buffered is dropped with it.
    private func release(_ completion: Completion) throws {
        guard completion.hasBegun else { return }
        try run(
            """
            UPDATE mailbox SET running = 0, started = NULL, attempts = attempts - 1
            WHERE sequence = ? AND running = 1
            """,
            [completion.envelope.sequence])
        guard changesCount == 1 else { throw notRunning(completion.envelope) }
    }

    /// The only attempt of an execution is told by the execution's own record.
    private func record(_ completion: Completion) throws {
        let sequence = completion.envelope.sequence
        if let worker = completion.worker {
            try run(
                """
                INSERT INTO execution_workers (sequence, worker, cpu, io) VALUES (?, ?, ?, ?)
                ON CONFLICT DO UPDATE SET worker = excluded.worker, cpu = cpu + excluded.cpu, io = io + excluded.io
                """, [sequence, worker, completion.use.cpu, completion.use.io])
        }
        // What expired was not tried once more.
        var isOnly = completion.attempt.number == 1 || completion.attempt.outcome == .expired
        if case .retry = completion.disposition { isOnly = false }
        if !isOnly { try insert(completion.attempt, of: sequence) }
        if let log = completion.log {
            try run(
                "INSERT OR REPLACE INTO logs (\(LogRow.columns)) VALUES (?, ?, ?, ?, ?)",
                LogRow.arguments(log, sequence: sequence))
        }
    }

    private func notRunning(_ envelope: Envelope) -> ActorError {
        ActorError(.conflict, "message \(envelope.execution) does not run: it ended already, or never began")
    }
}
