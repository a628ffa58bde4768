import ActorCore

/// Makes the PipelineJob of a checked job file and has it run.
struct JobLaunch: Sendable {
    let manifest: JobManifest
    /// What the job's history calls the file, and its text before anything was put into it.
    let file: String
    let text: [UInt8]
    /// Names the pipeline, together with the file's content.
    let pipelineName: String
    let upload: JobRunMessage.Upload
    let data: JSONValue
    /// Who is told when the job moves.
    var notify: ActorID?

    func start(_ context: any ReactorContext) async throws -> (record: JobRecord, message: JobRunMessage) {
        let now = context.now()
        let components: JSONValue = [["file": .string(file), "sha256": .string(Fingerprint.sha256(text))]]
        let pipeline = JobIdentity.pipeline(id: pipelineName, components: components)
        context.change(
            .registerPipeline(
                PipelineRecord(
                    uuid: pipeline, id: pipelineName, name: pipelineName, generation: .second, components: components,
                    owner: context.owner, created: now)))
        let name = JobName.safe(manifest.name)
        var draft = JobDraft(
            pipeline: pipeline, generation: .second, data: data, session: name, notify: notify, actor: context.actor,
            execution: context.execution, owner: context.owner, tenant: context.tenant)
        // Only what runs it gets it, and a run may wait for days.
        draft.tokenMilliseconds = nil
        let record = try await context.jobs.setup(draft)
        let message = JobRunMessage(
            job: record.uuid, path: record.path, callback: try context.jobs.callback(record), name: name,
            upload: upload, spec: manifest.spec, file: file)
        try context.send(.alias(message.runner), message.json, key: record.uuid.rawValue)
        context.log(.info, "Job \(record.uuid) for \(file)")
        return (record, message)
    }
}
