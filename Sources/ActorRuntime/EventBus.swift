package import ActorCore
internal import Synchronization

/// Tells what was committed, never what was intended: live pages, waiting callers, tests.
///
/// Each reader has a bounded buffer; one that falls behind is cut off rather than slow the others.
package final class EventBus: Sendable {
    private struct State {
        var readers: [Int: EventLine] = [:]
        var nextReader = 0
        var number: Int64 = 0
        var isClosed = false
    }

    private let state = Mutex(State())
    /// Held by whoever publishes, so that every reader gets the events in order; never by whoever leaves.
    private let turn = Mutex(())
    private let backlog: Int

    /// How many listen.
    var readers: Int { state.withLock(\.readers.count) }

    package init(backlog: Int) { self.backlog = backlog }

    /// Events from now on that are wanted; ends when the reader is too slow or the bus closes. `wants` is asked by
    /// whoever publishes and must be quick.
    package func subscribe(
        where wants: @escaping @Sendable (CommittedEvent) -> Bool = { _ in true }
    ) -> EventReader {
        let line = EventLine(backlog: backlog, wants: wants)
        let id: Int? = state.withLock { state in
            guard !state.isClosed else { return nil }
            state.nextReader += 1
            state.readers[state.nextReader] = line
            return state.nextReader
        }
        if id == nil { line.close() }
        return EventReader(line) { [weak self] in
            if let id { self?.forget(id) }
        }
    }

    private func forget(_ id: Int) { state.withLock { _ = $0.readers.removeValue(forKey: id) } }

    func publish(_ events: [CommittedEvent], at now: Timestamp) {
        turn.withLock { _ in
            let (first, readers) = state.withLock { state in
                defer { state.number += Int64(events.count) }
                return (state.number + 1, state.readers)
            }
            for (id, reader) in readers where !reader.tell(events, from: first, at: now) { forget(id) }
        }
    }

    package func close() {
        let readers = state.withLock { state in
            state.isClosed = true
            defer { state.readers = [:] }
            return Array(state.readers.values)
        }
        for reader in readers { reader.close() }
    }
}
