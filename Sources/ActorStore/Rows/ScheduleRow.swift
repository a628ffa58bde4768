import ActorCore
import GRDB

/// The plan of a schedule as it lies in its table.
enum ScheduleRow {
    static let columns = "actor, schedule, anchor, next, done, last"

    static func arguments(_ record: ScheduleRecord, of actor: ActorID) -> StatementArguments {
        [
            actor.rawValue, record.schedule, record.anchor.milliseconds, record.next.milliseconds,
            record.done?.milliseconds, record.last?.rawValue,
        ]
    }

    /// A row from before version 4 knows only what is due next.
    static func plan(_ row: Row) -> (ActorID, ScheduleRecord) {
        let schedule: String? = row[1]
        let anchor: Int64? = row[2]
        let next: Int64 = row[3]
        let done: Int64? = row[4]
        let last: String? = row[5]
        let record = ScheduleRecord(
            schedule: schedule ?? "", anchor: Timestamp(milliseconds: anchor ?? next),
            next: Timestamp(milliseconds: next), done: done.map { Timestamp(milliseconds: $0) },
            last: last.map { ExecutionID($0) })
        return (ActorID(row[0]), record)
    }
}
