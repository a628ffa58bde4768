import ActorCore
import ActorRuntime
import ActorTesting
import Synchronization
import Testing

@Suite struct ContextTests {
    @Test func aStepOfAnInterruptedAttemptIsNotRunAgain() async throws {
        let rig = Rig()
        let actor = rig.spec("one", retry: RetryPolicy(attempts: 3, backoffSeconds: 0))
        let runs = Tally()
        await rig.reactor.behave { _, context in
            let value = try await context.step("only") {
                runs.add()
                return ["value": 42]
            }
            if context.attempt == 1 { throw ReactorFailure(.transient, "cut off") }
            context.reply(value)
        }
        try await rig.running([actor]) {
            let events = rig.system.events.subscribe()
            let id = try await rig.send(actor, [:])
            await rig.ended(events, id)
            #expect(runs.count == 1)
            #expect(try await rig.store.execution(id)?.result == ["value": 42])
        }
    }

    @Test func actorsSendEachOtherMailWhichNamesItsCause() async throws {
        let rig = Rig()
        let actor = rig.spec("one"), echo = rig.spec("two")
        await rig.reactor.behave { envelope, context in
            if envelope.json?["hop"] == nil { try context.send(.alias("two"), ["hop": 1], key: nil) }
        }
        try await rig.running([actor, echo]) {
            let events = rig.system.events.subscribe()
            let first = try await rig.send(actor, [:])
            await rig.wait(events) {
                if case .executionFinished(echo.id, _, _, _) = $0 { true } else { false }
            }
            let second = try #require(try await rig.store.executions(of: echo.id, before: nil, limit: 1).first)
            #expect(second.cause == first)
            #expect(second.sender == "actor:\(actor.id)")
        }
    }

    @Test func aChainOfMessagesThatGoesRoundIsCut() async throws {
        var limits = Limits()
        limits.maxHops = 5
        let rig = Rig(limits: limits)
        let actor = rig.spec("one", retry: RetryPolicy(attempts: 1))
        await rig.reactor.behave { _, context in try context.send(.id(context.actor), [:], key: nil) }
        try await rig.running([actor]) {
            let events = rig.system.events.subscribe()
            _ = try await rig.send(actor, [:])
            await rig.wait(events) { if case .deadLettered = $0 { true } else { false } }
            #expect(await rig.reactor.received.count == 6)
        }
    }

    @Test func callsLeaveAfterTheCommitInOrderAndAreRetried() async throws {
        let rig = Rig()
        let actor = rig.spec("one")
        rig.http.on("POST", "http://127.0.0.1:1/a", .status(503), .status(200), .status(200))
        await rig.reactor.behave { _, context in
            context.call(url: "http://lab/a?n=1", body: ["n": 1], order: "job")
            context.call(url: "http://lab/a?n=2", body: ["n": 2], order: "job")
        }
        try await rig.running([actor]) {
            let events = rig.system.events.subscribe()
            let id = try await rig.send(actor, [:])
            await rig.ended(events, id)
            // The first call failed: its retry sleeps, beside the time-out.
            await rig.clock.sleepers(atLeast: 2)
            rig.clock.advance(milliseconds: 5000)
            while try await !rig.store.dueHeads(limit: 9).isEmpty { await Task.yield() }
            // A URL of ours is called at the address that is bound now.
            #expect(
                rig.http.requests.map(\.url) == [
                    "http://127.0.0.1:1/a?n=1", "http://127.0.0.1:1/a?n=1", "http://127.0.0.1:1/a?n=2",
                ])
            let keys = rig.http.requests.compactMap { request in
                request.headers.first { $0.name == "Idempotency-Key" }?.value
            }
            #expect(keys[0] == keys[1] && keys[1] != keys[2])
        }
    }

    @Test func aReminderArrivesWhenItsMomentHasCome() async throws {
        let rig = Rig()
        let actor = rig.spec("one")
        await rig.reactor.behave { envelope, context in
            guard envelope.json?["reminder"] == nil else { return }
            let moment = context.now().adding(seconds: 30)
            try context.schedule(.id(context.actor), ["reminder": true], at: moment, key: nil)
        }
        try await rig.running([actor]) {
            let events = rig.system.events.subscribe()
            await rig.ended(events, try await rig.send(actor, [:]))
            await rig.clock.sleepers(atLeast: 2)
            #expect(await rig.reactor.received.count == 1)
            rig.clock.advance(milliseconds: 30_000)
            await rig.wait(events) { if case .executionFinished = $0 { true } else { false } }
            #expect(await rig.reactor.received.last == ["reminder": true])
        }
    }

    @Test func aLinkedActorIsToldWhenAnExecutionHasEnded() async throws {
        let rig = Rig()
        var actor = rig.spec("one", run: .command(["/bin/true"]))
        let listener = rig.spec("two")
        actor.link = "two"
        let linked = actor
        try await rig.running([linked, listener]) {
            let events = rig.system.events.subscribe()
            let id = try await rig.send(linked, [:])
            await rig.wait(events) {
                if case .executionFinished(listener.id, _, _, _) = $0 { true } else { false }
            }
            let event = try #require(await rig.reactor.received.first)
            #expect(event["event_type"]?.string == "EXECUTION_COMPLETE")
            #expect(event["execution_id"]?.string == id.rawValue)
            #expect(event["exit_code"]?.int == 0)
        }
    }

    @Test func whoIsCancelledSaysSoAndWhoAnswersDoesNot() async throws {
        let rig = Rig()
        let actor = rig.spec("one")
        await rig.reactor.behave { envelope, context in
            context.ifAbandoned(call: "http://lab/gone", body: [:], order: "job")
            if envelope.json?["n"]?.int == 1 { throw ReactorFailure(.refused, "no") }
            try await rig.clock.sleep(until: context.now().adding(seconds: 60))
        }
        try await rig.running([actor]) {
            let events = rig.system.events.subscribe()
            await rig.ended(events, try await rig.send(actor, ["n": 1]))
            #expect(try await rig.store.dueHeads(limit: 9).isEmpty)
            let second = try await rig.send(actor, ["n": 2])
            await rig.clock.sleepers(atLeast: 2)
            #expect(try await rig.system.cancel(second))
            await rig.ended(events, second)
            while try await !rig.store.dueHeads(limit: 9).isEmpty { await Task.yield() }
            #expect(rig.http.requests.map(\.url) == ["http://127.0.0.1:1/gone"])
        }
    }

    @Test func secretsReachOnlyThoseTheyAreGrantedToAndNeverALog() async throws {
        let rig = Rig()
        let actor = rig.spec("one", secrets: ["GRANTED"])
        await rig.reactor.behave { _, context in
            #expect(context.secret("GRANTED") == "hunter2")
            #expect(context.secret("OTHER") == nil)
            context.log(.info, "password hunter2")
        }
        try await rig.running([actor]) {
            let events = rig.system.events.subscribe()
            let id = try await rig.send(actor, [:])
            await rig.ended(events, id)
            let text = String(decoding: try await rig.system.log(of: id).bytes, as: UTF8.self)
            #expect(!text.contains("hunter2") && text.contains("*****"))
        }
    }

    @Test func aScriptGetsTheEnvironmentOfTheActorsAPI() async throws {
        let rig = Rig()
        let actor = rig.spec("script", run: .command(["/bin/true"]), secrets: ["GRANTED"])
        try await rig.running([actor]) {
            let events = rig.system.events.subscribe()
            let receipt = try await rig.system.send(
                MessageDraft(
                    actor: actor.id, body: Array(#"{"a": true, "b": null, "c": "x"}"#.utf8),
                    environment: [EnvironmentEntry("uuid", "u1"), EnvironmentEntry("MSG", "forged")],
                    sender: "ada"))
            await rig.ended(events, receipt.execution)
            let work = try #require(rig.executor.works.first)
            var seen: [String: String] = [:]
            for entry in work.environment { seen[entry.name] = entry.value }
            #expect(seen["MSG"] == "{'a': True, 'b': None, 'c': 'x'}")
            #expect(seen["uuid"] == "u1")
            #expect(seen["GRANTED"] == "hunter2")
            #expect(seen["_abaco_actor_id"] == actor.id.rawValue)
            #expect(seen["_abaco_execution_id"] == receipt.execution.rawValue)
            #expect(seen["_abaco_Content_Type"] == "application/json")
            #expect(seen["_abaco_Content-Type"] == "application/json")
            #expect(seen["_abaco_actor_dbid"] == "LAB_\(actor.id)")
            #expect(seen["_abaco_username"] == "ada")
            #expect(seen["_abaco_actor_state"] == "{}")
            #expect(seen["_abaco_access_token"]?.hasPrefix("rxe_") == true)
            // The token ends with its execution.
            #expect(rig.system.principal(executionToken: seen["_abaco_access_token"] ?? "") == nil)
        }
    }

    /// JSON that did not call itself JSON is `str` to a script, and a Python literal all the same.
    @Test func aScriptIsToldHowItsMessageWasSent() async throws {
        let rig = Rig()
        let actor = rig.spec("script", run: .command(["/bin/true"]))
        try await rig.running([actor]) {
            let events = rig.system.events.subscribe()
            let receipt = try await rig.system.send(
                MessageDraft(
                    actor: actor.id, body: Array(#"{"a": true}"#.utf8),
                    environment: [EnvironmentEntry(MessageKind.variable, "str")], sender: "ada"))
            await rig.ended(events, receipt.execution)
            let work = try #require(rig.executor.works.first)
            var seen: [String: String] = [:]
            for entry in work.environment { seen[entry.name] = entry.value }
            #expect(seen["MSG"] == "{'a': True}")
            #expect(seen["_abaco_Content_Type"] == "str" && seen["_abaco_Content-Type"] == "str")
        }
    }

    /// A message, or an actor made over HTTP, may be older than the rules of the door.
    @Test func onlyTheHouseSaysWhichProgramRuns() async throws {
        let rig = Rig()
        let mail = [EnvironmentEntry("PATH", "/evil"), .init("GIT_SSH_COMMAND", "evil"), .init("PLATE", "p1")]
        var declared = rig.spec("declared", run: .command(["python3"]))
        declared.environment = [EnvironmentEntry("PATH", "/opt/lab/bin"), .init("MODE", "fast")]
        var made = rig.spec("made", run: .command(["python3"]))
        made.environment = declared.environment
        made.definition = ActorDefinition(image: "lab/any")
        let actors = [declared, made]
        try await rig.running(actors) {
            for (actor, path) in zip(actors, ["/opt/lab/bin", nil]) {
                let events = rig.system.events.subscribe()
                let receipt = try await rig.system.send(
                    MessageDraft(actor: actor.id, body: Array("{}".utf8), environment: mail, sender: "eve"))
                await rig.ended(events, receipt.execution)
                let work = try #require(rig.executor.works.last)
                var seen: [String: String] = [:]
                for entry in work.environment { seen[entry.name] = entry.value }
                #expect(seen["PATH"] == path)
                #expect(seen["GIT_SSH_COMMAND"] == nil)
                #expect(seen["PLATE"] == "p1" && seen["MODE"] == "fast")
                // An analysis without a parameter that it was sent has to say so.
                let log = try await rig.system.log(of: receipt.execution).bytes
                let refused = "was left out: it changes which programs, libraries or settings files are used"
                let mine =
                    path == nil
                    ? """
                    reactord: the variable PATH of default_environment \(refused)
                    reactord: the variable PATH of the message \(refused)

                    """
                    : "reactord: the variable PATH of the message was left out: the actor's actor.yml sets it\n"
                let both = "reactord: the variable GIT_SSH_COMMAND of the message \(refused)\n"
                #expect(String(decoding: log, as: UTF8.self) == mine + both)
            }
        }
    }

    /// Whoever may send could otherwise take the house's key to a server of his own.
    @Test func noMessageChangesWhatTheHouseSays() async throws {
        let rig = Rig()
        let mail = [
            EnvironmentEntry("GRANTED", "theirs"), .init("_REACTOR_API_URL", "https://evil"), .init("LOCALONLY", "1"),
            .init("TARGET", "test"), .init("REACTORD_DUE", "never"), .init("PLATE", "p1"),
        ]
        var declared = rig.spec("declared", run: .command(["python3"]), secrets: ["GRANTED", "ABSENT"])
        declared.environment = [EnvironmentEntry("TARGET", "production")]
        var made = rig.spec("made", run: .command(["python3"]))
        made.environment = [
            EnvironmentEntry("TARGET", "production"), .init("AWS_ACCESS_KEY_ID", "own"), .init("_REACTOR_KEY", "own"),
        ]
        made.definition = ActorDefinition(image: "lab/any")
        let actors = [declared, made]
        try await rig.running(actors) {
            for (actor, target) in zip(actors, ["production", "test"]) {
                let events = rig.system.events.subscribe()
                let receipt = try await rig.system.send(
                    MessageDraft(
                        actor: actor.id, body: Array("{}".utf8),
                        environment: mail + [EnvironmentEntry("ABSENT", "theirs")], sender: "eve"))
                await rig.ended(events, receipt.execution)
                let work = try #require(rig.executor.works.last)
                var seen: [String: String] = [:]
                for entry in work.environment { seen[entry.name] = entry.value }
                #expect(seen["TARGET"] == target && seen["PLATE"] == "p1")
                #expect(seen["_REACTOR_API_URL"] == nil && seen["LOCALONLY"] == nil && seen["REACTORD_DUE"] == nil)
                let isDeclared = actor.definition == nil
                #expect(seen["GRANTED"] == (isDeclared ? "hunter2" : "theirs"))
                #expect(seen["ABSENT"] == (isDeclared ? nil : "theirs"))
                // What is the owner's own of an actor made over HTTP stays.
                #expect(seen["AWS_ACCESS_KEY_ID"] == (isDeclared ? nil : "own"))
                #expect(seen["_REACTOR_KEY"] == (isDeclared ? nil : "own"))
            }
        }
    }

    @Test func aScheduleSaysForWhichMomentItSends() async throws {
        let rig = Rig()
        let actor = rig.spec("cron", run: .command(["/bin/true"]), schedule: try Schedule("* * * * *"))
        try await rig.running([actor]) {
            let events = rig.system.events.subscribe()
            await rig.clock.sleepers(atLeast: 1)
            let next = try #require(rig.clock.deadlines.first)
            rig.clock.advance(milliseconds: next.since(rig.clock.now()))
            await rig.wait(events) { if case .executionFinished = $0 { true } else { false } }
            let work = try #require(rig.executor.works.first)
            #expect(work.environment.contains { $0.name == "REACTORD_DUE" && !$0.value.isEmpty })
            // No user has sent it.
            #expect(!work.environment.contains { $0.name == "_abaco_username" })
        }
    }

    @Test func aScheduledActorGetsItsMessageOncePerMoment() async throws {
        let rig = Rig()
        let actor = rig.spec("cron", schedule: try Schedule("* * * * *"))
        try await rig.running([actor]) {
            let events = rig.system.events.subscribe()
            for round in 1...3 {
                await rig.clock.sleepers(atLeast: round == 1 ? 1 : 2)
                let next = try #require(rig.clock.deadlines.first)
                rig.clock.advance(milliseconds: next.since(rig.clock.now()))
                await rig.wait(events) { if case .executionFinished = $0 { true } else { false } }
                #expect(await rig.reactor.received.count == round)
            }
        }
    }
}

/// Counts from several tasks.
final class Tally: Sendable {
    private let value = Mutex(0)
    func add() { value.withLock { $0 += 1 } }
    var count: Int { value.withLock { $0 } }
}
