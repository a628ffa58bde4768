package import ActorCore

/// Runs the jobs that the ingest made: every container a durable step, so that a restart repeats only the one that
/// it interrupted.
///
/// A failed analysis is an answer: the job becomes FAILED, the execution ends with exit code 1, nothing is retried.
package actor JobRunnerReactor: Reactor {
    private let tools: ReactorTools

    package init(tools: ReactorTools) { self.tools = tools }

    package func receive(_ envelope: Envelope, _ context: any ReactorContext) async throws {
        let message = try JobRunMessage.decode(envelope.json)
        let status = try await admit(message, envelope, context)
        try await JobRun(message, tools, context).play(status: status)
    }

    /// A message here runs commands, so only the actor that made the job may send it, and only for that job.
    private func admit(
        _ message: JobRunMessage, _ envelope: Envelope, _ context: any ReactorContext
    ) async throws -> PipelineJobState {
        guard let record = try await context.job(message.job) else {
            throw ReactorFailure(.refused, "\(message.job) is not a valid job ID")
        }
        guard let maker = record.actor, envelope.message.sender == "actor:\(maker)", record.path == message.path
        else {
            throw ReactorFailure(
                .refused, "only the actor that made job \(message.job) may have it run; send \"rerun\" to the ingest")
        }
        guard record.status == .created || record.status == .running else {
            throw ReactorFailure(
                .refused, "job \(message.job) is \(record.status.rawValue) already; it is not run again")
        }
        return record.status
    }
}
