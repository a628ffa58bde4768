internal import ActorCore
internal import Logging
internal import Synchronization

/// Hands out slots: asks the machines what may run, and plays each slot in a child task of its own.
final class Dispatcher: Sendable {
    /// Work for the one tree of tasks.
    private enum Order: Sendable {
        case fill(ActorID)
        case wake(ActorID, at: Timestamp)
    }

    private struct State {
        var dispatch: DispatchMachine
        var mailboxes: [ActorID: Mailbox] = [:]
        /// The moments that somebody sleeps until, by actor: for one that is further away than all that come before it
        /// nobody begins to sleep again after each of those.
        var armed: [ActorID: Set<Timestamp>] = [:]
    }

    private let state: Mutex<State>
    private let orders: AsyncStream<Order>
    private let orderSink: AsyncStream<Order>.Continuation
    private let directory: Directory
    private let store: any Store
    private let clock: any Timekeeper
    private let driver: ExecutionDriver
    private let supervisor: Supervisor
    /// Rung when a slot was given back.
    private let ended = Bell()
    private let limits: Limits
    private let logger: Logger

    init(
        directory: Directory, store: any Store, clock: any Timekeeper, driver: ExecutionDriver,
        supervisor: Supervisor, limits: Limits, logger: Logger
    ) {
        self.directory = directory
        self.store = store
        self.clock = clock
        self.driver = driver
        self.supervisor = supervisor
        self.limits = limits
        self.logger = logger
        self.state = Mutex(State(dispatch: DispatchMachine(maxRunning: limits.maxRunning)))
        (self.orders, self.orderSink) = AsyncStream.makeStream(of: Order.self)
    }

    /// The wall clock was set: every mailbox is asked anew what can run.
    func clockWasSet() {
        decide { state in
            // Those who sleep look at the clock themselves.
            state.mailboxes.keys.flatMap { state.dispatch.paused($0, false) + state.dispatch.ready($0) }
        }
    }

    // MARK: What there is

    /// The mailboxes that hold messages at start-up.
    ///
    /// - Parameter recovery: after an unclean end, any of what waits may be what caused it.
    func load(_ actors: [ActorID], _ recovery: Recovery) {
        let suspects = recovery.wasUnclean ? recovery.lastSequence : 0
        state.withLock { state in
            for actor in actors {
                state.mailboxes[actor] = Mailbox(
                    bound: limits.mailboxHead, mayHoldMail: true, suspectsUpTo: suspects)
            }
        }
    }

    /// The actors that exist now; those that are gone keep their mail and do not run.
    func configure(_ entries: [Directory.Entry]) {
        for entry in entries { supervisor.configure(entry) }
        decide { state in
            var actions: [DispatchMachine.Action] = []
            let present = Set(entries.map(\.spec.id))
            for actor in state.mailboxes.keys where !present.contains(actor) {
                actions += state.dispatch.paused(actor, true)
            }
            for spec in entries.map(\.spec) {
                if state.mailboxes[spec.id] == nil {
                    state.mailboxes[spec.id] = Mailbox(bound: limits.mailboxHead)
                }
                actions += state.dispatch.configured(spec.id, limit: spec.concurrency)
                actions += state.dispatch.paused(spec.id, false)
                actions += state.dispatch.ready(spec.id)
            }
            return actions
        }
    }

    /// Tries an actor again that is paused or in ERROR.
    func restart(_ actor: ActorID) {
        guard let entry = directory.entry(actor) else { return }
        supervisor.restart(entry)
        decide { $0.dispatch.paused(actor, false) + $0.dispatch.ready(actor) }
    }

    /// Why people have to look after an actor; nil when they do not.
    func complaint(about actor: ActorID) -> String? { supervisor.complaint(about: actor) }

    /// Called on the store's writer, in commit order.
    func committed(_ envelopes: [Envelope]) {
        guard !envelopes.isEmpty else { return }
        let now = clock.now()
        let mailboxes = state.withLock { state in envelopes.map { mailbox($0.actor, &state) } }
        var signalled: [ActorID] = []
        for (envelope, mailbox) in zip(envelopes, mailboxes) where mailbox.committed(envelope, now: now) {
            signalled.append(envelope.actor)
        }
        guard !signalled.isEmpty else { return }
        decide { state in signalled.flatMap { state.dispatch.ready($0) } }
    }

    private func mailbox(_ actor: ActorID, _ state: inout State) -> Mailbox {
        if let mailbox = state.mailboxes[actor] { return mailbox }
        let mailbox = Mailbox(bound: limits.mailboxHead)
        state.mailboxes[actor] = mailbox
        return mailbox
    }

    private func mailbox(_ actor: ActorID) -> Mailbox { state.withLock { mailbox(actor, &$0) } }

    func withdrawn(_ sequence: Int64, from actor: ActorID) {
        mailbox(actor).removed(sequence, now: clock.now())
        // Its lane may be free now.
        decide { $0.dispatch.ready(actor) }
    }

    func purged(_ actor: ActorID) {
        mailbox(actor).purged(now: clock.now())
        decide { $0.dispatch.ready(actor) }
    }

    func waiting(_ actor: ActorID) -> Int { max(0, store.held(by: actor) - mailbox(actor).running) }
    func running(_ actor: ActorID) -> Int { mailbox(actor).running }
    var running: Int { state.withLock { $0.dispatch.running } }
    var isDraining: Bool { state.withLock { $0.dispatch.isDraining } }

    /// What keeps a waiting message from running, the reasons that concern it alone first.
    func reasons(for envelope: Envelope, _ entry: Directory.Entry?) -> [WaitReport.Reason] {
        var reasons: [WaitReport.Reason] = []
        let now = clock.now()
        if let moment = envelope.notBefore, moment > now {
            reasons.append(
                envelope.attempts > 0
                    ? .retry(until: moment, attempts: envelope.attempts) : .delayed(until: moment))
        }
        guard let entry else { return reasons + [.actorMissing] }
        let ordered = entry.spec.concurrency == 1
        switch mailbox(envelope.actor).obstacle(before: envelope, ordered: ordered) {
        case nil: break
        case .held(let sequence, let waiting):
            reasons.append(
                .lane(
                    key: envelope.key, holder: waiting?.execution ?? driver.execution(sequence),
                    until: waiting?.notBefore))
        case .crowded(let moment): reasons.append(.retryingKeys(MailboxMachine.maxLanes, until: moment))
        }
        let (isDraining, ownRunning, isFull) = state.withLock { state in
            (
                state.dispatch.isDraining, state.dispatch.running(envelope.actor),
                state.dispatch.running >= limits.maxRunning
            )
        }
        if isDraining { reasons.append(.draining) }
        if let obstacle = supervisor.obstacle(of: envelope.actor) {
            reasons.append(.actorStopped(reason: obstacle.reason, until: obstacle.until))
        }
        if ownRunning >= entry.spec.concurrency {
            reasons.append(.actorLimit(entry.spec.concurrency, running: driver.running(of: envelope.actor)))
        }
        if isFull { reasons.append(.daemonLimit(limits.maxRunning)) }
        return reasons
    }

    /// No new work is started from now on.
    func drain() { state.withLock { $0.dispatch.drain() } }

    // MARK: Running

    /// Plays what was decided until the stream of orders ends; everything that runs is a child of this call.
    func run() async {
        await withDiscardingTaskGroup { group in
            for await order in orders {
                switch order {
                case .fill(let actor): group.addTask { await self.fill(actor) }
                case .wake(let actor, let moment):
                    group.addTask {
                        try? await self.clock.sleep(until: moment)
                        self.woken(actor, moment)
                    }
                }
            }
            group.cancelAll()
        }
    }

    /// Returns when nothing runs any more; to be asked once, after ``drain()``.
    func untilIdle() async {
        ended.ring()
        for await _ in ended.rings where running == 0 { return }
    }

    /// Ends ``run()``: sleeping wake-ups are cancelled, executions must have ended before.
    func close() { orderSink.finish() }

    /// Asks the machine under the lock; what it has decided is played outside it.
    private func decide(_ body: (inout State) -> [DispatchMachine.Action]) {
        let actions = state.withLock { body(&$0) }
        for case .start(let actor) in actions { orderSink.yield(.fill(actor)) }
    }

    /// Uses one slot of `actor` for one message after the other, until nothing can run or others wait for a slot.
    private func fill(_ actor: ActorID) async {
        let mailbox = mailbox(actor)
        defer { ended.ring() }
        var isSearching = true
        while true {
            guard let entry = directory.entry(actor) else { return standDown(actor, mailbox) }
            guard isOpen(await supervisor.gate(entry), actor, mailbox) else { return }
            let next = mailbox.next(
                now: clock.now(), ordered: entry.spec.concurrency == 1, longestBackoff: entry.spec.retry.longest,
                isSearching: isSearching, found: { more in decide { $0.dispatch.found(actor, more: more) } },
                idle: { decide { $0.dispatch.idle(actor) } })
            isSearching = false
            switch next {
            case .deliver(let envelope):
                let end = await driver.run(envelope, entry)
                ended(envelope, end.returned, mailbox)
                guard isOpen(supervisor.note(end.health, of: entry), actor, mailbox) else { return }
            case .expire(let envelope):
                ended(envelope, await driver.expire(envelope), mailbox)
            case .read(let page):
                guard await read(page, of: actor, into: mailbox) else { return }
                continue
            case .wait(let moment): return arm(actor, moment)
            case .empty: return
            }
            if !keepsSlot(actor) { return }
        }
    }

    /// Takes up what the supervisor says. False when the slot was given back.
    private func isOpen(_ gate: Supervisor.Gate, _ actor: ActorID, _ mailbox: Mailbox) -> Bool {
        switch gate {
        case .open: return true
        case .opened: decide { $0.dispatch.ready(actor) }
        case .busy: standDown(actor, mailbox)
        case .pause(let until):
            standDown(actor, mailbox, pausing: true)
            arm(actor, until)
        case .closed: standDown(actor, mailbox, pausing: true)
        // Whoever takes the slot next looks the definition up.
        case .changed: decide { $0.dispatch.finished(actor) }
        }
        return gate == .opened
    }

    /// Gives the slot back without an answer from the mailbox; whoever has a reason to look again says so.
    private func standDown(_ actor: ActorID, _ mailbox: Mailbox, pausing: Bool = false) {
        mailbox.standDown {
            decide { state in
                (pausing ? state.dispatch.paused(actor, true) : []) + state.dispatch.idle(actor)
            }
        }
    }

    private func ended(_ envelope: Envelope, _ returned: Envelope?, _ mailbox: Mailbox) {
        mailbox.ended(envelope, returned: returned, now: clock.now())
        // Whoever goes on with other messages does not wait for this one's moment.
        if let moment = returned?.notBefore { arm(envelope.actor, moment) }
    }

    /// False when the slot was given back so that others get their turn.
    private func keepsSlot(_ actor: ActorID) -> Bool {
        var keeps = true
        decide { state in
            if state.dispatch.keepsSlot(actor) { return [] }
            keeps = false
            return state.dispatch.finished(actor)
        }
        return keeps
    }

    /// False when the store could not be read: the slot is given back, and it is tried again in a second.
    private func read(_ page: MailboxRead, of actor: ActorID, into mailbox: Mailbox) async -> Bool {
        do {
            let rows = try await store.page(page, of: actor, now: clock.now(), limit: limits.mailboxHead)
            mailbox.read(rows, limit: limits.mailboxHead, now: clock.now())
            // There may be work for more slots than the one that read it, or more to read: whoever asked while this
            // page was under way was told of neither.
            decide { $0.dispatch.ready(actor) }
            return true
        } catch {
            logger.error(
                "a mailbox could not be read; trying again in a second",
                metadata: [LogKeys.actorID: "\(actor)", LogKeys.error: "\(error)"])
            mailbox.readFailed()
            standDown(actor, mailbox)
            arm(actor, clock.now().adding(milliseconds: 1000))
            return false
        }
    }

    private func arm(_ actor: ActorID, _ moment: Timestamp) {
        let isNew = state.withLock { state in
            let armed = state.armed[actor] ?? []
            if armed.contains(where: { $0 <= moment }) { return false }
            state.armed[actor, default: []].insert(moment)
            return true
        }
        if isNew { orderSink.yield(.wake(actor, at: moment)) }
    }

    private func woken(_ actor: ActorID, _ moment: Timestamp) {
        decide { state in
            state.armed[actor]?.remove(moment)
            if state.armed[actor]?.isEmpty == true { state.armed[actor] = nil }
            // A pause ends with its wake-up; the supervisor is asked again before the next message.
            return state.dispatch.paused(actor, false) + state.dispatch.ready(actor)
        }
    }
}
