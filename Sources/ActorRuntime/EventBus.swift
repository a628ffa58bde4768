package import ActorCore
internal import Synchronization

/// A committed event with its place in the stream.
package struct PublishedEvent: Sendable {
    package let number: Int64
    package let at: Timestamp
    package let event: CommittedEvent
}

/// Tells what was committed, never what was intended: live pages, waiting callers, tests.
///
/// Each reader has a bounded buffer; one that falls behind is cut off rather than slow the others.
package final class EventBus: Sendable {
    private struct State {
        var readers: [Int: AsyncStream<PublishedEvent>.Continuation] = [:]
        var nextReader = 0
        var number: Int64 = 0
        var isClosed = false
    }

    private let state = Mutex(State())
    /// Held by whoever publishes, so that every reader gets the events in order; never by whoever leaves.
    private let turn = Mutex(())
    private let backlog: Int

    package init(backlog: Int) { self.backlog = backlog }

    /// Events from now on; ends when the reader is too slow or the bus closes.
    package func subscribe() -> AsyncStream<PublishedEvent> {
        let (stream, continuation) = AsyncStream.makeStream(
            of: PublishedEvent.self, bufferingPolicy: .bufferingOldest(backlog))
        let id: Int? = state.withLock { state in
            guard !state.isClosed else { return nil }
            state.nextReader += 1
            state.readers[state.nextReader] = continuation
            return state.nextReader
        }
        guard let id else {
            continuation.finish()
            return stream
        }
        continuation.onTermination = { [weak self] _ in
            self?.state.withLock { _ = $0.readers.removeValue(forKey: id) }
        }
        return stream
    }

    func publish(_ events: [CommittedEvent], at now: Timestamp) {
        turn.withLock { _ in
            let (first, readers) = state.withLock { state in
                defer { state.number += Int64(events.count) }
                return (state.number + 1, state.readers)
            }
            // Not under the lock of the readers. To wake one takes a lock of its task, and whoever cancels that task
            // holds this one while it asks for ours: to be forgotten.
            for (id, reader) in readers where !deliver(events, from: first, at: now, to: reader) {
                state.withLock { _ = $0.readers.removeValue(forKey: id) }
                reader.finish()
            }
        }
    }

    /// False when the reader is too slow.
    private func deliver(
        _ events: [CommittedEvent], from first: Int64, at now: Timestamp,
        to reader: AsyncStream<PublishedEvent>.Continuation
    ) -> Bool {
        for (index, event) in events.enumerated() {
            let published = PublishedEvent(number: first + Int64(index), at: now, event: event)
            if case .dropped = reader.yield(published) { return false }
        }
        return true
    }

    package func close() {
        let readers = state.withLock { state in
            state.isClosed = true
            defer { state.readers = [:] }
            return Array(state.readers.values)
        }
        for reader in readers { reader.finish() }
    }
}
