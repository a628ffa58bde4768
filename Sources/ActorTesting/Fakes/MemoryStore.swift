package import ActorCore
import Synchronization

/// The model of the whole store: what every real one must do, in plain values. It keeps nothing across its own life.
package final class MemoryStore: Sendable {
    package typealias Sink = @Sendable ([Envelope], [CommittedEvent]) -> Void

    private struct Guarded {
        var model = MemoryModel()
        var sink: Sink?
    }

    private let guarded = Mutex(Guarded())

    package init() {}

    /// What the next ``recover(at:)`` says of the process before.
    package var wasUnclean: Bool {
        get { read(\.wasUnclean) }
        set { guarded.withLock { $0.model.wasUnclean = newValue } }
    }

    /// The most that mail between actors may fill a mailbox with.
    package var mostMail: Int {
        get { read(\.internalRules.maxMailbox) }
        set { guarded.withLock { $0.model.internalRules.maxMailbox = newValue } }
    }

    package func onCommit(_ sink: @escaping Sink) { guarded.withLock { $0.sink = sink } }

    func read<Value: Sendable>(_ body: (MemoryModel) -> Value) -> Value { guarded.withLock { body($0.model) } }

    /// One commit. The body throws before it changes anything, or not at all.
    func change<Value: Sendable>(
        _ body: (inout MemoryModel) throws(ActorError) -> Value
    ) throws(ActorError) -> Value {
        try guarded.withLock { (guarded) throws(ActorError) in
            let value = try body(&guarded.model)
            let (envelopes, events) = guarded.model.takeNews()
            guarded.model.announce(events)
            // Under the lock, so that the sink hears of commits in their order.
            if !events.isEmpty { guarded.sink?(envelopes, events) }
            return value
        }
    }
}

extension MemoryStore: MailboxStore {
    package func append(
        _ messages: [NewMessage], rules: AcceptRules, then: @escaping MailboxStore.AppendAnswer
    ) {
        do throws(ActorError) {
            then(.success(try change { model in messages.map { model.append($0, rules: rules) } }))
        } catch {
            then(.failure(error))
        }
    }

    package func page(
        _ page: MailboxRead, of actor: ActorID, now: Timestamp, limit: Int
    ) async throws(ActorError) -> [Envelope] {
        read { Array($0.waiting(in: actor, page, now: now).prefix(max(0, limit))) }
    }

    package func mailboxes() async throws(ActorError) -> [ActorID] {
        read { model in model.mailboxes.filter { !$0.value.isEmpty }.keys.sorted() }
    }

    package func place(
        of execution: ExecutionID, countingTo limit: Int
    ) async throws(ActorError) -> WaitingPlace? {
        read { model in
            guard let record = model.executions[execution], let mailbox = model.mailboxes[record.actor],
                let envelope = mailbox.map(\.envelope).first(where: { $0.execution == execution })
            else { return nil }
            let before = mailbox.count { $0.envelope.notBefore == nil && $0.envelope.rank < envelope.rank }
            return WaitingPlace(envelope: envelope, before: min(before, max(0, limit)))
        }
    }

    package func held(by actor: ActorID) -> Int { read { $0.mailboxes[actor]?.count ?? 0 } }

    package func begin(_ envelope: Envelope, attempt: Int, at now: Timestamp) async throws(ActorError) {
        try change { (model) throws(ActorError) in try model.begin(envelope, attempt: attempt, at: now) }
    }

    package func complete(_ completion: Completion) async throws(ActorError) {
        try change { (model) throws(ActorError) in try model.complete(completion) }
    }

    package func commit(
        _ effects: Effects, of envelope: Envelope, at now: Timestamp
    ) async throws(ActorError) {
        try change { (model) throws(ActorError) in
            _ = try model.held(envelope, hasBegun: true)
            try model.check(effects)
            model.apply(effects, actor: envelope.actor, execution: envelope.execution, at: now)
            model.store(effects.steps, of: envelope.execution)
        }
    }

    package func recover(at now: Timestamp) async throws(ActorError) -> Recovery {
        try change { model in
            Recovery(
                interrupted: model.recover(at: now), wasUnclean: model.wasUnclean, lastSequence: model.lastSequence)
        }
    }

    package func purge(_ actor: ActorID, at now: Timestamp) async throws(ActorError) -> Int {
        try change { model in
            let waiting = model.waiting(in: actor)
            for envelope in waiting { model.cancel(envelope, at: now) }
            return waiting.count
        }
    }

    package func withdraw(_ execution: ExecutionID, at now: Timestamp) async throws(ActorError) -> Bool {
        try change { model in
            guard let record = model.executions[execution],
                let envelope = model.waiting(in: record.actor).first(where: { $0.execution == execution })
            else { return false }
            model.cancel(envelope, at: now)
            return true
        }
    }

    package func steps(of execution: ExecutionID) async throws(ActorError) -> [StepResult] {
        read { $0.steps[execution] ?? [] }
    }
}
