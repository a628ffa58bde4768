import ActorCore
import GRDB

/// Changes around jobs, inside a transaction of the writer.
extension Database {
    /// Those changes that leave the job's own row and its history alone.
    func applyAround(_ change: JobChange, _ ledger: inout CommitLedger) throws {
        switch change {
        case .link(let id, let links): try store(links, of: try existing(id))
        case .saw(let id, let status): try note(status: status, of: try existing(id))
        case .files(let id, let files, let number): try store(files, of: try existing(id), run: number)
        case .dropFiles(let id, let number):
            try run("DELETE FROM job_files WHERE job = ? AND run < ?", [id.rawValue, number.milliseconds])
        case .catalogue(let file): try store(file)
        case .stall(let stall, let revision):
            guard try flag(stall, revision: revision),
                let row = try row("SELECT pipeline FROM jobs WHERE uuid = ?", [stall.job.rawValue])
            else { return }
            ledger.note(.jobStalled(stall.job, pipeline: PipelineID(row[0]), since: stall.since))
        default: preconditionFailure("a change of the job itself")
        }
    }

    private func existing(_ id: JobID) throws -> JobID {
        guard try row("SELECT 1 FROM jobs WHERE uuid = ?", [id.rawValue]) != nil else {
            throw ActorError(.conflict, "there is no job \(id)")
        }
        return id
    }

    func catalogued(_ condition: String, _ value: String) throws -> FileRecord? {
        guard let row = try row("SELECT \(FileRow.columns) FROM files WHERE \(condition)", [value]) else { return nil }
        var file = FileRow.file(row)
        file.links = Set(
            try rows("SELECT kind, target FROM file_links WHERE file = ?", [file.uuid]) {
                CatalogueLink(try StoredWord.decode($0[0], of: "kind of a link"), $0[1])
            })
        return file
    }

    /// Given values win over those of an earlier record of the same name, links are united.
    func store(_ file: FileRecord) throws {
        try run(
            """
            INSERT INTO files (\(FileRow.columns)) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT (uuid) DO UPDATE SET type = excluded.type, level = coalesce(excluded.level, level),
                note = coalesce(excluded.note, note), updated = excluded.updated
            """,
            FileRow.arguments(file))
        for link in file.links {
            try run(
                "INSERT INTO file_links (file, kind, target) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
                [file.uuid, link.kind.rawValue, link.target])
        }
    }

    func store(_ files: [JobFileRecord], of job: JobID, run number: Timestamp) throws {
        for file in files {
            try run(
                """
                INSERT OR REPLACE INTO job_files (job, \(JobFileRow.columns), run) VALUES (?, ?, ?, ?, ?, ?, ?)
                """,
                [
                    job.rawValue, file.path, file.bytes, file.sha256, file.modified.milliseconds,
                    file.indexed.milliseconds, number.milliseconds,
                ])
        }
    }

    func store(_ links: [CatalogueLink], of job: JobID) throws {
        for link in links {
            try run(
                "INSERT INTO job_links (job, kind, target) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
                [job.rawValue, link.kind.rawValue, link.target])
        }
    }

    /// The latest has the highest number.
    func note(status: String, of job: JobID) throws {
        try run(
            """
            INSERT OR REPLACE INTO job_statuses (job, status, number)
            SELECT ?, ?, coalesce(max(number), 0) + 1 FROM job_statuses WHERE job = ?
            """,
            [job.rawValue, status, job.rawValue])
    }

    /// False when the job has moved since this was decided, or is flagged.
    func flag(_ stall: JobStall, revision: Int) throws -> Bool {
        try run(
            """
            INSERT INTO job_stalls (job, since, limit_ms, flagged)
            SELECT uuid, ?, ?, ? FROM jobs WHERE uuid = ? AND revision = ? ON CONFLICT DO NOTHING
            """,
            [
                stall.since.milliseconds, stall.limitMilliseconds, stall.flagged.milliseconds, stall.job.rawValue,
                revision,
            ])
        return changesCount == 1
    }

    func index(_ job: JobRecord) throws {
        try run(
            "INSERT INTO job_text (rowid, body) SELECT number, ? FROM jobs WHERE uuid = ?",
            [JobText.text(of: job), job.uuid.rawValue])
    }
}
