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

    /// Numbers of at least so many messages are never given, and those after them begin where they did not begin after
    /// an earlier restore of the same backup.
    static func passOver(on db: Database) throws {
        var random = SystemRandomNumberGenerator()
        try note(lastSequence: try passed(try lastSequence(db), random: &random), on: db)
    }

    /// So many messages may have been accepted since the backup was made: their ids are known outside, and are not
    /// given to others.
    private static let stretch: Int64 = 1 << 32
    /// Of as many stretches one is chosen, while there is room: two restores of one backup hardly choose the same.
    private static let most: Int64 = 1 << 20

    /// Never more than a small part of what is left is passed over: it lasts for thousands of restores.
    static func passed(_ last: Int64, random: inout some RandomNumberGenerator) throws(ActorError) -> Int64 {
        let left = (ExecutionNumbers.sequences.upperBound - last) / stretch
        guard left > 2 else {
            throw ActorError(
                .invalidInput,
                "the backup's last message has the number \(last), after which there are too few for a restore: it is "
                    + "damaged, take another backup")
        }
        let choices = max(1, min(most, left / 256))
        return last + Int64.random(in: 1...choices, using: &random) * stretch
    }

    static func setClean(_ isClean: Bool, on db: Database) throws {
        try db.setSetting(cleanKey, isClean ? "true" : "false")
    }

    static func note(lastSequence: Int64, on db: Database) throws {
        try db.setSetting(lastSequenceKey, String(lastSequence))
    }
}
