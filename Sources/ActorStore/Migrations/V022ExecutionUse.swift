import GRDB

/// What the attempts of an execution have used: nanoseconds of processors, bytes read and written.
enum V022ExecutionUse {
    static let identifier = "v022-execution-use"

    @Sendable static func migrate(_ db: Database) throws {
        try db.execute(
            sql: """
                ALTER TABLE execution_workers ADD COLUMN cpu INTEGER NOT NULL DEFAULT 0;
                ALTER TABLE execution_workers ADD COLUMN io INTEGER NOT NULL DEFAULT 0;
                """)
    }
}
