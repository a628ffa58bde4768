import GRDB

/// What is known around jobs: their files and links, what callbacks have shown, who watches, what stands still, and
/// the words they are found by. All of it goes with its job.
enum V006Catalogue {
    static let identifier = "v006-catalogue"

    @Sendable static func migrate(_ db: Database) throws {
        for part in [files, links, watching, words] { try db.execute(sql: part) }
    }

    private static let files = """
        CREATE TABLE job_files (
            job TEXT NOT NULL REFERENCES jobs (uuid) ON DELETE CASCADE,
            path TEXT NOT NULL,
            bytes INTEGER NOT NULL,
            sha256 TEXT NOT NULL,
            modified INTEGER NOT NULL,
            indexed INTEGER NOT NULL,
            run INTEGER NOT NULL,
            PRIMARY KEY (job, path)
        ) STRICT, WITHOUT ROWID;

        CREATE TABLE files (
            uuid TEXT NOT NULL PRIMARY KEY,
            name TEXT NOT NULL UNIQUE,
            system TEXT NOT NULL,
            file_id TEXT NOT NULL,
            type TEXT NOT NULL,
            level TEXT,
            note TEXT,
            updated INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;
        """

    private static let links = """
        CREATE TABLE file_links (
            file TEXT NOT NULL REFERENCES files (uuid) ON DELETE CASCADE,
            kind TEXT NOT NULL,
            target TEXT NOT NULL,
            PRIMARY KEY (file, kind, target)
        ) STRICT, WITHOUT ROWID;

        CREATE TABLE job_links (
            job TEXT NOT NULL REFERENCES jobs (uuid) ON DELETE CASCADE,
            kind TEXT NOT NULL,
            target TEXT NOT NULL,
            PRIMARY KEY (job, kind, target)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX job_links_by_target ON job_links (target, kind, job);
        """

    private static let watching = """
        CREATE TABLE job_statuses (
            job TEXT NOT NULL REFERENCES jobs (uuid) ON DELETE CASCADE,
            status TEXT NOT NULL,
            number INTEGER NOT NULL,
            PRIMARY KEY (job, status)
        ) STRICT, WITHOUT ROWID;

        CREATE TABLE job_watches (
            number INTEGER PRIMARY KEY AUTOINCREMENT,
            id TEXT NOT NULL UNIQUE,
            kind TEXT NOT NULL,
            target TEXT NOT NULL,
            actor TEXT NOT NULL,
            owner TEXT NOT NULL,
            created INTEGER NOT NULL,
            UNIQUE (kind, target, actor)
        ) STRICT;

        CREATE TABLE job_stalls (
            job TEXT NOT NULL PRIMARY KEY REFERENCES jobs (uuid) ON DELETE CASCADE,
            since INTEGER NOT NULL,
            limit_ms INTEGER NOT NULL,
            flagged INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX jobs_by_movement ON jobs (status, updated);
        CREATE TRIGGER job_moves_on AFTER UPDATE OF revision ON jobs BEGIN
            DELETE FROM job_stalls WHERE job = new.uuid;
        END;
        """

    // The row of a job's text has the number of the job's own row.
    private static let words = """
        CREATE VIRTUAL TABLE job_text USING fts5(body, tokenize = 'unicode61 remove_diacritics 0');
        INSERT INTO job_text (rowid, body)
            SELECT number, uuid || ' ' || pipeline || ' ' || session || ' ' || owner || ' ' || path || ' ' || data
            FROM jobs;
        CREATE TRIGGER job_text_goes AFTER DELETE ON jobs BEGIN
            DELETE FROM job_text WHERE rowid = old.number;
        END;
        """
}
