import ActorCore
import GRDB

/// What a store finds about itself when it is opened.
struct StoreMarks {
    private static let cleanKey = "closed_cleanly"
    private static let lastSequenceKey = "last_sequence"

    let numbers: ExecutionNumbers
    let lastSequence: Int64
    let wasUnclean: Bool

    /// Reads the marks, and notes that the store is open from now on.
    static func take(_ db: Database) throws -> StoreMarks {
        let key = try db.setting("execution_key") ?? ""
        guard key.utf8.count == 32, let high = UInt64(key.prefix(16), radix: 16),
            let low = UInt64(key.suffix(16), radix: 16)
        else {
            throw ActorError(
                .cannotStart,
                "the setting execution_key of the database is damaged, so that executions cannot be told apart; "
                    + "restore a backup")
        }
        let last = try lastSequence(db)
        let wasUnclean = try db.setting(cleanKey) == "false"
        try setClean(false, on: db)
        return StoreMarks(
            numbers: ExecutionNumbers(key: (high, low)), lastSequence: last, wasUnclean: wasUnclean)
    }

    private static func lastSequence(_ db: Database) throws -> Int64 {
        var last = try db.setting(lastSequenceKey).flatMap { Int64($0) } ?? 0
        for table in ["mailbox", "executions"] {
            last = max(last, try Int64.fetchOne(db, sql: "SELECT max(sequence) FROM \(table)") ?? 0)
        }
        return last
    }

    /// So many numbers are never given.
    static func passOver(_ count: Int64, on db: Database) throws {
        try note(lastSequence: try lastSequence(db) + count, on: db)
    }

    static func setClean(_ isClean: Bool, on db: Database) throws {
        try db.setSetting(cleanKey, isClean ? "true" : "false")
    }

    static func note(lastSequence: Int64, on db: Database) throws {
        try db.setSetting(lastSequenceKey, String(lastSequence))
    }
}
