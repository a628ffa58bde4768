import GRDB

/// Subscriptions, and whose event a row of the outbox is.
///
/// `outbox.given_up` says how a call ended: 0 not yet, 1 given up, 2 delivered. Delivered rows are kept for
/// subscriptions only, and only the newest of them.
enum V003Subscriptions {
    static let identifier = "v003-subscriptions"

    @Sendable static func migrate(_ db: Database) throws {
        try db.execute(
            sql: """
                CREATE TABLE subscriptions (
                    number INTEGER PRIMARY KEY AUTOINCREMENT,
                    id TEXT NOT NULL UNIQUE,
                    sink TEXT NOT NULL,
                    types TEXT NOT NULL,
                    source TEXT,
                    filters TEXT NOT NULL,
                    secret TEXT NOT NULL,
                    retired_secret TEXT,
                    retired_expires INTEGER,
                    owner TEXT NOT NULL,
                    description TEXT NOT NULL,
                    enabled INTEGER NOT NULL,
                    disabled_reason TEXT,
                    created INTEGER NOT NULL,
                    updated INTEGER NOT NULL,
                    waiting INTEGER NOT NULL DEFAULT 0,
                    delivered INTEGER NOT NULL DEFAULT 0,
                    given_up INTEGER NOT NULL DEFAULT 0,
                    dropped INTEGER NOT NULL DEFAULT 0
                ) STRICT;

                ALTER TABLE outbox ADD COLUMN subscription TEXT;
                ALTER TABLE outbox ADD COLUMN event_type TEXT;
                CREATE INDEX outbox_by_subscription ON outbox (subscription, given_up, id)
                    WHERE subscription IS NOT NULL;
                """)
    }
}
