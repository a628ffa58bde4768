internal import ActorCore
internal import Logging
internal import Synchronization

/// Plays one ``ExecutionMachine`` per message: starts the work, stops it when told, commits its end.
final class ExecutionDriver: Sendable {
    private struct Running: Sendable {
        let stop: AsyncStream<ExecutionMachine.Stop>.Continuation
        let liveLog: @Sendable () async -> (bytes: [UInt8], truncated: Bool)
    }

    private enum Happening: Sendable {
        case ended(ExecutionMachine.WorkEnd)
        case stop(ExecutionMachine.Stop)
        case quiet
    }

    private struct State {
        var running: [ExecutionID: Running] = [:]
        /// The grace time of a drain is over: whatever starts to run now is stopped at once.
        var isStopping = false
    }

    private let state = Mutex(State())
    private let environment: RuntimeEnvironment
    private let scripts: ScriptHost
    private let reactors: ReactorHost
    private var logger: Logger { environment.logger }

    init(environment: RuntimeEnvironment) {
        self.environment = environment
        self.scripts = ScriptHost(environment: environment)
        self.reactors = ReactorHost(environment: environment)
    }

    /// False when it does not run here.
    func stop(_ execution: ExecutionID, _ reason: ExecutionMachine.Stop) -> Bool {
        guard let entry = state.withLock({ $0.running[execution] }) else { return false }
        entry.stop.yield(reason)
        return true
    }

    /// The grace time of a drain is over.
    func stopAll() {
        let entries = state.withLock { state in
            state.isStopping = true
            return Array(state.running.values)
        }
        for entry in entries { entry.stop.yield(.drain) }
    }

    /// What a running execution has printed so far; nil when it does not run here.
    func liveLog(_ execution: ExecutionID) async -> (bytes: [UInt8], truncated: Bool)? {
        await state.withLock({ $0.running[execution] })?.liveLog()
    }

    /// Runs one message and commits what came of it. Answers the envelope when it goes back to its mailbox.
    func run(_ envelope: Envelope, _ entry: Directory.Entry) async -> Envelope? {
        let number = envelope.attempts + 1
        let started = environment.clock.now()
        // Attempts that were all cut off by the end of the daemon: this message may be what ends it.
        guard envelope.attempts < entry.spec.retry.attempts else {
            return await parkUnrun(envelope, entry, at: started)
        }
        let session: any WorkSession =
            entry.reactor == nil
            ? scripts.session(envelope, entry, attempt: number)
            : reactors.session(envelope, entry, attempt: number)
        var machine = ExecutionMachine(attempt: number, retry: entry.spec.retry)
        do {
            // On disk before it runs: a message that ends the daemon is known as one that did.
            try await environment.store.begin(envelope.sequence, attempt: number, at: started)
            let end = await play(&machine, session, envelope, entry.spec)
            return await finish(end, &machine, session, envelope, entry.spec, number, started)
        } catch {
            logger.error(
                "an attempt could not be recorded; the message stays in its mailbox",
                metadata: [LogKeys.execution: "\(envelope.execution)", LogKeys.error: "\(error)"])
            try? await environment.clock.sleep(milliseconds: 1000)
            return envelope
        }
    }

    private func play(
        _ machine: inout ExecutionMachine, _ session: any WorkSession, _ envelope: Envelope, _ spec: ActorSpec
    ) async -> ExecutionMachine.WorkEnd {
        let (stops, stopSink) = AsyncStream.makeStream(of: ExecutionMachine.Stop.self)
        let isStopping = state.withLock { state in
            state.running[envelope.execution] = Running(stop: stopSink, liveLog: { await session.logSoFar() })
            return state.isStopping
        }
        if isStopping { stopSink.yield(.drain) }
        defer { _ = state.withLock { $0.running.removeValue(forKey: envelope.execution) } }
        let clock = environment.clock
        let patience = Int64(spec.timeoutSeconds) * 1000
        return await withTaskGroup(of: Happening.self) { group in
            group.addTask { .ended(await session.work()) }
            group.addTask {
                do {
                    try await clock.sleep(milliseconds: patience)
                    return .stop(.timeout)
                } catch {
                    return .quiet
                }
            }
            group.addTask {
                for await reason in stops { return .stop(reason) }
                return .quiet
            }
            for await happening in group {
                switch happening {
                case .ended(let end):
                    group.cancelAll()
                    return end
                case .stop(let reason):
                    // Only the work is left to wait for; its end decides.
                    if machine.stop(reason) { group.cancelAll() }
                case .quiet: continue
                }
            }
            return .stopped
        }
    }

    private func finish(
        _ end: ExecutionMachine.WorkEnd, _ machine: inout ExecutionMachine, _ session: any WorkSession,
        _ envelope: Envelope, _ spec: ActorSpec, _ number: Int, _ started: Timestamp
    ) async -> Envelope? {
        let now = environment.clock.now()
        let verdict = machine.ended(end, now: now, chance: Double.random(in: 0..<1))
        var completion = Completion(
            sequence: envelope.sequence, actor: envelope.actor,
            attempt: AttemptRecord(
                execution: envelope.execution, number: number, started: started, finished: now,
                outcome: verdict.outcome, exitCode: verdict.exitCode,
                reason: verdict.reason.map(environment.configuration.scrub)),
            disposition: scrubbed(verdict.disposition), status: verdict.status, result: session.result,
            log: await session.finalLog(reason: verdict.reason),
            effects: verdict.keepsEffects ? session.effects : verdict.isAbandoned ? session.farewell : Effects())
        if let event = linkedEvent(verdict, envelope, spec, now) { completion.effects.mail.append(event) }
        noteHealth(end, of: spec)
        if await !commit(&completion, retry: spec.retry, number: number) { return nil }
        logger.debug(
            "an attempt has ended",
            metadata: [
                LogKeys.actor: "\(spec.name)", LogKeys.execution: "\(envelope.execution)",
                LogKeys.attempt: "\(number)", LogKeys.outcome: "\(completion.attempt.outcome.rawValue)",
            ])
        session.ended()
        switch completion.disposition {
        case .acknowledge, .park: return nil
        case .release: return envelope
        case .retry(let moment):
            var message = envelope.message
            message.deliverAt = moment
            return Envelope(sequence: envelope.sequence, message: message, attempts: number)
        }
    }

    /// The message that a linked actor gets when an execution has ended (actors API, sections 6.4 and 6.5).
    private func linkedEvent(
        _ verdict: ExecutionMachine.Verdict, _ envelope: Envelope, _ spec: ActorSpec, _ now: Timestamp
    ) -> NewMessage? {
        guard let link = spec.link, verdict.endsMessage else { return nil }
        let body: JSONValue = [
            "event_type": "EXECUTION_COMPLETE", "tenant_id": .string(spec.tenant),
            "event_time_utc": .string(now.iso8601), "event_time_display": .string(now.iso8601),
            "actor_id": .string(spec.id.rawValue), "actor_dbid": .string("\(spec.tenant)_\(spec.id)"),
            "execution_id": .string(envelope.execution.rawValue), "status": .string(verdict.status.rawValue),
            "exit_code": JSONValue(verdict.exitCode), "_abaco_link": .string(link), "_abaco_webhook": "",
        ]
        do {
            let target = try environment.directory.resolve(link, tenant: spec.tenant)
            return try environment.bus.checked(
                MessageDraft(
                    actor: target.id, body: JSONWriter.bytes(body),
                    environment: [EnvironmentEntry("_abaco_username", "Abaco Event")], sender: "actor:\(spec.id)",
                    cause: envelope.execution, hops: envelope.message.hops + 1,
                    idempotency: IdempotencyKey(key: "\(envelope.execution)#link")))
        } catch {
            logger.warning(
                "an event could not be sent to the linked actor",
                metadata: [LogKeys.actor: "\(spec.name)", LogKeys.error: "\(error)"])
            return nil
        }
    }

    private func scrubbed(_ disposition: Completion.Disposition) -> Completion.Disposition {
        guard case .park(let reason) = disposition else { return disposition }
        return .park(reason: environment.configuration.scrub(reason))
    }

    /// Tries until it is on disk, or the daemon drains: then the next start finds the attempt and repeats it.
    private func commit(_ completion: inout Completion, retry: RetryPolicy, number: Int) async -> Bool {
        var failures = 0
        while true {
            do {
                try await environment.store.complete(completion)
                if !completion.effects.calls.isEmpty { environment.outboxBell.ring() }
                return true
            } catch  where error.code == .conflict && !completion.effects.isEmpty {
                // Decided on a record that has changed meanwhile: nothing was stored, the message is tried again.
                var machine = ExecutionMachine(attempt: number, retry: retry)
                let now = environment.clock.now()
                let verdict = machine.ended(
                    .failed(exitCode: nil, reason: error.message), now: now, chance: Double.random(in: 0..<1))
                completion.effects = Effects()
                completion.disposition = verdict.disposition
                completion.status = verdict.status
                completion.attempt = AttemptRecord(
                    execution: completion.attempt.execution, number: number, started: completion.attempt.started,
                    finished: now, outcome: .failed, reason: error.message)
            } catch  where error.code == .conflict {
                logger.error(
                    "an attempt ended whose message is gone",
                    metadata: [LogKeys.execution: "\(completion.attempt.execution)", LogKeys.error: "\(error)"])
                return false
            } catch {
                failures += 1
                logger.error(
                    "the end of an attempt could not be stored; trying again",
                    metadata: [LogKeys.execution: "\(completion.attempt.execution)", LogKeys.error: "\(error)"])
                let delay = RetryPolicy.backoff(attempt: failures, base: 0.2, cap: 5, chance: 1)
                try? await environment.clock.sleep(milliseconds: delay)
                if Task.isCancelled || (environment.isDraining() && failures > 3) { return false }
            }
        }
    }

    private func parkUnrun(_ envelope: Envelope, _ entry: Directory.Entry, at now: Timestamp) async -> Envelope? {
        let number = envelope.attempts + 1
        let reason = "the daemon ended during each of its \(envelope.attempts) attempts"
        var completion = Completion(
            sequence: envelope.sequence, actor: envelope.actor,
            attempt: AttemptRecord(
                execution: envelope.execution, number: number, started: now, finished: now, outcome: .interrupted,
                reason: reason),
            disposition: .park(reason: reason), status: .error)
        do {
            try await environment.store.begin(envelope.sequence, attempt: number, at: now)
        } catch {
            return envelope
        }
        _ = await commit(&completion, retry: entry.spec.retry, number: number)
        return nil
    }

    private func noteHealth(_ end: ExecutionMachine.WorkEnd, of spec: ActorSpec) {
        switch end {
        case .impossible(let reason):
            environment.directory.setFailure(environment.configuration.scrub(reason), of: spec.id)
        case .succeeded, .refused: environment.directory.setFailure(nil, of: spec.id)
        case .failed, .stopped: break
        }
    }
}

/// One attempt at one message, whatever runs it.
protocol WorkSession: AnyObject, Sendable {
    /// Does the work; cancelling the calling task stops it.
    func work() async -> ExecutionMachine.WorkEnd
    func logSoFar() async -> (bytes: [UInt8], truncated: Bool)
    /// The log as the store keeps it, with the reason of a failure at its end.
    func finalLog(reason: String?) async -> LogRecord?
    var effects: Effects { get }
    /// What is done instead when the work was given up without an answer of its own.
    var farewell: Effects { get }
    var result: JSONValue? { get }
    /// The end is on disk.
    func ended()
}

/// What every part of the runtime is made of.
struct RuntimeEnvironment: Sendable {
    let configuration: SystemConfiguration
    let store: any Store
    let clock: any Timekeeper
    let directory: Directory
    let bus: MailboxBus
    let executor: any Executor
    let runFiles: any RunFiles
    let callbacks: CallbackMaker
    let tokens: ExecutionTokens
    let outboxBell: Bell
    let isDraining: @Sendable () -> Bool
    let logger: Logger
}

/// A wake-up that is never lost and never piles up.
final class Bell: Sendable {
    let rings: AsyncStream<Void>
    private let sink: AsyncStream<Void>.Continuation

    init() { (rings, sink) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1)) }

    func ring() { sink.yield() }
    func close() { sink.finish() }
}
