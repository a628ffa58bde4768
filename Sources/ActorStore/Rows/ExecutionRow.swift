import ActorCore
import Foundation
import GRDB

/// An execution as it lies in its table when it has ended, and as its mailbox row shows it before.
enum ExecutionRow {
    static let columns = """
        sequence, actor, status, outcome, exit_code, reason, attempts, sender, cause, received, started, finished, \
        result, old_id, worker, cpu, io
        """
    static let table = "executions LEFT JOIN execution_workers USING (sequence)"
    static let waitingTable = "mailbox LEFT JOIN execution_workers USING (sequence)"
    /// The same columns of a message that has not ended.
    static let waitingColumns = """
        sequence, actor, iif(running = 1, 'RUNNING', 'SUBMITTED') AS status, NULL AS outcome, NULL AS exit_code, \
        NULL AS reason, attempts, sender, cause, received, \
        ifnull((SELECT a.started FROM attempts AS a WHERE a.sequence = mailbox.sequence AND a.number = 1), started) \
        AS started, NULL AS finished, NULL AS result, old_id, worker, cpu, io
        """

    static func execution(_ row: Row, _ numbers: ExecutionNumbers) throws -> ExecutionRecord {
        let sequence: Int64 = row[0]
        let outcome: String? = row[3]
        let cause: String? = row[8]
        let started: Int64? = row[10]
        let finished: Int64? = row[11]
        let result: String? = row[12]
        let (cpu, io): (Int64?, Int64?) = (row[15], row[16])
        return ExecutionRecord(
            id: numbers.id(of: sequence, old: row[13]), actor: ActorID(row[1]), sequence: sequence,
            status: try StoredWord.decode(row[2], of: "execution status"),
            outcome: try outcome.map { try StoredWord.decode($0, of: "outcome") }, exitCode: row[4], reason: row[5],
            attempts: row[6], sender: row[7], cause: cause.map { ExecutionID($0) },
            received: Timestamp(milliseconds: row[9]), started: started.map { Timestamp(milliseconds: $0) },
            finished: finished.map { Timestamp(milliseconds: $0) },
            result: try result.map { try JSONText.decode($0, of: "result") }, worker: row[14],
            use: ResourceUse(cpu: cpu ?? 0, io: io ?? 0))
    }
}

/// An attempt as it lies in its table.
enum AttemptRow {
    static let columns = "sequence, number, started, finished, outcome, exit_code, reason"

    static func arguments(_ attempt: AttemptRecord, sequence: Int64) -> StatementArguments {
        [
            sequence, attempt.number, attempt.started.milliseconds, attempt.finished.milliseconds,
            attempt.outcome.rawValue, attempt.exitCode, attempt.reason,
        ]
    }

    static func attempt(_ row: Row, of execution: ExecutionID) throws -> AttemptRecord {
        AttemptRecord(
            execution: execution, number: row[1], started: Timestamp(milliseconds: row[2]),
            finished: Timestamp(milliseconds: row[3]), outcome: try StoredWord.decode(row[4], of: "outcome"),
            exitCode: row[5], reason: row[6])
    }
}

/// A log as it lies in its table: its text, or the name of the file that holds it.
enum LogRow {
    static let columns = "sequence, body, file, bytes, truncated"

    static func arguments(_ log: LogRecord, sequence: Int64) -> StatementArguments {
        switch log.place {
        case .inline(let text): [sequence, Data(text), nil, log.bytes, log.truncated]
        case .file(let path): [sequence, nil, path, log.bytes, log.truncated]
        }
    }

    static func log(_ row: Row, of execution: ExecutionID) -> LogRecord {
        let body: Data? = row[1]
        let file: String? = row[2]
        return LogRecord(
            execution: execution, place: file.map { .file($0) } ?? .inline([UInt8](body ?? Data())), bytes: row[3],
            truncated: row[4])
    }
}
