import GRDB

/// Which worker handled an execution: a table of its own, since what built-in Reactors handle has none.
enum V021ExecutionWorkers {
    static let identifier = "v021-execution-workers"

    @Sendable static func migrate(_ db: Database) throws {
        try db.execute(
            sql: """
                CREATE TABLE execution_workers (
                    sequence INTEGER PRIMARY KEY,
                    worker TEXT NOT NULL
                ) STRICT;
                """)
    }
}
