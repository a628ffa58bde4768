internal import ActorCore
internal import Logging
internal import Synchronization

/// Keeps actors running: initialises each before its first message, and plays its ``SupervisionMachine``.
final class Supervisor: Sendable {
    /// Whether a slot may take messages now.
    enum Gate: Sendable, Equatable {
        case open
        /// As above, and it was not before: others may come too.
        case opened
        /// Somebody else is initialising the actor; whoever does tells when it is done.
        case busy
        case pause(until: Timestamp)
        /// Until the definition changes or an operator restarts it.
        case closed
        /// The definition was changed meanwhile: it has to be looked up again.
        case changed
    }

    private struct Supervised {
        var machine = SupervisionMachine()
        let revision: Int
        let reactor: (any Reactor)?
        let fault: String?
        var reason = ""
        var hardship: Hardship?
        var isPrepared: Bool
        var isPreparing = false

        init(_ entry: Directory.Entry) {
            revision = entry.spec.revision
            reactor = entry.reactor
            fault = entry.fault
            isPrepared = entry.reactor == nil
        }

        /// What came of another revision, or of another instance, says nothing about this one.
        func runs(_ entry: Directory.Entry) -> Bool { revision == entry.spec.revision && reactor === entry.reactor }

        var isOpen: Bool { isPrepared && fault == nil && machine.action == .run }
        /// Nothing is held against it that a success would clear.
        var isSound: Bool { machine.failures == 0 && machine.action == .run && hardship == nil }
    }

    private let state = Mutex<[ActorID: Supervised]>([:])
    private let environment: RuntimeEnvironment
    private let news: ActorNews

    init(environment: RuntimeEnvironment, news: ActorNews) {
        self.environment = environment
        self.news = news
    }

    /// An actor exists. A changed definition is tried afresh.
    func configure(_ entry: Directory.Entry) {
        let spec = entry.spec
        state.withLock { state in
            if let known = state[spec.id], known.runs(entry), known.fault == entry.fault { return }
            state[spec.id] = Supervised(entry)
        }
    }

    func restart(_ entry: Directory.Entry) {
        state.withLock { state in
            _ = state[entry.spec.id]?.machine.restarted()
            state[entry.spec.id]?.isPrepared = entry.reactor == nil
        }
    }

    /// Why an actor is in ERROR; nil when it is not.
    func failure(of actor: ActorID) -> String? {
        state.withLock { state in
            guard let supervised = state[actor] else { return nil }
            if case .error(let reason) = supervised.machine.action { return reason }
            return supervised.fault
        }
    }

    /// Why this machine has not been able to take an actor's work for a while; nil when it takes it.
    func hardship(of actor: ActorID) -> String? { state.withLock { $0[actor]?.hardship?.notice } }

    /// Why an actor does not take messages just now, and until when if that is known.
    func pause(of actor: ActorID) -> (reason: String, until: Timestamp?)? {
        state.withLock { state in
            guard let supervised = state[actor] else { return nil }
            switch supervised.machine.action {
            case .error(let reason): return (reason, nil)
            case .pause(let until): return (supervised.reason, until)
            case .run: return (supervised.fault ?? supervised.hardship?.reason).map { ($0, nil) }
            }
        }
    }

    /// To be asked before each message. Initialises the actor when nobody has.
    func gate(_ entry: Directory.Entry) async -> Gate {
        let isOpen = state.withLock { state in
            guard let supervised = state[entry.spec.id] else { return true }
            return supervised.isOpen && supervised.runs(entry)
        }
        if isOpen { return .open }
        let now = environment.clock.now()
        let (gate, mustPrepare) = state.withLock { state -> (Gate, Bool) in
            guard var supervised = state[entry.spec.id] else { return (.open, false) }
            defer { state[entry.spec.id] = supervised }
            // Whoever asks may be a moment ahead of ``configure(_:)``, or behind it.
            if !supervised.runs(entry) { supervised = Supervised(entry) }
            if supervised.fault != nil { return (.closed, false) }
            switch supervised.machine.woken(now: now) {
            case .error: return (.closed, false)
            case .pause(let until): return (.pause(until: until), false)
            case .run: break
            }
            if supervised.isPrepared { return (.open, false) }
            if supervised.isPreparing { return (.busy, false) }
            supervised.isPreparing = true
            return (.busy, true)
        }
        return mustPrepare ? await prepare(entry) : gate
    }

    private func prepare(_ entry: Directory.Entry) async -> Gate {
        var health = ExecutionDriver.Health.sound
        do {
            try await entry.reactor?.prepare(StartContext(environment: environment, spec: entry.spec))
        } catch {
            health = .broken(environment.configuration.scrub(String(describing: error)))
        }
        let isStill = state.withLock { state in
            guard let supervised = state[entry.spec.id], supervised.runs(entry) else { return false }
            state[entry.spec.id]?.isPreparing = false
            state[entry.spec.id]?.isPrepared = health == .sound
            if health == .sound { _ = state[entry.spec.id]?.machine.started() }
            return true
        }
        guard isStill else { return .changed }
        return health == .sound ? .opened : note(health, of: entry)
    }

    /// Takes up how a delivery ended.
    @discardableResult
    func note(_ health: ExecutionDriver.Health, of entry: Directory.Entry) -> Gate {
        let spec = entry.spec
        let isNoNews = state.withLock { state in
            guard let supervised = state[spec.id], supervised.runs(entry) else { return true }
            return health == .sound && supervised.isSound
        }
        if isNoNews { return .open }
        let now = environment.clock.now()
        if case .starved(let reason) = health {
            environment.logger.warning(
                "the machine cannot take an actor's work; trying again",
                metadata: [LogKeys.actor: "\(spec.word)", LogKeys.reason: "\(reason)"])
            let pause = state.withLock { state in
                var hardship = state[spec.id]?.hardship ?? Hardship()
                defer { state[spec.id]?.hardship = hardship }
                return hardship.again(reason)
            }
            return .pause(until: now.adding(milliseconds: pause))
        }
        let chance = Double.random(in: 0..<1)
        let (before, after) = state.withLock { state -> (SupervisionMachine.Action, SupervisionMachine.Action) in
            guard var supervised = state[spec.id], supervised.runs(entry) else { return (.run, .run) }
            defer { state[spec.id] = supervised }
            let before = supervised.machine.action
            if health != .unknown { supervised.hardship = nil }
            switch health {
            case .unknown, .starved: return (before, before)
            case .sound: return (before, supervised.machine.succeeded())
            case .crashed(let reason):
                supervised.reason = reason
                return (before, supervised.machine.crashed(reason, now: now, chance: chance))
            case .broken(let reason):
                supervised.reason = reason
                return (before, supervised.machine.broken(reason, now: now, chance: chance))
            }
        }
        if before != after { tell(after, spec, health) }
        switch after {
        case .run: return .open
        case .pause(let until): return .pause(until: until)
        case .error: return .closed
        }
    }

    private func tell(_ action: SupervisionMachine.Action, _ spec: ActorSpec, _ health: ExecutionDriver.Health) {
        let name: Logger.Metadata = [LogKeys.actor: "\(spec.word)"]
        switch action {
        case .run: break
        case .pause(let until):
            environment.logger.warning(
                "an actor is started again after a pause",
                metadata: name.merging([
                    LogKeys.until: "\(until.iso8601)", LogKeys.reason: "\(health.reason ?? "-")",
                ]) { $1 })
        case .error(let reason):
            environment.logger.error(
                "an actor is in ERROR; its mail waits until its definition changes or it is restarted",
                metadata: name.merging([LogKeys.reason: "\(reason)"]) { $1 })
            news.tell(.error(reason), of: spec)
        }
    }
}

/// What a Reactor sees while it is initialised.
private struct StartContext: ReactorSetup {
    let environment: RuntimeEnvironment
    let spec: ActorSpec

    var actor: ActorID { spec.id }
    var tenant: String { spec.tenant }
    var folder: String { spec.folder ?? "" }
    var settings: JSONValue { spec.settings }

    func log(_ level: LogLevel, _ message: String) {
        let level: Logger.Level =
            switch level {
            case .debug: .debug
            case .info: .info
            case .warning: .warning
            case .error: .error
            }
        environment.logger.log(
            level: level, "an actor starts",
            metadata: [
                LogKeys.actor: "\(spec.name)", LogKeys.note: "\(environment.configuration.scrub(message))",
            ])
    }

    func secret(_ name: String) -> String? {
        spec.secrets.contains(name) ? environment.configuration.secret(name) : nil
    }
}
