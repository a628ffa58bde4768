import ActorCore
import GRDB

/// Changes of the job catalogue, inside a transaction of the writer.
extension Database {
    func apply(_ change: JobChange, _ ledger: inout CommitLedger) throws {
        switch change {
        case .registerPipeline(let pipeline):
            try run(
                """
                INSERT INTO pipelines (\(PipelineRow.columns)) VALUES (\(PipelineRow.places))
                ON CONFLICT (uuid) DO NOTHING
                """,
                PipelineRow.arguments(pipeline))
        case .writePipeline(let pipeline, let revision): try write(pipeline, over: revision)
        case .create(let job, let entry): try create(job, entry, &ledger)
        case .move(let id, let revision, let status, let event, let entry):
            try move(id, revision: revision, to: status, by: event, entry, &ledger)
        case .refuse(let id, let entry):
            guard let end = try end(of: id) else {
                throw ActorError(.conflict, "there is no job \(id) that could refuse \(entry.name)")
            }
            let line = try append(entry, to: id, after: end.line)
            try run("UPDATE jobs SET lines = ?, head = ? WHERE uuid = ?", [line.number, line.hash, id.rawValue])
            ledger.note(.jobRefused(id, event: entry.name))
        case .rekey(let id, let key):
            try run(
                "UPDATE jobs SET token = ?, salt = ?, token_expires = ?, token_events = ? WHERE uuid = ?",
                [key.token, key.salt, key.expires?.milliseconds, JobKeyRow.text(key.events), id.rawValue])
            guard changesCount == 1 else { throw ActorError(.conflict, "there is no job \(id) to give a key to") }
        case .delete(let job, let revision): try delete(job, revision: revision, &ledger)
        case .link, .saw, .files, .dropFiles, .catalogue, .stall: try applyAround(change, &ledger)
        }
    }

    private func write(_ pipeline: PipelineRecord, over revision: Int?) throws {
        let found: Int? = try row("SELECT revision FROM pipelines WHERE uuid = ?", [pipeline.uuid.rawValue])?[0]
        guard found == revision else {
            throw ActorError(.conflict, "pipeline \(pipeline.uuid) was changed meanwhile; read it and try again")
        }
        try run(
            "INSERT OR REPLACE INTO pipelines (\(PipelineRow.columns)) VALUES (\(PipelineRow.places))",
            PipelineRow.arguments(pipeline))
    }

    private func create(_ job: JobRecord, _ entry: JobHistoryEntry, _ ledger: inout CommitLedger) throws {
        let line = Self.line(entry, of: job.uuid, after: (0, ""))
        let places = Array(repeating: "?", count: JobRow.count).joined(separator: ", ")
        try run(
            """
            INSERT INTO jobs (\(JobRow.columns), lines, head) VALUES (\(places), ?, ?)
            ON CONFLICT (uuid) DO NOTHING
            """,
            JobRow.arguments(job) + [line.number, line.hash])
        guard changesCount == 1 else { throw ActorError(.conflict, "job \(job.uuid) exists already") }
        try insert(line, of: job.uuid)
        try index(job)
        try store(job.links, of: job.uuid)
        ledger.note(.jobMoved(job.uuid, pipeline: job.pipeline, status: job.status, event: job.lastEvent))
    }

    private func move(
        _ id: JobID, revision: Int, to status: PipelineJobState, by event: PipelineJobEvent, _ entry: JobHistoryEntry,
        _ ledger: inout CommitLedger
    ) throws {
        let stale = ActorError(
            .conflict, "job \(id) is no longer at revision \(revision), on which \(event.rawValue) was decided")
        guard let end = try end(of: id) else { throw stale }
        let line = try append(entry, to: id, after: end.line)
        let started = status == .running ? entry.date.milliseconds : nil
        try run(
            """
            UPDATE jobs SET status = ?, last_event = ?, updated = ?, revision = revision + 1,
                started = ifnull(started, ?), lines = ?, head = ?
            WHERE uuid = ? AND revision = ?
            """,
            [
                status.rawValue, event.rawValue, entry.date.milliseconds, started, line.number, line.hash,
                id.rawValue, revision,
            ])
        guard changesCount == 1 else { throw stale }
        // Another run tells the same statuses anew.
        if status == .reset { try run("DELETE FROM job_statuses WHERE job = ?", [id.rawValue]) }
        ledger.note(.jobMoved(id, pipeline: end.pipeline, status: status, event: event))
    }

    private func delete(_ job: DeletedJob, revision: Int, _ ledger: inout CommitLedger) throws {
        try run("DELETE FROM jobs WHERE uuid = ? AND revision = ?", [job.uuid.rawValue, revision])
        guard changesCount == 1 else {
            throw ActorError(.conflict, "job \(job.uuid) is no longer at revision \(revision), or gone")
        }
        let places = Array(repeating: "?", count: 11).joined(separator: ", ")
        try run(
            "INSERT INTO deleted_jobs (\(DeletedJobRow.columns)) VALUES (\(places))", DeletedJobRow.arguments(job))
        ledger.note(.jobDeleted(job.uuid, action: job.action))
    }

    /// The last line of a job's history, by number and hash, and whose run the job is; nil when there is no such job.
    private func end(of job: JobID) throws -> (line: (number: Int, hash: String), pipeline: PipelineID)? {
        try row("SELECT lines, head, pipeline FROM jobs WHERE uuid = ?", [job.rawValue])
            .map { (($0[0], $0[1]), PipelineID($0[2])) }
    }

    private func append(
        _ entry: JobHistoryEntry, to job: JobID, after end: (number: Int, hash: String)
    ) throws -> JobLedgerLine {
        let line = Self.line(entry, of: job, after: end)
        try insert(line, of: job)
        return line
    }

    private static func line(
        _ entry: JobHistoryEntry, of job: JobID, after end: (number: Int, hash: String)
    ) -> JobLedgerLine {
        let number = end.number + 1
        return JobLedgerLine(
            number: number, entry: entry,
            hash: JobLedger.hash(entry, number: number, of: job, after: end.hash, SHA256Digest.hex))
    }

    private func insert(_ line: JobLedgerLine, of job: JobID) throws {
        try run(
            """
            INSERT INTO job_history (job, \(JobHistoryRow.columns), number, hash) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
            """,
            JobHistoryRow.arguments(line, of: job))
    }
}
