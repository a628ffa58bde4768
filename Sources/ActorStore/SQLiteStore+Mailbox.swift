package import ActorCore
import GRDB

extension SQLiteStore: MailboxStore {
    package func append(
        _ messages: [NewMessage], maxMailbox: Int
    ) async throws(ActorError) -> [AcceptResult] {
        try await writer.submit { db, ledger in
            try messages.map { try db.append($0, limit: maxMailbox, &ledger) }
        }
    }

    package func append(
        _ messages: [NewMessage], maxMailbox: Int,
        then: @escaping @Sendable (Result<[AcceptResult], ActorError>) -> Void
    ) {
        writer.submit({ db, ledger in try messages.map { try db.append($0, limit: maxMailbox, &ledger) } }, then: then)
    }

    package func head(
        of actor: ActorID, after sequence: Int64, limit: Int
    ) async throws(ActorError) -> [Envelope] {
        try await read { db in
            try db.rows(
                """
                SELECT \(EnvelopeRow.columns) FROM mailbox WHERE actor = ? AND sequence > ? AND running = 0
                ORDER BY sequence LIMIT ?
                """,
                [actor.rawValue, sequence, max(0, limit)], EnvelopeRow.envelope)
        }
    }

    package func backlogs() async throws(ActorError) -> [Backlog] {
        try await read { db in
            try db.rows("SELECT actor, count(*) FROM mailbox WHERE running = 0 GROUP BY actor ORDER BY actor") {
                Backlog(actor: ActorID($0[0]), count: $0[1])
            }
        }
    }

    package func begin(_ sequence: Int64, attempt: Int, at now: Timestamp) async throws(ActorError) {
        try await writer.submit { db, ledger in try db.begin(sequence, attempt: attempt, at: now, &ledger) }
    }

    package func complete(_ completion: Completion) async throws(ActorError) {
        try await writer.submit { db, ledger in try db.complete(completion, &ledger) }
    }

    package func commit(
        _ effects: Effects, of envelope: Envelope, at now: Timestamp
    ) async throws(ActorError) {
        try await writer.submit { db, ledger in try db.commit(effects, of: envelope, at: now, &ledger) }
    }

    package func recover(at now: Timestamp) async throws(ActorError) -> [Envelope] {
        try await writer.submit { db, _ in try db.recover(at: now) }
    }

    package func purge(_ actor: ActorID, at now: Timestamp) async throws(ActorError) -> Int {
        // What arrives meanwhile stays, else a busy sender could keep this going for ever.
        let last = try await read { db in
            try Int64.fetchOne(
                db, sql: "SELECT max(sequence) FROM mailbox WHERE actor = ? AND running = 0",
                arguments: [actor.rawValue])
        }
        guard let last else { return 0 }
        var purged = 0
        while true {
            let count = try await writer.submit { db, ledger in
                try db.purge(actor, upTo: last, count: Self.chunk, at: now, &ledger)
            }
            purged += count
            if count < Self.chunk { return purged }
        }
    }

    package func withdraw(_ execution: ExecutionID, at now: Timestamp) async throws(ActorError) -> Bool {
        try await writer.submit { db, ledger in try db.withdraw(execution, at: now, &ledger) }
    }

    package func steps(of execution: ExecutionID) async throws(ActorError) -> [StepResult] {
        try await read { db in
            try db.rows("SELECT name, value FROM steps WHERE execution = ? ORDER BY id", [execution.rawValue]) {
                StepResult(name: $0[0], value: try JSONText.decode($0[1], of: "step result"))
            }
        }
    }

    package func onCommit(_ sink: @escaping @Sendable ([Envelope], [CommittedEvent]) -> Void) {
        writer.setSink(sink)
    }

    /// Rows that one transaction of a long clean-up touches, so that others get their turn in between.
    static let chunk = 500
}
