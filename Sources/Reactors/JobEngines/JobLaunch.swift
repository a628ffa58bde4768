import ActorCore

/// Makes the PipelineJob of a checked job file and has it run.
struct JobLaunch: Sendable {
    let spec: JobSpec
    /// As engines take it.
    let name: String
    /// What the job's history calls the file.
    let file: String
    /// Of its text before anything was put into it.
    let sha256: String
    /// Where the file came from, when it is kept in a repository.
    var commit: String?
    /// Names the pipeline, together with the file's content.
    let pipelineName: String
    let upload: JobRunMessage.Upload
    let data: JSONValue
    /// Who is told when the job moves.
    var notify: ActorID?

    func start(_ context: any ReactorContext) async throws -> (record: JobRecord, message: JobRunMessage) {
        let now = context.now()
        var component: JSONValue = ["file": .string(file), "sha256": .string(sha256)]
        if let commit { component = component.setting("commit", .string(commit)) }
        let components: JSONValue = [component]
        let pipeline = JobIdentity.pipeline(id: pipelineName, components: components)
        context.change(
            .registerPipeline(
                PipelineRecord(
                    uuid: pipeline, id: pipelineName, name: pipelineName, generation: .second, components: components,
                    owner: context.owner, created: now)))
        var draft = JobDraft(
            pipeline: pipeline, generation: .second, data: data, session: name, notify: notify, actor: context.actor,
            execution: context.execution, owner: context.owner, tenant: context.tenant)
        // Only what runs it gets it, and a run may wait for days.
        draft.tokenMilliseconds = nil
        let record = try await context.jobs.setup(draft)
        let message = JobRunMessage(
            job: record.uuid, path: record.path, callback: try context.jobs.callback(record), name: name,
            upload: upload, spec: spec, file: file)
        try context.send(.alias(message.runner), message.json, key: record.uuid.rawValue)
        context.log(.info, "Job \(record.uuid) for \(file)")
        return (record, message)
    }
}
