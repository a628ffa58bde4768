/// The life of one job at a job engine: submitted once per attempt, followed, stopped, its logs kept, submitted again
/// when it was the engine that failed, forgotten there when its time has passed.
///
/// Failures of the engine never count as failures of the job: they are told, and tried again with backoff.
package struct RemoteJobMachine: Sendable, Equatable {
    /// What holds for this job and its engine.
    package struct Rules: Sendable, Equatable {
        /// Tries after a failed one; 0 when the engine sees to that itself.
        package var retries: Int
        /// Milliseconds the whole job may take from its first start on; nil when the engine sees to that itself.
        package var deadlineMilliseconds: Int64?
        /// After its end the engine keeps something of it for so long; nil when it keeps nothing.
        package var keptMilliseconds: Int64?
        /// Submissions again because the engine lost it.
        package var engineRetries: Int
        /// It takes so long of not being known before a job counts as lost: accounting lags.
        package var lostMilliseconds: Int64

        package init(
            retries: Int = 0, deadlineMilliseconds: Int64? = nil, keptMilliseconds: Int64? = nil,
            engineRetries: Int = 5, lostMilliseconds: Int64 = 60_000
        ) {
            self.retries = max(0, retries)
            self.deadlineMilliseconds = deadlineMilliseconds
            self.keptMilliseconds = keptMilliseconds
            self.engineRetries = engineRetries
            self.lostMilliseconds = lostMilliseconds
        }
    }

    /// What the shell is to do, in this order.
    package enum Action: Sendable, Equatable {
        /// Find what is there under this attempt's name, else submit it; say ``submitted(_:now:)`` or ``failed``.
        case submit
        /// Ask the engine to end it; say ``asked(now:)`` or ``failed``.
        case cancel
        /// Fetch the logs; say ``kept(now:chance:)`` or ``failed``.
        case keep
        /// Remove what the engine keeps; say ``forgot()`` or ``failed``.
        case forget
        /// For the job's history.
        case tell(News)
        /// All is well: publish the output and finish the job.
        case publish
        /// The job failed.
        case fail(step: String?, EngineEnd)
    }

    package enum News: Sendable, Equatable {
        case submitted(String)
        case running(node: String?)
        /// It waits, or something stands in its way.
        case waiting(String)
        /// The engine does not do what it is asked.
        case trouble(String)
        case step(EngineObservation.Step, EngineEnd)
        /// Another attempt follows, because of this.
        case again(attempt: Int, String)
    }

    package enum Stop: String, Sendable {
        /// Somebody moved or removed the job.
        case withdrawn
        case timedOut = "timed_out"
    }

    enum State: Sendable, Equatable {
        /// To be submitted from `at` on. Goes to `following`, `stopping` or `over`.
        case waiting(at: Timestamp)
        /// The engine has it. Goes to `stopping`, `keeping`, `waiting` (lost, next attempt) or `over`.
        case following(absentSince: Timestamp?)
        /// The engine is to end it. Goes to `keeping`.
        case stopping(Stop, at: Timestamp, hasAsked: Bool)
        /// It ended so; its logs are still there. Goes to `waiting` (next attempt), `leaving` or `over`.
        case keeping(EngineEnd, step: String?, at: Timestamp)
        /// The job's outcome was told; the engine keeps it until then. Goes to `over`.
        case leaving(at: Timestamp)
        /// Nothing may follow.
        case over
    }

    static let maxTold = 2000

    package let rules: Rules
    package internal(set) var attempt = 1
    /// What the engine calls this attempt.
    package internal(set) var id: String?
    var state: State
    /// Failures of the engine in a row.
    var failures = 0
    var triesFailed = 0
    var engineLosses = 0
    var began: Timestamp?
    var stop: Stop?
    var lastWord: String?
    var toldSteps: Set<String> = []

    package init(rules: Rules, now: Timestamp) {
        self.rules = rules
        self.state = .waiting(at: now)
    }

    package var isOver: Bool { state == .over }
    /// The engine may know it: it is to be looked at.
    package var isFollowed: Bool {
        switch state {
        case .following, .stopping: true
        case .waiting, .keeping, .leaving, .over: false
        }
    }
    /// The job's outcome is still open.
    package var isOpen: Bool {
        switch state {
        case .waiting, .following, .stopping, .keeping: true
        case .leaving, .over: false
        }
    }

    /// The moment at which ``due(now:chance:)`` has something to say; nil: only news moves it on.
    package var wake: Timestamp? {
        switch state {
        case .waiting(let at), .keeping(_, _, let at), .leaving(let at): at
        case .stopping(_, let at, let hasAsked): hasAsked ? nil : at
        case .following(let absentSince?): absentSince.adding(milliseconds: rules.lostMilliseconds)
        case .following(nil): deadline
        case .over: nil
        }
    }

    private var deadline: Timestamp? {
        rules.deadlineMilliseconds.flatMap { limit in began.map { $0.adding(milliseconds: limit) } }
    }

    /// Its time has come; nothing when it has not.
    package mutating func due(now: Timestamp, chance: Double) -> [Action] {
        guard let wake, wake <= now else { return [] }
        switch state {
        case .waiting: return [.submit]
        case .stopping: return [.cancel]
        case .keeping: return [.keep]
        case .leaving: return [.forget]
        case .following(nil):
            state = .stopping(.timedOut, at: now, hasAsked: false)
            return [.cancel]
        case .following: return lost(now: now, chance: chance)
        case .over: return []
        }
    }

    // MARK: What the engine answered

    package mutating func submitted(_ id: String, now: Timestamp) -> [Action] {
        guard case .waiting = state else { preconditionFailure("nothing was being submitted") }
        failures = 0
        self.id = id
        lastWord = nil
        state = .following(absentSince: nil)
        return [.tell(.submitted(id))]
    }

    /// It was asked to end the job.
    package mutating func asked(now: Timestamp) {
        guard case .stopping(let why, _, _) = state else { preconditionFailure("nothing was being stopped") }
        failures = 0
        state = .stopping(why, at: now, hasAsked: true)
    }

    /// The engine did not do what ``Action/submit``, ``Action/cancel``, ``Action/keep`` or ``Action/forget`` asked for.
    package mutating func failed(_ failure: EngineFailure, now: Timestamp, chance: Double) -> [Action] {
        failures += 1
        let wait = max(1000, RetryPolicy.backoff(attempt: failures, base: 2, cap: 600, chance: chance))
        let at = now.adding(milliseconds: wait)
        switch state {
        case .waiting:
            if failure.kind == .unacceptable {
                return end(.fail(step: nil, EngineEnd(.couldNotStart, message: failure.message)), now: now)
            }
            state = .waiting(at: at)
        case .stopping(let why, _, _): state = .stopping(why, at: at, hasAsked: false)
        case .keeping(let end, let step, _):
            // What is gone cannot be fetched: the outcome counts more than its logs.
            if failure.kind == .unacceptable || failures >= 10 {
                return say(.trouble("the logs could not be fetched: \(failure.message)"), failure.message)
                    + kept(now: now, chance: chance)
            }
            state = .keeping(end, step: step, at: at)
        case .leaving:
            if failure.kind == .unacceptable || failures >= 10 {
                state = .over
                return []
            }
            state = .leaving(at: at)
            return []
        case .following, .over: preconditionFailure("nothing was asked of the engine")
        }
        return say(.trouble(failure.message), failure.message)
    }

    /// The engine could not be asked how this job stands.
    package mutating func unseen(_ failure: String) -> [Action] {
        isFollowed ? say(.trouble(failure), failure) : []
    }

    package mutating func seen(_ observation: EngineObservation, now: Timestamp) -> [Action] {
        guard isFollowed else { return [] }
        if case .following = state { state = .following(absentSince: nil) }
        var actions: [Action] = []
        if began == nil, observation.phase == .running || observation.steps.contains(where: { $0.state != .waiting }) {
            began = observation.started ?? now
            actions.append(.tell(.running(node: observation.node)))
        }
        var failedStep: String?
        for step in observation.steps {
            guard case .ended(let end) = step.state else { continue }
            if !end.succeeded { failedStep = failedStep ?? step.title }
            guard toldSteps.count < Self.maxTold, toldSteps.insert("\(attempt)/\(step.place)/\(step.title)").inserted
            else { continue }
            actions.append(.tell(.step(step, end)))
        }
        guard case .ended(let end) = observation.phase else {
            if let reason = observation.reason { actions += say(.waiting(reason), reason) } else { lastWord = nil }
            return actions
        }
        if case .stopping(let why, _, _) = state { stop = why }
        failures = 0
        state = .keeping(end, step: failedStep, at: now)
        return actions + [.keep]
    }

    /// The engine knows nothing of it.
    package mutating func absent(now: Timestamp) -> [Action] {
        switch state {
        case .following(nil):
            state = .following(absentSince: now)
            return []
        case .stopping(let why, _, true):
            stop = why
            failures = 0
            state = .keeping(EngineEnd(.cancelled), step: nil, at: now)
            return [.keep]
        default: return []
        }
    }

    private mutating func lost(now: Timestamp, chance: Double) -> [Action] {
        again(EngineEnd(.lost), step: nil, isEngines: true, now: now, chance: chance)
    }

    // MARK: The end

    /// Somebody moved or removed the job: whatever there is of it at the engine is to end.
    package mutating func withdraw(now: Timestamp) -> [Action] {
        switch state {
        // A crash may have hidden a submission: it is looked for by its name.
        case .waiting, .following:
            state = .stopping(.withdrawn, at: now, hasAsked: false)
            return [.cancel]
        case .stopping(_, let at, let hasAsked):
            state = .stopping(.withdrawn, at: at, hasAsked: hasAsked)
            return []
        case .keeping:
            leave(now: now)
            return []
        case .leaving, .over: return []
        }
    }

    package mutating func kept(now: Timestamp, chance: Double) -> [Action] {
        guard case .keeping(let end, let step, _) = state else { preconditionFailure("nothing was being kept") }
        failures = 0
        switch stop {
        case .withdrawn:
            leave(now: now)
            return []
        case .timedOut: return self.end(.fail(step: step, EngineEnd(.timedOut, message: end.message)), now: now)
        case nil: break
        }
        if end.succeeded { return self.end(.publish, now: now) }
        let isWorth = [.failed, .outOfMemory].contains(end.kind) || end.isOfTheEngine
        guard isWorth else { return self.end(.fail(step: step, end), now: now) }
        return again(end, step: step, isEngines: end.isOfTheEngine, now: now, chance: chance)
    }

    package mutating func forgot() {
        guard case .leaving = state else { preconditionFailure("nothing was to be forgotten") }
        state = .over
    }

    private mutating func again(
        _ end: EngineEnd, step: String?, isEngines: Bool, now: Timestamp, chance: Double
    ) -> [Action] {
        if isEngines { engineLosses += 1 } else { triesFailed += 1 }
        let isLast = isEngines ? engineLosses > rules.engineRetries : triesFailed > rules.retries
        if isLast { return self.end(.fail(step: step, end), now: now) }
        attempt += 1
        id = nil
        lastWord = nil
        let wait = RetryPolicy.backoff(attempt: triesFailed + engineLosses, base: 2, cap: 300, chance: chance)
        state = .waiting(at: now.adding(milliseconds: wait))
        let what = step.map { "\($0) \(end.reason ?? "")" } ?? end.reason ?? ""
        return [.tell(.again(attempt: attempt, what))]
    }

    private mutating func end(_ outcome: Action, now: Timestamp) -> [Action] {
        leave(now: now)
        return [outcome]
    }

    private mutating func leave(now: Timestamp) {
        guard let kept = rules.keptMilliseconds, id != nil else {
            state = .over
            return
        }
        state = .leaving(at: now.adding(milliseconds: kept))
    }

    /// The same thing is not told twice in a row.
    private mutating func say(_ news: News, _ word: String) -> [Action] {
        guard word != lastWord else { return [] }
        lastWord = word
        return [.tell(news)]
    }
}
