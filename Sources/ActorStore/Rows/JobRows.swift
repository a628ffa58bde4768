import ActorCore
import GRDB

/// A PipelineJob as it lies in its table; the order of creation is its `number`.
enum JobRow {
    static let columns = """
        uuid, pipeline, status, last_event, path, data, actor, execution, session, owner, token, salt, notify, \
        created, updated, revision, generation, machine, child_of, lab, experiment, measurement, sample, \
        token_expires, token_events, started
        """
    /// How many there are: what a query adds comes after them.
    static let count = 26

    static func arguments(_ job: JobRecord) -> StatementArguments {
        [
            job.uuid.rawValue, job.pipeline.rawValue, job.status.rawValue, job.lastEvent.rawValue, job.path,
            JSONText.encode(job.data), job.actor?.rawValue, job.execution?.rawValue, job.session, job.owner,
            job.token, job.salt, job.notify?.rawValue, job.created.milliseconds, job.updated.milliseconds,
            job.revision, job.generation.rawValue, job.machine.rawValue,
            job.childOf.map { $0.joined(separator: " ") }, job.subject.lab, job.subject.experiment,
            job.subject.measurement, job.subject.sample, job.key.expires?.milliseconds, JobKeyRow.text(job.key.events),
            job.started?.milliseconds,
        ]
    }

    static func job(_ row: Row) throws -> JobRecord {
        let actor: String? = row[6]
        let execution: String? = row[7]
        let notify: String? = row[12]
        let childOf: String? = row[18]
        let started: Int64? = row[25]
        return JobRecord(
            uuid: JobID(row[0]), pipeline: PipelineID(row[1]), generation: try JobKeyRow.generation(row[16]),
            machine: try StoredWord.decode(row[17], of: "edition of the state machine"),
            status: try StoredWord.decode(row[2], of: "job status"),
            lastEvent: try StoredWord.decode(row[3], of: "job event"), path: row[4],
            data: try JSONText.decode(row[5], of: "job data"),
            childOf: childOf.map { $0.split(separator: " ").map(String.init) },
            subject: JobSubject(lab: row[19], experiment: row[20], measurement: row[21], sample: row[22]),
            actor: actor.map { ActorID($0) }, execution: execution.map { ExecutionID($0) }, session: row[8],
            owner: row[9], key: try JobKeyRow.key(row, token: 10, salt: 11, expires: 23, events: 24),
            notify: notify.map { ActorID($0) }, created: Timestamp(milliseconds: row[13]),
            updated: Timestamp(milliseconds: row[14]), started: started.map { Timestamp(milliseconds: $0) },
            revision: row[15])
    }
}

/// What opens a job, as it lies in columns.
enum JobKeyRow {
    static func key(_ row: Row, token: Int, salt: Int, expires: Int, events: Int) throws -> JobKey {
        let end: Int64? = row[expires]
        let words: String = row[events]
        return JobKey(
            token: row[token], salt: row[salt], expires: end.map { Timestamp(milliseconds: $0) },
            events: try words.split(separator: " ").map { try StoredWord.decode(String($0), of: "event of a token") })
    }

    static func text(_ events: [PipelineJobEvent]) -> String { events.map(\.rawValue).joined(separator: " ") }

    static func generation(_ number: Int) throws -> JobGeneration {
        guard let generation = JobGeneration(rawValue: number) else {
            throw ActorError(.internalFailure, "the stored generation \(number) is none that this version knows")
        }
        return generation
    }
}

/// A job that is gone, as it lies in its table.
enum DeletedJobRow {
    static let columns = """
        uuid, pipeline, status, owner, token, salt, token_expires, token_events, deleted, who, action
        """

    static func arguments(_ job: DeletedJob) -> StatementArguments {
        [
            job.uuid.rawValue, job.pipeline.rawValue, job.status.rawValue, job.owner, job.key.token, job.key.salt,
            job.key.expires?.milliseconds, JobKeyRow.text(job.key.events), job.deleted.milliseconds, job.by, job.action,
        ]
    }

    static func job(_ row: Row) throws -> DeletedJob {
        DeletedJob(
            uuid: JobID(row[0]), pipeline: PipelineID(row[1]), status: try StoredWord.decode(row[2], of: "job status"),
            owner: row[3], key: try JobKeyRow.key(row, token: 4, salt: 5, expires: 6, events: 7),
            deleted: Timestamp(milliseconds: row[8]), by: row[9], action: row[10])
    }
}

/// One line of a job's history as it lies in its table.
enum JobHistoryRow {
    static let columns = "name, date, data, refusal, execution"

    static func arguments(_ line: JobLedgerLine, of job: JobID) -> StatementArguments {
        let entry = line.entry
        return [
            job.rawValue, entry.name, entry.date.milliseconds, JSONText.encode(entry.data), entry.refusal,
            entry.execution?.rawValue, line.number, line.hash,
        ]
    }

    static func entry(_ row: Row) throws -> JobHistoryEntry {
        let execution: String? = row[4]
        return JobHistoryEntry(
            name: row[0], date: Timestamp(milliseconds: row[1]),
            data: try JSONText.decode(row[2], of: "job event data"), refusal: row[3],
            execution: execution.map { ExecutionID($0) })
    }

    /// Of a row with `number, hash` behind the columns.
    static func line(_ row: Row) throws -> JobLedgerLine {
        JobLedgerLine(number: row[5], entry: try entry(row), hash: row[6])
    }
}

/// A pipeline as it lies in its table.
enum PipelineRow {
    static let columns = """
        uuid, name, components, created, id, generation, description, details, settings, enabled, owner, token, salt, \
        updated, revision
        """
    static let places = Array(repeating: "?", count: 15).joined(separator: ", ")

    static func arguments(_ pipeline: PipelineRecord) -> StatementArguments {
        [
            pipeline.uuid.rawValue, pipeline.name, JSONText.encode(pipeline.components),
            pipeline.created.milliseconds, pipeline.id, pipeline.generation.rawValue, pipeline.description,
            JSONText.encode(pipeline.details), JSONText.encode(pipeline.settings), pipeline.isEnabled, pipeline.owner,
            pipeline.token, pipeline.salt, pipeline.updated.milliseconds, pipeline.revision,
        ]
    }

    static func pipeline(_ row: Row) throws -> PipelineRecord {
        PipelineRecord(
            uuid: PipelineID(row[0]), id: row[4], name: row[1], generation: try JobKeyRow.generation(row[5]),
            description: row[6], components: try JSONText.decode(row[2], of: "pipeline components"),
            details: try JSONText.decode(row[7], of: "pipeline details"),
            settings: try JSONText.decode(row[8], of: "pipeline settings"), isEnabled: row[9], owner: row[10],
            token: row[11], salt: row[12], created: Timestamp(milliseconds: row[3]),
            updated: Timestamp(milliseconds: row[13]), revision: row[14])
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
