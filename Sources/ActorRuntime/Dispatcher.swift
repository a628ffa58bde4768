internal import ActorCore
internal import Logging
internal import Synchronization

/// Starts executions: asks the machines what may run, and plays each in a child task of its own.
final class Dispatcher: Sendable {
    /// Work for the one tree of tasks.
    private enum Order: Sendable {
        case fill(ActorID)
        case wake(ActorID, at: Timestamp)
    }

    private struct State {
        var dispatch: DispatchMachine
        var mailboxes: [ActorID: MailboxMachine] = [:]
        /// The earliest wake-up that is under way, by actor.
        var armed: [ActorID: Timestamp] = [:]
    }

    private let state: Mutex<State>
    private let orders: AsyncStream<Order>
    private let orderSink: AsyncStream<Order>.Continuation
    private let directory: Directory
    private let store: any Store
    private let clock: any Timekeeper
    private let driver: ExecutionDriver
    /// Rung when an execution has ended.
    private let ended = Bell()
    private let limits: Limits
    private let logger: Logger

    init(
        directory: Directory, store: any Store, clock: any Timekeeper, driver: ExecutionDriver, limits: Limits,
        logger: Logger
    ) {
        self.directory = directory
        self.store = store
        self.clock = clock
        self.driver = driver
        self.limits = limits
        self.logger = logger
        self.state = Mutex(State(dispatch: DispatchMachine(maxRunning: limits.maxRunning)))
        (self.orders, self.orderSink) = AsyncStream.makeStream(of: Order.self)
    }

    /// The wall clock was set: every mailbox is asked anew what can run.
    func clockWasSet() {
        decide { state in
            state.armed = [:]
            return state.mailboxes.keys.flatMap { state.dispatch.ready($0) }
        }
    }

    /// What waits in the store at start-up.
    func load(_ backlogs: [Backlog]) {
        decide { state in
            for backlog in backlogs {
                state.mailboxes[backlog.actor] = MailboxMachine(bound: limits.mailboxHead, backlog: backlog.count)
            }
            return []
        }
    }

    /// The actors that exist now; those that are gone keep their mail and do not run.
    func configure(_ specs: [ActorSpec]) {
        decide { state in
            var actions: [DispatchMachine.Action] = []
            let present = Set(specs.map(\.id))
            for actor in state.mailboxes.keys where !present.contains(actor) {
                actions += state.dispatch.paused(actor, true)
            }
            for spec in specs {
                if state.mailboxes[spec.id] == nil {
                    state.mailboxes[spec.id] = MailboxMachine(bound: limits.mailboxHead)
                }
                actions += state.dispatch.configured(spec.id, limit: spec.concurrency)
                actions += state.dispatch.paused(spec.id, false)
                actions += state.dispatch.ready(spec.id)
            }
            return actions
        }
    }

    /// Called on the store's writer, in commit order.
    func committed(_ envelopes: [Envelope]) {
        guard !envelopes.isEmpty else { return }
        decide { state in
            var actions: [DispatchMachine.Action] = []
            for envelope in envelopes {
                state.mailboxes[envelope.actor, default: MailboxMachine(bound: limits.mailboxHead)]
                    .committed(envelope)
                actions += state.dispatch.ready(envelope.actor)
            }
            return actions
        }
    }

    func withdrawn(_ execution: ExecutionID, from actor: ActorID) {
        state.withLock { $0.mailboxes[actor]?.removed(execution) }
    }

    func purged(_ actor: ActorID) { state.withLock { $0.mailboxes[actor]?.removedAll() } }

    func waiting(_ actor: ActorID) -> Int { state.withLock { $0.mailboxes[actor]?.waiting ?? 0 } }
    func running(_ actor: ActorID) -> Int { state.withLock { $0.dispatch.running(actor) } }
    var running: Int { state.withLock { $0.dispatch.running } }
    var isDraining: Bool { state.withLock { $0.dispatch.isDraining } }

    /// No new work is started from now on.
    func drain() { state.withLock { $0.dispatch.drain() } }

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

    /// The only place where the lock is taken to decide; what was decided is played outside it.
    private func decide(_ body: (inout State) -> [DispatchMachine.Action]) {
        let actions = state.withLock { body(&$0) }
        for case .start(let actor) in actions { orderSink.yield(.fill(actor)) }
    }

    /// Uses one slot of `actor`: runs its next message, or gives the slot back.
    private func fill(_ actor: ActorID) async {
        while true {
            guard let entry = directory.entry(actor), let next = take(actor, entry.spec) else {
                return giveUp(actor)
            }
            switch next {
            case .deliver(let envelope):
                let returned = await driver.run(envelope, entry)
                decide { state in
                    if let returned { state.mailboxes[actor]?.returned(returned) }
                    return state.dispatch.finished(actor)
                }
                ended.ring()
                return
            case .refill(let sequence):
                do {
                    let rows = try await store.head(of: actor, after: sequence, limit: limits.mailboxHead)
                    state.withLock { $0.mailboxes[actor]?.refilled(rows, limit: limits.mailboxHead) }
                } catch {
                    logger.error(
                        "a mailbox could not be read; trying again in a second",
                        metadata: [LogKeys.actorID: "\(actor)", LogKeys.error: "\(error)"])
                    state.withLock { $0.mailboxes[actor]?.refillFailed() }
                    arm(actor, clock.now().adding(milliseconds: 1000))
                    return giveUp(actor)
                }
            case .wait, .empty:
                ended.ring()
                return
            }
        }
    }

    /// The next step of a mailbox. Nothing to run gives the slot back under the same lock, so that a message which
    /// is committed meanwhile cannot be overlooked.
    private func take(_ actor: ActorID, _ spec: ActorSpec) -> MailboxMachine.Next? {
        let now = clock.now()
        var wakeAt: Timestamp?
        var next: MailboxMachine.Next?
        decide { state in
            next = state.mailboxes[actor]?.next(
                now: now, ordered: spec.concurrency == 1, longestBackoff: spec.retry.longest)
            switch next {
            case .wait(let moment):
                wakeAt = moment
                return state.dispatch.idle(actor)
            case .empty: return state.dispatch.idle(actor)
            default: return []
            }
        }
        if let wakeAt { arm(actor, wakeAt) }
        return next
    }

    private func giveUp(_ actor: ActorID) {
        decide { $0.dispatch.idle(actor) }
        ended.ring()
    }

    private func arm(_ actor: ActorID, _ moment: Timestamp) {
        let isNew = state.withLock { state in
            if let armed = state.armed[actor], armed <= moment { return false }
            state.armed[actor] = moment
            return true
        }
        if isNew { orderSink.yield(.wake(actor, at: moment)) }
    }

    private func woken(_ actor: ActorID, _ moment: Timestamp) {
        decide { state in
            if state.armed[actor] == moment { state.armed[actor] = nil }
            return state.dispatch.ready(actor)
        }
    }
}
