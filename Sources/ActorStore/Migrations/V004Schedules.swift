import GRDB

/// What a schedule has to remember, and dead letters by actor.
enum V004Schedules {
    static let identifier = "v004-schedules"

    @Sendable static func migrate(_ db: Database) throws {
        try db.execute(
            sql: """
                ALTER TABLE schedules ADD COLUMN schedule TEXT;
                ALTER TABLE schedules ADD COLUMN anchor INTEGER;
                ALTER TABLE schedules ADD COLUMN done INTEGER;
                ALTER TABLE schedules ADD COLUMN last TEXT;
                CREATE INDEX dead_letters_by_actor ON dead_letters (actor, id);
                """)
    }
}
