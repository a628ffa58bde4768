import ActorCore
import Synchronization
import Testing

@testable import ActorRuntime

@Suite struct EventBusTests {
    let now = Timestamp(milliseconds: 1)

    @Test func everyReaderGetsTheEventsInOrder() async {
        let bus = EventBus(backlog: 1000)
        let readers = [bus.subscribe(), bus.subscribe()]
        for _ in 0..<100 { bus.publish([.actorsChanged, .actorsChanged], at: now) }
        bus.close()
        for reader in readers {
            var numbers: [Int64] = []
            for await event in reader { numbers.append(event.number) }
            #expect(numbers == Array(1...200))
        }
    }

    @Test func aReaderThatIsTooSlowIsCutOff() async {
        let bus = EventBus(backlog: 3)
        let slow = bus.subscribe()
        for _ in 0..<5 { bus.publish([.actorsChanged], at: now) }
        var count = 0
        for await _ in slow { count += 1 }
        #expect(count == 3)
    }

    @Test func aReaderTakesAllThatHasComeAtOnceAndOnlyWhatItWants() async {
        let bus = EventBus(backlog: 3)
        let (mine, other) = (ActorID("mine"), ActorID("other"))
        let reader = bus.subscribe { $0.actor == mine }
        let event = { (actor: ActorID) in CommittedEvent.messageAccepted(actor: actor, execution: ExecutionID("e")) }
        bus.publish([event(other), event(mine), .actorsChanged], at: now)
        bus.publish([event(other), event(other), event(other), event(other), event(mine)], at: now)
        #expect(await reader.next()?.map(\.number) == [2, 8], "what others want does not fill its place")
        bus.publish([event(mine)], at: now)
        #expect(await reader.next()?.map(\.number) == [9])
    }

    @Test func aReaderThatWaitsIsWokenByWhatComesByANudgeAndByTheEnd() async {
        let bus = EventBus(backlog: 3)
        let reader = bus.subscribe { $0 == .actorsChanged }
        func waiting(_ cause: @escaping @Sendable () -> Void) async -> [Int64]? {
            async let taken = reader.next()
            while !reader.line.isWaitedFor { await Task.yield() }
            cause()
            return await taken?.map(\.number)
        }
        #expect(await waiting { bus.publish([.documentChanged(kind: "k", id: "i"), .actorsChanged], at: now) } == [2])
        #expect(await waiting { reader.nudge() } == [])
        #expect(await waiting { reader.close() } == nil)
        #expect(await reader.next() == nil)
        reader.nudge()
    }

    @Test func aReaderThatNobodyHoldsIsForgotten() {
        let bus = EventBus(backlog: 3)
        let kept = bus.subscribe()
        for _ in 0..<10 { _ = bus.subscribe { _ in false } }
        #expect(bus.readers == 1)
        withExtendedLifetime(kept) { bus.close() }
        #expect(bus.readers == 0)
    }

    /// A page that is closed in the moment in which its reader is woken once stopped the whole daemon: the writer held
    /// the lock of the readers and waited for the reader's task, which was being cancelled and waited for that lock.
    @Test(.timeLimit(.minutes(5))) func readersMayLeaveWhileTheyAreWoken() async {
        let bus = EventBus(backlog: 16)
        await withTaskGroup(of: Void.self) { group in
            let leaving = Atomic(false)
            group.addTask {
                while !leaving.load(ordering: .relaxed) {
                    bus.publish([.actorsChanged], at: now)
                    await Task.yield()
                }
            }
            for _ in 0..<1000 {
                let reader = Task {
                    for await _ in bus.subscribe() {}
                }
                await Task.yield()
                reader.cancel()
                await reader.value
            }
            leaving.store(true, ordering: .relaxed)
        }
    }
}
