package import ActorCore

extension JobCreation {
    /// - Parameter petName: for a session that was not given, or is too short to be a name.
    package func draft(
        _ generation: JobGeneration, petName: String, maker: ActorID? = nil, execution: ExecutionID?, owner: String,
        tenant: String
    ) -> JobDraft {
        let session = session.flatMap { $0.utf8.count < 4 ? nil : $0 } ?? petName
        var draft = JobDraft(
            pipeline: pipeline, generation: generation, childOf: childOf, data: data, path: archivePath,
            session: session, notify: notify, actor: actor ?? maker, execution: self.execution ?? execution,
            owner: owner, tenant: tenant)
        draft.isInstanced = isInstanced
        draft.subject = subject
        return draft
    }

    /// The actor that asks, when it is one.
    static func maker(_ sender: String) -> ActorID? {
        sender.hasPrefix("actor:") ? ActorID(String(sender.dropFirst("actor:".count))) : nil
    }

    /// The job's id as far as the request alone tells: where it leaves the generation out, by the pipeline's UUID.
    func uuid(by sender: String) -> JobID {
        draft(
            generation ?? Self.generation(of: pipeline), petName: "", maker: Self.maker(sender), execution: nil,
            owner: sender, tenant: ""
        ).uuid
    }
}
