import ActorCore
import GRDB

/// What an execution changes beside its own record, inside a transaction of the writer.
extension Database {
    func apply(
        _ effects: Effects, actor: ActorID, execution: ExecutionID, at now: Timestamp,
        _ ledger: inout CommitLedger
    ) throws {
        if let state = effects.state { try store(state, of: actor, at: now) }
        for change in effects.jobs { try apply(change, &ledger) }
        for document in effects.documents { try store(document, &ledger) }
        for entry in effects.audits { try audit(entry) }
        for call in effects.calls { try store(call, execution: execution, at: now) }
        for message in effects.mail { try send(message, &ledger) }
    }

    func store(_ state: JSONValue, of actor: ActorID, at now: Timestamp) throws {
        try run(
            """
            INSERT INTO state (actor, body, updated) VALUES (?, ?, ?)
            ON CONFLICT (actor) DO UPDATE SET body = excluded.body, updated = excluded.updated, revision = revision + 1
            """,
            [actor.rawValue, JSONText.encode(state), now.milliseconds])
    }

    func store(_ steps: [StepResult], of sequence: Int64) throws {
        for step in steps {
            try run(
                """
                INSERT INTO steps (sequence, name, value) VALUES (?, ?, ?)
                ON CONFLICT (sequence, name) DO UPDATE SET value = excluded.value
                """,
                [sequence, step.name, JSONText.encode(step.value)])
        }
    }

    private func send(_ message: NewMessage, _ ledger: inout CommitLedger) throws {
        switch try append(message, rules: Self.internalRules, &ledger) {
        // Repeated: sent already by an attempt that a crash cut off.
        case .accepted, .repeated: break
        case .overQuota:
            throw ActorError(.tooManyRequests, "the mailbox of \(message.actor) is full")
        case .keyReused:
            throw ActorError(
                .idempotencyMismatch,
                "a message to \(message.actor) was sent before under the key \"\(message.idempotency?.key ?? "")\" "
                    + "with another body; give each message a key of its own")
        case .nonceRefused:
            throw ActorError(.forbidden, "the nonce of a message to \(message.actor) has no uses left")
        }
    }

    func audit(_ entry: AuditEntry) throws {
        try run(
            "INSERT INTO audit (\(AuditRow.columns)) VALUES (?, ?, ?, ?, ?)",
            [entry.at.milliseconds, entry.who, entry.action, entry.target, entry.outcome])
    }

    private func store(_ document: Document, _ ledger: inout CommitLedger) throws {
        if document.body.isNull {
            try run("DELETE FROM documents WHERE kind = ? AND id = ?", [document.kind, document.id])
            return
        }
        try run(
            """
            INSERT INTO documents (\(DocumentRow.columns)) VALUES (?, ?, ?, ?, ?)
            ON CONFLICT (kind, id) DO UPDATE SET body = excluded.body, updated = excluded.updated
            """,
            DocumentRow.arguments(document))
        ledger.note(.documentChanged(kind: document.kind, id: document.id))
    }

    func store(_ call: OutgoingCall, execution: ExecutionID?, at now: Timestamp) throws {
        try run(
            """
            INSERT INTO outbox (
                order_key, url, content_type, body, idempotency_key, execution, next_attempt, created
            ) VALUES (?, ?, ?, ifnull(?, x''), ?, ?, ?, ?)
            """,
            OutboxRow.arguments(call, execution: execution, at: now))
    }
}
