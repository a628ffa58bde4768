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
        private let revision: Int
        private let reactor: (any Reactor)?
        private let fault: String?
        var machine: SupervisionMachine

        init(_ entry: Directory.Entry) {
            revision = entry.spec.revision
            reactor = entry.reactor
            fault = entry.fault
            machine = SupervisionMachine(needsPreparation: entry.reactor != nil, fault: entry.fault)
        }

        /// What came of another revision, or of another instance, says nothing about this one.
        func runs(_ entry: Directory.Entry) -> Bool { revision == entry.spec.revision && reactor === entry.reactor }

        /// Nothing has changed that its machine would have to know.
        func knows(_ entry: Directory.Entry) -> Bool { runs(entry) && fault == entry.fault }
    }

    private typealias Action = SupervisionMachine.Action
    typealias Health = SupervisionMachine.Health

    private let state = Mutex<[ActorID: Supervised]>([:])
    private let environment: RuntimeEnvironment
    private let news: ActorNews

    init(environment: RuntimeEnvironment, news: ActorNews) {
        self.environment = environment
        self.news = news
    }

    /// An actor exists. A changed definition is tried afresh.
    func configure(_ entry: Directory.Entry) {
        state.withLock { state in
            if state[entry.spec.id]?.knows(entry) != true { state[entry.spec.id] = Supervised(entry) }
        }
    }

    func restart(_ entry: Directory.Entry) { state.withLock { _ = $0[entry.spec.id]?.machine.restarted() } }

    /// Why people have to look after an actor; nil when they do not.
    func complaint(about actor: ActorID) -> String? { state.withLock { $0[actor]?.machine.complaint } }

    /// Why an actor does not take messages just now, and until when if that is known.
    func obstacle(of actor: ActorID) -> (reason: String, until: Timestamp?)? {
        state.withLock { $0[actor]?.machine.obstacle }
    }

    /// To be asked before each message. Initialises the actor when nobody has.
    func gate(_ entry: Directory.Entry) async -> Gate {
        let isOpen = state.withLock { state in
            guard let supervised = state[entry.spec.id] else { return true }
            return supervised.runs(entry) && supervised.machine.action == .run
        }
        if isOpen { return .open }
        let now = environment.clock.now()
        let action = state.withLock { state -> Action in
            guard var supervised = state[entry.spec.id] else { return .run }
            defer { state[entry.spec.id] = supervised }
            // Whoever asks may be a moment ahead of ``configure(_:)``, or behind it.
            if !supervised.runs(entry) { supervised = Supervised(entry) }
            return supervised.machine.asked(now: now)
        }
        switch action {
        case .run: return .open
        case .prepare: return await prepare(entry)
        case .wait: return .busy
        case .pause(let until): return .pause(until: until)
        case .error: return .closed
        }
    }

    private func prepare(_ entry: Directory.Entry) async -> Gate {
        var health = Health.sound
        do {
            try await entry.reactor?.prepare(StartContext(environment: environment, spec: entry.spec))
        } catch {
            health = .broken(environment.configuration.scrub(String(describing: error)))
        }
        let gate = take(health, of: entry) { $0.prepared(health, now: $1, chance: $2) }
        return gate == .open ? .opened : gate
    }

    /// Takes up how a delivery ended.
    func note(_ health: Health, of entry: Directory.Entry) -> Gate {
        let isNoNews = state.withLock { state in
            guard let supervised = state[entry.spec.id], supervised.runs(entry) else { return true }
            return health == .sound && supervised.machine.isSound
        }
        if isNoNews { return .open }
        let gate = take(health, of: entry) { $0.ended(health, now: $1, chance: $2) }
        // The next message has its own definition looked up.
        return gate == .changed ? .open : gate
    }

    private func take(
        _ health: Health, of entry: Directory.Entry,
        _ event: (inout SupervisionMachine, Timestamp, Double) -> Action
    ) -> Gate {
        let now = environment.clock.now()
        let chance = Double.random(in: 0..<1)
        let change = state.withLock { state -> (before: Action, after: Action)? in
            guard var supervised = state[entry.spec.id], supervised.runs(entry) else { return nil }
            defer { state[entry.spec.id] = supervised }
            let before = supervised.machine.action
            return (before, event(&supervised.machine, now, chance))
        }
        guard let change else { return .changed }
        if change.before != change.after { tell(change.after, entry.spec, health) }
        switch change.after {
        // A restart asks for another initialisation: whoever takes the next message is told.
        case .run, .prepare, .wait: return .open
        case .pause(let until): return .pause(until: until)
        case .error: return .closed
        }
    }

    private func tell(_ action: Action, _ spec: ActorSpec, _ health: Health) {
        let name: Logger.Metadata = [LogKeys.actor: "\(spec.word)"]
        switch (action, health) {
        case (.pause, .starved(let reason)):
            environment.logger.warning(
                "the machine cannot take an actor's work; trying again",
                metadata: name.merging([LogKeys.reason: "\(reason)"]) { $1 })
        case (.pause(let until), .crashed(let reason)), (.pause(let until), .broken(let reason)):
            environment.logger.warning(
                "an actor is started again after a pause",
                metadata: name.merging([LogKeys.until: "\(until.iso8601)", LogKeys.reason: "\(reason)"]) { $1 })
        case (.error(let reason), _):
            environment.logger.error(
                "an actor is in ERROR; its mail waits until its definition changes or it is restarted",
                metadata: name.merging([LogKeys.reason: "\(reason)"]) { $1 })
            news.tell(.error(reason), of: spec)
        default: break
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
