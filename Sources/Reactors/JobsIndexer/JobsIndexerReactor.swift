package import ActorCore

/// Puts what jobs have left into the catalogue: the manager of the jobs forwards their `index` events to it
/// (PipelineJobs, section 8).
package actor JobsIndexerReactor: ConfiguredReactor {
    package static let settings = JobSettings.indexer

    /// The document with the patterns that a job was created with.
    static let patternsKind = "job-patterns"
    private static let manager = "pipeline-jobs-manager"

    private let archive: any ArchiveFiles

    package init(tools: ReactorTools) { archive = tools.archive }

    package func receive(_ envelope: Envelope, _ context: any ReactorContext) async throws {
        let message = try IndexMessage.decode(
            body: envelope.message.body, parameters: envelope.message.environment)
        switch message {
        case .indexed(let job, _):
            // Whoever says so tells the manager, which moves the job: there is nothing left to do here.
            context.log(.info, "Processed indexed event for \(job)")
            context.reply(["uuid": .string(job.rawValue)])
        case .discard(let name):
            try await archive.discard(name)
            context.log(.info, "Removed the files of an earlier run, \(name)")
        case .index(let request): try await index(request, envelope, context)
        }
    }

    private func index(
        _ request: IndexMessage.Request, _ envelope: Envelope, _ context: any ReactorContext
    ) async throws {
        guard var record = try await context.job(request.job) else {
            throw ReactorFailure(.refused, JobRefusal.unknownJob(request.job).message)
        }
        let mover = JobMover(context: context)
        let isManager = envelope.message.sender == context.actor(named: Self.manager).map { "actor:\($0)" }
        let isForwarded = isManager && !envelope.isByNonce
        let said = envelope.message.environment.first { $0.name == JobAuthority.variable }?.value
        let authority = isForwarded ? JobAuthority.owner : JobAuthority(said: said, token: request.token)
        // What the manager has moved already, or an attempt before this one.
        let isBegun = record.status == .indexing && (isForwarded || context.attempt > 1)
        if !isBegun { record = try await mover.move(record.uuid, .index, by: authority) }
        do {
            let result = try await run(request, record, context)
            let data = result.removing("names").setting("source", "jobs-indexer")
            _ = try await mover.move(record.uuid, .indexed, data: data, by: .owner)
            context.reply(result.setting("uuid", .string(record.uuid.rawValue)))
            context.log(.info, "Sent indexed event for \(record.uuid)")
        } catch let failure as ReactorFailure {
            try await note(failure, record.uuid, context)
            throw failure
        }
    }

    private func run(
        _ request: IndexMessage.Request, _ record: JobRecord, _ context: any ReactorContext
    ) async throws -> JSONValue {
        let process = context.settings["process_uuid"]?.string.flatMap(TypedUUID.normalized)
        var requests: [IndexRequest] = []
        for filter in try await filters(request, record, context) {
            var filter = filter
            if let process, filter["generated_by"] == nil {
                filter = filter.setting("generated_by", [.string(process)])
            }
            requests.append(try IndexRequest(filter))
        }
        return try await IndexRun(
            record: record, requests: requests, isPermissive: request.isPermissive, archive: archive,
            context: context
        ).play()
    }

    /// Those of the message, else those of the job followed by its pipeline's; none: nothing is catalogued.
    private func filters(
        _ request: IndexMessage.Request, _ record: JobRecord, _ context: any ReactorContext
    ) async throws -> [JSONValue] {
        if let filters = request.filters { return filters }
        let own = try await context.document(Self.patternsKind, record.uuid.rawValue)?.body["filters"]?.array ?? []
        let pipeline = try await context.pipeline(record.pipeline)?.settings
        return own + PipelineTreatment(house: context.settings, pipeline: pipeline).patterns
    }

    /// Committed before it is thrown: throwing drops what is only buffered.
    private func note(_ failure: ReactorFailure, _ job: JobID, _ context: any ReactorContext) async throws {
        let known = try await context.document(IndexRun.progressKind, job.rawValue)?.body
        context.put(
            IndexRun.progressKind, job.rawValue,
            IndexRun.failed(known, reason: failure.message, at: context.now()))
        try await context.commit()
    }
}
