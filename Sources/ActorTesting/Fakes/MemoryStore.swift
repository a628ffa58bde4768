package import ActorCore
import Synchronization

/// The model of the whole store: what every real one must do, in plain values, and strict about illegal calls.
///
/// It keeps nothing across its own life. Beginning a message that does not wait, or completing one that does not run,
/// is a bug of the caller and stops the test.
package final class MemoryStore: Sendable {
    package typealias Sink = @Sendable ([Envelope], [CommittedEvent]) -> Void

    private struct Guarded {
        var model = MemoryModel()
        var sink: Sink?
    }

    private let guarded = Mutex(Guarded())

    package init() {}

    package func onCommit(_ sink: @escaping Sink) { guarded.withLock { $0.sink = sink } }

    func read<Value: Sendable>(_ body: (MemoryModel) -> Value) -> Value { guarded.withLock { body($0.model) } }

    /// One commit. The body throws before it changes anything, or not at all.
    func change<Value: Sendable>(
        _ body: (inout MemoryModel) throws(ActorError) -> Value
    ) throws(ActorError) -> Value {
        try guarded.withLock { (guarded) throws(ActorError) in
            let value = try body(&guarded.model)
            let (envelopes, events) = guarded.model.takeNews()
            // Under the lock, so that the sink hears of commits in their order.
            if !events.isEmpty { guarded.sink?(envelopes, events) }
            return value
        }
    }
}

extension MemoryStore: MailboxStore {
    package func append(
        _ messages: [NewMessage], maxMailbox: Int
    ) async throws(ActorError) -> [AcceptResult] {
        try change { model in messages.map { model.append($0, limit: maxMailbox) } }
    }

    package func append(
        _ messages: [NewMessage], maxMailbox: Int,
        then: @escaping @Sendable (Result<[AcceptResult], ActorError>) -> Void
    ) {
        let result: Result<[AcceptResult], ActorError>
        do throws(ActorError) {
            result = .success(try change { model in messages.map { model.append($0, limit: maxMailbox) } })
        } catch {
            result = .failure(error)
        }
        then(result)
    }

    package func head(
        of actor: ActorID, after sequence: Int64, limit: Int
    ) async throws(ActorError) -> [Envelope] {
        read { model in
            Array(model.waiting(in: actor).lazy.filter { $0.sequence > sequence }.prefix(max(0, limit)))
        }
    }

    package func backlogs() async throws(ActorError) -> [Backlog] {
        read { model in
            model.mailboxes.keys.sorted()
                .map { Backlog(actor: $0, count: model.waiting(in: $0).count) }
                .filter { $0.count > 0 }
        }
    }

    package func begin(_ sequence: Int64, attempt: Int, at now: Timestamp) async throws(ActorError) {
        try change { model in model.begin(sequence, attempt: attempt, at: now) }
    }

    package func complete(_ completion: Completion) async throws(ActorError) {
        try change { (model) throws(ActorError) in try model.complete(completion) }
    }

    package func commit(
        _ effects: Effects, of envelope: Envelope, at now: Timestamp
    ) async throws(ActorError) {
        try change { (model) throws(ActorError) in
            precondition(model.isRunning(envelope.sequence), "message \(envelope.sequence) does not run")
            try model.check(effects)
            model.apply(effects, actor: envelope.actor, execution: envelope.execution, at: now)
            model.store(effects.steps, of: envelope.execution)
        }
    }

    package func recover(at now: Timestamp) async throws(ActorError) -> [Envelope] {
        try change { model in model.recover(at: now) }
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
