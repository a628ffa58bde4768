/// The calls of one key that leave one right after another, and when what became of them goes to disk.
///
/// Events of a subscription need not wait until the one before is on disk as delivered: a sink knows a repeat by its id
/// (Standard Webhooks), and a crash repeats no more than ``most``, none of which left longer than ``longest`` before
/// the call that was under way. Whoever takes other calls may know no repeat: each is on disk before the next leaves.
package struct OutboxRun: Sendable {
    /// What is to be done next.
    package enum Step: Sendable, Equatable {
        /// Make this call, then say ``OutboxRun/answered(_:_:uptime:)`` or ``OutboxRun/unwanted()``.
        case call(OutboxItem)
        /// Read up to ``OutboxRun/most`` of the same key that stand behind this one: ``OutboxRun/read(_:now:)``.
        case read(after: OutboxItem)
        /// Store these outcomes together; the run has ended.
        case settle([OutboxOutcome])
        /// The run has ended, and there is nothing to store.
        case end
    }

    package static let most = 64
    package static let longest: Int64 = 50

    package let key: String
    /// The calls that were begun.
    package private(set) var begun: [Int64]
    private var outcomes: [OutboxOutcome] = []
    private var waiting: ArraySlice<OutboxItem> = []
    private var hasRead = false
    /// When the first outcome came that is not on disk.
    private var since: Int64?

    /// Begins with the call of the first undelivered item of a key.
    package init(_ head: OutboxItem) {
        key = head.call.orderKey
        begun = [head.id]
    }

    /// - Parameter uptime: milliseconds that no setting of the clock changes.
    package mutating func answered(_ item: OutboxItem, _ verdict: OutboxVerdict, uptime: Int64) -> Step {
        outcomes.append(OutboxOutcome(item.id, verdict))
        let since = since ?? uptime
        self.since = since
        guard verdict == .delivered, item.call.subscription != nil, outcomes.count < Self.most,
            uptime - since < Self.longest
        else { return .settle(outcomes) }
        return hasRead ? next() : .read(after: item)
    }

    /// Those that stand behind the first, in order. One that is not due yet holds back the rest.
    package mutating func read(_ items: [OutboxItem], now: Timestamp) -> Step {
        hasRead = true
        waiting = items.prefix { $0.isDue(now) }
        return next()
    }

    /// The call was not made, and nobody wants it any more, or not now.
    package func unwanted() -> Step { outcomes.isEmpty ? .end : .settle(outcomes) }

    private mutating func next() -> Step {
        guard let item = waiting.popFirst() else { return .settle(outcomes) }
        begun.append(item.id)
        return .call(item)
    }
}
