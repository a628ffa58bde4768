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
        let tooSlow: [AsyncStream<PublishedEvent>.Continuation] = state.withLock { state in
            var tooSlow: [AsyncStream<PublishedEvent>.Continuation] = []
            for event in events {
                state.number += 1
                let published = PublishedEvent(number: state.number, at: now, event: event)
                for (id, reader) in state.readers {
                    if case .dropped = reader.yield(published) {
                        tooSlow.append(reader)
                        state.readers[id] = nil
                    }
                }
            }
            return tooSlow
        }
        for reader in tooSlow { reader.finish() }
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
