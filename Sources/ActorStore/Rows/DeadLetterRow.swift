import ActorCore
import GRDB

/// A dead letter as it lies in its table.
enum DeadLetterRow {
    static let columns = "id, execution, reason, attempts, parked, replayed_as, \(MessageRow.columns)"

    static func select(_ query: DeadLetterQuery) -> (sql: String, arguments: StatementArguments) {
        var conditions: [String]
        var arguments: StatementArguments
        let direction: String
        switch query.order {
        case .newestFirst(let below):
            (conditions, arguments, direction) = (["id < ?"], [below ?? Int64.max], "DESC")
        case .oldestFirst(let above): (conditions, arguments, direction) = (["id > ?"], [above], "ASC")
        }
        if let actor = query.actor {
            conditions.append("actor = ?")
            arguments += [actor.rawValue]
        }
        if let actors = query.among {
            // Along the order that is asked for: the page is soon full.
            conditions.append("+actor IN (SELECT value FROM json_each(?))")
            arguments += [JSONText.list(actors)]
        }
        if query.waitingOnly { conditions.append("replayed_as IS NULL") }
        arguments += [max(0, query.limit)]
        let sql = """
            SELECT \(columns) FROM dead_letters WHERE \(conditions.joined(separator: " AND "))
            ORDER BY id \(direction) LIMIT ?
            """
        return (sql, arguments)
    }

    static func deadLetter(_ row: Row) throws -> DeadLetter {
        let replayedAs: String? = row[5]
        return DeadLetter(
            id: row[0], execution: ExecutionID(row[1]), message: try MessageRow.message(row, at: 6), reason: row[2],
            attempts: row[3], parked: Timestamp(milliseconds: row[4]), replayedAs: replayedAs.map { ExecutionID($0) })
    }
}
