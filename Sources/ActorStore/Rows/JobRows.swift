import ActorCore
import GRDB

/// A PipelineJob as it lies in its table; the first column is its place in the order of creation.
enum JobRow {
    static let columns = """
        uuid, pipeline, status, last_event, path, data, actor, execution, session, owner, token, salt, notify, \
        created, updated, revision
        """

    static func arguments(_ job: JobRecord) -> StatementArguments {
        [
            job.uuid.rawValue, job.pipeline.rawValue, job.status.rawValue, job.lastEvent.rawValue, job.path,
            JSONText.encode(job.data), job.actor?.rawValue, job.execution?.rawValue, job.session, job.owner,
            job.token, job.salt, job.notify?.rawValue, job.created.milliseconds, job.updated.milliseconds,
            job.revision,
        ]
    }

    static func job(_ row: Row) throws -> JobRecord {
        let actor: String? = row[6]
        let execution: String? = row[7]
        let notify: String? = row[12]
        return JobRecord(
            uuid: JobID(row[0]), pipeline: PipelineID(row[1]), status: try StoredWord.decode(row[2], of: "job status"),
            lastEvent: try StoredWord.decode(row[3], of: "job event"), path: row[4],
            data: try JSONText.decode(row[5], of: "job data"), actor: actor.map { ActorID($0) },
            execution: execution.map { ExecutionID($0) }, session: row[8], owner: row[9], token: row[10],
            salt: row[11], notify: notify.map { ActorID($0) }, created: Timestamp(milliseconds: row[13]),
            updated: Timestamp(milliseconds: row[14]), revision: row[15])
    }
}

/// One line of a job's history as it lies in its table.
enum JobHistoryRow {
    static let columns = "name, date, data, refusal, execution"

    static func arguments(_ entry: JobHistoryEntry, of job: JobID) -> StatementArguments {
        [
            job.rawValue, entry.name, entry.date.milliseconds, JSONText.encode(entry.data), entry.refusal,
            entry.execution?.rawValue,
        ]
    }

    static func entry(_ row: Row) throws -> JobHistoryEntry {
        let execution: String? = row[4]
        return JobHistoryEntry(
            name: row[0], date: Timestamp(milliseconds: row[1]),
            data: try JSONText.decode(row[2], of: "job event data"), refusal: row[3],
            execution: execution.map { ExecutionID($0) })
    }
}

/// A pipeline as it lies in its table.
enum PipelineRow {
    static let columns = "uuid, name, components, created"

    static func arguments(_ pipeline: PipelineRecord) -> StatementArguments {
        [
            pipeline.uuid.rawValue, pipeline.name, JSONText.encode(pipeline.components),
            pipeline.created.milliseconds,
        ]
    }

    static func pipeline(_ row: Row) throws -> PipelineRecord {
        PipelineRecord(
            uuid: PipelineID(row[0]), name: row[1],
            components: try JSONText.decode(row[2], of: "pipeline components"),
            created: Timestamp(milliseconds: row[3]))
    }
}

/// A document of a Reactor as it lies in its table.
enum DocumentRow {
    static let columns = "kind, id, body, created, updated"

    static func arguments(_ document: Document) -> StatementArguments {
        [
            document.kind, document.id, JSONText.encode(document.body), document.created.milliseconds,
            document.updated.milliseconds,
        ]
    }

    static func document(_ row: Row) throws -> Document {
        Document(
            kind: row[0], id: row[1], body: try JSONText.decode(row[2], of: "document"),
            created: Timestamp(milliseconds: row[3]), updated: Timestamp(milliseconds: row[4]))
    }
}
