import ActorCore
import GRDB

/// How mailboxes are read: pages in the order of delivery, and what lies where.
extension Database {
    func page(
        _ page: MailboxRead, of actor: ActorID, now: Timestamp, limit: Int, _ numbers: ExecutionNumbers
    ) throws -> [Envelope] {
        switch page {
        case .retrying(let after):
            return try envelopes(
                "attempts > 0 AND deliver_at IS NOT NULL AND sequence > ?", [actor.rawValue, after],
                order: "sequence", limit, numbers)
        case .ready(let after):
            return try envelopes(
                "deliver_at IS NULL AND (rank, sequence) > (?, ?)", [actor.rawValue] + Self.place(after),
                order: "rank, sequence", limit, numbers)
        case .delayed(let after):
            return try envelopes(
                "deliver_at IS NOT NULL AND (deliver_at, sequence) > (?, ?)",
                [actor.rawValue, after.moment.milliseconds, after.sequence], order: "deliver_at, sequence", limit,
                numbers)
        case .lane(let key?, let after):
            return try envelopes(
                "message_key = ? AND (rank, sequence) > (?, ?) AND (deliver_at IS NULL OR deliver_at <= ?)",
                [actor.rawValue, key] + Self.place(after) + [now.milliseconds], order: "rank, sequence", limit,
                numbers)
        case .lane(nil, let after):
            // Two queries, each answered by an index of its own.
            let place = Self.place(after)
            let ready = try envelopes(
                "deliver_at IS NULL AND message_key IS NULL AND (rank, sequence) > (?, ?)", [actor.rawValue] + place,
                order: "rank, sequence", limit, numbers)
            let due = try envelopes(
                """
                deliver_at IS NOT NULL AND deliver_at <= ? AND message_key IS NULL AND (rank, sequence) > (?, ?)
                """,
                [actor.rawValue, now.milliseconds] + place, order: "rank, sequence", limit, numbers)
            return Array((ready + due).sorted { $0.rank < $1.rank }.prefix(limit))
        }
    }

    /// Before every row, for a place before every message.
    private static func place(_ rank: Rank) -> StatementArguments {
        [rank.priority == Int.max ? Int64.min : -Int64(rank.priority), rank.sequence]
    }

    private func envelopes(
        _ condition: String, _ arguments: StatementArguments, order: String, _ limit: Int,
        _ numbers: ExecutionNumbers
    ) throws -> [Envelope] {
        try rows(
            """
            SELECT \(EnvelopeRow.waitingColumns) FROM mailbox WHERE actor = ? AND \(condition) AND running = 0
            ORDER BY \(order) LIMIT ?
            """,
            arguments + [max(0, limit)]
        ) { try EnvelopeRow.waiting($0, numbers) }
    }

    func place(
        of execution: ExecutionID, countingTo limit: Int, _ numbers: ExecutionNumbers
    ) throws -> WaitingPlace? {
        guard let sequence = try sequence(of: execution, numbers),
            let row = try row("SELECT \(EnvelopeRow.columns) FROM mailbox WHERE sequence = ?", [sequence])
        else { return nil }
        let envelope = try EnvelopeRow.envelope(row, numbers)
        let before = try self.row(
            """
            SELECT count(*) FROM (
                SELECT 1 FROM mailbox WHERE actor = ? AND deliver_at IS NULL AND (rank, sequence) < (?, ?) LIMIT ?
            )
            """, [envelope.actor.rawValue, -envelope.message.priority, sequence, max(0, limit)])
        return WaitingPlace(envelope: envelope, before: before?[0] ?? 0)
    }

    /// The mailboxes that hold messages: from one actor to the next in the index, however many messages lie between.
    func mailboxes() throws -> [ActorID] {
        var actors: Set<ActorID> = []
        for part in ["deliver_at IS NULL", "deliver_at IS NOT NULL"] {
            let found = try rows(
                """
                WITH RECURSIVE step (actor) AS (
                    SELECT min(actor) FROM mailbox WHERE \(part)
                    UNION ALL
                    SELECT (SELECT min(m.actor) FROM mailbox AS m WHERE m.\(part) AND m.actor > step.actor)
                    FROM step WHERE step.actor IS NOT NULL
                ) SELECT actor FROM step WHERE actor IS NOT NULL
                """
            ) { ActorID($0[0]) }
            actors.formUnion(found)
        }
        return actors.sorted()
    }

    /// Messages in each mailbox, from the two indices in which each message stands once by its actor: to group the rows
    /// themselves takes fifteen times as long.
    func heldMessages() throws -> [ActorID: Int] {
        var held: [ActorID: Int] = [:]
        for part in ["deliver_at IS NULL", "deliver_at IS NOT NULL"] {
            _ = try rows("SELECT actor, count(*) FROM mailbox WHERE \(part) GROUP BY actor") { row in
                held[ActorID(row[0]), default: 0] += row[1]
            }
        }
        return held
    }

    /// Bytes of all bodies: reads every row.
    func heldBytes() throws -> Int64 { try row("SELECT sum(length(body)) FROM mailbox")?[0] ?? 0 }

    /// The sequence of an execution, waiting or ended; nil when there is none of that id.
    func sequence(of id: ExecutionID, _ numbers: ExecutionNumbers) throws -> Int64? {
        if let sequence = numbers.sequence(of: id) {
            for table in ["mailbox", "executions"]
            where try row("SELECT 1 FROM \(table) WHERE sequence = ? AND old_id IS NULL", [sequence]) != nil {
                return sequence
            }
        }
        for table in ["mailbox", "executions"] {
            if let row = try row("SELECT sequence FROM \(table) WHERE old_id = ?", [id.rawValue]) { return row[0] }
        }
        return nil
    }
}
