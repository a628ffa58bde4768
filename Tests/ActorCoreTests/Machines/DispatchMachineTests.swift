import ActorCore
import ActorTesting
import Testing

@Suite struct DispatchMachineTests {
    let a = ActorID("a"), b = ActorID("b")

    @Test func anActorRunsOneMessageAtATimeUnlessItsLimitSaysMore() {
        var machine = DispatchMachine(maxRunning: 8)
        expect(machine.configured(a, limit: 1), [])
        expect(machine.ready(a), [.start(a)])
        expect(machine.ready(a), [])
        expect(machine.finished(a), [.start(a)])
        expect(machine.idle(a), [])
        expect(machine.configured(b, limit: 3), [])
        expect(machine.ready(b), [.start(b)])
        expect(machine.found(b, more: true), [.start(b)])
        expect(machine.found(b, more: true), [.start(b)])
        expect(machine.found(b, more: true), [])
        expect(machine.running(b), 3)
    }

    @Test func oneMessageStartsOneSlotHoweverManyThereAre() {
        var machine = DispatchMachine(maxRunning: 8)
        _ = machine.configured(a, limit: 4)
        expect(machine.ready(a), [.start(a)])
        // While one looks nobody else does.
        expect(machine.ready(a), [])
        expect(machine.found(a, more: false), [])
        #expect(machine.running(a) == 1)
        expect(machine.ready(a), [.start(a)])
        // The first has ended and finds no more; the second has not looked yet: what comes now starts a third.
        expect(machine.idle(a), [])
        expect(machine.ready(a), [.start(a)])
    }

    @Test func actorsTakeTurnsUnderTheGlobalLimit() {
        var machine = DispatchMachine(maxRunning: 2)
        _ = machine.configured(a, limit: 2)
        _ = machine.configured(b, limit: 2)
        expect(machine.ready(a), [.start(a)])
        expect(machine.found(a, more: true), [.start(a)])
        expect(machine.ready(b), [])
        // b has waited: its turn comes before a's next.
        expect(machine.finished(a), [.start(b)])
        expect(machine.finished(a), [.start(a)])
        #expect(machine.running == 2)
    }

    @Test func aPausedActorKeepsItsWork() {
        var machine = DispatchMachine(maxRunning: 2)
        _ = machine.configured(a, limit: 1)
        expect(machine.paused(a, true), [])
        expect(machine.ready(a), [])
        expect(machine.paused(a, false), [.start(a)])
    }

    @Test func drainingStartsNothing() {
        var machine = DispatchMachine(maxRunning: 2)
        _ = machine.configured(a, limit: 1)
        expect(machine.ready(a), [.start(a)])
        machine.drain()
        expect(machine.finished(a), [])
        expect(machine.ready(a), [])
        #expect(machine.running == 0)
    }

    @Test func aSlotThatWasNeverTakenCannotBeGivenBack() async {
        await #expect(processExitsWith: .failure) {
            var machine = DispatchMachine(maxRunning: 1)
            _ = machine.configured(ActorID("a"), limit: 1)
            _ = machine.finished(ActorID("a"))
        }
    }

    @Test(arguments: [1, 7, 42, 1001] as [UInt64]) func modelRunKeepsEveryLimit(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var machine = DispatchMachine(maxRunning: 5)
        let actors = (0..<6).map { ActorID("actor\($0)") }
        var limits: [ActorID: Int] = [:]
        var work: [ActorID: Int] = [:]
        var running: [ActorID: Int] = [:]
        var started = 0
        func play(_ actions: [DispatchMachine.Action]) {
            var queue = actions
            while !queue.isEmpty {
                guard case .start(let actor) = queue.removeFirst() else { continue }
                if work[actor, default: 0] > 0 {
                    work[actor, default: 0] -= 1
                    running[actor, default: 0] += 1
                    started += 1
                    // It may be told of more than there is.
                    queue += machine.found(actor, more: work[actor, default: 0] > 0 || Bool.random(using: &random))
                } else {
                    queue += machine.idle(actor)
                }
            }
        }
        for actor in actors {
            limits[actor] = Int.random(in: 1...3, using: &random)
            play(machine.configured(actor, limit: limits[actor] ?? 1))
        }
        for _ in 0..<3000 {
            let actor = actors[Int.random(in: 0..<actors.count, using: &random)]
            if Bool.random(using: &random) {
                work[actor, default: 0] += 1
                play(machine.ready(actor))
            } else if running[actor, default: 0] > 0 {
                running[actor, default: 0] -= 1
                play(machine.finished(actor))
            }
            #expect(running.values.reduce(0, +) <= 5, "seed \(seed)")
            for actor in actors { #expect(running[actor, default: 0] <= limits[actor] ?? 0, "seed \(seed)") }
        }
        // No work may be left while slots are free.
        let total = running.values.reduce(0, +)
        for actor in actors where work[actor, default: 0] > 0 && total < 5 {
            #expect(running[actor, default: 0] == limits[actor], "seed \(seed)")
        }
        #expect(started > 500)
    }
}
