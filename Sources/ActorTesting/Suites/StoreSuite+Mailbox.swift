import ActorCore
import Synchronization

/// Appending, reading, beginning, withdrawing, recovering.
extension StoreSuite {
    static let mailboxChecks: [Check] = [
        Check("messages keep their order and come back as they were", order),
        Check("an idempotency key answers like the first time", idempotency),
        Check("a nonce with one use opens once under 200 concurrent appends", nonceOnce),
        Check("a full mailbox refuses and takes again what fits", mailboxFull),
        Check("beginning hides a message and is recorded", begin),
        Check("what ran when the daemon died waits again", recover),
        Check("a waiting message can be withdrawn, a running one cannot", withdraw),
        Check("purging ends all that waits and leaves what runs", purge),
        Check("the sink hears of everything in order before the call returns", sink),
    ]

    private static func order(_ store: any Store) async throws {
        var full = message("e1", "{\"a\":1}", key: "k", digest: "d")
        full.kind = .binary
        full.environment = [EnvironmentEntry("b", "1"), EnvironmentEntry("a", "\"2\n"), EnvironmentEntry("b", "3")]
        full.cause = ExecutionID("cause")
        full.hops = 3
        full.deliverAt = after(60)
        let empty = message("e2", "")
        let results = try await store.append([full, empty, message("e3", to: other), message("e4")], maxMailbox: 10)
        let sequences = results.compactMap { if case .accepted(let envelope) = $0 { envelope.sequence } else { nil } }
        try equal(sequences.count, 4, "accepted messages")
        try equal(sequences, sequences.sorted(), "sequences")
        let head = try await store.head(of: actor, after: 0, limit: 2)
        try equal(head.map(\.message), [full, empty], "the head")
        let rest = try await store.head(of: actor, after: sequences[1], limit: 10)
        try equal(rest.map(\.execution.rawValue), ["e4"], "what follows the head")
        let backlogs = try await store.backlogs()
        try equal(backlogs, [Backlog(actor: actor, count: 3), Backlog(actor: other, count: 1)], "the backlogs")
        let record = try unwrap(try await store.execution(full.execution), "the execution")
        let expected = ExecutionRecord(
            id: full.execution, actor: actor, sequence: sequences[0], sender: "suite", cause: ExecutionID("cause"),
            received: noon)
        try equal(record, expected, "the execution")
    }

    private static func idempotency(_ store: any Store) async throws {
        try await store.create(nonce("once", uses: 1))
        let first = message("e1", key: "k", digest: "d", nonce: "once")
        _ = try await accept(first, in: store)
        let again = try await store.append(
            [
                message("e2", key: "k", digest: "d", nonce: "once"), message("e3", key: "k", digest: "other"),
                message("e4", to: other, key: "k", digest: "other"),
            ], maxMailbox: 10)
        try equal(again[0], .repeated(first.execution), "the same key and body")
        try equal(again[1], .keyReused, "the same key with another body")
        guard case .accepted = again[2] else { throw SuiteFailure("keys are per actor: \(again[2])", line: #line) }
        let used = try await store.nonce(NonceID("once"))?.currentUses
        try equal(used, 1, "uses of the nonce after a repeat")
        let none = try await store.execution(ExecutionID("e2"))
        try equal(none, nil, "the execution of a repeat")
        // The window: 72 hours, then the key is free.
        let hour: Int64 = 3600
        let late = try await store.append(
            [message("e5", key: "k", digest: "d", received: after(72 * hour))], maxMailbox: 10)
        try equal(late, [.repeated(first.execution)], "the key after 72 hours")
        _ = try await accept(message("e6", key: "k", digest: "new", received: after(72 * hour + 1)), in: store)
    }

    private static func nonceOnce(_ store: any Store) async throws {
        try await store.create(nonce("once", uses: 1))
        let results = try await withThrowingTaskGroup(of: AcceptResult.self) { group in
            for number in 0..<200 {
                group.addTask {
                    try await store.append([message("e\(number)", nonce: "once")], maxMailbox: 1000)[0]
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        try equal(results.count { $0 == .nonceRefused }, 199, "refusals of a nonce with one use")
        let head = try await store.head(of: actor, after: 0, limit: 300)
        let records = try await store.executions(of: actor, before: nil, limit: 300)
        try equal(head.count, 1, "messages that a nonce with one use let in")
        try equal(records.map(\.id), head.map(\.execution), "executions")
        _ = try await store.deleteNonce(NonceID("once"))
        let deleted = try await store.append([message("late", nonce: "once")], maxMailbox: 1000)
        try equal(deleted, [.nonceRefused], "a deleted nonce")
    }

    private static func mailboxFull(_ store: any Store) async throws {
        try await store.create(nonce("many", uses: -1))
        let results = try await store.append(
            [message("e1"), message("e2"), message("e3", nonce: "many"), message("e4", to: other)], maxMailbox: 2)
        try equal(results[2], .mailboxFull, "the third message of a mailbox of two")
        guard case .accepted = results[3] else {
            throw SuiteFailure("another mailbox is not full: \(results[3])", line: #line)
        }
        let uses = try await store.nonce(NonceID("many"))?.currentUses
        try equal(uses, 0, "uses of the nonce of a refused message")
        _ = try await store.withdraw(ExecutionID("e1"), at: after(1))
        let room = try await store.append([message("e5"), message("e6")], maxMailbox: 2)
        guard case .accepted = room[0] else { throw SuiteFailure("there is room again: \(room[0])", line: #line) }
        try equal(room[1], .mailboxFull, "the mailbox, full again")
        let running = try await store.head(of: actor, after: 0, limit: 1)[0]
        try await store.begin(running.sequence, attempt: 1, at: after(1))
        let still = try await store.append([message("e7")], maxMailbox: 2)
        try equal(still, [.mailboxFull], "a mailbox whose first message runs")
        try await store.complete(completion(of: running))
        _ = try await accept(message("e8"), in: store)
    }

    private static func begin(_ store: any Store) async throws {
        let envelope = try await accept(message("e1"), in: store)
        _ = try await accept(message("e2"), in: store)
        try await store.begin(envelope.sequence, attempt: 1, at: after(5))
        let head = try await store.head(of: actor, after: 0, limit: 10)
        try equal(head.map(\.execution.rawValue), ["e2"], "the head while e1 runs")
        let backlogs = try await store.backlogs()
        try equal(backlogs, [Backlog(actor: actor, count: 1)], "the backlog while e1 runs")
        let record = try unwrap(try await store.execution(envelope.execution), "the execution")
        try equal(record.status, .running, "its status")
        try equal(record.started, after(5), "its start")
        try equal(record.attempts, 1, "its attempts")
    }

    private static func recover(_ store: any Store) async throws {
        let first = try await start(message("e1"), in: store)
        _ = try await accept(message("e2"), in: store)
        let third = try await start(message("e3", to: other), in: store)
        let recovered = try await store.recover(at: after(9))
        try equal(recovered.map(\.execution), [first.execution, third.execution], "what was running")
        try equal(recovered.map(\.attempts), [1, 1], "attempts begun before")
        let attempts = try await store.attempts(of: first.execution)
        let expected = AttemptRecord(
            execution: first.execution, number: 1, started: after(1), finished: after(9), outcome: .interrupted,
            reason: "the daemon ended while it ran")
        try equal(attempts, [expected], "the interrupted attempt")
        let record = try unwrap(try await store.execution(first.execution), "the execution")
        try equal(record.status, .submitted, "its status")
        try equal(record.outcome, nil, "its outcome")
        let head = try await store.head(of: actor, after: 0, limit: 10)
        try equal(head.map(\.execution.rawValue), ["e1", "e2"], "the head after a restart")
        try equal(head.map(\.attempts), [1, 0], "attempts in the head")
        let nothing = try await store.recover(at: after(10))
        try equal(nothing, [], "a second recovery")
    }

    private static func withdraw(_ store: any Store) async throws {
        let waiting = try await accept(message("e1"), in: store)
        let running = try await start(message("e2"), in: store)
        let withdrawn = try await store.withdraw(waiting.execution, at: after(4))
        let refused = try await store.withdraw(running.execution, at: after(4))
        let again = try await store.withdraw(waiting.execution, at: after(5))
        let unknown = try await store.withdraw(ExecutionID("none"), at: after(5))
        try equal([withdrawn, refused, again, unknown], [true, false, false, false], "what could be withdrawn")
        let record = try unwrap(try await store.execution(waiting.execution), "the execution")
        try equal(record.status, .complete, "its status")
        try equal(record.outcome, .cancelled, "its outcome")
        try equal(record.finished, after(4), "its end")
        let head = try await store.head(of: actor, after: 0, limit: 10)
        try equal(head, [], "the head")
    }

    private static func purge(_ store: any Store) async throws {
        let running = try await start(message("e0"), in: store)
        for number in 1...5 { _ = try await accept(message("e\(number)"), in: store) }
        let kept = try await accept(message("kept", to: other), in: store)
        let purged = try await store.purge(actor, at: after(4))
        try equal(purged, 5, "purged messages")
        let backlogs = try await store.backlogs()
        try equal(backlogs, [Backlog(actor: other, count: 1)], "the backlogs")
        let outcomes = try await store.executions(of: actor, before: nil, limit: 10).map(\.outcome)
        try equal(outcomes, Array(repeating: .cancelled, count: 5) + [nil], "the outcomes, newest first")
        try await store.complete(completion(of: running))
        let head = try await store.head(of: other, after: 0, limit: 10)
        try equal(head, [kept], "the other mailbox")
        let none = try await store.purge(actor, at: after(5))
        try equal(none, 0, "a second purge")
    }

    private static func sink(_ store: any Store) async throws {
        let heard = Heard()
        store.onCommit { envelopes, events in heard.note(envelopes, events) }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<100 {
                group.addTask {
                    let envelope = try await accept(message("e\(number)"), in: store)
                    if !heard.envelopes.contains(envelope) {
                        throw SuiteFailure("a call returned before the sink was told", line: #line)
                    }
                }
            }
            try await group.waitForAll()
        }
        let sequences = heard.envelopes.map(\.sequence)
        try equal(sequences.count, 100, "envelopes that the sink was given")
        try equal(sequences, sequences.sorted(), "the order in which the sink was given them")
        let accepted = heard.envelopes.map {
            CommittedEvent.messageAccepted(actor: $0.actor, execution: $0.execution)
        }
        try equal(heard.events, accepted, "the events")
        let first = heard.envelopes[0]
        try await store.begin(first.sequence, attempt: 1, at: after(1))
        try await store.complete(completion(of: first))
        let rest = Array(heard.events.dropFirst(100))
        let expected: [CommittedEvent] = [
            .executionStarted(actor: actor, execution: first.execution, attempt: 1),
            .executionFinished(actor: actor, execution: first.execution, status: .complete, outcome: .succeeded),
        ]
        try equal(rest, expected, "the events of an execution")
    }

    static func nonce(_ id: String, uses: Int) -> Nonce {
        Nonce(
            id: NonceID(id), tenant: "suite", actor: actor, alias: nil, level: .execute, maxUses: uses,
            owner: "suite", roles: [.user, .admin], description: "for the suite", created: noon)
    }
}

/// What a sink was told.
private final class Heard: Sendable {
    private let told = Mutex<([Envelope], [CommittedEvent])>(([], []))

    var envelopes: [Envelope] { told.withLock { $0.0 } }
    var events: [CommittedEvent] { told.withLock { $0.1 } }

    func note(_ envelopes: [Envelope], _ events: [CommittedEvent]) {
        told.withLock {
            $0.0 += envelopes
            $0.1 += events
        }
    }
}
