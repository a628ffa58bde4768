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
        for call in effects.calls { try store(call, execution: execution, at: now) }
        for message in effects.mail { try send(message, &ledger) }
    }

    func store(_ state: JSONValue, of actor: ActorID, at now: Timestamp) throws {
        try run(
            """
            INSERT INTO state (actor, body, updated) VALUES (?, ?, ?)
            ON CONFLICT (actor) DO UPDATE SET body = excluded.body, updated = excluded.updated
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

    private func apply(_ change: JobChange, _ ledger: inout CommitLedger) throws {
        switch change {
        case .registerPipeline(let pipeline):
            try run(
                """
                INSERT INTO pipelines (\(PipelineRow.columns)) VALUES (?, ?, ?, ?) ON CONFLICT (uuid) DO NOTHING
                """,
                PipelineRow.arguments(pipeline))
        case .create(let job, let entry):
            try run(
                """
                INSERT INTO jobs (\(JobRow.columns)) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                ON CONFLICT (uuid) DO NOTHING
                """,
                JobRow.arguments(job))
            guard changesCount == 1 else { throw ActorError(.conflict, "job \(job.uuid) exists already") }
            try append(entry, to: job.uuid)
            try index(job)
            ledger.note(.jobMoved(job.uuid, status: job.status, event: job.lastEvent))
        case .move(let id, let revision, let status, let event, let entry):
            try run(
                """
                UPDATE jobs SET status = ?, last_event = ?, updated = ?, revision = revision + 1
                WHERE uuid = ? AND revision = ?
                """,
                [status.rawValue, event.rawValue, entry.date.milliseconds, id.rawValue, revision])
            guard changesCount == 1 else {
                throw ActorError(
                    .conflict,
                    "job \(id) is no longer at revision \(revision), on which \(event.rawValue) was decided")
            }
            try append(entry, to: id)
            ledger.note(.jobMoved(id, status: status, event: event))
        case .refuse(let id, let entry):
            guard try row("SELECT 1 FROM jobs WHERE uuid = ?", [id.rawValue]) != nil else {
                throw ActorError(.conflict, "there is no job \(id) that could refuse \(entry.name)")
            }
            try append(entry, to: id)
            ledger.note(.jobRefused(id, event: entry.name))
        case .link, .saw, .files, .dropFiles, .catalogue, .stall: try applyAround(change, &ledger)
        }
    }

    private func append(_ entry: JobHistoryEntry, to job: JobID) throws {
        try run(
            "INSERT INTO job_history (job, \(JobHistoryRow.columns)) VALUES (?, ?, ?, ?, ?, ?)",
            JobHistoryRow.arguments(entry, of: job))
    }

    private func store(_ document: Document, _ ledger: inout CommitLedger) throws {
        try run(
            """
            INSERT INTO documents (\(DocumentRow.columns)) VALUES (?, ?, ?, ?, ?)
            ON CONFLICT (kind, id) DO UPDATE SET body = excluded.body, updated = excluded.updated
            """,
            DocumentRow.arguments(document))
        ledger.note(.documentChanged(kind: document.kind, id: document.id))
    }

    private func store(_ call: OutgoingCall, execution: ExecutionID, at now: Timestamp) throws {
        try run(
            """
            INSERT INTO outbox (
                order_key, url, content_type, body, idempotency_key, execution, next_attempt, created
            ) VALUES (?, ?, ?, ifnull(?, x''), ?, ?, ?, ?)
            """,
            OutboxRow.arguments(call, execution: execution, at: now))
    }
}
