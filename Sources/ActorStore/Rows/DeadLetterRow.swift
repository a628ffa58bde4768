import ActorCore
import GRDB

/// A dead letter as it lies in its table.
enum DeadLetterRow {
    private static let own = "id, execution, reason, attempts, parked, replayed_as"
    static let columns = "\(own), \(MessageRow.columns)"
    /// For lists, which show the beginning of a message.
    private static let listColumns =
        "\(own), \(MessageRow.columns(body: "substr(body, 1, \(DeadLetterQuery.mostShown))")), length(body)"

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
            SELECT \(listColumns) FROM dead_letters WHERE \(conditions.joined(separator: " AND "))
            ORDER BY id \(direction) LIMIT ?
            """
        return (sql, arguments)
    }

    /// From a row of a list.
    static func listed(_ row: Row) throws -> DeadLetter {
        var letter = try deadLetter(row)
        let bytes: Int = row[6 + MessageRow.count]
        letter.message = letter.message.changed { $0.absentBytes = bytes - $0.body.count }
        return letter
    }

    static func deadLetter(_ row: Row) throws -> DeadLetter {
        let replayedAs: String? = row[5]
        return DeadLetter(
            id: row[0], execution: ExecutionID(row[1]), message: try MessageRow.message(row, at: 6), reason: row[2],
            attempts: row[3], parked: Timestamp(milliseconds: row[4]), replayedAs: replayedAs.map { ExecutionID($0) })
    }
}
