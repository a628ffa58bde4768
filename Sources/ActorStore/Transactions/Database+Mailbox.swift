import ActorCore
import GRDB

/// How mailboxes change, inside a transaction of the writer.
extension Database {
    /// The most that mail between actors may fill a mailbox with: twice what is taken from outside, so that work
    /// under way can go on while senders from outside are held off.
    static let internalRules = AcceptRules(maxMailbox: 2 * AcceptRules().maxMailbox)

    func append(
        _ message: NewMessage, rules: AcceptRules, _ ledger: inout CommitLedger
    ) throws -> AcceptResult {
        guard let key = message.idempotency else {
            if let refusal = try refusal(of: message, rules, ledger) { return refusal }
            return .accepted(try insert(message, &ledger))
        }
        // Nearly every key is new: it is taken at once rather than looked for first.
        let execution = ledger.numbers.id(of: ledger.highestSequence + 1)
        if try !ledger.hot.claim(key, of: message.actor, for: execution, at: message.received, on: self) {
            if let answer = try earlierAnswer(to: message, key, rules) { return answer }
            try take(key, of: message, for: execution)
        }
        if let refusal = try refusal(of: message, rules, ledger) {
            try run("DELETE FROM idempotency WHERE actor = ? AND key = ?", [message.actor.rawValue, key.key])
            return refusal
        }
        return .accepted(try insertRow(of: message, &ledger))
    }

    /// Stores a message whatever its idempotency key, its nonce and the quotas say.
    func insert(_ message: NewMessage, _ ledger: inout CommitLedger) throws -> Envelope {
        let envelope = try insertRow(of: message, &ledger)
        if let key = message.idempotency { try take(key, of: message, for: envelope.execution) }
        return envelope
    }

    private func insertRow(of message: NewMessage, _ ledger: inout CommitLedger) throws -> Envelope {
        let sequence = ledger.nextSequence()
        try ledger.hot.insert(message, sequence: sequence, on: self)
        let envelope = Envelope(sequence: sequence, execution: ledger.numbers.id(of: sequence), message: message)
        ledger.accepted(envelope)
        return envelope
    }

    private func take(_ key: IdempotencyKey, of message: NewMessage, for execution: ExecutionID) throws {
        try run(
            "INSERT OR REPLACE INTO idempotency (actor, key, digest, execution, received) VALUES (?, ?, ?, ?, ?)",
            [message.actor.rawValue, key.key, key.digest, execution.rawValue, message.received.milliseconds])
    }

    /// Nil when the key was used so long ago that it is free again.
    private func earlierAnswer(
        to message: NewMessage, _ key: IdempotencyKey, _ rules: AcceptRules
    ) throws -> AcceptResult? {
        guard
            let row = try row(
                "SELECT digest, execution, received FROM idempotency WHERE actor = ? AND key = ?",
                [message.actor.rawValue, key.key])
        else { return nil }
        let received: Int64 = row[2]
        if message.received.milliseconds - received > rules.idempotencyMilliseconds { return nil }
        let digest: String = row[0]
        return digest == key.digest ? .repeated(ExecutionID(row[1])) : .keyReused
    }

    private func refusal(
        of message: NewMessage, _ rules: AcceptRules, _ ledger: CommitLedger
    ) throws -> AcceptResult? {
        if let quota = try reachedQuota(for: message, rules, ledger.counts) { return .overQuota(quota) }
        if let nonce = message.nonce, try !countUse(of: nonce, at: message.received) { return .nonceRefused }
        return nil
    }

    private func reachedQuota(
        for message: NewMessage, _ rules: AcceptRules, _ counts: MailCounts
    ) throws -> Quota? {
        if counts.held(by: message.actor) >= rules.maxMailbox { return .mailbox(limit: rules.maxMailbox) }
        if counts.bytes + Int64(message.body.count) > rules.maxWaitingBytes {
            return .bytes(limit: rules.maxWaitingBytes)
        }
        guard let limit = rules.maxPerSender else { return nil }
        if counts.sent(by: message.sender, to: message.actor) == nil { counts.countSenders(from: try heldBySender()) }
        let sent = counts.sent(by: message.sender, to: message.actor) ?? 0
        return sent >= limit ? .sender(limit: limit) : nil
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

    func begin(_ envelope: Envelope, attempt: Int, at now: Timestamp, _ ledger: inout CommitLedger) throws {
        try run(
            "UPDATE mailbox SET running = 1, attempts = attempts + 1, started = ? WHERE sequence = ? AND running = 0",
            [now.milliseconds, envelope.sequence])
        guard changesCount == 1 else {
            throw ActorError(
                .conflict, "message \(envelope.execution) does not wait: it runs already, or was withdrawn")
        }
        ledger.note(.executionStarted(actor: envelope.actor, execution: envelope.execution, attempt: attempt))
    }

    func recover(at now: Timestamp, _ numbers: ExecutionNumbers) throws -> [Envelope] {
        // Also the start of the attempt that was cut off, which only its mailbox row knows.
        let running = try rows(
            "SELECT \(EnvelopeRow.columns), started FROM mailbox WHERE running = 1 ORDER BY sequence"
        ) { row in
            let started: Int64? = row[3 + MessageRow.count]
            return (try EnvelopeRow.envelope(row, numbers), started.map { Timestamp(milliseconds: $0) } ?? now)
        }
        for (envelope, started) in running {
            let attempt = AttemptRecord(
                execution: envelope.execution, number: envelope.attempts, started: started, finished: now,
                outcome: .interrupted, reason: "the daemon ended while it ran")
            try insert(attempt, of: envelope.sequence)
        }
        try run("UPDATE mailbox SET running = 0, started = NULL WHERE running = 1")
        return running.map(\.0)
    }

    func insert(_ attempt: AttemptRecord, of sequence: Int64) throws {
        try run(
            "INSERT OR REPLACE INTO attempts (\(AttemptRow.columns)) VALUES (?, ?, ?, ?, ?, ?, ?)",
            AttemptRow.arguments(attempt, sequence: sequence))
    }

    func withdraw(_ execution: ExecutionID, at now: Timestamp, _ ledger: inout CommitLedger) throws -> Bool {
        guard let sequence = try sequence(of: execution, ledger.numbers) else { return false }
        return try cancel(sequence, reason: "withdrawn while it waited", at: now, &ledger)
    }

    /// Removes up to `count` waiting messages of a mailbox, up to and including sequence `last`.
    func purge(
        _ actor: ActorID, upTo last: Int64, count: Int, at now: Timestamp, _ ledger: inout CommitLedger
    ) throws -> Int {
        var waiting: [Int64] = []
        // One after the other, since each is answered by an index of its own.
        for part in ["deliver_at IS NULL", "deliver_at IS NOT NULL"] where waiting.count < count {
            waiting += try rows(
                "SELECT sequence FROM mailbox WHERE actor = ? AND \(part) AND running = 0 AND sequence <= ? LIMIT ?",
                [actor.rawValue, last, count - waiting.count]
            ) { $0[0] }
        }
        for sequence in waiting {
            _ = try cancel(sequence, reason: "removed with all that waited in the mailbox", at: now, &ledger)
        }
        return waiting.count
    }

    /// False when the message does not wait.
    private func cancel(
        _ sequence: Int64, reason: String, at now: Timestamp, _ ledger: inout CommitLedger
    ) throws -> Bool {
        guard
            let row = try row(
                """
                SELECT \(ExecutionRow.waitingColumns), length(body) AS size FROM \(ExecutionRow.waitingTable)
                WHERE sequence = ? AND running = 0
                """,
                [sequence])
        else { return false }
        var record = try ExecutionRow.execution(row, ledger.numbers)
        let item = MailCounts.Item(actor: record.actor, sender: record.sender, bytes: row["size"])
        guard try ledger.hot.delete(sequence, isRunning: false, on: self) else { return false }
        record.status = .complete
        record.outcome = .cancelled
        record.reason = reason
        try ledger.hot.insert(record, finished: now, oldID: row[13], on: self)
        try run("DELETE FROM steps WHERE sequence = ?", [sequence])
        ledger.left(item)
        ledger.note(
            .executionFinished(actor: record.actor, execution: record.id, status: .complete, outcome: .cancelled))
        return true
    }

    /// Messages of each sender in each mailbox: reads all rows, so it is done only for those who want that bound.
    private func heldBySender() throws -> [MailCounts.SenderPlace: Int] {
        var counts: [MailCounts.SenderPlace: Int] = [:]
        _ = try rows("SELECT actor, sender, count(*) FROM mailbox GROUP BY actor, sender") { row in
            counts[MailCounts.SenderPlace(actor: ActorID(row[0]), sender: row[1])] = row[2]
        }
        return counts
    }
}
