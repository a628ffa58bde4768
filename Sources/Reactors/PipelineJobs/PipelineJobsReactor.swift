package import ActorCore

/// Keeps every PipelineJob: creates them, checks the tokens of what arrives, moves them by the published machine.
///
/// Messages about one job are handled one after another, so its events are decided in the order in which they were
/// accepted; jobs do not wait for one another.
package actor PipelineJobsReactor: ConfiguredReactor {
    package static let settings = JobSettings.manager

    let archive: any ArchiveFiles

    package init(archive: any ArchiveFiles) { self.archive = archive }

    package nonisolated func key(of message: NewMessage) -> String? {
        let said = try? PipelineJobMessage.decode(body: message.body, parameters: message.environment)
        return said?.job(from: message.sender)?.rawValue
    }

    package func receive(_ envelope: Envelope, _ context: any ReactorContext) async throws {
        let message: PipelineJobMessage
        do {
            message = try PipelineJobMessage.decode(
                body: envelope.message.body, parameters: envelope.message.environment)
        } catch {
            context.reply(JobRefusal(error).json(of: nil))
            throw error
        }
        switch message {
        case .create(let creation): try await create(creation, envelope, context)
        case .event(let event): try await handle(event, envelope, context)
        case .callback(let message): try await handle(message, envelope, context)
        case .stalled(let jobs): try await flag(jobs, context)
        case .action(let action): try await act(action, envelope, context)
        }
    }

    // MARK: Create

    private func create(
        _ creation: JobCreation, _ envelope: Envelope, _ context: any ReactorContext
    ) async throws {
        let pipeline = try await context.pipeline(creation.pipeline)
        guard mayCreate(in: pipeline, envelope, context) else {
            throw try await refuseStranger(creation.pipeline, envelope, context)
        }
        let house = JobHouse(context)
        let draft: JobDraft
        do {
            let isOwner = envelope.message.sender == context.owner && !envelope.isByNonce
            let isTrusted = authority(nil, envelope) == .admin || envelope.isFromAdmin || isOwner
            if let obstacle = house.obstacle(to: creation, of: pipeline, choosingPaths: isTrusted) { throw obstacle }
            draft = try house.draft(creation, of: pipeline, envelope, context)
        } catch let refusal as JobRefusal {
            throw answer(refusal, nil, context)
        }
        let now = creation.time ?? context.now()
        let existing = try await context.job(draft.uuid)
        guard !creation.isDryRun else {
            context.reply(
                try PipelineJobDocument.planned(draft, now: now, exists: existing != nil, context: context))
            return
        }
        if let existing {
            if let obstacle = obstacle(to: draft, existing) { throw answer(obstacle, existing.uuid, context) }
            context.log(.info, "Job \(existing.uuid) is known; it stays as it is")
            try answer(existing, draft, envelope, context)
            return
        }
        if pipeline == nil {
            context.change(.registerPipeline(house.unregistered(draft, now: now)))
            context.log(.info, "Pipeline \(draft.pipeline) was not known; it is registered without components")
        }
        let record = draft.record(
            pepper: try await TokenPepper.of(context), randomHex: context.randomHex(bytes: 16), now: now)
        context.change(.create(record, draft.firstEntry(now: now)))
        try await describe(record, creation, context)
        context.log(.info, "Created job \(record.uuid) for pipeline \(record.pipeline)")
        try answer(record, draft, envelope, isNew: true, context)
    }

    /// Whoever holds a nonce is a stranger whatever its owner may do: it makes a job only by the pipeline's own token,
    /// or an admin token, which stands in the URL as those of callbacks do.
    private func mayCreate(
        in pipeline: PipelineRecord?, _ envelope: Envelope, _ context: any ReactorContext
    ) -> Bool {
        guard envelope.isByNonce else { return true }
        let shown = envelope.parameter("token") ?? ""
        let expected = pipeline?.token ?? ""
        let opens = JobToken.matches(shown, expected) && !expected.isEmpty
        let isAdmin = AdminTokens(settings: context.settings)?.accepts(shown, at: context.now(), Fingerprint.sha256)
        return opens || isAdmin ?? false
    }

    /// The same for an unknown pipeline, a wrong token, and none: a guess learns nothing from it.
    private func refuseStranger(
        _ pipeline: PipelineID, _ envelope: Envelope, _ context: any ReactorContext
    ) async throws -> ReactorFailure {
        let refusal = JobRefusal(
            .forbidden,
            "Token is not valid: by a nonce, a new job needs the token of its pipeline in the URL (&token=)")
        context.audit(
            who: envelope.message.sender, "job.create", pipeline.rawValue,
            outcome: "\(refusal.code.rawValue): \(refusal.message)")
        try await context.commit()
        return answer(refusal, nil, context)
    }

    /// The first generation hashed actor and data only: two runs of something else must not become one job.
    private func obstacle(to draft: JobDraft, _ existing: JobRecord) -> JobRefusal? {
        let difference =
            existing.pipeline == draft.pipeline
            ? existing.subject.difference(from: draft.subject) : "pipeline \(existing.pipeline)"
        return difference.map {
            JobRefusal(
                .conflict,
                "job \(existing.uuid) has the same actor and data, but \($0): something in data has to tell them apart")
        }
    }

    private func answer(
        _ record: JobRecord, _ draft: JobDraft, _ envelope: Envelope, isNew: Bool = false,
        _ context: any ReactorContext
    ) throws {
        let document = PipelineJobDocument.created(record, callback: try context.callbackURL(for: record))
        // Equal data makes an equal uuid: asking for somebody else's job must not hand out its token.
        let isTheirs = isNew || (record.owner == draft.owner && !envelope.isByNonce)
        context.reply(isTheirs ? document : document.removing("token", "callback"))
    }

    // MARK: What is done to the record

    private func act(
        _ action: PipelineJobMessage.Action, _ envelope: Envelope, _ context: any ReactorContext
    ) async throws {
        let desk = try await desk(action.uuid, token: action.token, isNews: false, envelope, context)
        let record = desk.record
        let salt = JobToken.salt(randomHex: context.randomHex(bytes: 16), record.generation)
        let pepper = try await TokenPepper.of(context)
        let (tenant, who) = (context.tenant, envelope.message.sender)
        let verdict = desk.verdict(
            on: action, by: authority(action.token, envelope), who: who,
            standardHours: JobHouse(context).tokenHours
        ) { key in
            var key = key
            key.salt = salt
            key.token = JobToken.token(
                record.generation, pepper: pepper, pipeline: record.pipeline, job: record.uuid, owner: record.owner,
                tenant: tenant, salt: salt)
            return key
        }
        let name = "job.\(action.kind.name)"
        switch verdict {
        case .refuse(let refusal, let change):
            throw try await refuse(refusal, change, action.uuid, name, envelope, context)
        case .move: break
        case .change(let change):
            context.change(change)
            if case .delete(let gone, _) = change {
                try await JobTeller(context: context, settings: context.settings).removed(gone, record)
            }
            context.audit(who: who, name, action.uuid.rawValue, outcome: "ok")
            context.log(.info, "Job \(action.uuid): \(action.kind.name)")
            if case .rekey(_, let key) = change {
                var renewed = record
                renewed.key = key
                context.reply(PipelineJobDocument.key(renewed, callback: try context.callbackURL(for: renewed)))
            } else {
                context.reply(PipelineJobDocument.gone(record, action.kind.name))
            }
        }
    }

    // MARK: Refusals

    /// The desk of a job; says of one that is gone that it is.
    ///
    /// - Parameter isNews: the message tells of the job, which must not be lost; what is only asked for is not kept.
    func desk(
        _ uuid: JobID, token: String?, isNews: Bool = true, _ envelope: Envelope, _ context: any ReactorContext
    ) async throws -> JobDesk {
        let now = context.now()
        let tokens = AdminTokens(settings: context.settings)
        if let record = try await context.job(uuid) {
            return JobDesk(record: record, now: now, adminTokens: tokens, execution: context.execution)
        }
        guard let gone = try await context.deletedJob(uuid) else {
            throw try await refuse(.unknownJob(uuid), nil, uuid, "job.event", envelope, context)
        }
        let isKnown = authority(token, envelope).word != nil || JobDesk.opens(token ?? "", gone.key, at: now)
        guard isKnown else { throw try await refuse(.token, nil, uuid, "job.event", envelope, context) }
        let verb = gone.action == "cancel" ? "cancelled" : "deleted"
        let refusal = JobRefusal(
            .notFound,
            "job \(uuid) was \(verb) at \(gone.deleted.iso8601)"
                + (isNews ? "; what this message says is kept as a dead letter" : ""))
        let refused = try await refuse(refusal, nil, uuid, "job.event", envelope, context)
        guard isNews else { throw refused }
        // Parked with its body: whoever sent it meant something that is not to be lost.
        throw ReactorFailure(.permanent, refusal.message)
    }

    func authority(_ token: String?, _ envelope: Envelope) -> JobAuthority {
        let said = envelope.message.environment.first { $0.name == JobAuthority.variable }?.value
        return JobAuthority(said: said, token: token)
    }

    /// Commits what is recorded of it first: throwing drops what is only buffered.
    func refuse(
        _ refusal: JobRefusal, _ change: JobChange?, _ uuid: JobID, _ action: String, _ envelope: Envelope,
        _ context: any ReactorContext
    ) async throws -> ReactorFailure {
        if let change { context.change(change) }
        context.audit(
            who: envelope.message.sender, action, uuid.rawValue, outcome: "\(refusal.code.rawValue): \(refusal.message)"
        )
        try await context.commit()
        return answer(refusal, uuid, context)
    }

    func answer(_ refusal: JobRefusal, _ uuid: JobID?, _ context: any ReactorContext) -> ReactorFailure {
        context.reply(refusal.json(of: uuid))
        return ReactorFailure(.refused, refusal.message)
    }
}

extension PipelineJobMessage.Action.Kind {
    var name: String {
        switch self {
        case .cancel: "cancel"
        case .delete: "delete"
        case .renew: "renew"
        }
    }
}
