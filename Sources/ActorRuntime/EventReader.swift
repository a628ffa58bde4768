package import ActorCore
internal import Synchronization

/// A committed event with its place in the stream.
package struct PublishedEvent: Sendable {
    package let number: Int64
    package let at: Timestamp
    package let event: CommittedEvent
}

/// The events that one reader asked for, to be taken by one task at a time. Whoever lets go of it is told nothing more.
package final class EventReader: Sendable {
    let line: EventLine
    private let forget: @Sendable () -> Void

    init(_ line: EventLine, forget: @escaping @Sendable () -> Void) {
        self.line = line
        self.forget = forget
    }

    deinit { forget() }

    /// All that has come; waits for it when nothing has. Empty when ``nudge()`` ended the wait; nil when no more will
    /// come: the bus or the reader is closed, the reader was too slow, or the task is cancelled.
    package func next() async -> [PublishedEvent]? {
        await withTaskCancellationHandler {
            await withCheckedContinuation { line.take($0) }
        } onCancel: {
            line.close()
        }
    }

    /// Ends the wait for the next event, if there is one.
    package func nudge() { line.nudge() }

    /// No more will come; what came can be taken.
    package func close() { line.close() }
}

extension EventReader: AsyncSequence {
    package struct Iterator: AsyncIteratorProtocol {
        fileprivate let reader: EventReader
        fileprivate var taken: ArraySlice<PublishedEvent> = []

        package mutating func next() async -> PublishedEvent? {
            while taken.isEmpty {
                guard let more = await reader.next() else { return nil }
                taken = more[...]
            }
            return taken.removeFirst()
        }
    }

    package func makeAsyncIterator() -> Iterator { Iterator(reader: self) }
}

/// What one reader was told and has not taken: bounded, and taken all at once, so that a reader is woken once for many.
///
/// Nobody is woken under the lock: to wake a task takes a lock of its own, which whoever cancels it holds while it asks
/// for ours.
final class EventLine: Sendable {
    typealias Taker = CheckedContinuation<[PublishedEvent]?, Never>

    private struct State {
        var waiting: [PublishedEvent] = []
        var isClosed = false
        var taker: Taker?

        /// Whom to wake with what; nil when nobody waits, or for nothing.
        mutating func answer(evenEmpty: Bool = false) -> Answer? {
            guard let taker, !waiting.isEmpty || isClosed || evenEmpty else { return nil }
            defer { (self.taker, waiting) = (nil, []) }
            return Answer(taker: taker, events: waiting.isEmpty && isClosed ? nil : waiting)
        }
    }

    private struct Answer: Sendable {
        let taker: Taker
        let events: [PublishedEvent]?

        func give() { taker.resume(returning: events) }
    }

    private let state = Mutex(State())
    private let backlog: Int
    private let wants: @Sendable (CommittedEvent) -> Bool

    init(backlog: Int, wants: @escaping @Sendable (CommittedEvent) -> Bool) {
        self.backlog = backlog
        self.wants = wants
    }

    /// Somebody waits for the next event.
    var isWaitedFor: Bool { state.withLock { $0.taker != nil } }

    /// False when the reader has left, or is too slow and left behind.
    func tell(_ events: [CommittedEvent], from first: Int64, at now: Timestamp) -> Bool {
        let wanted = events.indices.filter { wants(events[$0]) }
        let (answer, stays) = state.withLock { state -> (Answer?, Bool) in
            if state.isClosed { return (nil, false) }
            for index in wanted {
                guard state.waiting.count < backlog else {
                    state.isClosed = true
                    break
                }
                let number = first + Int64(index)
                state.waiting.append(PublishedEvent(number: number, at: now, event: events[index]))
            }
            return (state.answer(), !state.isClosed)
        }
        answer?.give()
        return stays
    }

    func take(_ taker: Taker) {
        let answer = state.withLock { state in
            precondition(state.taker == nil, "a reader of events is for one task at a time")
            state.taker = taker
            return state.answer()
        }
        answer?.give()
    }

    func nudge() { state.withLock { $0.answer(evenEmpty: true) }?.give() }

    func close() {
        let answer = state.withLock { state in
            state.isClosed = true
            return state.answer()
        }
        answer?.give()
    }
}
