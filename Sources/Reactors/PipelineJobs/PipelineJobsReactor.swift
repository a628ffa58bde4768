package import ActorCore

/// Keeps every PipelineJob: creates them, checks the tokens of what arrives, moves them by the published machine.
///
/// It handles one message at a time, so a job's events are decided in the order in which they were accepted.
package actor PipelineJobsReactor: Reactor {
    package init() {}

    package func receive(_ envelope: Envelope, _ context: any ReactorContext) async throws {
        let message = try PipelineJobMessage.decode(
            body: envelope.message.body, parameters: envelope.message.environment)
        switch message {
        case .create(let creation): try await create(creation, envelope, context)
        case .event(let event): try await handle(event, context)
        }
    }

    // MARK: Create

    private func create(
        _ creation: PipelineJobMessage.Creation, _ envelope: Envelope, _ context: any ReactorContext
    ) async throws {
        let draft = self.draft(creation, envelope, context)
        if let existing = try await context.job(draft.uuid) {
            context.log(.info, "Job \(existing.uuid) is known; it stays as it is")
            try answer(existing, draft, context)
            return
        }
        let now = context.now()
        if try await context.pipeline(draft.pipeline) == nil {
            guard context.settings["unknown_pipelines"]?.string != "refuse" else {
                throw ReactorFailure(
                    .refused, "No pipeline exists with UUID \(draft.pipeline): register it before its first job")
            }
            context.change(
                .registerPipeline(
                    PipelineRecord(
                        uuid: draft.pipeline, name: draft.pipeline.rawValue, components: .array([]), created: now)))
            context.log(.info, "Pipeline \(draft.pipeline) was not known; it is registered without components")
        }
        let record = draft.record(
            pepper: try await pepper(context), randomHex: context.randomHex(bytes: 16), now: now)
        context.change(.create(record, draft.firstEntry(now: now)))
        context.log(.info, "Created job \(record.uuid) for pipeline \(record.pipeline)")
        try answer(record, draft, context)
    }

    private func answer(_ record: JobRecord, _ draft: JobDraft, _ context: any ReactorContext) throws {
        let callback = try context.callbackURL(for: record)
        let document = PipelineJobDocument.created(record, childOf: draft.childOf, callback: callback)
        // Equal data makes an equal uuid: asking for somebody else's job must not hand out its token.
        context.reply(record.owner == draft.owner ? document : document.removing("token", "callback"))
    }

    private func draft(
        _ creation: PipelineJobMessage.Creation, _ envelope: Envelope, _ context: any ReactorContext
    ) -> JobDraft {
        let sender = envelope.message.sender
        let actor = sender.hasPrefix("actor:") ? ActorID(String(sender.dropFirst(6))) : nil
        let generated = SessionName.make(randomHex: context.randomHex(bytes: 2))
        var draft = JobDraft(
            pipeline: creation.pipeline, childOf: creation.childOf, data: creation.data, path: creation.archivePath,
            session: creation.session ?? generated, notify: creation.notify, actor: actor,
            execution: envelope.message.cause ?? context.execution, owner: actor == nil ? sender : context.owner)
        draft.isInstanced = creation.isInstanced
        return draft
    }

    /// From the settings; without one there, a random one made at first use and kept in the actor's state.
    private func pepper(_ context: any ReactorContext) async throws -> String {
        if let configured = context.settings["token_pepper"]?.string, !configured.isEmpty { return configured }
        let state = try await context.state()
        if let kept = state["token_pepper"]?.string { return kept }
        let made = context.randomHex(bytes: 32)
        context.setState(state.setting("token_pepper", .string(made)))
        return made
    }

    // MARK: Events

    private func handle(_ event: PipelineJobMessage.Event, _ context: any ReactorContext) async throws {
        guard let record = try await context.job(event.uuid) else {
            throw ReactorFailure(.refused, "\(event.uuid) is not a valid job ID")
        }
        guard let token = event.token, JobToken.matches(token, record.token) else {
            throw ReactorFailure(.refused, "Token is not valid")
        }
        // The name is whatever a caller sent; the history keeps a bounded part of it.
        let name = String(event.name.prefix(64))
        guard let known = PipelineJobEvent(rawValue: event.name.lowercased()) else {
            let names = PipelineJobEvent.allCases.map(\.rawValue).joined(separator: ", ")
            let reason = "Unknown event \(name): it must be one of \(names)"
            throw try await refuse(record, name, event.data, reason, context)
        }
        var machine = PipelineJobMachine(state: record.status)
        switch machine.handle(known) {
        case .refuse(let reason): throw try await refuse(record, name, event.data, reason, context)
        case .move(_, let status):
            let entry = JobHistoryEntry(
                name: name, date: context.now(), data: event.data, execution: context.execution)
            context.change(.move(record.uuid, revision: record.revision, to: status, by: known, entry))
            context.log(.info, "New status for job \(record.uuid) is \(status.rawValue)")
            context.reply(PipelineJobDocument.moved(record, to: status, by: known))
            notify(record, status, known, event.data, context)
        }
    }

    /// Commits the refusal first: throwing drops what is only buffered.
    private func refuse(
        _ record: JobRecord, _ name: String, _ data: JSONValue, _ reason: String, _ context: any ReactorContext
    ) async throws -> ReactorFailure {
        let entry = JobHistoryEntry(
            name: name, date: context.now(), data: data, refusal: reason, execution: context.execution)
        context.change(.refuse(record.uuid, entry))
        try await context.commit()
        return ReactorFailure(.refused, reason)
    }

    /// An actor that is gone must not keep the job from moving.
    private func notify(
        _ record: JobRecord, _ status: PipelineJobState, _ event: PipelineJobEvent, _ data: JSONValue,
        _ context: any ReactorContext
    ) {
        guard let actor = record.notify else { return }
        let body = PipelineJobDocument.notification(record, status: status, event: event, data: data)
        do {
            try context.send(.id(actor), body, key: "\(record.uuid):\(record.revision + 1)")
        } catch {
            context.log(.warning, "Actor \(actor) could not be told of job \(record.uuid): \(error)")
        }
    }
}
