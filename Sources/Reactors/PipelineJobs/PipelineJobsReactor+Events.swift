import ActorCore

/// What happens to jobs: events, callbacks of job platforms, and nothing at all for too long.
extension PipelineJobsReactor {
    func handle(
        _ event: PipelineJobMessage.Event, _ envelope: Envelope, _ context: any ReactorContext
    ) async throws {
        let desk = try await desk(event.uuid, token: event.token, envelope, context)
        try await decide(event, desk, try await treatment(desk.record, context), envelope, context)
    }

    /// - Parameter status: of the platform that reported it, to be remembered.
    private func decide(
        _ event: PipelineJobMessage.Event, status: String? = nil, _ desk: JobDesk, _ treatment: PipelineTreatment,
        _ envelope: Envelope, _ context: any ReactorContext
    ) async throws {
        let (event, excess) = Self.bounded(event, treatment.maxDataBytes)
        let action = "job.\(event.name.lowercased().prefix(64))"
        switch desk.verdict(on: event, by: authority(event.token, envelope)) {
        case .move(let moved, let known, let change):
            if var excess {
                excess.state = desk.record.status
                excess.legalEvents = PipelineJobMachine.events(from: desk.record.status, desk.record.machine)
                let entry = JobHistoryEntry(
                    name: String(event.name.prefix(64)), date: context.now(), data: event.data,
                    refusal: excess.message, execution: context.execution)
                throw try await refuse(excess, .refuse(event.uuid, entry), event.uuid, action, envelope, context)
            }
            context.change(change)
            if let status { context.change(.saw(event.uuid, status: status)) }
            context.log(.info, "New status for job \(event.uuid) is \(moved.rawValue)")
            try await tell(desk.record, moved, known, event, treatment, context)
            let answer = PipelineJobDocument.moved(desk.record, to: moved, by: known)
            context.reply(answer)
            guard known == .reset else { return }
            context.reply(try await cleared(desk.record, event, answer, treatment, envelope, context))
        case .change(let change): context.change(change)
        case .refuse(let refusal, let change):
            throw try await refuse(refusal, change, event.uuid, action, envelope, context)
        }
    }

    /// A job that cannot be cleaned stays RESET, and whoever reset it learns why.
    private func cleared(
        _ record: JobRecord, _ event: PipelineJobMessage.Event, _ answer: JSONValue, _ treatment: PipelineTreatment,
        _ envelope: Envelope, _ context: any ReactorContext
    ) async throws -> JSONValue {
        let indexer = treatment.indexer.flatMap { JobTeller.isThere($0, context) ? $0 : nil }
        let outcome: JobClearance.Outcome
        do throws(ActorError) {
            outcome = try await JobClearance(archive: archive, context: context)
                .clear(record, data: event.data, indexer: indexer)
        } catch {
            guard event.data["permissive"] == true else {
                let refusal = JobRefusal(
                    .unavailable, "the job is RESET, but what lies at \(record.path) is still there: \(error.message)")
                throw try await refuse(refusal, nil, event.uuid, "job.reset", envelope, context)
            }
            outcome = .kept(error.message)
        }
        if case .kept(let reason) = outcome { context.log(.warning, "Files of job \(record.uuid) stay: \(reason)") }
        return (outcome.json.object ?? []).reduce(answer) { $0.setting($1.name, $1.value) }
    }

    private func treatment(
        _ record: JobRecord, _ context: any ReactorContext
    ) async throws -> PipelineTreatment {
        PipelineTreatment(house: context.settings, pipeline: try await context.pipeline(record.pipeline)?.settings)
    }

    /// What is longer than an event's data may be is refused, and stands in the history by its size only.
    private static func bounded(
        _ event: PipelineJobMessage.Event, _ limit: Int
    ) -> (event: PipelineJobMessage.Event, excess: JobRefusal?) {
        let bytes = JSONWriter.bytes(event.data).count
        guard bytes > limit else { return (event, nil) }
        var event = event
        event.data = ["omitted": "data", "bytes": JSONValue(bytes), "limit": JSONValue(limit)]
        return (
            event,
            JobRefusal(
                .tooLarge,
                "data has \(bytes) bytes, and an event carries at most \(limit) (max_data_bytes): leave a file below "
                    + "the job's path and name it instead")
        )
    }

    private func tell(
        _ record: JobRecord, _ status: PipelineJobState, _ known: PipelineJobEvent, _ event: PipelineJobMessage.Event,
        _ treatment: PipelineTreatment, _ context: any ReactorContext
    ) async throws {
        let teller = JobTeller(context: context, settings: context.settings)
        try await teller.moved(record, to: status, by: known, data: event.data)
        guard let indexer = treatment.indexer, JobTeller.isThere(indexer, context) else { return }
        switch known {
        case .index, .indexed:
            let filters = event.data["filters"].flatMap { $0.array == nil ? nil : $0 }
            teller.forward(known, record, token: event.token, filters: filters, to: indexer)
        case .finish where treatment.indexesFinished && record.status != .finished:
            teller.forward(.index, record, token: nil, filters: nil, to: indexer)
        default: break
        }
    }

    // MARK: Callbacks

    func handle(
        _ message: CallbackMessage, _ envelope: Envelope, _ context: any ReactorContext
    ) async throws {
        let desk = try await desk(message.uuid, token: message.token, envelope, context)
        let treatment = try await treatment(desk.record, context)
        let map: CallbackMap
        do {
            map = try treatment.map(named: message.map)
        } catch let refusal as JobRefusal {
            throw try await refuse(message, refusal, desk, envelope, context)
        }
        // A named event is recorded as often as it is sent.
        let isNamed = message.event != nil && message.status == nil
        let seen = isNamed ? [] : try await context.catalogue.statuses(of: message.uuid)
        let reader = JobCallbackReader(map: map, seen: seen, maxDataBytes: treatment.maxDataBytes)
        switch reader.read(message) {
        case .event(let event, let status):
            try await decide(event, status: status, desk, treatment, envelope, context)
        case .repeated(let status): try await pass(message, status, isRepeat: true, desk, envelope, context)
        case .nothing(let status): try await pass(message, status, isRepeat: false, desk, envelope, context)
        case .unclear:
            let refusal = JobRefusal(PipelineJobMessage.refusal(message.data))
            throw try await refuse(message, refusal, desk, envelope, context)
        }
    }

    /// The sender has its 200 by now: what was wrong with its callback stands in the job's history.
    private func refuse(
        _ message: CallbackMessage, _ refusal: JobRefusal, _ desk: JobDesk, _ envelope: Envelope,
        _ context: any ReactorContext
    ) async throws -> ReactorFailure {
        guard desk.admits(authority(message.token, envelope)) else {
            return try await refuse(.token, nil, message.uuid, "job.callback", envelope, context)
        }
        let words = [("map", message.map), ("event", message.event), ("status", message.status)]
        let said = words.compactMap { name, word in
            word.map { JSONValue.Member(name, .string(String($0.prefix(64)))) }
        }
        let entry = JobHistoryEntry(
            name: "callback", date: context.now(), data: .object(said), refusal: refusal.message,
            execution: context.execution)
        return try await refuse(refusal, .refuse(message.uuid, entry), message.uuid, "job.callback", envelope, context)
    }

    /// Nothing happens; who has no right to make something happen is told no more than that.
    private func pass(
        _ message: CallbackMessage, _ status: String, isRepeat: Bool, _ desk: JobDesk, _ envelope: Envelope,
        _ context: any ReactorContext
    ) async throws {
        guard desk.admits(authority(message.token, envelope)) else {
            throw try await refuse(.token, nil, message.uuid, "job.callback", envelope, context)
        }
        context.log(.info, "Job \(message.uuid) reported \(status), which \(isRepeat ? "is known" : "says nothing")")
        context.reply(PipelineJobDocument.unmoved(desk.record, status: status, isRepeat: isRepeat))
    }

    // MARK: Nothing for too long

    /// Looks for itself: what the watcher saw may be over, and anybody may have sent this.
    func flag(_ jobs: [JobID], _ context: any ReactorContext) async throws {
        let flagged = Set(try await context.catalogue.stalls(of: jobs).map(\.job))
        let now = context.now()
        for id in jobs.prefix(1000) where !flagged.contains(id) {
            guard let record = try await context.job(id) else { continue }
            let pipeline = try await context.pipeline(record.pipeline)
            let machine = StallMachine(house: context.settings, pipelines: [pipeline].compactMap { $0 })
            let standing = StallMachine.Standing(
                job: id, pipeline: record.pipeline, status: record.status, revision: record.revision,
                since: record.updated)
            guard !machine.stalled([standing], now: now).isEmpty, let limit = machine.limit(of: record.pipeline)
            else { continue }
            let stall = JobStall(job: id, since: record.updated, limitMilliseconds: limit, flagged: now)
            context.change(.stall(stall, revision: record.revision))
            context.log(
                .warning, "Job \(id) is \(record.status.rawValue) and has not moved since \(record.updated.iso8601)")
            try await JobTeller(context: context, settings: context.settings).stalled(record, stall)
        }
    }

    // MARK: What a new job is described by

    /// The patterns of its files, and the files and references that its parameters name.
    func describe(
        _ record: JobRecord, _ creation: JobCreation, _ context: any ReactorContext
    ) async throws {
        if !creation.filters.isEmpty {
            context.put(
                JobsIndexerReactor.patternsKind, record.uuid.rawValue, ["filters": .array(creation.filters)])
        }
        let named = DataReferences.files(in: record.data).map { text in
            CatalogueFile.split(uri: text).map { CatalogueName.cleaned("\($0.folder)/\($0.file)") }
                ?? CatalogueName.cleaned(text)
        }
        var links = try await context.catalogue.files(named: named).map { CatalogueLink(.actedOn, $0.uuid) }
        for reference in DataReferences.references(in: record.data) where reference.hasPrefix("http") {
            links.append(CatalogueLink(.actedUsing, TypedUUID.make(CatalogueFile.reference, reference)))
        }
        if !links.isEmpty { context.change(.link(record.uuid, links)) }
    }
}
