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
                return (job, JobCursor(created: job.created.milliseconds, number: row[16]))
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

    package func pipelines() async throws(ActorError) -> [PipelineRecord] {
        try await read { db in
            try db.rows(
                "SELECT \(PipelineRow.columns) FROM pipelines ORDER BY created DESC, uuid", [], PipelineRow.pipeline)
        }
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

    package func documents(_ kind: String, limit: Int) async throws(ActorError) -> [Document] {
        try await read { db in
            try db.rows(
                """
                SELECT \(DocumentRow.columns) FROM documents WHERE kind = ?
                ORDER BY created DESC, number DESC LIMIT ?
                """,
                [kind, max(0, limit)], DocumentRow.document)
        }
    }
}
