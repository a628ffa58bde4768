package import ActorCore
import GRDB

extension SQLiteStore: ExecutionStore {
    package func execution(_ id: ExecutionID) async throws(ActorError) -> ExecutionRecord? {
        let numbers = self.numbers
        return try await read { db in
            guard let sequence = try db.sequence(of: id, numbers) else { return nil }
            let row =
                try db.row("SELECT \(ExecutionRow.columns) FROM \(ExecutionRow.table) WHERE sequence = ?", [sequence])
                ?? db.row(
                    "SELECT \(ExecutionRow.waitingColumns) FROM \(ExecutionRow.waitingTable) WHERE sequence = ?",
                    [sequence])
            return try row.map { try ExecutionRow.execution($0, numbers) }
        }
    }

    package func executions(
        of actor: ActorID?, before: Int64?, limit: Int
    ) async throws(ActorError) -> [ExecutionRecord] {
        let numbers = self.numbers
        return try await read { db in
            let before = before ?? Int64.max
            var records = try db.endedExecutions(of: actor, before: before, limit: max(0, limit), numbers)
            records += try db.waitingExecutions(of: actor, before: before, limit: max(0, limit), numbers)
            return Array(records.sorted { $0.sequence > $1.sequence }.prefix(max(0, limit)))
        }
    }

    package func totals(of actor: ActorID) async throws(ActorError) -> ExecutionTotals {
        try await read { db in
            let ended = try db.row(
                """
                SELECT count(*), sum(max(0, (finished - started) / 1000)), sum(cpu), sum(io)
                FROM \(ExecutionRow.table) WHERE actor = ?
                """, [actor.rawValue])
            let waiting = try db.row("SELECT count(*) FROM mailbox WHERE actor = ?", [actor.rawValue])
            let seconds: Int? = ended?[1]
            let (cpu, io): (Int64?, Int64?) = (ended?[2], ended?[3])
            return ExecutionTotals(
                count: (ended?[0] ?? 0) + (waiting?[0] ?? 0), seconds: seconds ?? 0,
                use: ResourceUse(cpu: cpu ?? 0, io: io ?? 0))
        }
    }

    package func attempts(of id: ExecutionID) async throws(ActorError) -> [AttemptRecord] {
        let numbers = self.numbers
        return try await read { db in
            guard let sequence = try db.sequence(of: id, numbers) else { return [] }
            let attempts = try db.rows(
                "SELECT \(AttemptRow.columns) FROM attempts WHERE sequence = ? ORDER BY number", [sequence]
            ) { try AttemptRow.attempt($0, of: id) }
            guard attempts.isEmpty else { return attempts }
            // The only attempt is told by the execution's own record. One that never ran has none.
            return try db.rows(
                """
                SELECT sequence, attempts, started, finished, outcome, exit_code, reason FROM executions
                WHERE sequence = ? AND attempts = 1 AND started IS NOT NULL
                """, [sequence]
            ) { try AttemptRow.attempt($0, of: id) }
        }
    }

    package func log(of id: ExecutionID) async throws(ActorError) -> LogRecord? {
        let numbers = self.numbers
        return try await read { db in
            guard let sequence = try db.sequence(of: id, numbers) else { return nil }
            return try db.row("SELECT \(LogRow.columns) FROM logs WHERE sequence = ?", [sequence])
                .map { LogRow.log($0, of: id) }
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
            let envelope = try db.insert(message, &ledger)
            try db.run(
                "UPDATE dead_letters SET replayed_as = ? WHERE id = ?", [envelope.execution.rawValue, id])
            return envelope
        }
    }

    package func discardDeadLetter(_ id: Int64) async throws(ActorError) -> Bool {
        try await writer.submit { db, _ in
            try db.run("DELETE FROM dead_letters WHERE id = ?", [id])
            return db.changesCount == 1
        }
    }

    /// Attempts and logs go with their execution; promised calls that were given up go with the dead letters.
    package func prune(_ ages: PruneAges) async throws(ActorError) -> Int {
        // Were all records gone, the next start would give their numbers again.
        try await writer.submit { db, ledger in try StoreMarks.note(lastSequence: ledger.highestSequence, on: db) }
        var pruned = try await pruneExecutions(before: ages.executions)
        let olds: [(table: String, key: String, age: String, before: Timestamp)] = [
            ("dead_letters", "id", "parked", ages.deadLetters),
            ("outbox", "id", "given_up = 1 AND created", ages.deadLetters),
            ("idempotency", "actor, key", "received", ages.idempotency),
        ]
        for old in olds {
            // What is left is pruned by the next.
            while !Task.isCancelled {
                let count = try await writer.submit { db, _ in
                    try db.run(
                        """
                        DELETE FROM \(old.table) WHERE (\(old.key)) IN
                            (SELECT \(old.key) FROM \(old.table) WHERE \(old.age) < ? LIMIT ?)
                        """,
                        [old.before.milliseconds, Self.chunk])
                    return db.changesCount
                }
                pruned += count
                if count < Self.chunk { break }
            }
        }
        return pruned
    }

    /// What is old is found by readers, in the order of acceptance, so that the writer only deletes.
    private func pruneExecutions(before moment: Timestamp) async throws(ActorError) -> Int {
        var pruned = 0
        var last: Int64 = 0
        while !Task.isCancelled {
            let after = last
            let olds: [Int64] = try await read { db in
                try db.rows(
                    "SELECT sequence FROM executions WHERE sequence > ? AND finished < ? ORDER BY sequence LIMIT ?",
                    [after, moment.milliseconds, Self.chunk]
                ) { $0[0] }
            }
            guard let highest = olds.last else { break }
            last = highest
            try await writer.submit { db, _ in
                for sequence in olds {
                    for table in ["executions", "attempts", "logs", "execution_workers"] {
                        try db.run("DELETE FROM \(table) WHERE sequence = ?", [sequence])
                    }
                }
            }
            pruned += olds.count
        }
        return pruned
    }
}

extension Database {
    fileprivate func endedExecutions(
        of actor: ActorID?, before: Int64, limit: Int, _ numbers: ExecutionNumbers
    ) throws -> [ExecutionRecord] {
        let sql = """
            SELECT \(ExecutionRow.columns) FROM \(ExecutionRow.table)
            WHERE \(actor == nil ? "" : "actor = ? AND ")sequence < ?
            ORDER BY sequence DESC LIMIT ?
            """
        return try rows(sql, actor.map { [$0.rawValue, before, limit] } ?? [before, limit]) {
            try ExecutionRow.execution($0, numbers)
        }
    }

    /// Newest first within each priority, which the index is ordered by; the caller merges.
    fileprivate func waitingExecutions(
        of actor: ActorID?, before: Int64, limit: Int, _ numbers: ExecutionNumbers
    ) throws -> [ExecutionRecord] {
        let select = "SELECT \(ExecutionRow.waitingColumns) FROM \(ExecutionRow.waitingTable)"
        let order = "ORDER BY sequence DESC LIMIT ?"
        guard let actor else {
            return try rows("\(select) WHERE sequence < ? \(order)", [before, limit]) {
                try ExecutionRow.execution($0, numbers)
            }
        }
        var records = try rows(
            "\(select) WHERE actor = ? AND deliver_at IS NOT NULL AND sequence < ? \(order)",
            [actor.rawValue, before, limit]
        ) { try ExecutionRow.execution($0, numbers) }
        for priority in NewMessage.priorities {
            records += try rows(
                "\(select) WHERE actor = ? AND deliver_at IS NULL AND rank = ? AND sequence < ? \(order)",
                [actor.rawValue, -priority, before, limit]
            ) { try ExecutionRow.execution($0, numbers) }
        }
        return records
    }
}
