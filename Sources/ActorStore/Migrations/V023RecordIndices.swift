import GRDB

/// What is counted and what is pruned is found without reading the records themselves.
enum V023RecordIndices {
    static let identifier = "v023-record-indices"

    @Sendable static func migrate(_ db: Database) throws {
        // The first lists an actor's executions as before, and has all that their totals are made of.
        try db.execute(
            sql: """
                DROP INDEX executions_by_actor;
                CREATE INDEX executions_by_actor ON executions (actor, sequence, started, finished);
                CREATE INDEX executions_by_end ON executions (finished);
                CREATE INDEX audit_link_drops ON audit (at) WHERE action = 'link.drop';
                """)
    }
}
