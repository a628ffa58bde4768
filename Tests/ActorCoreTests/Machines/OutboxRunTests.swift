import ActorCore
import Testing

/// Which calls of a key follow one another at once, and when what became of them is stored.
@Suite struct OutboxRunTests {
    private let now = Timestamp(milliseconds: 9_000_000)
    private let sink = SubscriptionID("s")

    private func item(_ id: Int64, of subscription: SubscriptionID?, next: Int64 = 0) -> OutboxItem {
        OutboxItem(
            id: id,
            call: OutgoingCall(
                url: "http://sink/", contentType: "application/json", body: [], orderKey: "k", idempotencyKey: "k\(id)",
                subscription: subscription),
            execution: nil, attempts: 0, nextAttempt: now.adding(milliseconds: next),
            created: now.adding(milliseconds: -60_000))
    }

    private func events(_ ids: ClosedRange<Int64>) -> [OutboxItem] { ids.map { item($0, of: sink) } }
    private func delivered(_ ids: ClosedRange<Int64>) -> [OutboxOutcome] { ids.map { OutboxOutcome($0, .delivered) } }

    @Test func eventsFollowOneAnotherAndAreStoredTogether() {
        let items = events(1...3)
        var run = OutboxRun(items[0])
        expect(run.answered(items[0], .delivered, uptime: 0), .read(after: items[0]))
        expect(run.read(Array(items[1...]), now: now), .call(items[1]))
        expect(run.answered(items[1], .delivered, uptime: 10), .call(items[2]))
        expect(run.answered(items[2], .delivered, uptime: 20), .settle(delivered(1...3)))
        expect(run.begun, [1, 2, 3])
    }

    /// Whoever takes them may not know a repeat.
    @Test func otherCallsAreStoredOneByOne() {
        let call = item(1, of: nil)
        var run = OutboxRun(call)
        expect(run.answered(call, .delivered, uptime: 0), .settle(delivered(1...1)))
    }

    @Test(arguments: [
        OutboxVerdict.retry(at: Timestamp(milliseconds: 9_000_500), reason: "503"), .givenUp(reason: "too old"),
        .gone(reason: "410"),
    ])
    func whatIsNotDeliveredEndsTheRun(verdict: OutboxVerdict) {
        let items = events(1...3)
        var run = OutboxRun(items[0])
        _ = run.answered(items[0], .delivered, uptime: 0)
        _ = run.read(Array(items[1...]), now: now)
        expect(run.answered(items[1], verdict, uptime: 1), .settle(delivered(1...1) + [OutboxOutcome(2, verdict)]))
    }

    /// A crash repeats what is not stored: no more than a moment's events, however slow the sink.
    @Test func aSlowSinkHasEachStored() {
        let items = events(1...3)
        var run = OutboxRun(items[0])
        _ = run.answered(items[0], .delivered, uptime: 5000)
        _ = run.read(Array(items[1...]), now: now)
        expect(run.answered(items[1], .delivered, uptime: 5000 + OutboxRun.longest), .settle(delivered(1...2)))
    }

    @Test func aRunIsBounded() {
        let most = Int64(OutboxRun.most)
        let items = events(1...most + 1)
        var run = OutboxRun(items[0])
        _ = run.answered(items[0], .delivered, uptime: 0)
        var step = run.read(Array(items[1...]), now: now)
        while case .call(let item) = step { step = run.answered(item, .delivered, uptime: 0) }
        expect(step, .settle(delivered(1...most)))
    }

    @Test func whatIsNotDueHoldsBackTheRest() {
        let head = item(1, of: sink)
        var run = OutboxRun(head)
        _ = run.answered(head, .delivered, uptime: 0)
        expect(run.read([item(2, of: sink, next: 1000), item(3, of: sink)], now: now), .settle(delivered(1...1)))
    }

    /// A subscription that goes away in the middle: what it took before counts.
    @Test func whatNobodyWantsEndsTheRun() {
        let items = events(1...2)
        var run = OutboxRun(items[0])
        expect(run.unwanted(), .end)
        _ = run.answered(items[0], .delivered, uptime: 0)
        _ = run.read([items[1]], now: now)
        expect(run.unwanted(), .settle(delivered(1...1)))
    }
}
