import ActorCore
import GRDB

/// Both generations of jobs and pipelines, keys that expire, histories that are chained, and what is left of jobs
/// that were deleted.
///
/// Jobs of before are of the second generation, whose ids they have; their tokens keep on opening them.
enum V005Jobs {
    static let identifier = "v005-jobs"

    @Sendable static func migrate(_ db: Database) throws {
        for part in [jobs, pipelines, deleted] { try db.execute(sql: part) }
        try chain(db)
    }

    private static let jobs = """
        ALTER TABLE jobs ADD COLUMN generation INTEGER NOT NULL DEFAULT 2;
        ALTER TABLE jobs ADD COLUMN machine TEXT NOT NULL DEFAULT 'v2_head';
        ALTER TABLE jobs ADD COLUMN child_of TEXT;
        ALTER TABLE jobs ADD COLUMN lab TEXT;
        ALTER TABLE jobs ADD COLUMN experiment TEXT;
        ALTER TABLE jobs ADD COLUMN measurement TEXT;
        ALTER TABLE jobs ADD COLUMN sample TEXT;
        ALTER TABLE jobs ADD COLUMN token_expires INTEGER;
        ALTER TABLE jobs ADD COLUMN token_events TEXT NOT NULL DEFAULT 'run update resource finish fail';
        ALTER TABLE jobs ADD COLUMN started INTEGER;
        ALTER TABLE jobs ADD COLUMN lines INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE jobs ADD COLUMN head TEXT NOT NULL DEFAULT '';
        UPDATE jobs SET started = (
            SELECT min(date) FROM job_history WHERE job = uuid AND lower(name) = 'run' AND refusal IS NULL);
        CREATE INDEX jobs_by_experiment ON jobs (experiment, created) WHERE experiment IS NOT NULL;

        ALTER TABLE job_history ADD COLUMN number INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE job_history ADD COLUMN hash TEXT NOT NULL DEFAULT '';
        """

    private static let pipelines = """
        ALTER TABLE pipelines ADD COLUMN id TEXT NOT NULL DEFAULT '';
        ALTER TABLE pipelines ADD COLUMN generation INTEGER NOT NULL DEFAULT 2;
        ALTER TABLE pipelines ADD COLUMN description TEXT NOT NULL DEFAULT '';
        ALTER TABLE pipelines ADD COLUMN details TEXT NOT NULL DEFAULT '{}';
        ALTER TABLE pipelines ADD COLUMN settings TEXT NOT NULL DEFAULT '{}';
        ALTER TABLE pipelines ADD COLUMN enabled INTEGER NOT NULL DEFAULT 1;
        ALTER TABLE pipelines ADD COLUMN owner TEXT NOT NULL DEFAULT '';
        ALTER TABLE pipelines ADD COLUMN token TEXT NOT NULL DEFAULT '';
        ALTER TABLE pipelines ADD COLUMN salt TEXT NOT NULL DEFAULT '';
        ALTER TABLE pipelines ADD COLUMN updated INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE pipelines ADD COLUMN revision INTEGER NOT NULL DEFAULT 0;
        UPDATE pipelines SET updated = created;
        CREATE INDEX pipelines_by_age ON pipelines (created, uuid);
        """

    private static let deleted = """
        CREATE TABLE deleted_jobs (
            id INTEGER PRIMARY KEY,
            uuid TEXT NOT NULL,
            pipeline TEXT NOT NULL,
            status TEXT NOT NULL,
            owner TEXT NOT NULL,
            token TEXT NOT NULL,
            salt TEXT NOT NULL,
            token_expires INTEGER,
            token_events TEXT NOT NULL,
            deleted INTEGER NOT NULL,
            who TEXT NOT NULL,
            action TEXT NOT NULL
        ) STRICT;
        CREATE INDEX deleted_jobs_by_uuid ON deleted_jobs (uuid, id);
        """

    /// Numbers and chains the lines that are there, job by job.
    private static func chain(_ db: Database) throws {
        let cursor = try Row.fetchCursor(
            db,
            sql: "SELECT id, job, name, date, data, refusal, execution FROM job_history ORDER BY job, id")
        var job = ""
        var number = 0
        var head = ""
        func close() throws {
            guard number > 0 else { return }
            try db.run("UPDATE jobs SET lines = ?, head = ? WHERE uuid = ?", [number, head, job])
        }
        while let row = try cursor.next() {
            let (id, owner): (Int64, String) = (row[0], row[1])
            if owner != job {
                try close()
                (job, number, head) = (owner, 0, "")
            }
            let execution: String? = row[6]
            let entry = JobHistoryEntry(
                name: row[2], date: Timestamp(milliseconds: row[3]),
                data: try JSONText.decode(row[4], of: "job event data"), refusal: row[5],
                execution: execution.map { ExecutionID($0) })
            number += 1
            head = JobLedger.hash(entry, number: number, of: JobID(job), after: head, SHA256Digest.hex)
            try db.run("UPDATE job_history SET number = ?, hash = ? WHERE id = ?", [number, head, id])
        }
        try close()
    }
}
