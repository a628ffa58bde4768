import ActorCore
import ActorTesting
import Testing

@testable import ActorRuntime

/// What links and webhooks are told, and when no more.
@Suite struct NewsTests {
    private func header(_ request: OutgoingRequest, _ name: String) -> String? {
        request.headers.first { $0.name == name }?.value
    }

    /// Sends a message that stands so far down a chain, until all that its end makes known has left.
    @discardableResult
    private func finish(_ rig: Rig, _ spec: ActorSpec, hops: Int = 0) async throws -> ExecutionID {
        let events = rig.system.events.subscribe()
        let receipt = try await rig.system.send(
            MessageDraft(actor: spec.id, body: Array("{}".utf8), sender: "ada", hops: hops))
        await rig.ended(events, receipt.execution)
        while try await !rig.store.dueHeads(limit: 9).isEmpty { await Task.yield() }
        return receipt.execution
    }

    private static let webhooks: [(String, String, [Int])] = [
        // The end of a chain of five is not sent to another mailbox of this daemon; who is elsewhere is told of it.
        ("http://lab/actors/v2/one/messages?x-nonce=n", "http://127.0.0.1:1/actors/v2/one/messages?x-nonce=n", [1, 4]),
        ("http://sink.example/hook", "http://sink.example/hook", [1, 4, 6]),
    ]

    @Test(arguments: webhooks) func aWebhookThatLeadsBackIsALinkOfItsChain(
        url: String, called: String, counts: [Int]
    ) async throws {
        var limits = Limits()
        limits.maxHops = 5
        let rig = Rig(limits: limits)
        var spec = rig.spec("one")
        spec.definition = ActorDefinition(image: "lab/any")
        spec.definition?.webhook = url
        let actor = spec
        try await rig.running([actor]) {
            let first = try await finish(rig, actor)
            for hops in [3, 5] { try await finish(rig, actor, hops: hops) }
            let sent = rig.http.requests
            #expect(sent.map(\.url) == counts.map { _ in called })
            #expect(sent.compactMap { header($0, "Reactord-Hops") } == counts.map { rig.address.hopsText($0) })
            #expect(sent.first.flatMap { header($0, "Idempotency-Key") } == "\(first)#webhook")
            #expect(Set(sent.compactMap { header($0, "Idempotency-Key") }).count == counts.count)
        }
    }

    @Test func aCountThatIsNotOursCountsNothing() {
        let address = SelfAddress()
        let mark = address.eventMark
        #expect(address.hops(in: address.hopsText(3)) == 3)
        for text in [nil, "", "3", "3 x", "-1 \(mark)", "\(mark) 3", "3 \(mark) 4", SelfAddress().hopsText(3)] {
            #expect(address.hops(in: text) == 0, "\(text ?? "none")")
        }
    }

    @Test func aLinkEndsWithTheRightOfItsOwner() async throws {
        let rig = Rig()
        var (one, two) = (rig.spec("one", run: .command(["/bin/true"])), rig.spec("two", run: .command(["/bin/true"])))
        one.definition = ActorDefinition(image: "lab/any")
        one.link = "two"
        two.definition = ActorDefinition(image: "lab/any")
        two.owner = "eve"
        let (linked, listener) = (one, two)
        try await rig.running([linked, listener]) {
            let target = GrantTarget(.actor, listener.id.rawValue, tenant: "LAB")
            let events = rig.system.events.subscribe()
            for (level, isTold) in [(PermissionLevel.execute, true), (.none, false), (.read, false), (.update, true)] {
                _ = try await rig.system.set(Grant(target, user: "ada", level: level))
                let id = try await finish(rig, linked)
                #expect(try await rig.store.execution(id)?.outcome == .succeeded)
                guard isTold else { continue }
                await rig.wait(events) { if case .executionFinished(listener.id, _, _, _) = $0 { true } else { false } }
            }
            let told = try await rig.store.executions(of: listener.id, before: nil, limit: 9)
            #expect(told.count == 2)
        }
    }

    /// What the house itself has linked goes on, whatever the permissions say.
    @Test func aLinkOfAFolderAsksForNoRight() async throws {
        let rig = Rig()
        var (one, two) = (rig.spec("one", run: .command(["/bin/true"])), rig.spec("two"))
        one.link = "two"
        two.definition = ActorDefinition(image: "lab/any")
        two.owner = "eve"
        let (linked, listener) = (one, two)
        try await rig.running([linked, listener]) {
            let events = rig.system.events.subscribe()
            try await finish(rig, linked)
            await rig.wait(events) { if case .executionFinished(listener.id, _, _, _) = $0 { true } else { false } }
            #expect(await rig.reactor.received.first?["event_type"] == "EXECUTION_COMPLETE")
        }
    }

    struct Owner: Sendable {
        var name = "ada"
        var configured: Set<Role>?
        var hasGateways = false
        var wasLimited = false
        var wasAdmin = false
        let roles: Set<Role>
    }

    static let owners = [
        Owner(roles: [.user]), Owner(configured: [.admin], roles: [.admin]), Owner(wasLimited: true, roles: [.limited]),
        Owner(configured: [.limited], wasAdmin: true, roles: [.limited]),
        // Without a gateway, who is not configured is no admin any more; of those of a gateway only the record tells.
        Owner(wasAdmin: true, roles: [.user]), Owner(hasGateways: true, wasAdmin: true, roles: [.admin]),
        Owner(hasGateways: true, roles: [.user]), Owner(name: "admin", roles: [.admin]),
    ]

    @Test(arguments: owners) func whatTheOwnerIsNow(owner: Owner) {
        var configuration = SystemConfiguration(
            limits: Limits(), graceMilliseconds: 0, dataFolder: "/data", scrub: { $0 }, secret: { _ in nil })
        configuration.configuredRoles = { user, _ in user == "ada" ? owner.configured : nil }
        configuration.isOwnAdmin = { user, tenant in user == "admin" && tenant == "LAB" }
        configuration.hasGateways = owner.hasGateways
        let now = Timestamp(milliseconds: 0)
        var spec = ActorSpec(
            id: ActorID("R4Xo"), tenant: "LAB", name: "one", run: .image("i"), owner: owner.name, created: now,
            updated: now)
        spec.definition = ActorDefinition(image: "i")
        spec.definition?.isOfLimitedUser = owner.wasLimited
        spec.definition?.isOfAdmin = owner.wasAdmin
        #expect(configuration.roles(ofOwnerOf: spec) == owner.roles)
    }
}
