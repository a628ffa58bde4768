package import ActorCore

/// Runs the jobs that the ingest made: every container a durable step, so that a restart repeats only the one that
/// it interrupted.
///
/// A failed analysis is an answer: the job becomes FAILED, the execution ends with exit code 1, nothing is retried.
package actor JobRunnerReactor: ConfiguredReactor {
    package static let settings = ReactorSettings()

    private let tools: ReactorTools

    package init(tools: ReactorTools) { self.tools = tools }

    package func receive(_ envelope: Envelope, _ context: any ReactorContext) async throws {
        let message = try JobRunMessage.decode(envelope.json)
        guard !message.spec.isWorkflow else {
            throw ReactorFailure(.refused, "/spec/manifest: a Workflow is run by argo, not step by step")
        }
        let status = try await message.admit(envelope, context)
        try await JobRun(message, tools, context).play(status: status)
    }
}
