import ActorCore
import GRDB

/// A file below an archive path as it lies in its table.
enum JobFileRow {
    static let columns = "path, bytes, sha256, modified, indexed"

    static func file(_ row: Row) -> JobFileRecord {
        JobFileRecord(
            path: row[0], bytes: row[1], sha256: row[2], modified: Timestamp(milliseconds: row[3]),
            indexed: Timestamp(milliseconds: row[4]))
    }
}

/// A catalogue file as it lies in its table; its links lie beside it.
enum FileRow {
    static let columns = "uuid, name, system, file_id, type, level, note, updated"

    static func file(_ row: Row) -> FileRecord {
        FileRecord(
            uuid: row[0], name: row[1], system: row[2], fileID: row[3], type: row[4], level: row[5], note: row[6],
            updated: Timestamp(milliseconds: row[7]))
    }

    static func arguments(_ file: FileRecord) -> StatementArguments {
        [
            file.uuid, file.name, file.system, file.fileID, file.type, file.level, file.note,
            file.updated.milliseconds,
        ]
    }
}

/// A watch as it lies in its table.
enum WatchRow {
    static let columns = "id, kind, target, actor, owner, created"

    static func watch(_ row: Row) throws -> JobWatch {
        let kind: String = row[1]
        let target: JobWatch.Target
        switch kind {
        case "job": target = .job(JobID(row[2]))
        case "pipeline": target = .pipeline(PipelineID(row[2]))
        default: throw ActorError(.internalFailure, "the stored kind of a watch \"\(kind)\" is not known")
        }
        return JobWatch(
            id: WatchID(row[0]), target: target, actor: ActorID(row[3]), owner: row[4],
            created: Timestamp(milliseconds: row[5]))
    }

    static func place(_ target: JobWatch.Target) -> (kind: String, target: String) {
        switch target {
        case .job(let id): ("job", id.rawValue)
        case .pipeline(let id): ("pipeline", id.rawValue)
        }
    }
}
