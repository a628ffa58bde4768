import ActorCore
import ActorRuntime
import ActorTesting
import Testing

/// How attempts end that the store does not take as they are.
@Suite struct CommitTests {
    /// No repeat of the commit would help: the attempt has failed, and its slot is free again.
    @Test func mailUnderAKeyOfOtherMailFailsTheAttempt() async throws {
        let rig = Rig()
        let other = rig.spec("two", run: .command(["/bin/true"]))
        let actor = rig.spec("one", retry: RetryPolicy(attempts: 1))
        await rig.reactor.behave { _, context in
            try context.send(.alias("two"), [:], key: "same")
        }
        try await rig.running([actor, other]) {
            let events = rig.system.events.subscribe()
            let first = try await rig.system.send(
                MessageDraft(
                    actor: other.id, body: Array("{}".utf8), sender: "ada",
                    idempotency: IdempotencyKey(key: "same", digest: "of something else")))
            let id = try await rig.send(actor, [:])
            await rig.ended(events, id)
            #expect(try await rig.store.execution(id)?.outcome == .failed)
            let reasons = try await rig.store.deadLetters(limit: 9).map(\.reason)
            #expect(reasons == ["a message to \(other.id) was sent before under the same key"])
            let known = try await rig.store.executions(of: other.id, before: nil, limit: 9)
            #expect(known.map(\.id) == [first.execution])
        }
    }

    @Test func theEndOfAMessageThatIsGoneEndsItsWorkAndItsToken() async throws {
        let rig = Rig()
        let command = ["/bin/true"]
        let actor = rig.spec("one", run: .command(command))
        rig.executor.script(command, ModelExecutor.Play(length: .held))
        try await rig.running([actor]) {
            let id = try await rig.send(actor, [:])
            while rig.executor.running.isEmpty { await Task.yield() }
            let place = try #require(try await rig.store.place(of: id, countingTo: 0))
            let now = rig.clock.now()
            try await rig.store.complete(
                Completion(
                    place.envelope,
                    attempt: AttemptRecord(execution: id, number: 1, started: now, finished: now, outcome: .cancelled),
                    disposition: .acknowledge, status: .complete))
            let work = try #require(rig.executor.running.first)
            while !rig.executor.release(work) { await Task.yield() }
        }
        let work = try #require(rig.executor.works.first)
        #expect(rig.executor.forgotten == [work.id])
        let token = try #require(work.environment.first(where: { $0.name == "_abaco_access_token" }))
        #expect(rig.system.principal(executionToken: token.value) == nil)
    }

    /// Taken away behind the back of its mailbox: it holds up nobody.
    @Test func aMessageThatIsGoneBeforeItExpiresIsForgotten() async throws {
        let rig = Rig()
        let actor = rig.spec("one")
        await rig.reactor.behave { envelope, context in
            guard envelope.json?["n"]?.int == 1 else { return }
            try await rig.clock.sleep(until: context.now().adding(seconds: 60))
        }
        try await rig.running([actor]) {
            let events = rig.system.events.subscribe()
            _ = try await rig.send(actor, ["n": 1])
            await rig.clock.sleepers(atLeast: 2)
            let gone = try await rig.system.send(
                MessageDraft(
                    actor: actor.id, body: Array("{}".utf8), sender: "ada",
                    expires: rig.clock.now().adding(seconds: 30))
            ).execution
            let last = try await rig.send(actor, ["n": 3])
            #expect(try await rig.store.withdraw(gone, at: rig.clock.now()))
            rig.clock.advance(milliseconds: 60_000)
            await rig.ended(events, last)
            #expect(await rig.reactor.received.compactMap { $0["n"]?.int } == [1, 3])
        }
    }

    @Test func aLowerLimitOfLogsCutsWhatEarlierAttemptsWrote() async throws {
        var limits = Limits()
        limits.maxLogBytes = 100
        let rig = Rig(limits: limits)
        let actor = rig.spec("one")
        let now = rig.clock.now()
        let message = NewMessage(actor: actor.id, body: Array("{}".utf8), sender: "t", received: now)
        guard case .accepted(let envelope) = try await rig.store.append([message])[0] else {
            Issue.record("not accepted")
            return
        }
        try await rig.store.begin(envelope, attempt: 1, at: now)
        try await rig.store.complete(
            Completion(
                envelope,
                attempt: AttemptRecord(
                    execution: envelope.execution, number: 1, started: now, finished: now, outcome: .failed),
                disposition: .retry(at: now), status: .submitted,
                log: LogRecord(
                    execution: envelope.execution, place: .inline(Array(repeating: 0x6c, count: 1000)), bytes: 1000,
                    truncated: false)))
        let events = rig.system.events.subscribe()
        try await rig.running([actor]) {
            await rig.ended(events, envelope.execution)
            #expect(try await rig.store.execution(envelope.execution)?.outcome == .succeeded)
            let log = try await rig.system.log(of: envelope.execution)
            #expect(log.bytes.count == 100 && log.truncated)
        }
    }

    @Test func aDeadlineThatIsWatchedGetsNoSecondSleeper() async throws {
        let rig = Rig(graceMilliseconds: 0)
        let slow = rig.spec("slow", timeout: 1000)
        let quick = rig.spec("quick", retry: RetryPolicy(attempts: 1), timeout: 10)
        await rig.reactor.behave { _, context in
            try await rig.clock.sleep(until: context.now().adding(seconds: 5000))
        }
        try await rig.running([slow, quick]) {
            let events = rig.system.events.subscribe()
            let last = rig.clock.now().adding(seconds: 1000)
            _ = try await rig.send(slow, [:])
            // The work and its time-out.
            await rig.clock.sleepers(atLeast: 2)
            for _ in 0..<3 {
                let id = try await rig.send(quick, [:])
                await rig.clock.sleepers(atLeast: 4)
                rig.clock.advance(milliseconds: 10_000)
                await rig.ended(events, id)
            }
            #expect(rig.clock.deadlines.count(where: { $0 == last }) == 1)
        }
    }
}
