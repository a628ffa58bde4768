package import ActorCore
internal import Logging
internal import Synchronization

/// Looks how the jobs of one engine stand, all in one question, and tells the actor that keeps them what is new.
///
/// It remembers nothing of a job: what was handled stands in the job's document, so that a restart loses nothing.
package final class EngineWatcher: Sendable {
    private static let page = 500
    /// Messages of one look; the rest comes with the next.
    private static let batch = 200
    private static let tick: Int64 = 1000
    /// What running jobs have printed is fetched this often at most, so much of it, of so many jobs in turn.
    private static let logPause: Int64 = 2000
    private static let logBytes = 1 << 20
    private static let logsAtOnce = 8

    private struct State {
        var isLookDue = true
        var hasFollowed = false
        /// As the last look showed.
        var running: [EngineRun] = []
        var contact = EngineContact()
    }

    private let engine: any JobEngine
    private let system: ActorSystem
    private let keeper: String
    private let tenant: String
    private let pollMilliseconds: Int64
    private let state = Mutex(State())

    /// - Parameters:
    ///   - keeper: alias or id of the actor that keeps the jobs of engines.
    ///   - pollMilliseconds: how often the engine is asked when it does not say by itself that something happened.
    package init(
        engine: any JobEngine, system: ActorSystem, keeper: String, tenant: String, pollMilliseconds: Int64
    ) {
        self.engine = engine
        self.system = system
        self.keeper = keeper
        self.tenant = tenant
        self.pollMilliseconds = max(500, pollMilliseconds)
    }

    /// Until the task is cancelled or the system drains.
    package func run() async {
        await withDiscardingTaskGroup { group in
            group.addTask { await self.listen() }
            group.addTask { await self.lookOn() }
            while !Task.isCancelled, system.isAccepting {
                do throws(ActorError) {
                    try await look()
                } catch {
                    system.logger.error(
                        "the jobs of an engine could not be gone through; trying again",
                        metadata: [LogKeys.name: "\(engine.name)", LogKeys.error: "\(error)"])
                }
                do {
                    try await system.clock.sleep(milliseconds: Self.tick)
                } catch {
                    break
                }
            }
            group.cancelAll()
        }
    }

    /// Waits for the engine to say that something happened, or for the time of the next question.
    private func listen() async {
        do {
            while !Task.isCancelled {
                if state.withLock(\.hasFollowed) {
                    try await engine.pause(milliseconds: pollMilliseconds)
                } else {
                    try await system.clock.sleep(milliseconds: Self.tick)
                }
                state.withLock { $0.isLookDue = true }
            }
        } catch {
            // Cancelled.
        }
    }

    /// Fetches what running jobs have printed so far. At their end all of it is fetched; what is wrong is told then.
    private func lookOn() async {
        var turn = 0
        do {
            while !Task.isCancelled {
                try await system.clock.sleep(milliseconds: max(pollMilliseconds, Self.logPause))
                let runs = state.withLock(\.running)
                for _ in 0..<min(Self.logsAtOnce, runs.count) {
                    try? await engine.keepLogs(runs[turn % runs.count], maxBytes: Self.logBytes)
                    turn += 1
                }
            }
        } catch {
            // Cancelled.
        }
    }

    /// One round over all jobs that the engine has.
    func look() async throws(ActorError) {
        let notes = try await notes()
        let followed = notes.filter(\.isFollowed).map(\.run)
        let now = system.clock.uptime()
        let isDue = state.withLock { state in
            state.hasFollowed = !followed.isEmpty
            if followed.isEmpty { state.running = [] }
            guard !followed.isEmpty, state.isLookDue, state.contact.mayBeAsked(now: now) else { return false }
            state.isLookDue = false
            return true
        }
        let sights = isDue ? await ask(followed) : nil
        var sent = 0
        for note in notes where sent < Self.batch {
            let isWithdrawn = note.isOpen ? try await isWithdrawn(note.run.job) : false
            let sight = note.isFollowed ? sights?(note.run.job) : nil
            for word in EngineWatchRules.words(of: note, sight: sight, isWithdrawn: isWithdrawn, now: system.now()) {
                try await send(word)
                sent += 1
            }
        }
    }

    private func notes() async throws(ActorError) -> [EngineJobNote] {
        var notes: [EngineJobNote] = []
        var last: String?
        repeat {
            let documents = try await system.store.documents(EngineJobNote.kind, after: last, limit: Self.page)
            notes += documents.compactMap { EngineJobNote(json: $0.body) }.filter { $0.engine == engine.name }
            last = documents.count == Self.page ? documents.last?.id : nil
        } while last != nil
        return notes
    }

    /// A job that says of itself that it is finished goes on; one that was ended by somebody does not.
    private func isWithdrawn(_ job: JobID) async throws(ActorError) -> Bool {
        guard let record = try await system.store.job(job) else { return true }
        return [.failed, .rejected, .retired, .reset].contains(record.status)
    }

    /// What is seen of a job; nil when there is nothing to say yet.
    private func ask(_ runs: [EngineRun]) async -> (@Sendable (JobID) -> EngineWatchRules.Sight?)? {
        do throws(EngineFailure) {
            let observations = try await engine.look(runs)
            let hadTrouble = state.withLock { state -> Bool in
                state.running = runs.filter { observations[$0.job]?.phase == .running }
                return state.contact.answered()
            }
            if hadTrouble {
                system.logger.notice("an engine answers again", metadata: [LogKeys.name: "\(engine.name)"])
            }
            return { (job: JobID) -> EngineWatchRules.Sight? in
                guard let seen = observations[job] else { return .absent }
                return .observed(seen)
            }
        } catch {
            let message = error.message
            let now = system.clock.uptime()
            let failure = state.withLock { $0.contact.failed(message, now: now) }
            if failure.isNews {
                system.logger.warning(
                    "an engine did not answer; it is asked again",
                    metadata: [LogKeys.name: "\(engine.name)", LogKeys.error: "\(error)"])
            }
            guard failure.isLasting else { return nil }
            return { (_: JobID) -> EngineWatchRules.Sight? in .unreachable(message) }
        }
    }

    private func send(_ word: EngineWatchRules.Word) async throws(ActorError) {
        let target = try system.resolve(keeper, tenant: tenant)
        _ = try await system.send(
            MessageDraft(
                actor: target.id, body: JSONWriter.bytes(word.body), sender: EngineWatchRules.sender,
                idempotency: IdempotencyKey(key: word.key), key: word.lane))
    }
}
