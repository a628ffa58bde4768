import ActorCore
import GRDB

/// What a store finds about itself when it is opened.
struct StoreMarks {
    private static let cleanKey = "closed_cleanly"

    let numbers: ExecutionNumbers
    let lastSequence: Int64
    let wasUnclean: Bool

    /// Reads the marks, and notes that the store is open from now on.
    static func take(_ db: Database) throws -> StoreMarks {
        let key = try setting("execution_key", db) ?? ""
        guard key.utf8.count == 32, let high = UInt64(key.prefix(16), radix: 16),
            let low = UInt64(key.suffix(16), radix: 16)
        else {
            throw ActorError(
                .cannotStart,
                "the setting execution_key of the database is damaged, so that executions cannot be told apart; "
                    + "restore a backup")
        }
        var last = try setting("last_sequence", db).flatMap { Int64($0) } ?? 0
        for table in ["mailbox", "executions"] {
            last = max(last, try Int64.fetchOne(db, sql: "SELECT max(sequence) FROM \(table)") ?? 0)
        }
        let wasUnclean = try setting(cleanKey, db) == "false"
        try setClean(false, on: db)
        return StoreMarks(
            numbers: ExecutionNumbers(key: (high, low)), lastSequence: last, wasUnclean: wasUnclean)
    }

    static func setClean(_ isClean: Bool, on db: Database) throws {
        try db.execute(
            sql: """
                INSERT INTO settings (key, value) VALUES (?, ?)
                ON CONFLICT (key) DO UPDATE SET value = excluded.value
                """, arguments: [cleanKey, isClean ? "true" : "false"])
    }

    private static func setting(_ key: String, _ db: Database) throws -> String? {
        try String.fetchOne(db, sql: "SELECT value FROM settings WHERE key = ?", arguments: [key])
    }
}
