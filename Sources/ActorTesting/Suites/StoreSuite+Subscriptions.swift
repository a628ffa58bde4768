import ActorCore
import Synchronization

/// Subscriptions, and the events that are queued for them with the commits that make them.
extension StoreSuite {
    static let subscriptionChecks: [Check] = [
        Check("subscriptions are kept, changed and deleted", subscriptions),
        Check("what is committed is queued for those whose filters match, in order", announcing),
        Check("a change that is refused is told to nobody", refusedIsSilent),
        Check("a dead sink holds its own events and no others", deadSink),
        Check("a sink that is gone is disabled and keeps what waits", goneSink),
        Check("deliveries are listed, remembered within bounds, and sent again", deliveries),
        Check("a full queue drops and counts", fullQueue),
    ]

    static func secret(_ seed: UInt8) throws -> WebhookSecret {
        try unwrap(WebhookSecret(key: Array(repeating: seed, count: 24)), "a secret")
    }

    static func subscription(
        _ id: String, types: [String] = [], filters: [EventFilter] = []
    ) throws -> Subscription {
        Subscription(
            id: SubscriptionID(id), sink: "https://example.org/\(id)", types: types, filters: filters,
            secret: try secret(1), owner: "alice", created: noon, updated: noon)
    }

    /// Counts what the store told while it announced.
    final class Ears: Sendable {
        let queued = Mutex(0)
        let overflowed = Mutex<[SubscriptionID]>([])
        private let number = Mutex(0)

        func announcer() -> Announcer {
            Announcer(
                base: "http://lab", now: { StoreSuite.after(7) },
                makeID: {
                    self.number.withLock { number in
                        number += 1
                        return "evt_\(number)"
                    }
                },
                queued: { self.queued.withLock { $0 += 1 } },
                overflowed: { id in self.overflowed.withLock { $0.append(id) } })
        }
    }

    private static func subscriptions(_ store: any Store) async throws {
        let filter = EventFilter.any([
            .not(.exact([EventFilter.Term("type", "ä")])), .all([.suffix([EventFilter.Term("source", "x")])]),
        ])
        var first = try subscription("s1", types: ["a", "b"], filters: [filter])
        first.source = "/jobs/1"
        first.description = "ä\n"
        try await store.create(first)
        try await store.create(try subscription("s2"))
        try await expect(.conflict, "an id that is taken") { try await store.create(first) }
        let all = try await store.subscriptions()
        try equal(all, [first, try subscription("s2")], "the subscriptions")
        let new = try secret(2)
        let changed = try await store.update(first.id) {
            $0.sink = "https://other.example"
            $0.rotate(to: new, expires: after(60), at: after(5))
            $0.source = nil
            $0.counts.delivered = 99
        }
        first.sink = "https://other.example"
        first.source = nil
        first.rotate(to: new, expires: after(60), at: after(5))
        let read = try await store.subscription(first.id)
        try equal(read, first, "a changed subscription, its counts the store's own")
        try equal(changed, first, "what the change answers")
        try equal(first.liveSecrets(at: after(59)), [new, try secret(1)], "secrets while the old one lives")
        try equal(first.liveSecrets(at: after(60)), [new], "secrets after that")
        try await expect(.notFound, "changing what is not there") {
            _ = try await store.update(SubscriptionID("none")) { $0.enabled = false }
        }
        let gone = try await store.deleteSubscription(first.id)
        let again = try await store.deleteSubscription(first.id)
        try equal([gone, again], [true, false], "deleting")
        let left = try await store.subscriptions()
        try equal(left.map(\.id.rawValue), ["s2"], "what is left")
    }

    private static func announcing(_ store: any Store) async throws {
        let ears = Ears()
        try await store.create(try subscription("all"))
        // Nobody speaks yet.
        _ = try await accept(message("e0"), in: store)
        store.announce(as: ears.announcer())
        let accepted = "reactord.message.accepted"
        try await store.create(try subscription("accepted", types: [accepted]))
        try await store.create(
            try subscription("b", filters: [.exact([EventFilter.Term("source", "http://lab/actors/\(other)")])]))
        let sent = try await accept([message("e1"), message("e2", to: other), message("e3")], in: store)
        let all = try await store.deliveries(of: SubscriptionID("all"), limit: 9)
        try equal(all.map(\.event), ["evt_3", "evt_2", "evt_1"], "all events, newest first")
        try equal(all.map(\.type), [accepted, accepted, accepted], "their types")
        try equal(all.map(\.state), [.waiting, .waiting, .waiting], "their states")
        try equal(all.map(\.nextAttempt), [after(7), after(7), after(7)], "when they are due")
        let others = try await store.deliveries(of: SubscriptionID("b"), limit: 9)
        try equal(others.map(\.event), ["evt_2"], "events of the other actor: the same id for everybody")
        try equal(ears.queued.withLock { $0 } > 0, true, "the bell")
        let heads = try await store.dueHeads(limit: 9)
        try equal(
            heads.map(\.call.subscription?.rawValue), ["all", "accepted", "b"], "one head for each subscription")
        let call = heads[2].call
        try equal(call.url, "https://example.org/b", "the sink")
        try equal(call.idempotencyKey, "evt_2", "the event's id")
        try equal(call.contentType, "application/cloudevents+json", "the content type")
        let event = try CloudEvent(structured: call.body, maxDepth: 9)
        try equal(event.source, "http://lab/actors/\(other)", "the source")
        try equal(event.subject, sent[1].execution.rawValue, "the subject")
        try equal(event.time, after(7).iso8601, "the time")
        // One whose subscription is deleted takes what waits with it.
        _ = try await store.deleteSubscription(SubscriptionID("all"))
        let left = try await store.dueHeads(limit: 9)
        try equal(left.map(\.call.subscription?.rawValue), ["accepted", "b"], "heads after a deletion")
    }

    private static func refusedIsSilent(_ store: any Store) async throws {
        store.announce(as: Ears().announcer())
        try await store.create(try subscription("s"))
        var effects = Effects()
        effects.jobs = [.move(JobID("none"), revision: 3, to: .running, by: .run, entry("run"))]
        let envelope = try await start(message("e1"), in: store)
        let before = try await store.deliveries(of: SubscriptionID("s"), limit: 9)
        let completion = completion(of: envelope, effects: effects)
        try await expect(.conflict, "a job that is not there") { try await store.complete(completion) }
        let refused = try await store.deliveries(of: SubscriptionID("s"), limit: 9)
        try equal(refused, before, "deliveries after a change that was refused")
        try await store.complete(StoreSuite.completion(of: envelope))
        let done = try await store.deliveries(of: SubscriptionID("s"), limit: 9)
        try equal(done.first?.type, "reactord.execution.finished", "the last event")
    }

    private static func deadSink(_ store: any Store) async throws {
        store.announce(as: Ears().announcer())
        for id in ["dead", "live"] { try await store.create(try subscription(id)) }
        for number in 1...2 { _ = try await accept(message("e\(number)"), in: store) }
        var effects = Effects()
        effects.calls = [call("callback", order: "a")]
        try await commit(effects, as: "c", in: store)
        let heads = try await store.dueHeads(limit: 9)
        let dead = try unwrap(heads.first { $0.call.subscription?.rawValue == "dead" }, "the dead sink's head")
        try await store.settle(dead.id, .retry(at: after(600), reason: "no answer"), at: after(8))
        var live: [String] = []
        while let head = try await store.dueHeads(limit: 9).first(where: { $0.call.subscription?.rawValue == "live" }) {
            live.append(head.call.eventType)
            try await store.settle(head.id, .delivered, at: after(9))
        }
        try equal(
            live,
            [
                "reactord.message.accepted", "reactord.message.accepted", "reactord.message.accepted",
                "reactord.execution.started", "reactord.execution.finished",
            ], "what the live sink got")
        let rest = try await store.dueHeads(limit: 9)
        try equal(
            rest.map(\.call.idempotencyKey), ["callback", dead.call.idempotencyKey], "callbacks go on beside them")
        try equal(rest.last?.attempts, 1, "attempts of the dead sink's head")
        let counts = try await store.subscription(SubscriptionID("live"))?.counts
        try equal(counts, Subscription.Counts(delivered: 5), "the live one's counts")
        let waiting = try await store.subscription(SubscriptionID("dead"))?.counts
        try equal(waiting, Subscription.Counts(waiting: 5), "the dead one's counts")
    }

    private static func goneSink(_ store: any Store) async throws {
        store.announce(as: Ears().announcer())
        let id = SubscriptionID("s")
        try await store.create(try subscription("s"))
        for number in 1...2 { _ = try await accept(message("e\(number)"), in: store) }
        let head = try unwrap(try await store.dueHeads(limit: 9).first, "a head")
        try await store.settle(head.id, .gone(reason: "410"), at: after(8))
        let disabled = try unwrap(try await store.subscription(id), "the subscription")
        try equal(disabled.enabled, false, "whether it is enabled")
        try equal(disabled.disabledReason, "410", "the reason")
        try equal(disabled.counts, Subscription.Counts(waiting: 1, givenUp: 1), "its counts")
        let heads = try await store.dueHeads(limit: 9)
        try equal(heads, [], "heads of a disabled subscription")
        _ = try await accept(message("e3"), in: store)
        let event = CloudEvent(id: "test", source: "/s", type: "reactord.test")
        try await expect(.conflict, "a test of a disabled one") { try await store.queue(event, for: id, at: after(9)) }
        _ = try await store.update(id) {
            $0.sink = "https://new.example/"
            $0.setEnabled(true, at: after(10))
        }
        _ = try await accept(message("e4"), in: store)
        let types = try await store.deliveries(of: id, limit: 9)
        try equal(types.map(\.event), ["evt_3", "evt_2", "evt_1"], "what it is told once it is enabled")
        let next = try await store.dueHeads(limit: 9)
        try equal(next.map(\.call.url), ["https://new.example/"], "where what waited goes")
    }

    private static func deliveries(_ store: any Store) async throws {
        store.announce(as: Ears().announcer())
        let id = SubscriptionID("s")
        try await store.create(try subscription("s"))
        let total = Subscription.keptDelivered + 3
        for number in 1...total { _ = try await accept(message("e\(number)"), in: store) }
        for _ in 1...total {
            let head = try unwrap(try await store.dueHeads(limit: 1).first, "a head")
            try await store.settle(head.id, .delivered, at: after(8))
        }
        let kept = try await store.deliveries(of: id, limit: 1000)
        try equal(kept.count, Subscription.keptDelivered, "delivered ones that are remembered")
        try equal(kept.first?.state, .delivered, "their state")
        try equal(kept.first?.nextAttempt, nil, "when they are tried next")
        let event = CloudEvent(id: "test", source: "/s", type: "reactord.test", payload: .json(Array("{}".utf8)))
        try await store.queue(event, for: id, at: after(9))
        let head = try unwrap(try await store.dueHeads(limit: 1).first, "the test event")
        try equal(head.call.idempotencyKey, "test", "its id")
        try await store.settle(head.id, .retry(at: after(900), reason: "no answer"), at: after(10))
        let sooner = try await store.resend(head.id, of: id, at: after(11))
        let due = try unwrap(try await store.dueHeads(limit: 1).first, "the test event")
        try equal([sooner, due.nextAttempt == after(11)], [true, true], "a waiting one is due at once")
        try await store.settle(head.id, .givenUp(reason: "no answer"), at: after(12))
        let again = try await store.resend(head.id, of: id, at: after(13))
        let copy = try unwrap(try await store.dueHeads(limit: 1).first, "the copy")
        try equal(again, true, "whether it is sent again")
        try equal(copy.call, head.call, "what is sent again")
        try equal([copy.attempts, Int(copy.id > head.id ? 1 : 0)], [0, 1], "a copy with a number of its own")
        let unknown = try await store.resend(999_999, of: id, at: after(13))
        let foreign = try await store.resend(head.id, of: SubscriptionID("x"), at: after(13))
        try equal([unknown, foreign], [false, false], "what is not there")
        try await expect(.notFound, "an event for nobody") {
            try await store.queue(event, for: SubscriptionID("x"), at: after(9))
        }
    }

    private static func fullQueue(_ store: any Store) async throws {
        let ears = Ears()
        store.announce(as: ears.announcer())
        let id = SubscriptionID("s")
        try await store.create(try subscription("s"))
        let total = Subscription.maxWaiting + 5
        let messages = (1...total).map { message("e\($0)") }
        let results = try await store.append(messages)
        try equal(results.count, total, "answers")
        let counts = try await store.subscription(id)?.counts
        try equal(counts, Subscription.Counts(waiting: Subscription.maxWaiting, dropped: 5), "the counts")
        try equal(ears.overflowed.withLock { $0 }, [id], "who is told")
        let event = CloudEvent(id: "test", source: "/s", type: "reactord.test")
        try await expect(.tooManyRequests, "a test event") { try await store.queue(event, for: id, at: after(9)) }
    }
}
