import ActorCore
import ActorRuntime
import ActorTesting
import Synchronization
import Testing

/// Scripts whose attempt the end of the daemon, or of what ran them, has cut off.
@Suite struct CutOffTests {
    private static let command = ["/bin/true"]

    private func accepted(_ rig: Rig, _ actor: ActorSpec) async throws -> Envelope {
        let message = NewMessage(actor: actor.id, body: Array("{}".utf8), sender: "t", received: rig.clock.now())
        guard case .accepted(let envelope) = try await rig.store.append([message])[0] else {
            throw CancellationError()
        }
        return envelope
    }

    /// As a power cut leaves it: begun, started, and nobody knows how far it came.
    private func lost(_ rig: Rig, _ actor: ActorSpec) async throws -> (envelope: Envelope, command: String) {
        let envelope = try await accepted(rig, actor)
        try await rig.store.begin(envelope, attempt: 1, at: rig.clock.now())
        let command = WorkID(envelope.execution, run: 1).text
        rig.executor.lose(command)
        return (envelope, command)
    }

    @Test(arguments: [1, 2]) func whatHasHalfRunIsRunAsOftenAsItsActorSays(attempts: Int) async throws {
        let rig = Rig()
        let actor = rig.spec("one", run: .command(Self.command), retry: RetryPolicy(attempts: attempts))
        let (envelope, command) = try await lost(rig, actor)
        let events = rig.system.events.subscribe()
        try await rig.running([actor]) { await rig.ended(events, envelope.execution) }
        let record = try await rig.store.execution(envelope.execution)
        #expect(record?.outcome == (attempts == 1 ? .interrupted : .succeeded))
        #expect(rig.executor.works.map(\.id) == (attempts == 1 ? [] : [command]))
        #expect(rig.executor.reclaimed == [command])
        let reasons = try await rig.store.deadLetters(limit: 9).map(\.reason)
        #expect(reasons.count == 2 - attempts)
        #expect(reasons.allSatisfy { $0.hasPrefix("the daemon ended during each of its 1 attempts; its command") })
    }

    /// What ran it went down while the daemon lived.
    @Test(arguments: [1, 2]) func whatIsTakenAwayHasUsedAnAttempt(attempts: Int) async throws {
        let rig = Rig()
        let actor = rig.spec(
            "one", run: .command(Self.command), retry: RetryPolicy(attempts: attempts, backoffSeconds: 0))
        rig.executor.script(Self.command, ModelExecutor.Play(.evicted("it is gone")), ModelExecutor.Play())
        try await rig.running([actor]) {
            let events = rig.system.events.subscribe()
            let id = try await rig.send(actor, [:])
            await rig.ended(events, id)
            #expect(try await rig.store.execution(id)?.outcome == (attempts == 1 ? .failed : .succeeded))
            #expect(rig.executor.works.map(\.id) == (1...attempts).map { WorkID(id, run: $0).text })
            #expect(try await rig.store.deadLetters(limit: 9).map(\.reason) == (attempts == 1 ? ["it is gone"] : []))
        }
    }

    @Test func theEndOfWhatIsNotTriedAgainIsTold() async throws {
        let rig = Rig()
        var linked = rig.spec("one", run: .command(Self.command), retry: RetryPolicy(attempts: 1))
        linked.link = "two"
        let (actor, listener) = (linked, rig.spec("two"))
        _ = try await lost(rig, actor)
        let events = rig.system.events.subscribe()
        try await rig.running([actor, listener]) {
            await rig.wait(events) { if case .executionFinished(listener.id, _, _, _) = $0 { true } else { false } }
            #expect(await rig.reactor.received.map { $0["status"] } == ["ERROR"])
        }
    }

    /// An orderly stop has given its message back; it reads the file that it was given then.
    @Test func aScriptThatWasLeftRunningNeedsNoRoomForItsMessage() async throws {
        let rig = Rig()
        let actor = rig.spec("one", run: .command(Self.command))
        let envelope = try await accepted(rig, actor)
        _ = await rig.executor.run(
            Work(
                id: WorkID(envelope.execution, run: 1).text, command: Self.command, environment: [],
                workingDirectory: "/", logFile: "/dev/null", maxLogBytes: 0, timeoutMilliseconds: nil))
        rig.files.isFull.store(true, ordering: .relaxed)
        let events = rig.system.events.subscribe()
        try await rig.running([actor]) {
            await rig.ended(events, envelope.execution)
            let record = try await rig.store.execution(envelope.execution)
            #expect(record?.outcome == .succeeded)
            #expect(rig.executor.works.count == 1)
        }
    }
}
