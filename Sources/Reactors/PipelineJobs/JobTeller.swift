import ActorCore

/// Tells whoever wants to know that a job has moved or stands still. Nobody who cannot be told keeps a job from moving.
struct JobTeller: Sendable {
    let context: any ReactorContext
    /// The manager's settings.
    let settings: JSONValue

    /// - Parameter record: before the move.
    func moved(
        _ record: JobRecord, to status: PipelineJobState, by event: PipelineJobEvent, data: JSONValue
    ) async throws {
        let key = "\(record.uuid):\(record.created.milliseconds):\(record.revision + 1)"
        if flag("state_enter", default: false) {
            tell(.events, events(record, event, record.status, last: record.lastEvent), "\(key):enter")
        }
        if flag("state_exit", default: true) {
            tell(.events, events(record, event, status, last: event), "\(key):exit")
        }
        let body = PipelineJobDocument.notification(record, status: status, event: event.rawValue, data: data)
        for actor in try await listeners(record) { tell(.actor(actor), body, key) }
    }

    /// Taken out of the catalogue: nothing more will be heard of it. Its data goes along, since nobody can look it up.
    func removed(_ gone: DeletedJob, _ record: JobRecord) async throws {
        let key = "\(record.uuid):\(record.created.milliseconds):\(record.revision):\(gone.action)"
        let data: JSONValue = [
            "by": .string(gone.by), "at": JSONValue(gone.deleted), "job_data": record.data,
        ]
        let body = PipelineJobDocument.notification(record, status: record.status, event: gone.action, data: data)
        for actor in try await listeners(record) { tell(.actor(actor), body, key) }
    }

    func stalled(_ record: JobRecord, _ stall: JobStall) async throws {
        let key = "\(record.uuid):\(record.created.milliseconds):\(record.revision):stalled"
        let data: JSONValue = [
            "since": JSONValue(stall.since), "limit_seconds": .int(stall.limitMilliseconds / 1000),
        ]
        let body = PipelineJobDocument.notification(record, status: record.status, event: "stalled", data: data)
        for actor in try await listeners(record) { tell(.actor(actor), body, key) }
    }

    /// The indexer is told of `index` and `indexed`, as the predecessor's was (section 2.2, step 6).
    func forward(
        _ event: PipelineJobEvent, _ record: JobRecord, token: String?, filters: JSONValue?, to indexer: String
    ) {
        var body: JSONValue = [
            "name": .string(event.rawValue), "uuid": .string(record.uuid.rawValue), "token": JSONValue(token),
        ]
        if token == nil { body = body.removing("token") }
        if let filters { body = body.setting("filters", filters) }
        let key = "\(record.uuid):\(record.created.milliseconds):\(record.revision + 1):\(event.rawValue)"
        tell(.named(indexer), body, key)
    }

    private func listeners(_ record: JobRecord) async throws -> [ActorID] {
        let watchers = try await context.catalogue.watchers(of: record.uuid, pipeline: record.pipeline)
        return [record.notify].compactMap { $0 } + watchers.filter { $0 != record.notify }
    }

    private func events(
        _ record: JobRecord, _ event: PipelineJobEvent, _ state: PipelineJobState, last: PipelineJobEvent
    ) -> JSONValue {
        [
            "job_uuid": .string(record.uuid.rawValue), "event_name": .string(event.rawValue),
            "job_state": .string(state.rawValue), "data": ["last_event": .string(last.rawValue)],
        ]
    }

    private func flag(_ name: String, default fallback: Bool) -> Bool { settings[name]?.bool ?? fallback }

    // MARK: Sending

    private enum Listener {
        case events, actor(ActorID), named(String)
    }

    private func tell(_ listener: Listener, _ body: JSONValue, _ key: String) {
        let address: Address
        switch listener {
        case .actor(let id): address = .id(id)
        case .named(let word): address = Self.address(word)
        case .events:
            guard let word = settings["events_manager"]?.string, !word.isEmpty else { return }
            address = Self.address(word)
        }
        do {
            try context.send(address, body, key: key)
        } catch {
            context.log(.warning, "\(address) could not be told of a job: \(error)")
        }
    }

    /// Whether an actor is there to be told.
    static func isThere(_ word: String, _ context: any ReactorContext) -> Bool {
        Hashids.abaco.decode(word) != nil || context.actor(named: word) != nil
    }

    /// An id or an alias.
    static func address(_ word: String) -> Address {
        Hashids.abaco.decode(word) == nil ? .alias(word) : .id(ActorID(word))
    }
}
