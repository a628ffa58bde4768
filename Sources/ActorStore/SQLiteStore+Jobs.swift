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

/// The place of a job in the listing: its creation, and its number among those created at once.
private struct JobCursor: Sendable {
    let created: Int64
    let number: Int64

    init(created: Int64, number: Int64) {
        self.created = created
        self.number = number
    }

    init(_ text: String) throws(ActorError) {
        let halves = text.split(separator: "-", omittingEmptySubsequences: false)
        guard halves.count == 2, let created = Int64(halves[0], radix: 36), let number = Int64(halves[1], radix: 36)
        else {
            throw ActorError(
                .invalidInput, "the cursor is none that a listing answered; leave it out to begin with the newest job")
        }
        self.init(created: created, number: number)
    }

    var text: String { String(created, radix: 36) + "-" + String(number, radix: 36) }
}

/// A job query as SQL: a condition of fixed texts, its values bound.
private struct JobFilter {
    private(set) var condition = ""
    private(set) var arguments: StatementArguments = []

    init(_ query: JobQuery) throws(ActorError) {
        add("status = ?", query.status?.rawValue)
        add("pipeline = ?", query.pipeline?.rawValue)
        add("session = ?", query.session)
        add("actor = ?", query.actor?.rawValue)
        if let text = query.cursor {
            let cursor = try JobCursor(text)
            add("(created, number) < (?, ?)", [cursor.created, cursor.number])
        }
    }

    private mutating func add(_ text: String, _ value: String?) {
        if let value { add(text, [value]) }
    }

    private mutating func add(_ text: String, _ values: StatementArguments) {
        condition += (condition.isEmpty ? "WHERE " : " AND ") + text
        arguments += values
    }
}
