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

    /// The linked actor is told of the failure, and is not the one who could not take it; the farewell is said.
    @Test(arguments: [false, true]) func anEndThatIsRefusedForGoodIsToldLikeAnyOther(isLinkFull: Bool) async throws {
        let rig = Rig()
        let full = rig.spec("full", run: .command(["/bin/true"]))
        let listener = rig.spec("two", run: .command(["/bin/true"]))
        var linked = rig.spec("one", retry: RetryPolicy(attempts: 1))
        linked.link = "two"
        let actor = linked
        await rig.reactor.behave { _, context in
            context.ifAbandoned(call: "http://lab/gone", body: [:], order: "job")
            try context.send(.alias("full"), ["hello": 1], key: nil)
        }
        for crowded in [full, listener] where crowded.id == full.id || isLinkFull {
            let waiting = NewMessage(
                actor: crowded.id, body: Array("{}".utf8), sender: "t", received: rig.clock.now())
            _ = try await rig.store.append([waiting.changed { $0.deliverAt = rig.clock.now().adding(seconds: 3600) }])
        }
        rig.store.mostMail = 1
        try await rig.running([actor, full, listener]) {
            let events = rig.system.events.subscribe()
            let id = try await rig.send(actor, [:])
            await rig.ended(events, id)
            #expect(try await rig.store.execution(id)?.outcome == .failed)
            #expect(try await rig.store.deadLetters(limit: 9).map(\.reason) == ["the mailbox of \(full.id) is full"])
            let told = try await rig.store.executions(of: listener.id, before: nil, limit: 9)
            #expect(told.filter { $0.cause == id }.count == (isLinkFull ? 0 : 1))
            #expect(try await rig.store.audits(limit: 9).map(\.action) == (isLinkFull ? ["link.drop"] : []))
            while try await !rig.store.dueHeads(limit: 9).isEmpty { await Task.yield() }
            #expect(rig.http.requests.map(\.url) == ["http://127.0.0.1:1/gone"])
        }
    }

    /// There is room for one message: what it has sent itself comes before the news of its end.
    @Test func theLinkGoesBeforeTheWorkDoes() async throws {
        let rig = Rig()
        let listener = rig.spec("two", run: .command(["/bin/true"]))
        var linked = rig.spec("one", retry: RetryPolicy(attempts: 1))
        linked.link = "two"
        let actor = linked
        await rig.reactor.behave { _, context in try context.send(.alias("two"), ["hello": 1], key: nil) }
        rig.store.mostMail = 1
        try await rig.running([actor, listener]) {
            let events = rig.system.events.subscribe()
            let id = try await rig.send(actor, [:])
            await rig.ended(events, id)
            #expect(try await rig.store.execution(id)?.outcome == .succeeded)
            #expect(try await rig.store.executions(of: listener.id, before: nil, limit: 9).count == 1)
            #expect(try await rig.store.audits(limit: 9).map(\.action) == ["link.drop"])
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
