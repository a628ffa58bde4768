internal import DequeModule

/// One actor's mailbox as memory knows it: a bounded head of the messages that wait in the store, in order.
///
/// The store is the truth; this value only says what to deliver next and when to read more.
package struct MailboxMachine: Sendable {
    package enum Next: Sendable, Equatable {
        /// Run this message now.
        case deliver(Envelope)
        /// Nothing can run before this moment.
        case wait(until: Timestamp)
        /// The head is used up, the store holds more after this sequence: read it, then ask again.
        case refill(after: Int64)
        /// Nothing waits.
        case empty
    }

    /// Messages in memory, ascending by sequence. None of them is running.
    private var head: Deque<Envelope> = []
    /// The store holds waiting messages beyond `horizon` that are not in `head`.
    private var hasMore: Bool
    /// Everything up to here has been in `head`.
    private var horizon: Int64 = 0
    /// The highest sequence that was committed and is not in memory.
    private var unseen: Int64 = 0
    /// A refill was asked for and has not been answered.
    private var isRefilling = false
    private let bound: Int
    /// Waiting messages of this mailbox, in memory or not.
    package private(set) var waiting: Int

    /// - Parameter backlog: messages that wait in the store at start-up; none of them is read yet.
    package init(bound: Int, backlog: Int = 0) {
        self.bound = max(1, bound)
        self.waiting = backlog
        self.hasMore = backlog > 0
    }

    /// A new message was committed. Kept in memory while there is room and nothing waits before it unseen.
    package mutating func committed(_ envelope: Envelope) {
        waiting += 1
        // A refill under way may or may not see the message: it is left to the store, and looked for again.
        guard !hasMore, !isRefilling, head.count < bound, envelope.sequence > horizon else {
            if envelope.sequence > horizon {
                hasMore = true
                unseen = max(unseen, envelope.sequence)
            }
            return
        }
        head.append(envelope)
        horizon = envelope.sequence
    }

    /// The answer to a refill: rows after the horizon, ascending; fewer than `limit` means that nothing lies behind.
    package mutating func refilled(_ envelopes: [Envelope], limit: Int) {
        isRefilling = false
        for envelope in envelopes where envelope.sequence > horizon {
            head.append(envelope)
            horizon = envelope.sequence
        }
        hasMore = envelopes.count >= limit || unseen > horizon
    }

    /// The store could not be read: the refill is open again.
    package mutating func refillFailed() { isRefilling = false }

    /// A message comes back after a failed attempt or a drain: it keeps its place.
    package mutating func returned(_ envelope: Envelope) {
        waiting += 1
        let index = head.firstIndex { $0.sequence > envelope.sequence } ?? head.count
        head.insert(envelope, at: index)
    }

    /// A waiting message was withdrawn or purged.
    package mutating func removed(_ execution: ExecutionID) {
        waiting = max(0, waiting - 1)
        head.removeAll { $0.execution == execution }
    }

    /// All waiting messages were purged.
    package mutating func removedAll() {
        waiting = 0
        head.removeAll()
        hasMore = false
    }

    /// What to do next.
    ///
    /// - Parameters:
    ///   - ordered: a message that waits for its next attempt holds back those behind it. One that its sender
    ///     delayed holds back nobody.
    ///   - longestBackoff: milliseconds; a next attempt that is further away was planned before the clock was set
    ///     back, and is due.
    package mutating func next(now: Timestamp, ordered: Bool, longestBackoff: Int64 = .max) -> Next {
        var earliest: Timestamp?
        for (index, envelope) in head.enumerated() {
            if let at = envelope.message.deliverAt, at > now,
                envelope.attempts == 0 || at.since(now) <= longestBackoff
            {
                earliest = min(earliest ?? at, at)
                if ordered, envelope.attempts > 0 { return .wait(until: at) }
                continue
            }
            head.remove(at: index)
            waiting = max(0, waiting - 1)
            return .deliver(envelope)
        }
        if hasMore, !isRefilling {
            // Delayed messages fill the head: wait for the first of them rather than read without bound.
            if head.count >= bound * 4, let earliest { return .wait(until: earliest) }
            isRefilling = true
            return .refill(after: horizon)
        }
        if let earliest { return .wait(until: earliest) }
        return .empty
    }
}
