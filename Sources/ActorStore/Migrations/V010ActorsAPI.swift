import GRDB

/// Actors that are made over HTTP, with permissions and shared configs; states count their changes.
enum V010ActorsAPI {
    static let identifier = "v010-actors-api"

    @Sendable static func migrate(_ db: Database) throws {
        // Until now every alias was the name of a folder.
        try db.execute(
            sql: """
                ALTER TABLE actors ADD COLUMN definition TEXT;
                ALTER TABLE aliases ADD COLUMN declared INTEGER NOT NULL DEFAULT 0;
                UPDATE aliases SET declared = 1;
                ALTER TABLE state ADD COLUMN revision INTEGER NOT NULL DEFAULT 1;

                CREATE TABLE grants (
                    kind TEXT NOT NULL,
                    tenant TEXT NOT NULL,
                    target TEXT NOT NULL,
                    user TEXT NOT NULL,
                    level TEXT NOT NULL,
                    PRIMARY KEY (kind, tenant, target, user)
                ) STRICT, WITHOUT ROWID;

                CREATE TABLE configs (
                    tenant TEXT NOT NULL,
                    name TEXT NOT NULL,
                    value TEXT NOT NULL,
                    is_secret INTEGER NOT NULL,
                    actors TEXT NOT NULL,
                    created INTEGER NOT NULL,
                    updated INTEGER NOT NULL,
                    PRIMARY KEY (tenant, name)
                ) STRICT, WITHOUT ROWID;
                """)
    }
}
