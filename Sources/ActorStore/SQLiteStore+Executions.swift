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
        of actor: ActorID?, among actors: Set<ActorID>?, before: Int64?, limit: Int
    ) async throws(ActorError) -> [ExecutionRecord] {
        if let actor, let actors, !actors.contains(actor) { return [] }
        let numbers = self.numbers
        let among = actor == nil ? actors.map(JSONText.list) : nil
        return try await read { db in
            let before = before ?? Int64.max
            var records = try db.endedExecutions(
                of: actor, among: among, before: before, limit: max(0, limit), numbers)
            records += try db.waitingExecutions(
                of: actor, among: among, before: before, limit: max(0, limit), numbers)
            return Array(records.sorted { $0.sequence > $1.sequence }.prefix(max(0, limit)))
        }
    }

    /// From an index: the rows of executions themselves hold results and reasons, which are long.
    static let totalsQuery = """
        SELECT count(*), sum(max(0, (finished - started) / 1000)), sum(cpu), sum(io)
        FROM \(ExecutionRow.table) WHERE actor = ?
        """

    package func totals(of actor: ActorID) async throws(ActorError) -> ExecutionTotals {
        // From memory: counting them would take the longer the fuller the mailbox is.
        let waiting = held(by: actor)
        return try await read { db in
            let ended = try db.row(Self.totalsQuery, [actor.rawValue])
            let seconds: Int? = ended?[1]
            let (cpu, io): (Int64?, Int64?) = (ended?[2], ended?[3])
            return ExecutionTotals(
                count: (ended?[0] ?? 0) + waiting, seconds: seconds ?? 0,
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
            return try db.rows(sql, arguments, DeadLetterRow.listed)
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

    /// Attempts and logs go with their execution; promised calls that were given up go with the dead letters. Of the
    /// audit trail only events that were dropped go: changes that somebody made stay on record.
    package func prune(_ ages: PruneAges) async throws(ActorError) -> Int {
        // Were all records gone, the next start would give their numbers again.
        try await writer.submit { db, ledger in try StoreMarks.note(lastSequence: ledger.highestSequence, on: db) }
        var pruned = try await pruneExecutions(before: ages.executions)
        let olds: [(table: String, key: String, age: String, before: Timestamp)] = [
            ("dead_letters", "id", "parked", ages.deadLetters),
            ("outbox", "id", "given_up = 1 AND created", ages.deadLetters),
            ("idempotency", "actor, key", "received", ages.idempotency),
            ("audit", "id", "action = '\(AuditEntry.linkDrop)' AND at", ages.executions),
            ("nonces", "id", "max_uses >= 0 AND current_uses >= max_uses AND last_used", ages.nonces),
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

    static let oldQuery = "SELECT sequence FROM executions WHERE finished < ? ORDER BY finished LIMIT ?"

    /// What is old is found by readers, so that the writer only deletes.
    private func pruneExecutions(before moment: Timestamp) async throws(ActorError) -> Int {
        var pruned = 0
        while !Task.isCancelled {
            let olds: [Int64] = try await read { db in
                try db.rows(Self.oldQuery, [moment.milliseconds, Self.chunk]) { $0[0] }
            }
            guard !olds.isEmpty else { break }
            try await writer.submit { db, _ in
                for sequence in olds {
                    for table in ["executions", "attempts", "logs", "execution_workers"] {
                        try db.run("DELETE FROM \(table) WHERE sequence = ?", [sequence])
                    }
                }
            }
            pruned += olds.count
            if olds.count < Self.chunk { break }
        }
        return pruned
    }
}

extension Database {
    /// Walked along the sequence, which a list is ordered by, and not actor by actor: the page is soon full.
    private static let isAmong = "+actor IN (SELECT value FROM json_each(?)) AND "

    /// - Parameter among: a JSON list of actors' ids; nil for all.
    fileprivate func endedExecutions(
        of actor: ActorID?, among: String?, before: Int64, limit: Int, _ numbers: ExecutionNumbers
    ) throws -> [ExecutionRecord] {
        let condition = actor != nil ? "actor = ? AND " : among != nil ? Self.isAmong : ""
        let sql = """
            SELECT \(ExecutionRow.columns) FROM \(ExecutionRow.table)
            WHERE \(condition)sequence < ?
            ORDER BY sequence DESC LIMIT ?
            """
        let word = actor?.rawValue ?? among
        return try rows(sql, word.map { [$0, before, limit] } ?? [before, limit]) {
            try ExecutionRow.execution($0, numbers)
        }
    }

    /// Newest first within each priority, which the index is ordered by; the caller merges.
    fileprivate func waitingExecutions(
        of actor: ActorID?, among: String?, before: Int64, limit: Int, _ numbers: ExecutionNumbers
    ) throws -> [ExecutionRecord] {
        let select = "SELECT \(ExecutionRow.waitingColumns) FROM \(ExecutionRow.waitingTable)"
        let order = "ORDER BY sequence DESC LIMIT ?"
        guard let actor else {
            let condition = among == nil ? "" : Self.isAmong
            return try rows(
                "\(select) WHERE \(condition)sequence < ? \(order)",
                among.map { [$0, before, limit] } ?? [before, limit]
            ) { try ExecutionRow.execution($0, numbers) }
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
