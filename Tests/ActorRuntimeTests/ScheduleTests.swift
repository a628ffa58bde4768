import ActorCore
import ActorRuntime
import ActorTesting
import Testing

@Suite struct ScheduleTests {
    private func isFinished(_ event: CommittedEvent) -> Bool {
        if case .executionFinished = event { true } else { false }
    }

    @Test func whatWasMissedWhileTheDaemonWasDownRunsOnce() async throws {
        let rig = Rig()
        let actor = rig.spec("cron", schedule: try Schedule("*/5 * * * *"))
        let missed = rig.clock.now().adding(seconds: -3600)
        try await rig.store.setSchedule(
            ScheduleRecord(schedule: "*/5 * * * *", anchor: missed, next: missed), of: actor.id)
        let events = rig.system.events.subscribe()
        try await rig.running([actor]) {
            await rig.wait(events, for: isFinished)
            // The plan goes on in the future: the scheduler sleeps until then.
            await rig.clock.sleepers(atLeast: 2)
            let plan = try #require(try await rig.store.schedules()[actor.id])
            #expect(plan.done == rig.clock.now() && plan.next > rig.clock.now())
            #expect(rig.clock.deadlines.contains(plan.next))
            let executions = try await rig.store.executions(of: actor.id, before: nil, limit: 9)
            #expect(executions.map(\.id) == [plan.last])
            #expect(executions.map(\.sender) == ["cron"])
        }
    }

    @Test(arguments: [OverlapPolicy.skip, .queue])
    func aMomentWhileTheRunBeforeGoesOnIsSkippedOrQueued(_ overlap: OverlapPolicy) async throws {
        let rig = Rig(graceMilliseconds: 0)
        let actor = rig.spec("cron", schedule: try Schedule("* * * * *"), overlap: overlap)
        await rig.reactor.behave { _, context in try await rig.clock.sleep(until: context.now().adding(seconds: 90)) }
        try await rig.running([actor]) {
            let events = rig.system.events.subscribe()
            await rig.clock.sleepers(atLeast: 1)
            for _ in 0..<2 {
                let next = try #require(try await rig.store.schedules()[actor.id]?.next)
                rig.clock.advance(milliseconds: next.since(rig.clock.now()))
                // The work, its time-out and the scheduler, which has gone to sleep again.
                await rig.clock.sleepers(atLeast: 3)
            }
            let during = try await rig.store.executions(of: actor.id, before: nil, limit: 9)
            #expect(during.count == (overlap == .skip ? 1 : 2))
            rig.clock.advance(milliseconds: 30000)
            await rig.wait(events, for: isFinished)
        }
        #expect(await rig.reactor.most == 1)
    }

    @Test func aMailboxThatIsFullHoldsBackNoOtherSchedule() async throws {
        var limits = Limits()
        limits.maxMailbox = 1
        let rig = Rig(limits: limits)
        let full = rig.spec("full", schedule: try Schedule("* * * * *"))
        let free = rig.spec("free", schedule: try Schedule("* * * * *"))
        let before = try await rig.store.append(
            [
                NewMessage(
                    actor: full.id, body: [], sender: "t",
                    deliverAt: rig.clock.now().adding(seconds: 1e6), received: rig.clock.now())
            ])
        try await rig.running([full, free]) {
            let events = rig.system.events.subscribe()
            // The delayed message and the scheduler.
            await rig.clock.sleepers(atLeast: 2)
            let next = try #require(rig.clock.deadlines.first)
            rig.clock.advance(milliseconds: next.since(rig.clock.now()))
            await rig.wait(events, for: isFinished)
            let executions = try await rig.store.executions(of: full.id, before: nil, limit: 9)
            guard case .accepted(let envelope) = before.first else {
                Issue.record("the first message was not accepted")
                return
            }
            #expect(executions.map(\.id) == [envelope.execution])
        }
    }

    @Test func aScheduleThatIsTakenAwayIsForgotten() async throws {
        let rig = Rig()
        let actor = rig.spec("cron", schedule: try Schedule("* * * * *"))
        try await rig.running([actor]) {
            await rig.clock.sleepers(atLeast: 1)
            #expect(try await rig.store.schedules().count == 1)
            rig.system.install([rig.spec("cron")], quarantined: [])
            while try await !rig.store.schedules().isEmpty { await Task.yield() }
        }
    }
}
