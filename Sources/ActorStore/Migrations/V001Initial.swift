import GRDB

/// The first schema. Tables are STRICT, so that a row of the wrong type cannot exist.
enum V001Initial {
    static let identifier = "v001-initial"

    @Sendable static func migrate(_ db: Database) throws {
        for part in [registry, mailboxes, executions, reactors, jobs, outbox] { try db.execute(sql: part) }
    }

    private static let registry = """
        CREATE TABLE actors (
            id TEXT NOT NULL PRIMARY KEY,
            tenant TEXT NOT NULL,
            name TEXT NOT NULL,
            owner TEXT NOT NULL,
            fingerprint TEXT NOT NULL,
            revision INTEGER NOT NULL,
            created INTEGER NOT NULL,
            updated INTEGER NOT NULL
        ) STRICT;
        CREATE INDEX actors_by_name ON actors (tenant, name);

        CREATE TABLE aliases (
            tenant TEXT NOT NULL,
            name TEXT NOT NULL,
            actor TEXT NOT NULL,
            owner TEXT NOT NULL,
            created INTEGER NOT NULL,
            PRIMARY KEY (tenant, name)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX aliases_by_actor ON aliases (actor);

        CREATE TABLE nonces (
            id TEXT NOT NULL PRIMARY KEY,
            tenant TEXT NOT NULL,
            actor TEXT,
            alias TEXT,
            level TEXT NOT NULL,
            max_uses INTEGER NOT NULL,
            current_uses INTEGER NOT NULL,
            owner TEXT NOT NULL,
            roles TEXT NOT NULL,
            description TEXT NOT NULL,
            created INTEGER NOT NULL,
            last_used INTEGER
        ) STRICT;
        CREATE INDEX nonces_by_actor ON nonces (actor);
        CREATE INDEX nonces_by_alias ON nonces (tenant, alias);

        CREATE TABLE state (
            actor TEXT NOT NULL PRIMARY KEY,
            body TEXT NOT NULL,
            updated INTEGER NOT NULL
        ) STRICT;

        CREATE TABLE schedules (
            actor TEXT NOT NULL PRIMARY KEY,
            next INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;

        CREATE TABLE settings (
            key TEXT NOT NULL PRIMARY KEY,
            value TEXT NOT NULL
        ) STRICT, WITHOUT ROWID;

        CREATE TABLE audit (
            id INTEGER PRIMARY KEY,
            at INTEGER NOT NULL,
            who TEXT NOT NULL,
            action TEXT NOT NULL,
            target TEXT NOT NULL,
            outcome TEXT NOT NULL
        ) STRICT;
        """

    // AUTOINCREMENT: a sequence number is never given twice, also when the newest message was deleted.
    // Both indices cover the counting at start: a million waiting messages must not delay the first request.
    private static let mailboxes = """
        CREATE TABLE mailbox (
            sequence INTEGER PRIMARY KEY AUTOINCREMENT,
            actor TEXT NOT NULL,
            execution TEXT NOT NULL,
            body BLOB NOT NULL,
            kind TEXT NOT NULL,
            environment TEXT,
            sender TEXT NOT NULL,
            cause TEXT,
            hops INTEGER NOT NULL,
            idempotency_key TEXT,
            idempotency_digest TEXT,
            deliver_at INTEGER,
            received INTEGER NOT NULL,
            nonce TEXT,
            attempts INTEGER NOT NULL DEFAULT 0,
            running INTEGER NOT NULL DEFAULT 0,
            started INTEGER
        ) STRICT;
        CREATE INDEX mailbox_waiting ON mailbox (actor, sequence, running) WHERE running = 0;
        CREATE INDEX mailbox_running ON mailbox (running, sequence, actor) WHERE running = 1;

        CREATE TABLE idempotency (
            actor TEXT NOT NULL,
            key TEXT NOT NULL,
            digest TEXT NOT NULL,
            execution TEXT NOT NULL,
            received INTEGER NOT NULL,
            PRIMARY KEY (actor, key)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX idempotency_by_age ON idempotency (received);

        CREATE TABLE dead_letters (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            actor TEXT NOT NULL,
            execution TEXT NOT NULL,
            body BLOB NOT NULL,
            kind TEXT NOT NULL,
            environment TEXT,
            sender TEXT NOT NULL,
            cause TEXT,
            hops INTEGER NOT NULL,
            idempotency_key TEXT,
            idempotency_digest TEXT,
            deliver_at INTEGER,
            received INTEGER NOT NULL,
            nonce TEXT,
            reason TEXT NOT NULL,
            attempts INTEGER NOT NULL,
            parked INTEGER NOT NULL,
            replayed_as TEXT
        ) STRICT;
        CREATE INDEX dead_letters_by_age ON dead_letters (parked);
        """

    // The message's sequence is the execution's row id: newest first is the order of the table itself.
    private static let executions = """
        CREATE TABLE executions (
            sequence INTEGER PRIMARY KEY,
            id TEXT NOT NULL UNIQUE,
            actor TEXT NOT NULL,
            status TEXT NOT NULL,
            outcome TEXT,
            exit_code INTEGER,
            reason TEXT,
            attempts INTEGER NOT NULL DEFAULT 0,
            sender TEXT NOT NULL,
            cause TEXT,
            received INTEGER NOT NULL,
            started INTEGER,
            finished INTEGER,
            result TEXT
        ) STRICT;
        CREATE INDEX executions_by_actor ON executions (actor, sequence DESC);
        CREATE INDEX executions_by_end ON executions (finished) WHERE finished IS NOT NULL;

        CREATE TABLE attempts (
            execution TEXT NOT NULL REFERENCES executions (id) ON DELETE CASCADE,
            number INTEGER NOT NULL,
            started INTEGER NOT NULL,
            finished INTEGER NOT NULL,
            outcome TEXT NOT NULL,
            exit_code INTEGER,
            reason TEXT,
            PRIMARY KEY (execution, number)
        ) STRICT, WITHOUT ROWID;

        CREATE TABLE logs (
            execution TEXT NOT NULL PRIMARY KEY REFERENCES executions (id) ON DELETE CASCADE,
            body BLOB,
            file TEXT,
            bytes INTEGER NOT NULL,
            truncated INTEGER NOT NULL
        ) STRICT;
        """

    private static let reactors = """
        CREATE TABLE steps (
            id INTEGER PRIMARY KEY,
            execution TEXT NOT NULL,
            name TEXT NOT NULL,
            value TEXT NOT NULL,
            UNIQUE (execution, name)
        ) STRICT;

        CREATE TABLE documents (
            number INTEGER PRIMARY KEY,
            kind TEXT NOT NULL,
            id TEXT NOT NULL,
            body TEXT NOT NULL,
            created INTEGER NOT NULL,
            updated INTEGER NOT NULL,
            UNIQUE (kind, id)
        ) STRICT;
        CREATE INDEX documents_by_age ON documents (kind, created);
        """

    private static let jobs = """
        CREATE TABLE pipelines (
            uuid TEXT NOT NULL PRIMARY KEY,
            name TEXT NOT NULL,
            components TEXT NOT NULL,
            created INTEGER NOT NULL
        ) STRICT;

        CREATE TABLE jobs (
            number INTEGER PRIMARY KEY,
            uuid TEXT NOT NULL UNIQUE,
            pipeline TEXT NOT NULL,
            status TEXT NOT NULL,
            last_event TEXT NOT NULL,
            path TEXT NOT NULL,
            data TEXT NOT NULL,
            actor TEXT,
            execution TEXT,
            session TEXT NOT NULL,
            owner TEXT NOT NULL,
            token TEXT NOT NULL,
            salt TEXT NOT NULL,
            notify TEXT,
            created INTEGER NOT NULL,
            updated INTEGER NOT NULL,
            revision INTEGER NOT NULL
        ) STRICT;
        CREATE INDEX jobs_by_age ON jobs (created);
        CREATE INDEX jobs_by_status ON jobs (status, created);
        CREATE INDEX jobs_by_pipeline ON jobs (pipeline, created);
        CREATE INDEX jobs_by_session ON jobs (session, created);
        CREATE INDEX jobs_by_actor ON jobs (actor, created);

        CREATE TABLE job_history (
            id INTEGER PRIMARY KEY,
            job TEXT NOT NULL REFERENCES jobs (uuid) ON DELETE CASCADE,
            name TEXT NOT NULL,
            date INTEGER NOT NULL,
            data TEXT NOT NULL,
            refusal TEXT,
            execution TEXT
        ) STRICT;
        CREATE INDEX job_history_by_job ON job_history (job, id);
        """

    private static let outbox = """
        CREATE TABLE outbox (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            order_key TEXT NOT NULL,
            url TEXT NOT NULL,
            content_type TEXT NOT NULL,
            body BLOB NOT NULL,
            idempotency_key TEXT NOT NULL,
            execution TEXT,
            attempts INTEGER NOT NULL DEFAULT 0,
            next_attempt INTEGER NOT NULL,
            created INTEGER NOT NULL,
            given_up INTEGER NOT NULL DEFAULT 0,
            reason TEXT
        ) STRICT;
        CREATE INDEX outbox_pending ON outbox (order_key, id) WHERE given_up = 0;
        CREATE INDEX outbox_given_up ON outbox (created) WHERE given_up = 1;
        """
}
