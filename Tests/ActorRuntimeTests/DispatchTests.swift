import ActorCore
import ActorRuntime
import ActorTesting
import Synchronization
import Testing

@Suite struct DispatchTests {
    @Test func messagesOfAStatefulActorRunOneAtATimeInOrder() async throws {
        let rig = Rig()
        let actor = rig.spec("one")
        try await rig.running([actor]) {
            let events = rig.system.events.subscribe()
            var last: ExecutionID?
            for number in 0..<200 { last = try await rig.send(actor, ["n": JSONValue(number)]) }
            if let last { await rig.ended(events, last) }
            #expect(await rig.reactor.received.compactMap { $0["n"]?.int } == Array(0..<200))
            #expect(await rig.reactor.most == 1)
            #expect(rig.system.status(of: actor.id)?.waiting == 0)
        }
    }

    @Test func messagesThatWaitInTheStoreAtTheStartRunFirstAndInOrder() async throws {
        let rig = Rig()
        let actor = rig.spec("one")
        let results = try await rig.store.append(
            (0..<150).map { number in
                NewMessage(
                    actor: actor.id, body: JSONWriter.bytes(["n": JSONValue(number)]), sender: "t",
                    received: rig.clock.now())
            })
        guard case .accepted(let last) = results[149] else {
            Issue.record("not accepted")
            return
        }
        let events = rig.system.events.subscribe()
        try await rig.running([actor]) {
            await rig.ended(events, last.execution)
            #expect(await rig.reactor.received.compactMap { $0["n"]?.int } == Array(0..<150))
        }
    }

    /// One that is far away, and many that come due before it: nobody goes to sleep for it again after each of them.
    @Test func nobodySleepsTwiceUntilTheSameMoment() async throws {
        let rig = Rig()
        let actor = rig.spec("one")
        let far = rig.clock.now().adding(seconds: 86400)
        @Sendable func send(at moment: Timestamp) async throws -> ExecutionID {
            try await rig.system.send(
                MessageDraft(actor: actor.id, body: Array("{}".utf8), sender: "ada", deliverAt: moment)
            ).execution
        }
        try await rig.running([actor]) {
            let events = rig.system.events.subscribe()
            _ = try await send(at: far)
            while !rig.clock.deadlines.contains(far) { await Task.yield() }
            for _ in 0..<6 {
                let soon = rig.clock.now().adding(milliseconds: 1000)
                let id = try await send(at: soon)
                while !rig.clock.deadlines.contains(soon) { await Task.yield() }
                rig.clock.advance(milliseconds: 1000)
                await rig.ended(events, id)
            }
            #expect(rig.clock.deadlines.count { $0 == far } == 1)
        }
    }

    /// The linked actor cannot take the event: the execution ends all the same, and the audit trail says what was lost.
    @Test func aLinkedActorWithAFullMailboxHoldsUpNobody() async throws {
        let rig = Rig()
        let full = rig.spec("full", run: .command(["/bin/true"]))
        var linked = rig.spec("one")
        linked.link = "full"
        let actor = linked
        let waiting = NewMessage(
            actor: full.id, body: Array("{}".utf8), sender: "t", received: rig.clock.now())
        _ = try await rig.store.append([
            waiting.changed { $0.deliverAt = rig.clock.now().adding(milliseconds: 3_600_000) }
        ])
        rig.store.mostMail = 1
        try await rig.running([actor, full]) {
            let events = rig.system.events.subscribe()
            let id = try await rig.send(actor, [:])
            await rig.ended(events, id)
            #expect(try await rig.store.execution(id)?.outcome == .succeeded)
            #expect(rig.store.held(by: full.id) == 1)
            let audits = try await rig.store.audits(limit: 9)
            #expect(audits.map(\.action) == ["link.drop"])
            #expect(audits.first?.target == "\(full.id) \(id)")
        }
    }

    /// Mail of its own that does not fit fails the attempt: it is tried again, not stored for ever.
    @Test func mailForAFullMailboxFailsTheAttempt() async throws {
        let rig = Rig()
        let full = rig.spec("full", run: .command(["/bin/true"]))
        let actor = rig.spec("one", retry: RetryPolicy(attempts: 1))
        await rig.reactor.behave { _, context in try context.send(.alias("full"), ["hello": 1], key: nil) }
        rig.store.mostMail = 0
        try await rig.running([actor, full]) {
            let events = rig.system.events.subscribe()
            let id = try await rig.send(actor, [:])
            await rig.ended(events, id)
            #expect(try await rig.store.deadLetters(limit: 9).map(\.reason) == ["the mailbox of \(full.id) is full"])
        }
    }

    @Test func whatAThrowingReactorDidIsNotDone() async throws {
        let rig = Rig()
        let actor = rig.spec("one", retry: RetryPolicy(attempts: 1))
        let other = rig.spec("two", run: .command(["/bin/true"]))
        await rig.reactor.behave { _, context in
            context.setState(["touched": true])
            try context.send(.alias("two"), ["hello": 1], key: nil)
            context.put("upload", "u", ["x": 1])
            throw ReactorFailure(.transient, "no luck")
        }
        try await rig.running([actor, other]) {
            let events = rig.system.events.subscribe()
            let id = try await rig.send(actor, [:])
            await rig.ended(events, id)
            #expect(try await rig.store.state(of: actor.id) == nil)
            #expect(try await rig.store.document("upload", "u") == nil)
            #expect(try await rig.store.executions(of: other.id, before: nil, limit: 9).isEmpty)
            #expect(try await rig.store.deadLetters(limit: 9).map(\.reason) == ["no luck"])
            let log = try await rig.system.log(of: id)
            #expect(String(decoding: log.bytes, as: UTF8.self).contains("no luck"))
        }
    }

    /// It waits in the store alone, and is there whenever its message runs.
    @Test func aLongBodyIsThereOnEveryAttempt() async throws {
        let rig = Rig()
        let actor = rig.spec("one", retry: RetryPolicy(attempts: 2, backoffSeconds: 1e6, maxBackoffSeconds: 1e6))
        let text = String(repeating: "x", count: NewMessage.mostKept)
        await rig.reactor.behave { envelope, context in
            guard envelope.json?["text"]?.string == text else { throw ReactorFailure(.permanent, "it is not whole") }
            if context.attempt == 1 { throw ReactorFailure(.transient, "not yet") }
        }
        try await rig.running([actor]) {
            let events = rig.system.events.subscribe()
            let id = try await rig.send(actor, ["text": .string(text)])
            await rig.wait(events) {
                if case .executionRetrying = $0 { true } else { false }
            }
            await rig.clock.sleepers(atLeast: 2)
            rig.clock.advance(milliseconds: 1_000_000_000)
            await rig.ended(events, id)
            #expect(try await rig.store.execution(id)?.outcome == .succeeded)
            #expect(try await rig.store.attempts(of: id).map(\.outcome) == [.failed, .succeeded])
        }
    }

    @Test func aFailedMessageIsTriedAgainAfterItsBackoffAndHoldsBackTheNext() async throws {
        let rig = Rig()
        // Full jitter may be next to nothing: of so long a wait something is always left to sleep for.
        let actor = rig.spec("one", retry: RetryPolicy(attempts: 3, backoffSeconds: 1e6, maxBackoffSeconds: 1e6))
        await rig.reactor.behave { envelope, context in
            if envelope.json?["n"]?.int == 1, context.attempt < 3 { throw ReactorFailure(.transient, "not yet") }
        }
        try await rig.running([actor]) {
            let events = rig.system.events.subscribe()
            let first = try await rig.send(actor, ["n": 1])
            let second = try await rig.send(actor, ["n": 2])
            for _ in 0..<2 {
                await rig.wait(events) {
                    if case .executionRetrying = $0 { true } else { false }
                }
                // The scheduler has no schedule; those who sleep are the mailbox and the time-out.
                await rig.clock.sleepers(atLeast: 2)
                rig.clock.advance(milliseconds: 1_000_000_000)
            }
            await rig.ended(events, first)
            await rig.ended(events, second)
            #expect(await rig.reactor.received.compactMap { $0["n"]?.int } == [1, 1, 1, 2])
            #expect(try await rig.store.attempts(of: first).map(\.outcome) == [.failed, .failed, .succeeded])
        }
    }

    /// Nobody knows of its command: nothing has been done, even if there is one attempt only.
    @Test func aStartThatWasCutOffIsNotTheOnlyAttempt() async throws {
        let rig = Rig()
        let actor = rig.spec("one", run: .command(["/bin/true"]), retry: RetryPolicy(attempts: 1))
        let message = NewMessage(actor: actor.id, body: Array("{}".utf8), sender: "t", received: rig.clock.now())
        guard case .accepted(let envelope) = try await rig.store.append([message])[0] else {
            throw CancellationError()
        }
        try await rig.store.begin(envelope, attempt: 1, at: rig.clock.now())
        let events = rig.system.events.subscribe()
        try await rig.running([actor]) {
            await rig.ended(events, envelope.execution)
            let record = try await rig.store.execution(envelope.execution)
            #expect(record?.outcome == .succeeded)
        }
    }

    @Test func aParkedMessageCanBeReplayedOnceAndNamesItsCause() async throws {
        let rig = Rig()
        let actor = rig.spec("one", retry: RetryPolicy(attempts: 1))
        await rig.reactor.behave { _, context in
            if context.attempt == 1, try await context.state()["fixed"] == nil {
                throw ReactorFailure(.permanent, "broken")
            }
        }
        try await rig.running([actor]) {
            let events = rig.system.events.subscribe()
            let id = try await rig.send(actor, ["n": 1])
            await rig.ended(events, id)
            // A message that is wrong says nothing about its actor.
            #expect(rig.system.status(of: actor.id)?.status == "READY")
            try await rig.store.setState(["fixed": true], of: actor.id, at: rig.clock.now())
            let letter = try #require(try await rig.store.deadLetters(limit: 1).first)
            let again = try await rig.system.replay(deadLetter: letter.id)
            await rig.ended(events, again)
            #expect(try await rig.store.execution(again)?.outcome == .succeeded)
            #expect(try await rig.store.execution(again)?.cause == id)
            #expect(rig.system.status(of: actor.id)?.status == "READY")
            await #expect(throws: ActorError.self) { try await rig.system.replay(deadLetter: letter.id) }
        }
    }

    /// Replayed by an admin it is still what a stranger sent.
    @Test func whatCameByANonceStillDoesWhenItIsReplayed() async throws {
        let rig = Rig()
        let actor = rig.spec("one", retry: RetryPolicy(attempts: 1))
        let nonce = NonceID("LAB_once")
        try await rig.store.create(
            Nonce(
                id: nonce, tenant: "LAB", actor: actor.id, alias: nil, level: .execute, maxUses: 1, owner: "ada",
                roles: [.user], created: rig.clock.now()))
        await rig.reactor.behave { envelope, context in
            guard try await context.state()["fixed"] != nil else { throw ReactorFailure(.permanent, "broken") }
            guard envelope.isByNonce else { throw ReactorFailure(.permanent, "of its owner") }
        }
        try await rig.running([actor]) {
            let events = rig.system.events.subscribe()
            let draft = MessageDraft(actor: actor.id, body: Array("{}".utf8), sender: "ada", nonce: nonce)
            await rig.ended(events, try await rig.system.send(draft).execution)
            try await rig.store.setState(["fixed": true], of: actor.id, at: rig.clock.now())
            let letter = try #require(try await rig.store.deadLetters(limit: 1).first)
            let again = try await rig.system.replay(deadLetter: letter.id)
            await rig.ended(events, again)
            #expect(try await rig.store.execution(again)?.outcome == .succeeded)
        }
    }

    @Test func aWaitingMessageIsWithdrawnAndARunningOneStopped() async throws {
        let rig = Rig()
        let actor = rig.spec("one")
        await rig.reactor.behave { _, context in try await rig.clock.sleep(until: context.now().adding(seconds: 60)) }
        try await rig.running([actor]) {
            let events = rig.system.events.subscribe()
            let first = try await rig.send(actor, ["n": 1])
            let second = try await rig.send(actor, ["n": 2])
            // The work and its time-out.
            await rig.clock.sleepers(atLeast: 2)
            #expect(try await rig.system.cancel(second))
            await rig.ended(events, second)
            #expect(try await rig.system.cancel(first))
            await rig.ended(events, first)
            for id in [first, second] {
                #expect(try await rig.store.execution(id)?.outcome == .cancelled)
                #expect(try await !rig.system.cancel(id))
            }
            #expect(await rig.reactor.received.count == 1)
        }
    }

    @Test func workThatTakesTooLongIsStopped() async throws {
        let rig = Rig()
        let actor = rig.spec("one", retry: RetryPolicy(attempts: 1), timeout: 5)
        await rig.reactor.behave { _, context in try await rig.clock.sleep(until: context.now().adding(seconds: 60)) }
        try await rig.running([actor]) {
            let events = rig.system.events.subscribe()
            let id = try await rig.send(actor, [:])
            await rig.clock.sleepers(atLeast: 2)
            rig.clock.advance(milliseconds: 5000)
            await rig.ended(events, id)
            #expect(try await rig.store.execution(id)?.outcome == .timedOut)
        }
    }

    /// The Reactor knows better than the sender which messages belong together.
    @Test func aReactorSaysWhichMessagesRunOneAfterAnother() async throws {
        let rig = Rig()
        let actor = rig.spec("one", stateless: true, workers: 4)
        let (doors, opened) = AsyncStream.makeStream(of: Void.self)
        await rig.reactor.behave { envelope, _ in
            if envelope.json?["n"] == 1 { for await _ in doors { break } }
        }
        try await rig.running([actor]) {
            let events = rig.system.events.subscribe()
            func send(_ number: Int, _ lane: String, key: String) async throws -> ExecutionID {
                try await rig.system.send(
                    MessageDraft(
                        actor: actor.id, body: JSONWriter.bytes(["n": JSONValue(number), "lane": .string(lane)]),
                        sender: "ada", key: key)
                ).execution
            }
            let first = try await send(1, "a", key: "mine")
            let second = try await send(2, "a", key: "other")
            let third = try await send(3, "b", key: "mine")
            await rig.ended(events, third)
            #expect(try await rig.store.execution(second)?.status == .submitted)
            opened.yield()
            await rig.ended(events, first)
            await rig.ended(events, second)
            #expect(await rig.reactor.received.compactMap { $0["n"]?.int } == [1, 3, 2])
        }
    }

    @Test func theSameKeyIsDoneOnce() async throws {
        let rig = Rig()
        let actor = rig.spec("one")
        try await rig.running([actor]) {
            let first = try await rig.send(actor, ["n": 1], key: "k")
            let second = try await rig.send(actor, ["n": 1], key: "k")
            #expect(first == second)
        }
    }

    @Test func aMessageMustMatchOneOfTheSchemas() async throws {
        let rig = Rig()
        let schemas = ["a", "b"].map { SchemaSource(file: $0, text: Array($0.utf8)) }
        let actor = rig.spec("one", schemas: schemas)
        try await rig.running([actor]) {
            _ = try await rig.send(actor, ["b": 1])
            await #expect(throws: ActorError.self) { try await rig.send(actor, ["c": 1]) }
        }
    }

    @Test func drainingGivesRunningWorkBackAndRefusesNewMail() async throws {
        let rig = Rig(graceMilliseconds: 0)
        let actor = rig.spec("one")
        await rig.reactor.behave { _, context in try await rig.clock.sleep(until: context.now().adding(seconds: 60)) }
        let sent = Mutex<ExecutionID?>(nil)
        try await rig.running([actor]) {
            let id = try await rig.send(actor, ["n": 1])
            await rig.clock.sleepers(atLeast: 2)
            sent.withLock { $0 = id }
        }
        let id = try #require(sent.withLock { $0 })
        await #expect(throws: ActorError.self) { try await rig.send(actor, ["n": 2]) }
        let record = try #require(try await rig.store.execution(id))
        #expect(record.status == .submitted)
        #expect(record.attempts == 0)
        #expect(try await rig.store.executions(of: actor.id, before: nil, limit: 9).map(\.id) == [id])
        #expect(rig.store.held(by: actor.id) == 1)
    }
}
