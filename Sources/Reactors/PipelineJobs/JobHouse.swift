import ActorCore

/// What the manager's settings and a pipeline's say about new jobs.
struct JobHouse: Sendable {
    let settings: JSONValue

    init(_ context: any ReactorContext) { self.settings = context.settings }

    /// How long a token is valid that nobody says more about.
    var tokenHours: Double {
        let hours = settings["token_hours"]?.double ?? 0
        return hours > 0 ? hours : Double(JobKey.standardMilliseconds) / 3_600_000
    }

    private var tokenEvents: [PipelineJobEvent] {
        let events = settings["token_events"].flatMap { try? PipelineSettings.tokenEvents($0, at: "token_events") }
        return events ?? JobKey.standardEvents
    }

    /// Why no such job can be made; a dry run may ask about pipelines that are not there.
    ///
    /// - Parameter choosingPaths: whether files may be said to lie anywhere: whoever reads the job reads them.
    func obstacle(
        to creation: JobCreation, of pipeline: PipelineRecord?, choosingPaths: Bool
    ) -> JobRefusal? {
        if let path = creation.archivePath, !choosingPaths, !ArchivePath.isOwn(path, of: creation.pipeline) {
            return JobRefusal(
                .forbidden,
                "archive_path: \(path) is no path of a job of this pipeline, which is like "
                    + "/products/v1/…/\(creation.pipeline)/NAME: leave it out, or have an admin make the job")
        }
        guard let pipeline else {
            guard !creation.isDryRun, settings["unknown_pipelines"]?.string != "register" else { return nil }
            return JobRefusal(
                .invalidInput,
                "No pipeline exists with UUID \(creation.pipeline): register it before its first job, with "
                    + "reactord pipelines register @FILE, POST /api/v1/pipelines or a message to pipelines-manager")
        }
        if let wanted = creation.generation, wanted != pipeline.generation {
            return JobRefusal(
                .invalidInput,
                "generation: pipeline \(pipeline.uuid) is of generation \(pipeline.generation.rawValue)")
        }
        guard pipeline.isEnabled || creation.isDryRun else {
            return JobRefusal(
                .conflict, "pipeline \(pipeline.uuid) (\(pipeline.name)) is disabled: it takes no new jobs")
        }
        return nil
    }

    func draft(
        _ creation: JobCreation, of pipeline: PipelineRecord?, _ envelope: Envelope, _ context: any ReactorContext
    ) throws -> JobDraft {
        let rules: PipelineSettings
        do {
            rules = try PipelineSettings(pipeline?.settings ?? [:])
        } catch {
            throw JobRefusal(.conflict, "pipeline \(creation.pipeline): \(error.message)")
        }
        let sender = envelope.message.sender
        let maker = JobCreation.maker(sender)
        let generation =
            pipeline?.generation ?? creation.generation ?? JobCreation.generation(of: creation.pipeline)
        var draft = creation.draft(
            generation, petName: SessionName.make(randomHex: context.randomHex(bytes: 2)), maker: maker,
            execution: envelope.message.cause ?? context.execution, owner: maker == nil ? sender : context.owner,
            tenant: context.tenant)
        draft.machine = rules.machine
        draft.tokenEvents = creation.tokenEvents ?? rules.tokenEvents ?? tokenEvents
        draft.tokenMilliseconds = Milliseconds.of(seconds: (rules.tokenHours ?? tokenHours) * 3600)
        return draft
    }

    /// The record of a pipeline that nobody registered.
    func unregistered(_ draft: JobDraft, now: Timestamp) -> PipelineRecord {
        PipelineRecord(
            uuid: draft.pipeline, name: draft.pipeline.rawValue, generation: draft.generation, components: .array([]),
            created: now)
    }
}

extension JobRefusal: Error {}
