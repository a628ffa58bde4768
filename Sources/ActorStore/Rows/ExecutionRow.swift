import ActorCore
import Foundation
import GRDB

/// An execution as it lies in its table.
enum ExecutionRow {
    static let columns = """
        id, actor, sequence, status, outcome, exit_code, reason, attempts, sender, cause, received, started, \
        finished, result
        """

    static func execution(_ row: Row) throws -> ExecutionRecord {
        let outcome: String? = row[4]
        let cause: String? = row[9]
        let started: Int64? = row[11]
        let finished: Int64? = row[12]
        let result: String? = row[13]
        return ExecutionRecord(
            id: ExecutionID(row[0]), actor: ActorID(row[1]), sequence: row[2],
            status: try StoredWord.decode(row[3], of: "execution status"),
            outcome: try outcome.map { try StoredWord.decode($0, of: "outcome") }, exitCode: row[5], reason: row[6],
            attempts: row[7], sender: row[8], cause: cause.map { ExecutionID($0) },
            received: Timestamp(milliseconds: row[10]), started: started.map { Timestamp(milliseconds: $0) },
            finished: finished.map { Timestamp(milliseconds: $0) },
            result: try result.map { try JSONText.decode($0, of: "result") })
    }
}

/// An attempt as it lies in its table.
enum AttemptRow {
    static let columns = "execution, number, started, finished, outcome, exit_code, reason"

    static func arguments(_ attempt: AttemptRecord) -> StatementArguments {
        [
            attempt.execution.rawValue, attempt.number, attempt.started.milliseconds, attempt.finished.milliseconds,
            attempt.outcome.rawValue, attempt.exitCode, attempt.reason,
        ]
    }

    static func attempt(_ row: Row) throws -> AttemptRecord {
        AttemptRecord(
            execution: ExecutionID(row[0]), number: row[1], started: Timestamp(milliseconds: row[2]),
            finished: Timestamp(milliseconds: row[3]), outcome: try StoredWord.decode(row[4], of: "outcome"),
            exitCode: row[5], reason: row[6])
    }
}

/// A log as it lies in its table: its text, or the name of the file that holds it.
enum LogRow {
    static let columns = "execution, body, file, bytes, truncated"

    static func arguments(_ log: LogRecord) -> StatementArguments {
        switch log.place {
        case .inline(let text): [log.execution.rawValue, Data(text), nil, log.bytes, log.truncated]
        case .file(let path): [log.execution.rawValue, nil, path, log.bytes, log.truncated]
        }
    }

    static func log(_ row: Row) -> LogRecord {
        let body: Data? = row[1]
        let file: String? = row[2]
        return LogRecord(
            execution: ExecutionID(row[0]), place: file.map { .file($0) } ?? .inline([UInt8](body ?? Data())),
            bytes: row[3], truncated: row[4])
    }
}
