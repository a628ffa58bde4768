import ActorCore
import ActorExecutors
import Synchronization
import Testing

/// What is sent again, and what is known without asking.
struct KubeRulesTests {
    @Test(
        arguments: [
            (200, nil, false, KubeRetry.Step.take), (429, 3, false, .again(afterMilliseconds: 3000)),
            (429, nil, false, .again(afterMilliseconds: 1000)), (503, 1, false, .again(afterMilliseconds: 1000)),
            (503, nil, false, .take), (409, 1, false, .take), (429, 60, false, .take), (401, nil, true, .renew),
            (401, nil, false, .take),
        ] as [(Int, Int?, Bool, KubeRetry.Step)])
    func whatIsSentAgain(status: Int, retryAfter: Int?, canRenew: Bool, step: KubeRetry.Step) {
        var retry = KubeRetry()
        let found = retry.next(status: status, retryAfter: retryAfter, canRenew: canRenew)
        #expect(found == step)
    }

    @Test func itEnds() {
        var retry = KubeRetry()
        var steps: [KubeRetry.Step] = []
        for _ in 1...7 { steps.append(retry.next(status: 429, retryAfter: 1, canRenew: false)) }
        #expect(steps == [KubeRetry.Step](repeating: .again(afterMilliseconds: 1000), count: 5) + [.take, .take])
        var renewed = KubeRetry()
        let both = [1, 2].map { _ in renewed.next(status: 401, retryAfter: nil, canRenew: true) }
        #expect(both == [.renew, .take])
    }

    /// A busy server is waited for as it asks, and then answers.
    @Test func aBusyServerIsAskedAgain() async throws {
        let fake = KubeFake()
        let waits = Mutex<[Int64]>([])
        let client = KubeClient(
            http: fake, documents: NoDocuments(), source: .init(), access: KubeAccess(server: "https://h"),
            now: { Timestamp(milliseconds: 0) }, sleep: { time in waits.withLock { $0.append(time) } })
        fake.answer(429, ["kind": "Status", "reason": "TooManyRequests"], retryAfter: 2)
        #expect(try await client.send("GET", "/apis/batch/v1/namespaces/a/jobs").status == 200)
        #expect(waits.withLock { $0 } == [2000] && fake.requests.count == 2)
    }

    private static func object(_ name: String, _ version: String, _ phase: String = "") -> JSONValue {
        ["metadata": ["name": .string(name), "resourceVersion": .string(version)], "phase": .string(phase)]
    }

    private static func event(_ type: String, _ object: JSONValue) -> JSONValue {
        ["type": .string(type), "object": object]
    }

    private let now = Timestamp(milliseconds: 1_000_000)

    @Test func aListAndItsWatchAreWhatAListWouldBe() {
        var view = KubeView()
        #expect(view.take(now: now) == nil)
        view.list([Self.object("a", "5"), Self.object("b", "6")], version: "10", now: now)
        // A list alone says nothing of what came later.
        #expect(view.take(now: now) == nil)
        view.begin()
        let heard = [
            view.hear(Self.event("MODIFIED", Self.object("a", "11", "Running"))),
            view.hear(Self.event("ADDED", Self.object("c", "12"))),
            view.hear(Self.event("DELETED", Self.object("b", "13"))),
            view.hear(Self.event("BOOKMARK", ["metadata": ["resourceVersion": "20"]])),
        ]
        #expect(heard == [true, true, true, false] && view.version == "20")
        #expect(view.take(now: now) == [Self.object("a", "11", "Running"), Self.object("c", "12")])
        // Once only: what happens from here on has to be watched again.
        #expect(view.take(now: now) == nil && view.version == "20")
        view.begin()
        #expect(view.take(now: now)?.count == 2)
    }

    @Test func whatMakesItListAgain() {
        func view() -> KubeView {
            var view = KubeView()
            view.list([Self.object("a", "5")], version: "10", now: now)
            view.begin()
            return view
        }
        for event in [
            Self.event("ERROR", ["kind": "Status", "code": 410, "reason": "Expired"]),
            Self.event("MODIFIED", ["kind": "Job"]), "nonsense",
        ] {
            var old = view()
            let isNews = old.hear(event)
            #expect(isNews && old.version == nil && old.take(now: now) == nil)
            old.begin()
            #expect(old.take(now: now) == nil)
        }
        var broken = view()
        broken.breakOff()
        #expect(broken.take(now: now) == nil && broken.version == "10")
        var late = view()
        #expect(late.take(now: now.adding(milliseconds: 600_001)) == nil)
    }
}
