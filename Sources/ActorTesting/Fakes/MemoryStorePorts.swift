package import ActorCore

extension MemoryStore: ExecutionStore {
    package func execution(_ id: ExecutionID) async throws(ActorError) -> ExecutionRecord? {
        read { $0.executions[id] }
    }

    package func executions(
        of actor: ActorID?, among actors: Set<ActorID>?, before: Int64?, limit: Int
    ) async throws(ActorError) -> [ExecutionRecord] {
        read { model in
            let matching = model.executions.values.filter { record in
                (actor == nil || record.actor == actor) && (actors?.contains(record.actor) ?? true)
                    && record.sequence < before ?? Int64.max
            }
            return Array(matching.sorted { $0.sequence > $1.sequence }.prefix(max(0, limit)))
        }
    }

    package func totals(of actor: ActorID) async throws(ActorError) -> ExecutionTotals {
        read { model in
            let records = model.executions.values.filter { $0.actor == actor }
            let seconds = records.compactMap { record -> Int64? in
                guard let started = record.started, let finished = record.finished else { return nil }
                return max(0, finished.since(started) / 1000)
            }
            let ended = records.filter { $0.finished != nil }
            return ExecutionTotals(
                count: records.count, seconds: Int(seconds.reduce(0, +)),
                use: ended.map(\.use).reduce(ResourceUse(), +))
        }
    }

    package func attempts(of id: ExecutionID) async throws(ActorError) -> [AttemptRecord] {
        read { $0.attempts[id] ?? [] }
    }

    package func log(of id: ExecutionID) async throws(ActorError) -> LogRecord? { read { $0.logs[id] } }

    package func deadLetters(_ query: DeadLetterQuery) async throws(ActorError) -> [DeadLetter] {
        read { model in
            let matching = model.deadLetters.filter { letter in
                (query.actor == nil || letter.message.actor == query.actor)
                    && (query.among?.contains(letter.message.actor) ?? true)
                    && !(query.waitingOnly && letter.replayedAs != nil)
            }
            switch query.order {
            case .newestFirst(let below):
                return Array(matching.reversed().filter { $0.id < below ?? .max }.prefix(max(0, query.limit)))
            case .oldestFirst(let above): return Array(matching.filter { $0.id > above }.prefix(max(0, query.limit)))
            }
        }
    }

    package func deadLetter(_ id: Int64) async throws(ActorError) -> DeadLetter? {
        read { $0.deadLetters.first { $0.id == id } }
    }

    package func replay(_ id: Int64, as message: NewMessage) async throws(ActorError) -> Envelope {
        try change { (model) throws(ActorError) in
            guard let index = model.deadLetters.firstIndex(where: { $0.id == id }) else {
                throw ActorError(.notFound, "there is no dead letter \(id)")
            }
            let letter = model.deadLetters[index]
            if let earlier = letter.replayedAs {
                throw ActorError(.conflict, "dead letter \(id) was replayed already, as execution \(earlier)")
            }
            let envelope = model.insert(message)
            model.deadLetters[index] = DeadLetter(
                id: id, execution: letter.execution, message: letter.message, reason: letter.reason,
                attempts: letter.attempts, parked: letter.parked, replayedAs: envelope.execution)
            return envelope
        }
    }

    package func discardDeadLetter(_ id: Int64) async throws(ActorError) -> Bool {
        try change { model in
            let before = model.deadLetters.count
            model.deadLetters.removeAll { $0.id == id }
            return model.deadLetters.count < before
        }
    }

    package func prune(_ ages: PruneAges) async throws(ActorError) -> Int {
        try change { model in
            let olds = model.executions.values.filter { $0.finished.map { $0 < ages.executions } ?? false }.map(\.id)
            for id in olds {
                model.executions[id] = nil
                model.attempts[id] = nil
                model.logs[id] = nil
            }
            let before = model.prunable
            model.deadLetters.removeAll { $0.parked < ages.deadLetters }
            model.calls.removeAll { $0.state == .givenUp && $0.item.created < ages.deadLetters }
            model.keys = model.keys.filter { $0.value.received >= ages.idempotency }
            model.audits.removeAll { $0.action == AuditEntry.linkDrop && $0.at < ages.executions }
            model.nonces = model.nonces.filter { _, nonce in
                !(nonce.isExhausted && nonce.lastUsed.map { $0 < ages.nonces } ?? false)
            }
            return olds.count + before - model.prunable
        }
    }
}

extension MemoryModel {
    /// Rows that a clean-up may take, executions aside.
    fileprivate var prunable: Int { deadLetters.count + calls.count + keys.count + audits.count + nonces.count }
}

extension MemoryStore: RegistryStore {
    package func actors() async throws(ActorError) -> [StoredActor] {
        read { model in
            model.actors.values.sorted { ($0.tenant, $0.name, $0.id) < ($1.tenant, $1.name, $1.id) }
        }
    }

    package func save(_ actor: StoredActor) async throws(ActorError) {
        try change { model in
            model.actors[actor.id] = actor
            model.sharing.declare(actor)
            model.note(.actorsChanged)
        }
    }

    package func state(of actor: ActorID) async throws(ActorError) -> JSONValue? { read { $0.states[actor] } }

    package func setState(
        _ state: JSONValue, of actor: ActorID, at now: Timestamp
    ) async throws(ActorError) {
        try change { model in model.setState(state, of: actor) }
    }

    package func create(_ nonce: Nonce) async throws(ActorError) {
        try change { (model) throws(ActorError) in
            guard model.nonces[nonce.id] == nil else {
                throw ActorError(.conflict, "there is a nonce \(nonce.id) already")
            }
            model.nonces[nonce.id] = nonce
        }
    }

    package func nonce(_ id: NonceID) async throws(ActorError) -> Nonce? { read { $0.nonces[id] } }

    package func nonces(of actor: ActorID) async throws(ActorError) -> [Nonce] {
        read { model in
            model.nonces.values.filter { $0.actor == actor }.sorted { ($0.created, $0.id) < ($1.created, $1.id) }
        }
    }

    package func deleteNonce(_ id: NonceID) async throws(ActorError) -> Bool {
        try change { model in model.nonces.removeValue(forKey: id) != nil }
    }

    package func useNonce(_ id: NonceID, at now: Timestamp) async throws(ActorError) -> Bool {
        try change { model in model.countUse(of: id, at: now) }
    }

    package func schedules() async throws(ActorError) -> [ActorID: ScheduleRecord] { read { $0.schedules } }

    package func setSchedule(_ record: ScheduleRecord?, of actor: ActorID) async throws(ActorError) {
        try change { model in model.schedules[actor] = record }
    }

    package func setting(_ key: String) async throws(ActorError) -> String? { read { $0.settings[key] } }

    package func setSetting(_ key: String, _ value: String) async throws(ActorError) {
        try change { model in model.settings[key] = value }
    }

    package func audit(_ entry: AuditEntry) async throws(ActorError) {
        try change { model in model.audits.append(entry) }
    }

    package func audits(limit: Int) async throws(ActorError) -> [AuditEntry] {
        read { Array($0.audits.reversed().prefix(max(0, limit))) }
    }
}

extension MemoryStore: JobStore {
    package func job(_ id: JobID) async throws(ActorError) -> JobRecord? { read { $0.jobs.first { $0.uuid == id } } }

    /// The cursor is the uuid of the last job of the page before.
    package func jobs(_ query: JobQuery) async throws(ActorError) -> (jobs: [JobRecord], next: String?) {
        guard query.limit > 0 else { return ([], nil) }
        var rest = read { model in
            // Newest first; of those created at once, the later one.
            model.jobs.enumerated().sorted { ($0.element.created, $0.offset) > ($1.element.created, $1.offset) }
                .map(\.element)
        }[...]
        if let cursor = query.cursor {
            guard let index = rest.firstIndex(where: { $0.uuid.rawValue == cursor }) else {
                throw ActorError(.invalidInput, "the cursor is none that a listing answered")
            }
            rest = rest[(index + 1)...]
        }
        let catalogue = read(\.catalogue)
        let matching = rest.filter { catalogue.matches($0, query) }
        let page = Array(matching.prefix(query.limit))
        return (page, matching.count > page.count ? page.last?.uuid.rawValue : nil)
    }

    package func history(of id: JobID) async throws(ActorError) -> [JobHistoryEntry] {
        read { $0.histories[id] ?? [] }
    }

    package func ledger(of id: JobID) async throws(ActorError) -> JobLedger? {
        read { model in
            guard let record = model.jobs.first(where: { $0.uuid == id }) else { return nil }
            var lines: [JobLedgerLine] = []
            for entry in model.histories[id] ?? [] {
                let number = lines.count + 1
                let hash = JobLedger.hash(
                    entry, number: number, of: id, after: lines.last?.hash ?? "", Self.digest)
                lines.append(JobLedgerLine(number: number, entry: entry, hash: hash))
            }
            return JobLedger(record: record, lines: lines, head: lines.last?.hash ?? "", count: lines.count)
        }
    }

    /// Stands for the digest of the real store: FNV-1a, which tells texts apart that nobody chose to be alike.
    package static let digest: JobLedger.Digest = { bytes in
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        let text = String(hash, radix: 16)
        return String(repeating: String(repeating: "0", count: 16 - text.utf8.count) + text, count: 4)
    }

    package func deletedJob(_ id: JobID) async throws(ActorError) -> DeletedJob? {
        read { $0.deletedJobs.last { $0.uuid == id } }
    }

    package func pipelines(
        after cursor: PipelineID?, limit: Int
    ) async throws(ActorError) -> (pipelines: [PipelineRecord], next: PipelineID?) {
        var rest = read { $0.pipelines.sorted { ($0.created, $0.uuid) > ($1.created, $1.uuid) } }[...]
        if let cursor {
            rest = rest.firstIndex { $0.uuid == cursor }.map { rest[($0 + 1)...] } ?? []
        }
        let page = Array(rest.prefix(max(0, limit)))
        return (page, rest.count > page.count ? page.last?.uuid : nil)
    }

    package func pipeline(_ id: PipelineID) async throws(ActorError) -> PipelineRecord? {
        read { $0.pipelines.first { $0.uuid == id } }
    }

    package func document(_ kind: String, _ id: String) async throws(ActorError) -> Document? {
        read { $0.documents.first { $0.kind == kind && $0.id == id } }
    }

    package func documents(_ query: DocumentQuery) async throws(ActorError) -> [Document] {
        read { model in
            let sorted = model.documents.enumerated().filter { $0.element.kind == query.kind }
                .sorted { ($0.element.created, $0.offset) > ($1.element.created, $1.offset) }.map(\.element)
            var rest = sorted[...]
            if let after = query.after {
                guard let last = sorted.firstIndex(where: { $0.id == after }) else { return [] }
                rest = sorted[(last + 1)...]
            }
            let wanted = rest.filter { document in
                query.createdFrom.map { document.created >= $0 } ?? true
                    && query.createdBefore.map { document.created < $0 } ?? true
                    && query.state.map { document.body["state"]?.string == $0 } ?? true
            }
            return Array(wanted.prefix(max(0, query.limit)))
        }
    }

    package func documents(_ kind: String, after id: String?, limit: Int) async throws(ActorError) -> [Document] {
        read { model in
            let sorted = model.documents.filter { $0.kind == kind && $0.id > id ?? "" }.sorted { $0.id < $1.id }
            return Array(sorted.prefix(max(0, limit)))
        }
    }
}
