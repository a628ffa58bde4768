package import ActorCore
package import Logging
internal import Synchronization

/// The façade: actors and messages in, committed facts out. Owns the one tree of tasks that runs executions.
package final class ActorSystem: Sendable {
    private struct Phase {
        var isReady = false
        var isDraining = false
    }

    package let store: any Store
    package let events: EventBus
    package let limits: Limits
    package let clock: any Timekeeper
    let logger: Logger
    let directory = Directory()
    let bus: MailboxBus
    let dispatcher: Dispatcher
    let driver: ExecutionDriver
    private let configuration: SystemConfiguration
    package let workers: Workers
    let environment: RuntimeEnvironment
    let news: ActorNews
    /// What is changed over HTTP is changed in one order, in the store and in memory.
    let changes = OneAtATime()
    private let deliverer: OutboxDeliverer
    let scheduler: Scheduler
    private let schemas: any SchemaCompiler
    private let makers: [String: @Sendable () -> any Reactor]
    private let phase: PhaseBox

    private final class PhaseBox: Sendable {
        let value = Mutex(Phase())
    }

    /// - Parameter makers: built-in Reactors by the name that `run: {builtin: …}` gives.
    package init(
        configuration: SystemConfiguration, store: any Store, clock: any Timekeeper, executor: any Executor,
        runFiles: any RunFiles, client: any HTTPClient, schemas: any SchemaCompiler, callbacks: CallbackMaker,
        makers: [String: @Sendable () -> any Reactor], logger: Logger
    ) {
        let phase = PhaseBox()
        self.phase = phase
        self.configuration = configuration
        self.store = store
        self.clock = clock
        self.schemas = schemas
        self.makers = makers
        self.logger = logger
        self.limits = configuration.limits
        self.events = EventBus(backlog: configuration.limits.eventBacklog)
        self.bus = MailboxBus(directory: directory, store: store, clock: clock, limits: configuration.limits)
        self.workers = Workers(clock: clock) { IDMaker.hashid() }
        self.environment = RuntimeEnvironment(
            configuration: configuration, store: store, clock: clock, directory: directory, bus: bus,
            executor: executor, runFiles: runFiles, callbacks: callbacks,
            tokens: ExecutionTokens(
                code: configuration.executionCode, configuredRoles: configuration.configuredRoles),
            workers: workers, outboxBell: Bell(), isDraining: { phase.value.withLock(\.isDraining) },
            logger: logger)
        self.news = ActorNews(environment: environment)
        self.driver = ExecutionDriver(environment: environment, news: news)
        self.dispatcher = Dispatcher(
            directory: directory, store: store, clock: clock, driver: driver,
            supervisor: Supervisor(environment: environment, news: news), limits: configuration.limits, logger: logger)
        self.deliverer = OutboxDeliverer(environment: environment, client: client)
        self.scheduler = Scheduler(environment: environment)
        let dispatcher = self.dispatcher
        let events = self.events
        store.onCommit { envelopes, committed in
            dispatcher.committed(envelopes)
            events.publish(committed, at: clock.now())
        }
        Announcing.begin(in: environment)
    }

    var eventSource: String { configuration.eventSource }
    package func secret(_ name: String) -> String? { configuration.secret(name) }

    package func now() -> Timestamp { clock.now() }
    package func makeID() -> String { IDMaker.hashid() }
    package var isReady: Bool { phase.value.withLock { $0.isReady && !$0.isDraining } }
    package var isAccepting: Bool { phase.value.withLock { !$0.isDraining } }

    // MARK: Actors

    /// Makes these the actors that folders declare. Ids, revisions and creation times are the caller's.
    ///
    /// - Parameter absences: why what an actor runs is not there, for those of whom it is not: their mail waits.
    package func install(
        _ specs: [ActorSpec], quarantined: [QuarantinedActor], absences: [ActorID: String] = [:]
    ) {
        var entries: [Directory.Entry] = []
        var refused = quarantined
        for spec in specs {
            do {
                let entry = try entry(for: spec)
                entries.append(absences[spec.id].map(entry.holding) ?? entry)
            } catch {
                refused.append(
                    QuarantinedActor(
                        folder: spec.folder ?? spec.name, file: error.details.first?.place ?? "actor.yml", line: nil,
                        reason: error.description))
            }
        }
        directory.replaceDeclared(entries, quarantined: refused)
        for entry in entries { workers.begin(entry.spec) }
        dispatcher.configure(directory.all)
        scheduler.bell.ring()
        events.publish([.actorsChanged], at: now())
    }

    func entry(for spec: ActorSpec) throws(ActorError) -> Directory.Entry {
        var compiled: [any MessageSchema] = []
        for source in spec.schemas { compiled.append(try schemas.compile(source)) }
        switch spec.run {
        case .builtin(let name):
            guard let make = makers[name] else {
                throw ActorError(
                    .invalidInput,
                    "there is no built-in reactor \"\(name)\"; there are: "
                        + makers.keys.sorted().joined(separator: ", "))
            }
            let old = directory.entry(spec.id)
            let isSame = old?.spec.run == spec.run && old?.spec.revision == spec.revision
            return Directory.Entry(spec: spec, schemas: compiled, reactor: isSame ? old?.reactor : make())
        case .image(let image):
            do {
                try environment.executor.admit(ScriptHost.sample(image, executor: spec.executor))
                return Directory.Entry(spec: spec, schemas: compiled)
            } catch {
                return Directory.Entry(spec: spec, schemas: compiled, fault: error.description)
            }
        case .command: return Directory.Entry(spec: spec, schemas: compiled)
        }
    }

    package func resolve(_ word: String, tenant: String) throws(ActorError) -> ActorSpec {
        try directory.resolve(word, tenant: tenant)
    }

    package func spec(_ id: ActorID) -> ActorSpec? { directory.entry(id)?.spec }
    package var quarantined: [QuarantinedActor] { directory.quarantined }

    package func statuses(tenant: String?) -> [ActorStatus] {
        directory.all.filter { tenant == nil || $0.spec.tenant == tenant }
            .sorted { $0.spec.name < $1.spec.name }.map(status)
    }

    package func status(of id: ActorID) -> ActorStatus? { directory.entry(id).map(status) }

    private func status(_ entry: Directory.Entry) -> ActorStatus {
        let complaint = dispatcher.complaint(about: entry.spec.id)
        return ActorStatus(
            spec: entry.spec, status: complaint == nil ? "READY" : "ERROR",
            statusMessage: complaint ?? " ", waiting: dispatcher.waiting(entry.spec.id),
            running: dispatcher.running(entry.spec.id))
    }

    // MARK: Messages

    /// Returns when the message is on disk.
    package func send(_ draft: MessageDraft) async throws(ActorError) -> SendReceipt {
        guard isAccepting else { throw ActorError(.unavailable, "the daemon is stopping; send again in a moment") }
        return try await bus.send(draft)
    }

    /// An execution, as what runs here knows it.
    package func execution(_ id: ExecutionID) async throws(ActorError) -> ExecutionRecord? {
        try await store.execution(id).map(current)
    }

    /// Newest first; `before` is the sequence to continue below. Those of other actors than `actors` are left out.
    package func executions(
        of actor: ActorID?, among actors: Set<ActorID>? = nil, before: Int64?, limit: Int
    ) async throws(ActorError) -> [ExecutionRecord] {
        try await store.executions(of: actor, among: actors, before: before, limit: limit).map(current)
    }

    /// What a waiting message waits for; nil when there is no such execution.
    package func why(_ id: ExecutionID) async throws(ActorError) -> WaitReport? {
        let limit = 10_000
        guard let record = try await execution(id) else { return nil }
        guard record.status == .submitted, let place = try await store.place(of: id, countingTo: limit) else {
            return WaitReport(
                execution: id, status: record.status, reasons: [.nothing], before: 0, beforeIsLowerBound: false)
        }
        let reasons = dispatcher.reasons(for: place.envelope, directory.entry(record.actor))
        return WaitReport(
            execution: id, status: record.status, reasons: reasons.isEmpty ? [.turn] : reasons, before: place.before,
            beforeIsLowerBound: place.before >= limit)
    }

    /// What runs in a moment is not on disk as running.
    private func current(_ record: ExecutionRecord) -> ExecutionRecord {
        let running = driver.running(record.id)
        guard record.finished == nil, record.status == .running || running != nil else { return record }
        var record = record
        record.worker = workers.worker(of: record.id, record.actor)
        guard record.status == .submitted, let running else { return record }
        record.status = .running
        record.attempts = running.number
        record.started = record.started ?? running.started
        return record
    }

    /// Sends, and waits until the execution has ended.
    package func ask(
        _ draft: MessageDraft, timeoutMilliseconds: Int64
    ) async throws(ActorError) -> ExecutionRecord {
        let receipt = try await send(draft)
        let end = events.subscribe {
            if case .executionFinished(_, receipt.execution, _, _) = $0 { true } else { false }
        }
        let clock = self.clock
        await withTaskGroup(of: Void.self) { group in
            group.addTask { _ = await end.next() }
            group.addTask { try? await clock.sleep(milliseconds: timeoutMilliseconds) }
            // It may have ended before anybody listened.
            if let known = try? await store.execution(receipt.execution), known.finished != nil { group.cancelAll() }
            await group.next()
            group.cancelAll()
        }
        guard let record = try await store.execution(receipt.execution), record.finished != nil else {
            throw ActorError(
                .timedOut,
                "the message was accepted as execution \(receipt.execution), which has not ended yet; look it up later")
        }
        return record
    }

    /// Withdraws a waiting message or stops a running one; false when it has ended already.
    package func cancel(_ id: ExecutionID) async throws(ActorError) -> Bool {
        if driver.stop(id, .cancel) { return true }
        guard let record = try await store.execution(id), record.finished == nil else { return false }
        guard try await store.withdraw(id, at: now()) else { return driver.stop(id, .cancel) }
        dispatcher.withdrawn(record.sequence, from: record.actor)
        return true
    }

    /// Tries an actor again that is paused or in ERROR.
    package func restart(_ id: ActorID) { dispatcher.restart(id) }

    /// Empties a mailbox; answers how many messages went.
    package func purge(_ id: ActorID) async throws(ActorError) -> Int {
        let count = try await store.purge(id, at: now())
        dispatcher.purged(id)
        return count
    }

    /// Puts a dead letter back as a new message that names the old execution as its cause. What came by a nonce still
    /// does: it gets no rights by being replayed.
    package func replay(deadLetter id: Int64) async throws(ActorError) -> ExecutionID {
        guard let letter = try await store.deadLetter(id) else {
            throw ActorError(.notFound, "there is no dead letter \(id)")
        }
        if let execution = letter.replayedAs {
            throw ActorError(.conflict, "dead letter \(id) was replayed already, as execution \(execution)")
        }
        guard let entry = directory.entry(letter.message.actor) else {
            throw ActorError(.notFound, "No actor found with id: \(letter.message.actor).")
        }
        let now = now()
        let message = entry.keyed(letter.message).changed { message in
            message.cause = letter.execution
            message.idempotency = nil
            message.deliverAt = nil
            message.expires = nil
            message.received = now
        }
        return try await store.replay(id, as: message).execution
    }

    /// What an execution has printed, live while it runs.
    package func log(of id: ExecutionID) async throws(ActorError) -> ExecutionLog {
        let token = OwnToken(environment.tokens.text(of: id))
        if let live = await driver.liveLog(id) {
            // What is not whole yet is shown by the next look: the text of a later one begins with that of this one.
            let whole = UTF8Border.whole(live.bytes)
            let settled = whole.dropLast(max(configuration.unfinished(whole), token.unfinished(whole)))
            let shown = token.struck(from: scrubbed(Array(settled)))
            return ExecutionLog(bytes: shown, truncated: live.truncated, isFinal: false)
        }
        guard let record = try await store.execution(id) else {
            throw ActorError(.notFound, "there is no execution \(id)")
        }
        let isFinal = record.finished != nil
        guard !hasExpired(record), let log = try await store.log(of: id) else {
            return ExecutionLog(bytes: [], truncated: false, isFinal: isFinal)
        }
        switch log.place {
        case .inline(let bytes): return ExecutionLog(bytes: bytes, truncated: log.truncated, isFinal: isFinal)
        case .file(let path):
            let bytes = await environment.runFiles.read(
                "\(configuration.dataFolder)/\(path)", limit: limits.maxLogBytes)
            return ExecutionLog(bytes: token.struck(from: scrubbed(bytes)), truncated: log.truncated, isFinal: isFinal)
        }
    }

    /// Its actor wants logs to be forgotten sooner than the house does; the file goes when the house says so.
    private func hasExpired(_ record: ExecutionRecord) -> Bool {
        guard let finished = record.finished,
            let seconds = directory.entry(record.actor)?.spec.definition?.logSeconds
        else { return false }
        return now().since(finished) >= Milliseconds.of(seconds: seconds)
    }

    private func scrubbed(_ bytes: [UInt8]) -> [UInt8] {
        Array(configuration.scrub(String(decoding: bytes, as: UTF8.self)).utf8)
    }

    package func principal(executionToken: String) -> Principal? { environment.tokens.principal(executionToken) }

    package func callbackURL(for job: JobRecord) throws(ActorError) -> String {
        try environment.callbacks.url(for: job)
    }

    /// Whether this is the nonce that the callback URLs of all jobs show around.
    package func isCallbackNonce(_ id: NonceID) -> Bool { environment.callbacks.nonce() == id.rawValue }

    // MARK: Life

    /// Recovers what an earlier process left, then runs until a graceful shutdown has drained the work.
    ///
    /// - Parameters:
    ///   - onReady: called once, when messages are being dispatched.
    ///   - stop: returns when the system shall drain; a graceful shutdown unless a test says otherwise.
    package func run(
        onReady: @Sendable () -> Void = {}, until stop: @escaping @Sendable () async -> Void = Shutdown.wait
    ) async throws {
        try await recover()
        onReady()
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.dispatcher.run() }
            group.addTask { await self.driver.watch() }
            group.addTask { await self.deliverer.run() }
            group.addTask { await self.scheduler.run() }
            group.addTask { await self.news.run() }
            group.addTask {
                await stop()
                await self.drain()
            }
            await group.waitForAll()
        }
    }

    private func recover() async throws(ActorError) {
        let recovery = try await store.recover(at: now())
        let interrupted = recovery.interrupted
        dispatcher.load(try await store.mailboxes(), recovery)
        dispatcher.configure(directory.all)
        if !interrupted.isEmpty {
            logger.notice(
                "executions of an earlier process were interrupted and run again",
                metadata: [LogKeys.count: "\(interrupted.count)"])
        }
        phase.value.withLock { $0.isReady = true }
    }

    /// The wall clock was set: nobody goes on waiting for a moment that was chosen by the old one.
    package func clockWasSet() {
        logger.info("the clock was set, or the machine stood still: what waits for a moment looks at it again")
        scheduler.bell.ring()
        environment.outboxBell.ring()
        dispatcher.clockWasSet()
    }

    /// New messages are refused, no new work is started, live streams end. What runs goes on.
    package func stopAccepting() {
        phase.value.withLock { $0.isDraining = true }
        dispatcher.drain()
        events.close()
    }

    /// No new work, then the grace time for what runs, then a stop that gives its messages back.
    private func drain() async {
        stopAccepting()
        logger.notice(
            "stopping: no new work is started; what has not ended by then is left to the next start",
            metadata: [
                LogKeys.count: "\(dispatcher.running)",
                LogKeys.until: "\(now().adding(milliseconds: configuration.graceMilliseconds).iso8601)",
            ])
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                let grace = self.configuration.graceMilliseconds
                if (try? await self.clock.sleep(milliseconds: grace)) != nil { self.driver.stopAll() }
            }
            await dispatcher.untilIdle()
            group.cancelAll()
        }
        scheduler.bell.close()
        news.close()
        environment.outboxBell.close()
        dispatcher.close()
        driver.close()
    }
}
