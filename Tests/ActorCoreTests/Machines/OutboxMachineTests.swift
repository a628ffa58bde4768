import ActorCore
import Testing

@Suite struct OutboxMachineTests {
    let now = Timestamp(milliseconds: 9_000_000)

    func item(
        _ id: Int64, _ key: String, attempts: Int = 0, next: Int64 = 0, age: Int64 = 0, to host: String = "h"
    ) -> OutboxItem {
        OutboxItem(
            id: id,
            call: OutgoingCall(
                url: "http://\(host)/", contentType: "application/json", body: [], orderKey: key,
                idempotencyKey: "k\(id)"),
            execution: nil, attempts: attempts, nextAttempt: now.adding(milliseconds: next),
            created: now.adding(milliseconds: -age))
    }

    @Test func keysGoSideBySideAndOneKeyStaysInOrder() {
        var machine = OutboxMachine(maxRunning: 2, retryDays: 3)
        let plan = machine.plan([item(1, "a"), item(2, "b"), item(3, "c")], now: now)
        #expect(plan.start.map(\.id) == [1, 2])
        expect(machine.plan([item(1, "a"), item(3, "c")], now: now).start.isEmpty, true)
        expect(machine.answered(item(1, "a"), .status(200, retryAfter: nil), now: now, chance: 0), .delivered)
        // Answered, but the row may still be there: nothing of this key leaves before the outcome is on disk.
        expect(machine.plan([item(1, "a")], now: now).start.isEmpty, true)
        machine.finished(OutboxRun(item(1, "a")))
        // What a look saw that began before is old.
        expect(machine.plan([item(1, "a")], now: now).start.isEmpty, true)
        machine.look()
        expect(machine.plan([item(4, "a"), item(3, "c")], now: now).start.map(\.id), [4])
    }

    /// Sinks that are away hold their calls up, and nobody else's.
    @Test func targetsThatGiveNoAnswerLeaveRoomForTheOthers() {
        var machine = OutboxMachine(maxRunning: 8, retryDays: 3)
        let dead = (1...20).map { item(Int64($0), "k\($0)", to: $0 % 2 == 0 ? "dead" : "gone") }
        let first = machine.plan(dead, now: now).start
        expect(first.count, 8)
        for item in first {
            _ = machine.answered(item, .noAnswer("timed out"), now: now, chance: 1)
            machine.finished(OutboxRun(item))
        }
        machine.look()
        let alive = (31...40).map { item(Int64($0), "k\($0)", to: "alive\($0)") }
        let second = machine.plan(dead.dropFirst(8) + alive, now: now).start
        expect(second.filter { $0.id < 30 }.map(\.call.url).sorted(), ["http://dead/", "http://gone/"])
        expect(second.count, 8)
        // One answer, whatever it says, and it is believed to be there again.
        _ = machine.answered(second[0], .status(500, retryAfter: nil), now: now, chance: 1)
        for item in second { machine.finished(OutboxRun(item)) }
        machine.look()
        let back = dead.suffix(8).filter { $0.call.url == second[0].call.url }
        expect(machine.plan(Array(back), now: now).start.count, back.count)
    }

    /// One target never has every place: it may be the next that gives no answer.
    @Test func oneTargetLeavesPlaces() {
        var machine = OutboxMachine(maxRunning: 16, retryDays: 3)
        let many = (1...40).map { item(Int64($0), "k\($0)") }
        expect(machine.plan(many, now: now).start.count, 12)
        expect(machine.plan([item(50, "o", to: "other")], now: now).start.count, 1)
    }

    @Test func waitsForTheEarliest() {
        var machine = OutboxMachine(maxRunning: 2, retryDays: 3)
        let plan = machine.plan([item(1, "a", next: 500), item(2, "b", next: 200)], now: now)
        #expect(plan.start.isEmpty)
        #expect(plan.wake == now.adding(milliseconds: 200))
    }

    static let answers: [(OutboxMachine.Answer, Bool?)] = [
        (.status(200, retryAfter: nil), true), (.status(204, retryAfter: nil), true),
        (.status(500, retryAfter: nil), nil), (.status(503, retryAfter: 7), nil),
        (.status(429, retryAfter: nil), nil), (.status(408, retryAfter: nil), nil),
        (.noAnswer("refused"), nil), (.status(400, retryAfter: nil), false), (.status(404, retryAfter: nil), false),
        (.status(410, retryAfter: nil), false), (.status(302, retryAfter: nil), nil), (.refused("private"), false),
    ]

    @Test(arguments: answers) func verdicts(answer: OutboxMachine.Answer, expected: Bool?) {
        var machine = OutboxMachine(maxRunning: 1, retryDays: 3)
        _ = machine.plan([item(1, "a")], now: now)
        switch machine.answered(item(1, "a"), answer, now: now, chance: 1) {
        case .delivered: #expect(expected == true)
        case .givenUp: #expect(expected == false)
        case .gone: Issue.record("a callback has no subscription to disable")
        case .retry(let at, _):
            #expect(expected == nil)
            let least: Int64 = answer == .status(503, retryAfter: 7) ? 7000 : 500
            #expect(at == now.adding(milliseconds: least))
        }
    }

    /// A sink says what it likes: no number of it does more than make its calls wait.
    @Test(
        arguments: [
            (Int.max, 86_400_000), (Int.max / 1000 + 1, 86_400_000), (Int.min, 0), (-1, 0),
        ] as [(Int, Int64)])
    func anAbsurdRetryAfterIsBounded(seconds: Int, expected: Int64) {
        var machine = OutboxMachine(maxRunning: 1, retryDays: 3)
        _ = machine.plan([item(1, "a")], now: now)
        expect(
            machine.answered(item(1, "a"), .status(503, retryAfter: seconds), now: now, chance: 0),
            .retry(at: now.adding(milliseconds: expected), reason: "the target answered 503"))
    }

    @Test func absurdDaysAreVeryMany() {
        var machine = OutboxMachine(maxRunning: 1, retryDays: 1e30)
        let old = item(1, "a", age: 3_000_000_000_000)
        _ = machine.plan([old], now: now)
        expect(machine.answered(old, .noAnswer("gone"), now: now, chance: 0), .retry(at: now, reason: "gone"))
    }

    @Test func givesUpAfterTheDaysItWasGiven() {
        var machine = OutboxMachine(maxRunning: 1, retryDays: 1)
        let old = item(1, "a", attempts: 40, age: 86_400_000)
        _ = machine.plan([old], now: now)
        expect(machine.answered(old, .noAnswer("gone"), now: now, chance: 1), .givenUp(reason: "gone"))
    }

    static let sinkAnswers: [(OutboxMachine.Answer, String)] = [
        (.status(200, retryAfter: nil), "delivered"), (.status(204, retryAfter: nil), "delivered"),
        (.status(410, retryAfter: nil), "gone"), (.status(404, retryAfter: nil), "retry"),
        (.status(401, retryAfter: nil), "retry"), (.status(302, retryAfter: nil), "retry"),
        (.status(500, retryAfter: nil), "retry"), (.status(429, retryAfter: 30), "later"),
        (.status(503, retryAfter: 30), "later"), (.noAnswer("refused"), "retry"), (.refused("private"), "retry"),
    ]

    /// A sink that is being set up answers 404 or 401 for a while: only 410 ends it.
    @Test(arguments: sinkAnswers) func eventsAreTriedWhateverTheSinkSays(answer: OutboxMachine.Answer, expected: String)
    {
        var machine = OutboxMachine(maxRunning: 1, retryDays: 3)
        var call = item(1, "a").call
        call.subscription = SubscriptionID("s")
        let event = OutboxItem(id: 1, call: call, execution: nil, attempts: 0, nextAttempt: now, created: now)
        switch machine.answered(event, answer, now: now, chance: 1) {
        case .delivered: #expect(expected == "delivered")
        case .gone: #expect(expected == "gone")
        case .givenUp: #expect(Bool(false), "given up")
        case .retry(let at, _): #expect(at == now.adding(milliseconds: expected == "later" ? 30_000 : 500))
        }
        let old = OutboxItem(
            id: 1, call: call, execution: nil, attempts: 90, nextAttempt: now,
            created: now.adding(milliseconds: -3 * 86_400_000))
        if expected == "retry" {
            guard case .givenUp = machine.answered(old, answer, now: now, chance: 1) else {
                Issue.record("tried for ever")
                return
            }
        }
    }
}
