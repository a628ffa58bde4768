package import ActorCore

/// Keeps the pipelines: registers, updates, enables and disables them, and tells what they are.
///
/// It handles one message at a time, so that two who register the same are told of each other.
package actor PipelinesReactor: ConfiguredReactor {
    package static let settings = JobSettings.pipelines

    package init() {}

    package func receive(_ envelope: Envelope, _ context: any ReactorContext) async throws {
        let message: PipelineMessage
        do {
            message = try PipelineMessage.decode(
                body: envelope.message.body, parameters: envelope.message.environment)
            try PipelineTreatment.checkTable(message.settings, context.settings)
        } catch {
            context.reply(JobRefusal(error).json(of: nil))
            throw error
        }
        let said = envelope.message.environment.first { $0.name == JobAuthority.variable }?.value
        switch message {
        case .write(let draft, let uuid, let token):
            let pepper = try await TokenPepper.of(context)
            let verdict = try await desk(draft.uuid, context).verdict(
                on: draft, uuid: uuid, token: token, by: JobAuthority(said: said, token: token)
            ) { record(of: $0, pepper, envelope, context) }
            try await settle(verdict, draft.uuid, "register", envelope, context)
        case .update(let uuid, let changes, let components, let token):
            let verdict = try await desk(uuid, context).verdict(
                on: changes, of: uuid, components: components, token: token,
                by: JobAuthority(said: said, token: token))
            try await settle(verdict, uuid, "update", envelope, context)
        case .enable(let uuid, let isEnabled, let token):
            let verdict = try await desk(uuid, context).verdict(
                enabling: isEnabled, of: uuid, token: token, by: JobAuthority(said: said, token: token))
            try await settle(verdict, uuid, isEnabled ? "enable" : "disable", envelope, context)
        case .read(let uuid):
            guard let record = try await context.pipeline(uuid) else {
                throw try await refuse(PipelineDesk.unknown(uuid), uuid, envelope, context)
            }
            context.reply(PipelineDocument.json(of: record))
        }
    }

    private func desk(_ uuid: PipelineID, _ context: any ReactorContext) async throws -> PipelineDesk {
        PipelineDesk(
            record: try await context.pipeline(uuid), now: context.now(),
            adminTokens: AdminTokens(settings: context.settings))
    }

    private func record(
        of draft: PipelineDraft, _ pepper: String, _ envelope: Envelope, _ context: any ReactorContext
    ) -> PipelineRecord {
        let salt = JobToken.salt(randomHex: context.randomHex(bytes: 16), draft.generation)
        let sender = envelope.message.sender
        let owner = sender.hasPrefix("actor:") ? context.owner : sender
        let token =
            draft.generation == .first
            ? JobToken.make(pepper: pepper, pipeline: draft.uuid, salt: salt)
            : JobToken.make(salt: salt, uuid: draft.uuid.rawValue, owner: owner, tenant: context.tenant)
        return draft.record(owner: owner, token: token, salt: salt, now: context.now())
    }

    private func settle(
        _ verdict: PipelineDesk.Verdict, _ uuid: PipelineID, _ action: String, _ envelope: Envelope,
        _ context: any ReactorContext
    ) async throws {
        switch verdict {
        case .refuse(let refusal): throw try await refuse(refusal, uuid, envelope, context)
        case .keep(let record): context.reply(PipelineDocument.json(of: record))
        case .write(let record, let revision, let isNew):
            context.change(.writePipeline(record, revision: revision))
            context.audit(
                who: envelope.message.sender, "pipeline.\(action)", uuid.rawValue, outcome: "ok")
            context.log(.info, "Pipeline \(uuid) (\(record.name)): \(action)")
            let document = PipelineDocument.json(of: record)
            context.reply(isNew ? document.setting("token", .string(record.token)) : document)
        }
    }

    private func refuse(
        _ refusal: JobRefusal, _ uuid: PipelineID, _ envelope: Envelope, _ context: any ReactorContext
    ) async throws -> ReactorFailure {
        context.audit(
            who: envelope.message.sender, "pipeline.change", uuid.rawValue,
            outcome: "\(refusal.code.rawValue): \(refusal.message)")
        try await context.commit()
        context.reply(refusal.json(of: nil).setting("uuid", .string(uuid.rawValue)))
        return ReactorFailure(.refused, refusal.message)
    }
}

/// What the manager of pipelines answers.
enum PipelineDocument {
    static func json(of record: PipelineRecord) -> JSONValue {
        var json: JSONValue = [
            "uuid": .string(record.uuid.rawValue), "name": .string(record.name),
            "generation": JSONValue(record.generation.rawValue), "description": .string(record.description),
            "components": record.components,
        ]
        if !record.id.isEmpty { json = json.setting("id", .string(record.id)) }
        for member in record.details.object ?? [] { json = json.setting(member.name, member.value) }
        return json.setting("settings", record.settings).setting("enabled", .bool(record.isEnabled))
            .setting("owner", .string(record.owner)).setting("revision", JSONValue(record.revision))
    }
}
