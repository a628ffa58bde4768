internal import ActorCore
internal import Logging
internal import Synchronization

/// Plays one ``ExecutionMachine`` per message: starts the work, stops it when told, commits its end.
final class ExecutionDriver: Sendable {
    private struct Running: Sendable {
        let work: RunningWork
        let session: any WorkSession
    }

    private struct State {
        var running: [ExecutionID: Running] = [:]
        /// The grace time of a drain is over: whatever starts to run now is stopped at once.
        var isStopping = false
        /// The moments that somebody sleeps for, in milliseconds of the running clock: what runs is not cut off because
        /// somebody sets the wall clock. A set, so that no moment has two sleepers.
        var watched: Set<Int64> = []
    }

    private let deadlines: AsyncStream<Int64>
    private let deadlineSink: AsyncStream<Int64>.Continuation
    private let state = Mutex(State())
    let environment: RuntimeEnvironment
    let news: ActorNews
    let scripts: ScriptHost
    private let reactors: ReactorHost
    var logger: Logger { environment.logger }

    init(environment: RuntimeEnvironment, news: ActorNews) {
        self.environment = environment
        self.news = news
        self.scripts = ScriptHost(environment: environment)
        self.reactors = ReactorHost(environment: environment)
        (self.deadlines, self.deadlineSink) = AsyncStream.makeStream(of: Int64.self)
    }

    /// False when it does not run here.
    func stop(_ execution: ExecutionID, _ reason: ExecutionMachine.Stop) -> Bool {
        guard let entry = state.withLock({ $0.running[execution] }) else { return false }
        entry.work.stop(reason)
        return true
    }

    /// The grace time of a drain is over.
    func stopAll() {
        environment.executor.detach()
        let entries = state.withLock { state in
            state.isStopping = true
            return Array(state.running.values)
        }
        for entry in entries { entry.work.stop(.drain) }
    }

    /// What a running execution has printed so far; nil when it does not run here.
    func liveLog(_ execution: ExecutionID) async -> (bytes: [UInt8], truncated: Bool)? {
        await state.withLock({ $0.running[execution] })?.session.logSoFar()
    }

    /// The attempt of an execution that runs here.
    func running(_ execution: ExecutionID) -> (number: Int, started: Timestamp)? {
        state.withLock { $0.running[execution] }.map { ($0.work.number, $0.work.started) }
    }

    /// Executions of an actor that run here.
    func running(of actor: ActorID) -> [ExecutionID] {
        state.withLock { $0.running.filter { $0.value.work.envelope.actor == actor }.keys.sorted() }
    }

    /// The execution of a message that runs here.
    func execution(_ sequence: Int64) -> ExecutionID? {
        state.withLock { $0.running.first { $0.value.work.envelope.sequence == sequence }?.key }
    }

    // MARK: Time

    /// Stops what has used up its time, until ``close()``.
    func watch() async {
        await withDiscardingTaskGroup { group in
            for await moment in deadlines {
                group.addTask {
                    let clock = self.environment.clock
                    try? await clock.sleep(milliseconds: moment - clock.uptime())
                    self.stopOverdue(moment)
                }
            }
            group.cancelAll()
        }
    }

    func close() { deadlineSink.finish() }

    /// Whoever wakes looks for the next deadline: one that is later than a moment that is watched needs no sleeper.
    private func expect(_ deadline: Int64) {
        let isEarlier = state.withLock { state in
            if state.watched.contains(where: { $0 <= deadline }) { return false }
            state.watched.insert(deadline)
            return true
        }
        if isEarlier { deadlineSink.yield(deadline) }
    }

    private func stopOverdue(_ moment: Int64) {
        let now = environment.clock.uptime()
        let running = state.withLock { state in
            state.watched.remove(moment)
            return state.running.values.map(\.work)
        }
        for work in running where work.deadline <= now { work.stop(.timeout) }
        if let next = running.map(\.deadline).filter({ $0 > now }).min() { expect(next) }
    }

    // MARK: One message

    /// What became of one delivery.
    struct End: Sendable {
        /// The envelope when it goes back to its mailbox.
        var returned: Envelope?
        /// What it says about the actor.
        var health = SupervisionMachine.Health.unknown
    }

    /// Runs one message and commits what came of it.
    func run(_ waiting: Envelope, _ entry: Directory.Entry) async -> End {
        let started = environment.clock.now()
        let envelope: Envelope
        let left: Left
        do throws(ActorError) {
            guard let whole = try await whole(waiting) else { return End() }
            envelope = whole
            left = try await self.left(of: whole, entry)
        } catch {
            return End(returned: await couldNotBegin(waiting, error))
        }
        if case .park(let reason) = left.next {
            await park(envelope, entry.spec, left, reason: reason, at: started)
            return End()
        }
        let work = RunningWork(
            envelope, retry: entry.spec.retry, started: started,
            deadline: environment.clock.uptime() + Milliseconds.of(seconds: entry.spec.timeoutSeconds))
        // From before its start is on record until its end is: whoever sees it run sees who runs it.
        let worker = entry.reactor == nil ? environment.workers.take(envelope.execution, of: entry.spec) : nil
        defer { if worker != nil { environment.workers.release(envelope.execution, of: entry.spec.id) } }
        // A message that ends the daemon must be known as one that did. A built-in Reactor that is done in a moment
        // needs no record of its start: after an unclean end all that was in its mailbox is taken for suspect.
        if entry.reactor == nil || envelope.isSuspect || envelope.attempts > 0 {
            do {
                try await work.begin(in: environment.store)
            } catch {
                return End(returned: await couldNotBegin(envelope, error))
            }
        }
        // Not before the new attempt is on record.
        if left.next == .startAnew { await clear(left) }
        let session: any WorkSession =
            worker.map { scripts.session(work, entry, worker: $0) } ?? reactors.session(work, entry)
        let end = await play(work, session)
        return End(
            returned: await finish(end, work, session, entry.spec),
            health: SupervisionMachine.Health(end, scrub: environment.configuration.scrub))
    }

    /// With its body, which may have waited in the store; nil when it was withdrawn.
    private func whole(_ envelope: Envelope) async throws(ActorError) -> Envelope? {
        if envelope.message.hasBody { return envelope }
        let place = try await environment.store.place(of: envelope.execution, countingTo: 0)
        return place.map { envelope.whole($0.envelope.message) }
    }

    private func couldNotBegin(_ envelope: Envelope, _ error: ActorError) async -> Envelope? {
        // Withdrawn between its delivery and its start.
        if error.code == .conflict { return nil }
        logger.error(
            "an attempt could not be recorded; the message stays in its mailbox",
            metadata: [LogKeys.execution: "\(envelope.execution)", LogKeys.error: "\(error)"])
        try? await environment.clock.sleep(milliseconds: 1000)
        return envelope
    }

    private func play(_ work: RunningWork, _ session: any WorkSession) async -> ExecutionMachine.WorkEnd {
        let execution = work.envelope.execution
        let isStopping = state.withLock { state in
            state.running[execution] = Running(work: work, session: session)
            return state.isStopping
        }
        if isStopping { work.stop(.drain) }
        defer { _ = state.withLock { $0.running.removeValue(forKey: execution) } }
        expect(work.deadline)
        return await work.play { await session.work() }
    }

    /// Ends a message whose time was over before it could run; answers it while its end is not on disk.
    func expire(_ envelope: Envelope) async -> Envelope? {
        let now = environment.clock.now()
        var completion = Completion(
            envelope, hasBegun: false,
            attempt: AttemptRecord(
                execution: envelope.execution, number: envelope.attempts, started: now, finished: now,
                outcome: .expired, reason: "it expired before it could run"),
            disposition: .acknowledge, status: .complete)
        switch await commit(&completion) {
        case .stored, .gone: return nil
        case .postponed: return envelope
        }
    }

    private func finish(
        _ end: ExecutionMachine.WorkEnd, _ work: RunningWork, _ session: any WorkSession, _ spec: ActorSpec
    ) async -> Envelope? {
        let now = environment.clock.now()
        let envelope = work.envelope
        let number = work.number
        let verdict = work.ended(end, now: now, chance: Double.random(in: 0..<1))
        var completion = Completion(
            envelope, hasBegun: work.hasBegun,
            attempt: AttemptRecord(
                execution: envelope.execution, number: number, started: work.started, finished: now,
                outcome: verdict.outcome, exitCode: verdict.exitCode,
                reason: verdict.reason.map(environment.configuration.scrub)),
            disposition: scrubbed(verdict.disposition), status: verdict.status, result: session.result,
            log: await session.finalLog(),
            effects: verdict.keepsEffects ? session.effects : verdict.isAbandoned ? session.farewell : Effects())
        completion.worker = session.worker
        completion.use = session.use
        news.add(verdict, envelope, spec, to: &completion.effects)
        switch await commit(&completion, orElse: Failure(session: session, spec: spec)) {
        case .stored: break
        case .gone:
            await session.ended()
            return nil
        // The next start finds the work that is over, and takes what came of it; its token ends with this process.
        case .postponed: return nil
        }
        logger.debug(
            "an attempt has ended",
            metadata: [
                LogKeys.actor: "\(spec.word)", LogKeys.execution: "\(envelope.execution)",
                LogKeys.attempt: "\(number)", LogKeys.outcome: "\(completion.attempt.outcome.rawValue)",
            ])
        await session.ended()
        switch completion.disposition {
        case .acknowledge, .park: return nil
        case .release: return envelope
        case .retry(let moment):
            var again = envelope
            again.attempts = number
            again.notBefore = moment
            return again
        }
    }

    private func scrubbed(_ disposition: Completion.Disposition) -> Completion.Disposition {
        guard case .park(let reason) = disposition else { return disposition }
        return .park(reason: environment.configuration.scrub(reason))
    }
}

/// One attempt at one message, whatever runs it.
protocol WorkSession: AnyObject, Sendable {
    /// Does the work; cancelling the calling task stops it.
    func work() async -> ExecutionMachine.WorkEnd
    func logSoFar() async -> (bytes: [UInt8], truncated: Bool)
    /// The log as the store keeps it.
    func finalLog() async -> LogRecord?
    var effects: Effects { get }
    /// What is done instead when the work was given up without an answer of its own.
    var farewell: Effects { get }
    var result: JSONValue? { get }
    /// The slot that the work was done in; nil where nobody is named.
    var worker: String? { get }
    /// Of the machine; nothing where nobody measures it.
    var use: ResourceUse { get }
    /// The end is on disk.
    func ended() async
}
