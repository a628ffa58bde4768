import ActorCore
import ActorRuntime
import ActorTesting
import Synchronization
import Testing

/// Each revision of an actor is prepared and judged by itself, and so is each instance of its Reactor.
@Suite(.timeLimit(.minutes(1))) struct SupervisorTests {
    /// Which revisions were prepared. A preparation lasts until it may end.
    private final class Diary: Sendable {
        private let marks = Mutex<[Int]>([])
        private let begun = AsyncStream.makeStream(of: Void.self)
        private let end = AsyncStream.makeStream(of: Void.self)

        var prepared: [Int] { marks.withLock { $0 } }

        func prepare(_ mark: Int) async {
            marks.withLock { $0.append(mark) }
            begun.continuation.finish()
            for await _ in end.stream {}
        }

        func untilBegun() async { for await _ in begun.stream {} }
        func mayEnd() { end.continuation.finish() }
    }

    private actor NotedReactor: Reactor {
        private let diary: Diary
        private let failing: Int?

        init(_ diary: Diary, failing: Int? = nil) {
            self.diary = diary
            self.failing = failing
        }

        func prepare(_ setup: any ReactorSetup) async throws {
            let mark = setup.settings["mark"]?.int ?? 0
            await diary.prepare(mark)
            if mark == failing { throw ReactorFailure(.refused, "cannot be prepared") }
        }

        func receive(_ envelope: Envelope, _ context: any ReactorContext) async throws {}
    }

    private func spec(_ rig: Rig, revision: Int) -> ActorSpec {
        var spec = rig.spec("one", run: .builtin("noted"))
        spec.revision = revision
        spec.settings = ["mark": JSONValue(revision)]
        return spec
    }

    @Test(arguments: [nil, 1] as [Int?]) func whatBecameOfARevisionSaysNothingOfTheNext(failing: Int?) async throws {
        let diary = Diary()
        let rig = Rig(makers: ["noted": { NotedReactor(diary, failing: failing) }])
        let (first, second) = (spec(rig, revision: 1), spec(rig, revision: 2))
        try await rig.running([first]) {
            let events = rig.system.events.subscribe()
            let id = try await rig.send(first, [:])
            await diary.untilBegun()
            rig.system.install([second], quarantined: [])
            diary.mayEnd()
            await rig.ended(events, id)
            #expect(diary.prepared == [1, 2])
            #expect(try await rig.store.execution(id)?.status == .complete)
        }
    }

    @Test func anActorThatWentAndCameBackIsPreparedAgain() async throws {
        let diary = Diary()
        diary.mayEnd()
        let rig = Rig(makers: ["noted": { NotedReactor(diary) }])
        let actor = spec(rig, revision: 1)
        try await rig.running([actor]) {
            for isBack in [false, true] {
                if isBack {
                    rig.system.install([], quarantined: [])
                    rig.system.install([actor], quarantined: [])
                }
                let events = rig.system.events.subscribe()
                let id = try await rig.send(actor, [:])
                await rig.ended(events, id)
            }
            #expect(diary.prepared == [1, 1])
        }
    }
}
