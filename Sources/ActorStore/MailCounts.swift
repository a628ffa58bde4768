import ActorCore
import Synchronization

/// How much mail lies in the store: kept in memory, since counting rows would cost more per message the fuller a
/// mailbox is. Changed by the writer alone; what a transaction rolls back there is taken back here.
final class MailCounts: Sendable {
    /// A mailbox and one who sends to it.
    struct SenderPlace: Hashable, Sendable {
        let actor: ActorID
        let sender: String
    }

    /// What one message adds.
    struct Item: Sendable {
        let actor: ActorID
        let sender: String
        let bytes: Int
    }

    private struct State {
        var held: [ActorID: Int] = [:]
        var bytes: Int64 = 0
        /// Counted only since somebody asked.
        var senders: [SenderPlace: Int]?
    }

    private let state = Mutex(State())

    /// Messages in one mailbox, running ones included.
    func held(by actor: ActorID) -> Int { max(0, state.withLock { $0.held[actor] ?? 0 }) }

    /// Bytes of all bodies.
    var bytes: Int64 { max(0, state.withLock { $0.bytes }) }

    /// Messages of one sender in one mailbox; nil when that is not counted yet.
    func sent(by sender: String, to actor: ActorID) -> Int? {
        state.withLock { state in
            state.senders.map { $0[SenderPlace(actor: actor, sender: sender)] ?? 0 }
        }
    }

    func countSenders(from counts: [SenderPlace: Int]) { state.withLock { $0.senders = counts } }

    func add(_ item: Item, times: Int) {
        state.withLock { state in
            Self.add(times, to: &state.held[item.actor])
            state.bytes += Int64(item.bytes * times)
            guard var senders = state.senders.take() else { return }
            Self.add(times, to: &senders[SenderPlace(actor: item.actor, sender: item.sender)])
            state.senders = senders
        }
    }

    /// What waited when the store was opened, counted meanwhile.
    func add(found held: [ActorID: Int]) {
        state.withLock { state in
            for (actor, count) in held { Self.add(count, to: &state.held[actor]) }
        }
    }

    /// How large that was.
    func add(found bytes: Int64) { state.withLock { $0.bytes += bytes } }

    private static func add(_ more: Int, to count: inout Int?) {
        let sum = (count ?? 0) + more
        count = sum == 0 ? nil : sum
    }
}
