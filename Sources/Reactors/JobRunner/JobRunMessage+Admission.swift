import ActorCore

extension JobRunMessage {
    /// A message of this kind runs commands, so only the actor that made the job may send it, and only for that job.
    func admit(_ envelope: Envelope, _ context: any ReactorContext) async throws -> PipelineJobState {
        guard let record = try await context.job(job) else {
            throw ReactorFailure(.refused, "\(job) is not a valid job ID")
        }
        guard let maker = record.actor, envelope.message.sender == "actor:\(maker)", record.path == path
        else {
            throw ReactorFailure(
                .refused, "only the actor that made job \(job) may have it run; send \"rerun\" to the ingest")
        }
        guard record.status == .created || record.status == .running else {
            throw ReactorFailure(.refused, "job \(job) is \(record.status.rawValue) already; it is not run again")
        }
        return record.status
    }
}

/// Calls that write a job's history, one after another.
struct JobHistoryCalls: Sendable {
    let job: JobID
    /// Moves the job; a status or an event is put behind it.
    let callback: String
    let context: any ReactorContext

    func tell(_ parameter: String, _ value: String, _ body: JSONValue) {
        context.call(url: url(parameter, value), body: body, order: job.rawValue)
    }

    func url(_ parameter: String, _ value: String) -> String {
        "\(callback)\(callback.contains("?") ? "&" : "?")\(parameter)=\(value)"
    }

    /// Puts the results of a run into the archive, once over all deliveries, and says what is there.
    func publish(_ execution: ExecutionID, to path: String, _ files: any LabFiles) async throws -> JSONValue {
        let context = context
        return try await context.step("publish") {
            JobRunDocument.published(try await files.publish(execution.rawValue, to: path), context)
        }
    }

    /// - Parameter body: what was published, and what else is to be told.
    func finished(_ body: JSONValue) {
        tell("status", "FINISHED", body)
        context.log(.info, "Job \(job) finished, \(body["file_count"]?.int ?? 0) files archived")
        context.reply(body.removing("files").setting("status", "FINISHED"))
    }
}
