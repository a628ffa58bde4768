package import ActorCore
import GRDB

extension SQLiteStore: ExecutionStore {
    package func execution(_ id: ExecutionID) async throws(ActorError) -> ExecutionRecord? {
        try await read { db in
            try db.row("SELECT \(ExecutionRow.columns) FROM executions WHERE id = ?", [id.rawValue])
                .map(ExecutionRow.execution)
        }
    }

    package func executions(
        of actor: ActorID?, before: Int64?, limit: Int
    ) async throws(ActorError) -> [ExecutionRecord] {
        try await read { db in
            let select = "SELECT \(ExecutionRow.columns) FROM executions"
            let order = "ORDER BY sequence DESC LIMIT ?"
            let before = before ?? Int64.max
            if let actor {
                return try db.rows(
                    "\(select) WHERE actor = ? AND sequence < ? \(order)", [actor.rawValue, before, max(0, limit)],
                    ExecutionRow.execution)
            }
            return try db.rows(
                "\(select) WHERE sequence < ? \(order)", [before, max(0, limit)], ExecutionRow.execution)
        }
    }

    package func attempts(of id: ExecutionID) async throws(ActorError) -> [AttemptRecord] {
        try await read { db in
            try db.rows(
                "SELECT \(AttemptRow.columns) FROM attempts WHERE execution = ? ORDER BY number", [id.rawValue],
                AttemptRow.attempt)
        }
    }

    package func log(of id: ExecutionID) async throws(ActorError) -> LogRecord? {
        try await read { db in
            try db.row("SELECT \(LogRow.columns) FROM logs WHERE execution = ?", [id.rawValue]).map(LogRow.log)
        }
    }

    package func deadLetters(_ query: DeadLetterQuery) async throws(ActorError) -> [DeadLetter] {
        try await read { db in
            let (sql, arguments) = DeadLetterRow.select(query)
            return try db.rows(sql, arguments, DeadLetterRow.deadLetter)
        }
    }

    package func deadLetter(_ id: Int64) async throws(ActorError) -> DeadLetter? {
        try await read { db in
            try db.row("SELECT \(DeadLetterRow.columns) FROM dead_letters WHERE id = ?", [id])
                .map(DeadLetterRow.deadLetter)
        }
    }

    /// An operator's decision: neither the idempotency key nor the nonce of the message is asked again.
    package func replay(_ id: Int64, as message: NewMessage) async throws(ActorError) -> Envelope {
        try await writer.submit { db, ledger in
            guard let row = try db.row("SELECT replayed_as FROM dead_letters WHERE id = ?", [id]) else {
                throw ActorError(.notFound, "there is no dead letter \(id)")
            }
            if let earlier: String = row[0] {
                throw ActorError(.conflict, "dead letter \(id) was replayed already, as execution \(earlier)")
            }
            try db.run(
                "UPDATE dead_letters SET replayed_as = ? WHERE id = ?", [message.execution.rawValue, id])
            return try db.insert(message, &ledger)
        }
    }

    package func discardDeadLetter(_ id: Int64) async throws(ActorError) -> Bool {
        try await writer.submit { db, _ in
            try db.run("DELETE FROM dead_letters WHERE id = ?", [id])
            return db.changesCount == 1
        }
    }

    /// Attempts and logs go with their execution; promised calls that were given up go with the dead letters.
    package func prune(
        executionsBefore: Timestamp, deadLettersBefore: Timestamp
    ) async throws(ActorError) -> Int {
        // The newest key stands for the present: the store has no clock.
        let newestKey = try await read { db in try Int64.fetchOne(db, sql: "SELECT max(received) FROM idempotency") }
        let keysBefore = (newestKey ?? 0) - Database.idempotencyWindow
        let olds: [(table: String, key: String, age: String, before: Int64)] = [
            ("executions", "sequence", "finished", executionsBefore.milliseconds),
            ("dead_letters", "id", "parked", deadLettersBefore.milliseconds),
            ("outbox", "id", "given_up = 1 AND created", deadLettersBefore.milliseconds),
            ("idempotency", "actor, key", "received", keysBefore),
        ]
        var pruned = 0
        for old in olds {
            while true {
                let count = try await writer.submit { db, _ in
                    try db.run(
                        """
                        DELETE FROM \(old.table) WHERE (\(old.key)) IN
                            (SELECT \(old.key) FROM \(old.table) WHERE \(old.age) < ? LIMIT ?)
                        """,
                        [old.before, Self.chunk])
                    return db.changesCount
                }
                pruned += count
                if count < Self.chunk { break }
            }
        }
        return pruned
    }
}
