import ActorCore

/// What the runner writes into a job's history, and what it keeps in its journal.
enum JobRunDocument {
    /// Files that are named one by one; of more only the number is told.
    static let maxFiles = 1000

    static func started(_ message: JobRunMessage, _ execution: ExecutionID, attempt: Int) -> JSONValue {
        [
            "name": .string(message.name), "file": .string(message.file), "upload": .string(message.upload.name),
            "execution": .string(execution.rawValue), "attempt": JSONValue(attempt),
        ]
    }

    static func restarted(attempt: Int) -> JSONValue {
        [
            "note": """
            the daemon was restarted while this job ran; finished steps are kept, a step that ran goes on
            """,
            "attempt": JSONValue(attempt),
        ]
    }

    static func ended(_ step: JobStep, _ report: StepReport) -> JSONValue {
        [
            "step": .string(step.title), "exit_code": JSONValue(report.exitCode), "seconds": report.seconds,
            "attempt": JSONValue(step.attempt),
        ]
    }

    static func failed(step: String, exitCode: Int?, reason: String, logTail: String) -> JSONValue {
        [
            "step": .string(step), "exit_code": JSONValue(exitCode), "reason": .string(reason),
            "log_tail": .string(logTail),
        ]
    }

    /// - Parameter context: is told of names that are not UTF-8: they are kept as they are, and only shown otherwise.
    static func published(_ files: [LabFile], _ context: any ReactorContext) -> JSONValue {
        let strange = files.filter { !RawName.isUTF8($0.path) }
        if !strange.isEmpty {
            let list = strange.prefix(20).map { RawName.shown($0.path) }.joined(separator: ", ")
            context.log(
                .warning,
                "\(strange.count) results have a name that is not UTF-8; they are kept under it, and listed as: \(list)"
            )
        }
        let document: JSONValue = [
            "files": .array(
                files.prefix(maxFiles).map {
                    [
                        "path": .string(RawName.isUTF8($0.path) ? $0.path : RawName.shown($0.path)),
                        "bytes": .int($0.bytes), "sha256": .string($0.sha256),
                    ]
                }),
            "file_count": JSONValue(files.count), "bytes": .int(files.reduce(0) { $0 + $1.bytes }),
        ]
        return strange.isEmpty ? document : document.setting("not_utf8", JSONValue(strange.count))
    }
}
