package import ActorCore
import GRDB

extension SQLiteStore: JobStore {
    package func job(_ id: JobID) async throws(ActorError) -> JobRecord? {
        try await read { db in
            try db.row("SELECT \(JobRow.columns) FROM jobs WHERE uuid = ?", [id.rawValue]).map(JobRow.job)
        }
    }

    package func jobs(_ query: JobQuery) async throws(ActorError) -> (jobs: [JobRecord], next: String?) {
        guard query.limit > 0 else { return ([], nil) }
        let filter = try JobFilter(query)
        let found = try await read { db in
            try db.rows(
                """
                SELECT \(JobRow.columns), number FROM jobs \(filter.condition)
                ORDER BY created DESC, number DESC LIMIT ?
                """,
                filter.arguments + [query.limit + 1]
            ) { row in
                let job = try JobRow.job(row)
                return (job, JobCursor(created: job.created.milliseconds, number: row[JobRow.count]))
            }
        }
        // One more than asked for tells whether there is a next page.
        let page = found.prefix(query.limit)
        return (page.map(\.0), found.count > page.count ? page.last?.1.text : nil)
    }

    package func history(of id: JobID) async throws(ActorError) -> [JobHistoryEntry] {
        try await read { db in
            try db.rows(
                "SELECT \(JobHistoryRow.columns) FROM job_history WHERE job = ? ORDER BY id", [id.rawValue],
                JobHistoryRow.entry)
        }
    }

    package func ledger(of id: JobID) async throws(ActorError) -> JobLedger? {
        try await read { db in try db.ledger(of: id) }
    }

    package func deletedJob(_ id: JobID) async throws(ActorError) -> DeletedJob? {
        try await read { db in
            try db.row(
                "SELECT \(DeletedJobRow.columns) FROM deleted_jobs WHERE uuid = ? ORDER BY id DESC LIMIT 1",
                [id.rawValue]
            ).map(DeletedJobRow.job)
        }
    }

    package func pipelines(
        after cursor: PipelineID?, limit: Int
    ) async throws(ActorError) -> (pipelines: [PipelineRecord], next: PipelineID?) {
        guard limit > 0 else { return ([], nil) }
        let found = try await read { db in
            var condition = ""
            var arguments: StatementArguments = []
            if let cursor {
                condition = "WHERE (created, uuid) < (SELECT created, uuid FROM pipelines WHERE uuid = ?)"
                arguments = [cursor.rawValue]
            }
            return try db.rows(
                "SELECT \(PipelineRow.columns) FROM pipelines \(condition) ORDER BY created DESC, uuid DESC LIMIT ?",
                arguments + [limit + 1], PipelineRow.pipeline)
        }
        let page = Array(found.prefix(limit))
        return (page, found.count > page.count ? page.last?.uuid : nil)
    }

    package func pipeline(_ id: PipelineID) async throws(ActorError) -> PipelineRecord? {
        try await read { db in
            try db.row("SELECT \(PipelineRow.columns) FROM pipelines WHERE uuid = ?", [id.rawValue])
                .map(PipelineRow.pipeline)
        }
    }

    package func document(_ kind: String, _ id: String) async throws(ActorError) -> Document? {
        try await read { db in
            try db.row("SELECT \(DocumentRow.columns) FROM documents WHERE kind = ? AND id = ?", [kind, id])
                .map(DocumentRow.document)
        }
    }

    package func documents(_ query: DocumentQuery) async throws(ActorError) -> [Document] {
        try await read { db in
            var conditions = ["kind = ?"]
            var arguments: StatementArguments = [query.kind]
            func add(_ condition: String, _ values: StatementArguments) {
                conditions.append(condition)
                arguments += values
            }
            if let from = query.createdFrom { add("created >= ?", [from.milliseconds]) }
            if let before = query.createdBefore { add("created < ?", [before.milliseconds]) }
            if let state = query.state { add("json_extract(body, '$.state') = ?", [state]) }
            if let after = query.after {
                add(
                    "(created, number) < (SELECT created, number FROM documents WHERE kind = ? AND id = ?)",
                    [query.kind, after])
            }
            arguments += [max(0, query.limit)]
            return try db.rows(
                """
                SELECT \(DocumentRow.columns) FROM documents WHERE \(conditions.joined(separator: " AND "))
                ORDER BY created DESC, number DESC LIMIT ?
                """,
                arguments, DocumentRow.document)
        }
    }

    package func documents(_ kind: String, after id: String?, limit: Int) async throws(ActorError) -> [Document] {
        try await read { db in
            try db.rows(
                "SELECT \(DocumentRow.columns) FROM documents WHERE kind = ? AND id > ? ORDER BY id LIMIT ?",
                [kind, id ?? "", max(0, limit)], DocumentRow.document)
        }
    }
}

extension Database {
    /// One moment's view of a job and of its history.
    func ledger(of id: JobID) throws -> JobLedger? {
        guard
            let row = try row("SELECT \(JobRow.columns), lines, head FROM jobs WHERE uuid = ?", [id.rawValue])
        else { return nil }
        let lines = try rows(
            "SELECT \(JobHistoryRow.columns), number, hash FROM job_history WHERE job = ? ORDER BY id", [id.rawValue],
            JobHistoryRow.line)
        return JobLedger(
            record: try JobRow.job(row), lines: lines, head: row[JobRow.count + 1], count: row[JobRow.count])
    }
}
