import GRDB

/// Mailboxes that cost one row per waiting message: the execution's record is written when it ends, its id follows
/// from its sequence, and what is urgent, delayed or bound to a key is found without reading the rest.
///
/// Ids that were given before this step cannot be computed; they stay in `old_id`.
enum V002Mailbox {
    static let identifier = "v002-mailbox"

    @Sendable static func migrate(_ db: Database) throws {
        for part in [counters, mailbox, executions, records, deadLetters] { try db.execute(sql: part) }
    }

    private static let counters = """
        INSERT INTO settings (key, value) VALUES ('execution_key', lower(hex(randomblob(16))));
        INSERT INTO settings (key, value)
            SELECT 'last_sequence', max(seq) FROM (
                SELECT seq FROM sqlite_sequence WHERE name = 'mailbox' UNION ALL SELECT 0);
        """

    // `rank` is the negated priority, so that ascending (rank, sequence) is the order of delivery.
    // A delayed message (also one between two attempts) is in the second index and not in the first.
    private static let mailbox = """
        CREATE TABLE mailbox_2 (
            sequence INTEGER PRIMARY KEY,
            actor TEXT NOT NULL,
            body BLOB NOT NULL,
            kind TEXT NOT NULL,
            environment TEXT,
            sender TEXT NOT NULL,
            cause TEXT,
            hops INTEGER NOT NULL,
            idempotency_key TEXT,
            idempotency_digest TEXT,
            message_key TEXT,
            rank INTEGER NOT NULL,
            deliver_at INTEGER,
            expires INTEGER,
            received INTEGER NOT NULL,
            nonce TEXT,
            attempts INTEGER NOT NULL DEFAULT 0,
            running INTEGER NOT NULL DEFAULT 0,
            started INTEGER,
            old_id TEXT
        ) STRICT;
        INSERT INTO mailbox_2
            SELECT sequence, actor, body, kind, environment, sender, cause, hops, idempotency_key,
                idempotency_digest, NULL, 0, deliver_at, NULL, received, nonce, attempts, running, started, execution
            FROM mailbox;
        DROP TABLE mailbox;
        ALTER TABLE mailbox_2 RENAME TO mailbox;
        CREATE INDEX mailbox_ready ON mailbox (actor, rank, sequence) WHERE deliver_at IS NULL;
        CREATE INDEX mailbox_delayed ON mailbox (actor, deliver_at, sequence) WHERE deliver_at IS NOT NULL;
        CREATE INDEX mailbox_retrying ON mailbox (actor, sequence) WHERE attempts > 0;
        CREATE INDEX mailbox_lanes ON mailbox (actor, message_key, rank, sequence) WHERE message_key IS NOT NULL;
        CREATE INDEX mailbox_running ON mailbox (sequence) WHERE running = 1;
        CREATE UNIQUE INDEX mailbox_old ON mailbox (old_id) WHERE old_id IS NOT NULL;
        """

    private static let executions = """
        CREATE TABLE executions_2 (
            sequence INTEGER PRIMARY KEY,
            actor TEXT NOT NULL,
            status TEXT NOT NULL,
            outcome TEXT,
            exit_code INTEGER,
            reason TEXT,
            attempts INTEGER NOT NULL,
            sender TEXT NOT NULL,
            cause TEXT,
            received INTEGER NOT NULL,
            started INTEGER,
            finished INTEGER NOT NULL,
            result TEXT,
            old_id TEXT
        ) STRICT;
        INSERT INTO executions_2
            SELECT sequence, actor, status, outcome, exit_code, reason, attempts, sender, cause, received, started,
                finished, result, id
            FROM executions WHERE finished IS NOT NULL;
        """

    // Keyed by sequence; no foreign keys: a waiting message has attempts, logs and steps but no execution row yet.
    private static let records = """
        CREATE TABLE attempts_2 (
            sequence INTEGER NOT NULL,
            number INTEGER NOT NULL,
            started INTEGER NOT NULL,
            finished INTEGER NOT NULL,
            outcome TEXT NOT NULL,
            exit_code INTEGER,
            reason TEXT,
            PRIMARY KEY (sequence, number)
        ) STRICT, WITHOUT ROWID;
        INSERT INTO attempts_2
            SELECT e.sequence, a.number, a.started, a.finished, a.outcome, a.exit_code, a.reason
            FROM attempts AS a JOIN executions AS e ON e.id = a.execution;
        DROP TABLE attempts;
        ALTER TABLE attempts_2 RENAME TO attempts;

        CREATE TABLE logs_2 (
            sequence INTEGER PRIMARY KEY,
            body BLOB,
            file TEXT,
            bytes INTEGER NOT NULL,
            truncated INTEGER NOT NULL
        ) STRICT;
        INSERT INTO logs_2
            SELECT e.sequence, l.body, l.file, l.bytes, l.truncated
            FROM logs AS l JOIN executions AS e ON e.id = l.execution;
        DROP TABLE logs;
        ALTER TABLE logs_2 RENAME TO logs;

        CREATE TABLE steps_2 (
            id INTEGER PRIMARY KEY,
            sequence INTEGER NOT NULL,
            name TEXT NOT NULL,
            value TEXT NOT NULL,
            UNIQUE (sequence, name)
        ) STRICT;
        INSERT INTO steps_2
            SELECT s.id, e.sequence, s.name, s.value
            FROM steps AS s JOIN executions AS e ON e.id = s.execution;
        DROP TABLE steps;
        ALTER TABLE steps_2 RENAME TO steps;

        DROP TABLE executions;
        ALTER TABLE executions_2 RENAME TO executions;
        CREATE INDEX executions_by_actor ON executions (actor, sequence);
        CREATE UNIQUE INDEX executions_old ON executions (old_id) WHERE old_id IS NOT NULL;
        """

    private static let deadLetters = """
        ALTER TABLE dead_letters ADD COLUMN message_key TEXT;
        ALTER TABLE dead_letters ADD COLUMN rank INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE dead_letters ADD COLUMN expires INTEGER;
        """
}
