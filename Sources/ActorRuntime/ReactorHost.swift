internal import ActorCore
internal import Synchronization

/// Runs messages of built-in Reactors, so that they go the same way as everything else.
struct ReactorHost: Sendable {
    let environment: RuntimeEnvironment

    func session(_ work: RunningWork, _ entry: Directory.Entry) -> any WorkSession {
        ReactorSession(
            reactor: entry.reactor,
            context: ExecutionContext(environment: environment, running: work, spec: entry.spec))
    }
}

private final class ReactorSession: WorkSession {
    private let reactor: (any Reactor)?
    private let context: ExecutionContext
    let worker: String? = nil
    let use = ResourceUse()

    init(reactor: (any Reactor)?, context: ExecutionContext) {
        self.reactor = reactor
        self.context = context
    }

    func work() async -> ExecutionMachine.WorkEnd {
        guard let reactor else { return .broken(reason: "its code is not part of this daemon") }
        do {
            try await context.prepare()
            try await reactor.receive(context.envelope, context)
            return .succeeded
        } catch let failure as ReactorFailure {
            context.log(.error, failure.message)
            switch failure.kind {
            case .transient: return .failed(exitCode: 1, reason: failure.message)
            case .permanent: return .impossible(reason: failure.message)
            case .refused: return .refused(reason: failure.message)
            }
        } catch is CancellationError {
            return .stopped
        } catch let error as ActorError where error.code == .cancelled {
            return .stopped
        } catch {
            context.log(.error, String(describing: error))
            return .failed(exitCode: 1, reason: String(describing: error))
        }
    }

    func logSoFar() async -> (bytes: [UInt8], truncated: Bool) { context.printed }

    func finalLog() async -> LogRecord? {
        let log = context.printed
        guard !log.bytes.isEmpty else { return nil }
        return LogRecord(
            execution: context.execution, place: .inline(log.bytes), bytes: log.bytes.count,
            truncated: log.truncated)
    }

    var effects: Effects { context.buffered }
    var farewell: Effects { context.farewell }
    var result: JSONValue? { context.answer }
    func ended() async {}
}

/// What one Reactor sees while it handles one message; buffers what it does until the commit.
final class ExecutionContext: ReactorContext {
    private struct State {
        var effects = Effects()
        var log: [UInt8] = []
        var isLogTruncated = false
        var answer: JSONValue?
        /// Made if nobody else says how this ended.
        var farewell: OutgoingCall?
        /// Results of steps that are on disk.
        var journal: [String: JSONValue] = [:]
        /// How often the same content was sent, so that two equal messages of one execution stay two.
        var repeats: [String: Int] = [:]
    }

    private let running: RunningWork
    private let environment: RuntimeEnvironment
    private let spec: ActorSpec
    private let state = Mutex(State())

    init(environment: RuntimeEnvironment, running: RunningWork, spec: ActorSpec) {
        self.environment = environment
        self.running = running
        self.spec = spec
    }

    var envelope: Envelope { running.envelope }
    var attempt: Int { running.number }

    var actor: ActorID { spec.id }
    var tenant: String { spec.tenant }
    var owner: String { spec.owner }
    var execution: ExecutionID { envelope.execution }
    var folder: String { spec.folder ?? "" }
    var settings: JSONValue { spec.settings }
    var buffered: Effects { state.withLock(\.effects) }
    var farewell: Effects {
        var effects = Effects()
        effects.calls = state.withLock { $0.farewell.map { [$0] } ?? [] }
        return effects
    }
    var answer: JSONValue? { state.withLock(\.answer) }
    var printed: (bytes: [UInt8], truncated: Bool) { state.withLock { ($0.log, $0.isLogTruncated) } }

    /// Reads what earlier attempts left: the journal of their steps, and their log.
    func prepare() async throws(ActorError) {
        guard attempt > 1 else { return }
        let steps = try await environment.store.steps(of: execution)
        let log = try await environment.store.log(of: execution)
        // The limit may be lower than when it was written.
        let limit = environment.configuration.limits.maxLogBytes
        state.withLock { state in
            for step in steps { state.journal[step.name] = step.value }
            if let log, case .inline(let bytes) = log.place {
                state.log = Array(bytes.prefix(limit))
                state.isLogTruncated = log.truncated || bytes.count > limit
            }
        }
        self.log(.info, "attempt \(attempt)")
    }

    func now() -> Timestamp { environment.clock.now() }

    func randomHex(bytes: Int) -> String {
        Hexadecimal.text((0..<bytes).map { _ in UInt8.random(in: .min ... .max) })
    }

    func log(_ level: LogLevel, _ message: String) {
        let line = "\(now().iso8601) \(level.rawValue.uppercased()) \(environment.configuration.scrub(message))\n"
        let limit = environment.configuration.limits.maxLogBytes
        state.withLock { state in
            guard !state.isLogTruncated else { return }
            let room = max(0, limit - state.log.count)
            state.log += line.utf8.prefix(room)
            if line.utf8.count > room { state.isLogTruncated = true }
        }
    }

    func secret(_ name: String) -> String? {
        spec.secrets.contains(name) ? environment.configuration.secret(name) : nil
    }

    func state() async throws(ActorError) -> JSONValue {
        if let changed = buffered.state { return changed }
        return try await environment.store.state(of: actor) ?? .object([])
    }

    func setState(_ value: JSONValue) { state.withLock { $0.effects.state = value } }

    func send(_ address: Address, _ body: JSONValue, key: String?) throws(ActorError) {
        try post(address, body, at: nil, key: key)
    }

    func schedule(_ address: Address, _ body: JSONValue, at moment: Timestamp, key: String?) throws(ActorError) {
        try post(address, body, at: moment, key: key)
    }

    private func post(
        _ address: Address, _ body: JSONValue, at moment: Timestamp?, key: String?
    ) throws(ActorError) {
        let target: ActorID
        switch address {
        case .id(let id): target = id
        case .alias(let word): target = try environment.directory.resolve(word, tenant: tenant).id
        }
        let bytes = JSONWriter.bytes(body)
        let own = ordinal(of: IDMaker.fingerprint(Array(target.rawValue.utf8), bytes))
        let message = try environment.bus.checked(
            MessageDraft(
                actor: target, body: bytes, kind: .json,
                environment: [
                    EnvironmentEntry("_abaco_username", spec.owner),
                    EnvironmentEntry("x_src_actor_id", actor.rawValue),
                    EnvironmentEntry("x_src_execution_id", execution.rawValue),
                ],
                sender: "actor:\(actor)", cause: execution, hops: envelope.message.hops + 1,
                idempotency: IdempotencyKey(key: key ?? "\(execution)#\(own)"), deliverAt: moment))
        state.withLock { $0.effects.mail.append(message) }
    }

    func reply(_ result: JSONValue) { state.withLock { $0.answer = result } }

    func call(url: String, body: JSONValue, order: String) {
        let call = outgoing(url, body, order)
        state.withLock { $0.effects.calls.append(call) }
    }

    func ifAbandoned(call url: String, body: JSONValue, order: String) {
        let call = outgoing(url, body, order)
        state.withLock { $0.farewell = call }
    }

    private func outgoing(_ url: String, _ body: JSONValue, _ order: String) -> OutgoingCall {
        let bytes = JSONWriter.bytes(body)
        let own = ordinal(of: IDMaker.fingerprint(Array(url.utf8), bytes))
        return OutgoingCall(
            url: environment.callbacks.address.folded(url), contentType: "application/json", body: bytes,
            orderKey: order, idempotencyKey: "\(execution)#\(own)")
    }

    /// Tells equal contents of one execution apart, and gives a repeat after a crash the same key again.
    private func ordinal(of content: String) -> String {
        state.withLock { state in
            state.repeats[content, default: 0] += 1
            return "\(content).\(state.repeats[content, default: 1])"
        }
    }

    func job(_ id: JobID) async throws(ActorError) -> JobRecord? { try await environment.store.job(id) }

    func pipeline(_ id: PipelineID) async throws(ActorError) -> PipelineRecord? {
        try await environment.store.pipeline(id)
    }

    func deletedJob(_ id: JobID) async throws(ActorError) -> DeletedJob? {
        try await environment.store.deletedJob(id)
    }

    func change(_ change: JobChange) { state.withLock { $0.effects.jobs.append(change) } }

    func audit(who: String, _ action: String, _ target: String, outcome: String) {
        let entry = AuditEntry(
            at: now(), who: who, action: action, target: target, outcome: environment.configuration.scrub(outcome))
        state.withLock { $0.effects.audits.append(entry) }
    }

    func callbackURL(for job: JobRecord) throws(ActorError) -> String { try environment.callbacks.url(for: job) }

    var catalogue: any JobCatalogue { environment.store }

    func actor(named alias: String) -> ActorID? { try? environment.directory.resolve(alias, tenant: tenant).id }

    func document(_ kind: String, _ id: String) async throws(ActorError) -> Document? {
        if let changed = buffered.documents.last(where: { $0.kind == kind && $0.id == id }) { return changed }
        return try await environment.store.document(kind, id)
    }

    func put(_ kind: String, _ id: String, _ body: JSONValue) {
        let now = now()
        state.withLock { state in
            state.effects.documents.removeAll { $0.kind == kind && $0.id == id }
            state.effects.documents.append(Document(kind: kind, id: id, body: body, created: now, updated: now))
        }
    }

    func step(_ name: String, _ body: @Sendable () async throws -> JSONValue) async throws -> JSONValue {
        if let done = state.withLock({ $0.journal[name] }) { return done }
        // Before it touches anything outside: an attempt that leaves traces is on record as one that began.
        try await running.begin(in: environment.store)
        let value = try await body()
        // The result alone: what else is buffered belongs to the acknowledgement.
        var effects = Effects()
        effects.steps = [StepResult(name: name, value: value)]
        try await environment.store.commit(effects, of: envelope, at: now())
        state.withLock { $0.journal[name] = value }
        return value
    }

    func run(_ work: Work) async -> WorkResult {
        do {
            try await running.begin(in: environment.store)
        } catch {
            return WorkResult(end: .couldNotStart("its start could not be recorded: \(error)"))
        }
        var failures = 0
        while true {
            let result = await environment.executor.run(work)
            guard case .engineFailed(let why) = result.end else { return result }
            // Never the work's own failure: it is asked for again, under the same id, until it is known how it ended.
            failures += 1
            let delay = RetryPolicy.backoff(attempt: failures, base: 0.5, cap: 60, chance: 1)
            log(.warning, "\(why); trying again in \(Double(delay) / 1000) s")
            do {
                try await environment.clock.sleep(milliseconds: delay)
            } catch {
                return WorkResult(end: environment.isDraining() ? .detached : .cancelled)
            }
        }
    }

    func commit() async throws(ActorError) {
        let effects = state.withLock { state in
            defer { state.effects = Effects() }
            return state.effects
        }
        guard !effects.isEmpty else { return }
        try await running.begin(in: environment.store)
        try await environment.store.commit(effects, of: envelope, at: now())
        if !effects.calls.isEmpty { environment.outboxBell.ring() }
    }
}
