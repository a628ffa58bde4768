import ActorCore
import ActorRuntime
import ActorTesting
import Testing

/// Committed events on their way to those who subscribed.
@Suite struct SubscriptionTests {
    private func subscribe(
        _ rig: Rig, _ id: String, sink: String, types: [String] = ["reactord.execution.finished"]
    ) async throws -> Subscription {
        let subscription = Subscription(
            id: SubscriptionID(id), sink: sink, types: types,
            secret: try #require(WebhookSecret(key: Array(repeating: 7, count: 24))), owner: "ada",
            created: rig.clock.now(), updated: rig.clock.now())
        try await rig.store.create(subscription)
        return subscription
    }

    private func header(_ request: OutgoingRequest, _ name: String) -> String? {
        request.headers.first { $0.name == name }?.value
    }

    private func verdict(_ request: OutgoingRequest, _ subscription: Subscription) -> WebhookSignature.Verdict {
        let seconds = header(request, "webhook-timestamp").flatMap { Int64($0) } ?? 0
        return Rig.signature.check(
            header: { self.header(request, $0) }, body: request.body, secrets: [subscription.secret],
            at: Timestamp(milliseconds: seconds * 1000))
    }

    private func requests(_ rig: Rig, to sink: String) -> [OutgoingRequest] {
        rig.http.requests.filter { $0.url.hasPrefix(sink) }
    }

    private func counts(_ rig: Rig, _ id: SubscriptionID) async throws -> Subscription.Counts? {
        try await rig.store.subscription(id)?.counts
    }

    @Test func aSinkThatRefusesTwiceGetsTheSameEventSignedAnewAndInOrder() async throws {
        let rig = Rig()
        let actor = rig.spec("one")
        rig.http.on("POST", "http://sink.example/", .status(500), .status(404), .status(200))
        let subscription = try await subscribe(rig, "s", sink: "http://sink.example/hook")
        try await rig.running([actor]) {
            let events = rig.system.events.subscribe()
            let first = try await rig.send(actor, ["n": 1])
            await rig.ended(events, first)
            let second = try await rig.send(actor, ["n": 2])
            await rig.ended(events, second)
            while try await counts(rig, subscription.id)?.delivered != 2 {
                // Two seconds behind the moment that the next attempt waits for: its time stamp is another one.
                if let next = rig.clock.deadlines.first {
                    rig.clock.advance(milliseconds: max(0, next.since(rig.clock.now())) + 2000)
                }
                await Task.yield()
            }
            let sent = requests(rig, to: "http://sink.example/hook")
            let ids = sent.map { header($0, "webhook-id") }
            #expect(sent.count == 4)
            #expect(Set(ids.prefix(3)).count == 1 && ids[3] != ids[0])
            let stamps = sent.compactMap { header($0, "webhook-timestamp") }
            #expect(stamps[0] != stamps[1], "each attempt says when it was made")
            for request in sent { #expect(verdict(request, subscription) == .valid) }
            #expect(header(sent[0], "Content-Type") == "application/cloudevents+json")
            let told = try sent.map { try CloudEvent(structured: $0.body, maxDepth: 9) }
            #expect(told.compactMap(\.subject) == [first, first, first, second].map(\.rawValue))
            #expect(told[0].source == "http://lab/actors/\(actor.id)")
            #expect(told[0].id == ids[0])
            #expect(rig.http.policies.first == .publicOr(allowed: []))
        }
    }

    @Test func aSinkThatIsGoneIsDisabled() async throws {
        let rig = Rig()
        let actor = rig.spec("one")
        rig.http.on("POST", "http://gone.example", .status(410))
        let gone = try await subscribe(rig, "gone", sink: "http://gone.example/")
        try await rig.running([actor]) {
            let events = rig.system.events.subscribe()
            await rig.ended(events, try await rig.send(actor, [:]))
            while try await rig.store.subscription(gone.id)?.enabled != false { await Task.yield() }
            let disabled = try #require(try await rig.store.subscription(gone.id))
            #expect(disabled.disabledReason?.contains("410") == true)
            #expect(disabled.counts == Subscription.Counts(givenUp: 1))
            await rig.ended(events, try await rig.send(actor, [:]))
            #expect(requests(rig, to: "http://gone.example").count == 1)
        }
    }

    @Test func aDeadSinkDoesNotHoldAnother() async throws {
        let rig = Rig()
        let actor = rig.spec("one")
        rig.http.on("POST", "http://dead.example", .failure(ActorError(.unavailable, "nobody")))
        rig.http.on("POST", "http://live.example", .status(204))
        let dead = try await subscribe(rig, "dead", sink: "http://dead.example/")
        let live = try await subscribe(rig, "live", sink: "http://live.example/")
        try await rig.running([actor]) {
            let events = rig.system.events.subscribe()
            for _ in 1...3 { await rig.ended(events, try await rig.send(actor, [:])) }
            while try await counts(rig, live.id)?.delivered != 3 { await Task.yield() }
            #expect(try await counts(rig, dead.id)?.waiting == 3)
            while try await rig.store.deliveries(of: dead.id, limit: 9).last?.reason == nil { await Task.yield() }
            let head = try #require(try await rig.store.deliveries(of: dead.id, limit: 9).last)
            #expect(head.reason == "nobody")
            // Told to hurry, it is tried at once.
            rig.http.on("POST", "http://moved.example", .status(200))
            _ = try await rig.store.update(dead.id) { $0.sink = "http://moved.example/" }
            _ = try await rig.store.resend(head.id, of: dead.id, at: rig.clock.now())
            while try await counts(rig, dead.id)?.delivered != 3 { await Task.yield() }
        }
    }

    @Test func ownAddressesAreNeverASink() async throws {
        let rig = Rig()
        let actor = rig.spec("one")
        let loop = try await subscribe(rig, "loop", sink: "http://127.0.0.1:1/actors/v2/one/messages", types: [])
        try await rig.running([actor]) {
            let events = rig.system.events.subscribe()
            await rig.ended(events, try await rig.send(actor, [:]))
            while try await rig.store.deliveries(of: loop.id, limit: 99).last?.attempts == 0 { await Task.yield() }
            #expect(rig.http.requests.isEmpty)
            let reason = try await rig.store.deliveries(of: loop.id, limit: 99).last?.reason
            #expect(reason?.contains("leads back") == true)
        }
        #expect(rig.address.leadsHere("http://localhost:1/x"))
        #expect(rig.address.leadsHere("HTTP://LAB/x"))
        #expect(!rig.address.leadsHere("http://lab:81/x"))
        #expect(!rig.address.leadsHere("http://127.0.0.1:2/x"))
        #expect(!rig.address.leadsHere("ftp://lab/"))
    }

    @Test func aTestEventGoesToOneAlone() async throws {
        let rig = Rig()
        rig.http.on("POST", "http://a.example", .status(200))
        let one = try await subscribe(rig, "a", sink: "http://a.example/")
        _ = try await subscribe(rig, "b", sink: "http://b.example/", types: [])
        try await rig.running([]) {
            let event = try await rig.system.sendTestEvent(to: one.id)
            while try await counts(rig, one.id)?.delivered != 1 { await Task.yield() }
            #expect(rig.http.requests.compactMap { header($0, "webhook-id") } == [event.id])
            #expect(event.type == "reactord.test")
        }
    }
}
