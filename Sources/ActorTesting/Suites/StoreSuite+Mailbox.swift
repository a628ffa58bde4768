import ActorCore
import Synchronization

/// Appending, reading, beginning, withdrawing, recovering.
extension StoreSuite {
    static let mailboxChecks: [Check] = [
        Check("messages keep their order and come back as they were", order),
        Check("an idempotency key answers like the first time", idempotency),
        Check("an idempotency key is remembered as long as asked", window),
        Check("an idempotency key opens once under 200 concurrent appends", keyOnce),
        Check("a nonce with one use opens once under 200 concurrent appends", nonceOnce),
        Check("beginning hides a message and is recorded", begin),
        Check("what ran when the daemon died waits again", recover),
        Check("a waiting message can be withdrawn, a running one cannot", withdraw),
        Check("purging ends all that waits and leaves what runs", purge),
        Check("the sink hears of everything in order before the call returns", sink),
    ]

    private static func order(_ store: any Store) async throws {
        var full = message("{\"a\":1}", idempotency: "k", digest: "d")
        full.kind = .binary
        full.environment = [EnvironmentEntry("b", "1"), EnvironmentEntry("a", "\"2\n"), EnvironmentEntry("b", "3")]
        full.cause = ExecutionID("cause")
        full.hops = 3
        full.key = "ä lane"
        full.expires = after(90)
        let empty = message("")
        let envelopes = try await accept([full, empty, message("e3", to: other), message("e4")], in: store)
        let sequences = envelopes.map(\.sequence)
        try equal(sequences, sequences.sorted(), "sequences")
        try equal(Set(envelopes.map(\.execution)).count, 4, "different ids")
        let head = try await store.page(.ready(after: .first), of: actor, now: noon, limit: 2)
        try equal(head, [envelopes[0], envelopes[1]], "the head")
        try equal(head.map(\.message), [full, empty], "its messages")
        let rest = try await store.page(.ready(after: head[1].rank), of: actor, now: noon, limit: 10)
        try equal(rest, [envelopes[3]], "what follows the head")
        let mailboxes = try await store.mailboxes()
        try equal(mailboxes, [actor, other], "the mailboxes")
        try equal([store.held(by: actor), store.held(by: other)], [3, 1], "messages in them")
        let record = try unwrap(try await store.execution(envelopes[0].execution), "the execution")
        let expected = ExecutionRecord(
            id: envelopes[0].execution, actor: actor, sequence: sequences[0], sender: "suite",
            cause: ExecutionID("cause"), received: noon)
        try equal(record, expected, "the execution")
        let attempts = try await store.attempts(of: envelopes[0].execution)
        try equal(attempts, [], "attempts of a waiting message")
    }

    private static func idempotency(_ store: any Store) async throws {
        try await store.create(nonce("once", uses: 1))
        let first = try await accept(message("e1", idempotency: "k", digest: "d", nonce: "once"), in: store)
        let again = try await store.append([
            message("e2", idempotency: "k", digest: "d", nonce: "once"),
            message("e3", idempotency: "k", digest: "other"),
            message("e4", to: other, idempotency: "k", digest: "other"),
        ])
        try equal(again[0], .repeated(first.execution), "the same key and body")
        try equal(again[1], .keyReused, "the same key with another body")
        guard case .accepted = again[2] else { throw SuiteFailure("keys are per actor: \(again[2])", line: #line) }
        let used = try await store.nonce(NonceID("once"))?.currentUses
        try equal(used, 1, "uses of the nonce after a repeat")
        let all = try await store.executions(of: actor, before: nil, limit: 9)
        try equal(all.map(\.id), [first.execution], "executions after a repeat")
        // The message may have left its mailbox meanwhile.
        try await store.complete(completion(of: first, hasBegun: false))
        let ended = try await store.append([message("e5", idempotency: "k", digest: "d")])
        try equal(ended, [.repeated(first.execution)], "the key of an ended execution")
    }

    private static func window(_ store: any Store) async throws {
        let first = try await accept(message("e1", idempotency: "k", digest: "d"), in: store)
        let other = try await accept(message("e2", idempotency: "l", digest: "d"), in: store)
        let hour: Int64 = 3600
        let late = try await store.append([
            message("e3", idempotency: "k", digest: "d", received: after(72 * hour))
        ])
        try equal(late, [.repeated(first.execution)], "the key after 72 hours")
        _ = try await accept(message("e4", idempotency: "k", digest: "new", received: after(72 * hour + 1)), in: store)
        let rules = AcceptRules(idempotencyMilliseconds: 5000)
        let within = try await store.append(
            [message("e5", idempotency: "l", digest: "d", received: after(5))], rules: rules)
        try equal(within, [.repeated(other.execution)], "the key after five seconds")
        let behind = try await store.append(
            [message("e6", idempotency: "l", digest: "d", received: after(6))], rules: rules)
        try equal(accepted(behind).count, 1, "messages taken under a key that was forgotten after five seconds")
        let renewed = try await store.append(
            [message("e7", idempotency: "l", digest: "d", received: after(11))], rules: rules)
        try equal(renewed, [.repeated(accepted(behind)[0].execution)], "the key, used anew")
    }

    private static func keyOnce(_ store: any Store) async throws {
        let results = try await atOnce(200, store) { _ in message("same", idempotency: "k") }
        let first = accepted(results)
        try equal(first.count, 1, "messages that one key let in")
        let repeats = results.count { $0 == .repeated(first[0].execution) }
        try equal(repeats, 199, "repeats that were given the first answer")
        try equal(store.held(by: actor), 1, "messages in the mailbox")
    }

    /// Appends so many messages, each in a call of its own, all at the same time.
    static func atOnce(
        _ count: Int, _ store: any Store, rules: AcceptRules = AcceptRules(),
        _ make: @escaping @Sendable (Int) -> NewMessage
    ) async throws -> [AcceptResult] {
        try await withThrowingTaskGroup(of: AcceptResult.self) { group in
            for number in 0..<count {
                group.addTask { try await store.append([make(number)], rules: rules)[0] }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
    }

    private static func nonceOnce(_ store: any Store) async throws {
        try await store.create(nonce("once", uses: 1))
        let results = try await atOnce(200, store) { message("e\($0)", nonce: "once") }
        try equal(results.count { $0 == .nonceRefused }, 199, "refusals of a nonce with one use")
        let head = try await ready(in: store)
        let records = try await store.executions(of: actor, before: nil, limit: 300)
        try equal(head.count, 1, "messages that a nonce with one use let in")
        try equal(records.map(\.id), head.map(\.execution), "executions")
        _ = try await store.deleteNonce(NonceID("once"))
        let deleted = try await store.append([message("late", nonce: "once")])
        try equal(deleted, [.nonceRefused], "a deleted nonce")
    }

    private static func begin(_ store: any Store) async throws {
        let envelope = try await accept(message("e1"), in: store)
        _ = try await accept(message("e2"), in: store)
        try await store.begin(envelope, attempt: 1, at: after(5))
        let head = try await ready(in: store)
        try equal(texts(head), ["e2"], "the head while e1 runs")
        try equal(store.held(by: actor), 2, "messages in the mailbox while e1 runs")
        let record = try unwrap(try await store.execution(envelope.execution), "the execution")
        try equal(record.status, .running, "its status")
        try equal(record.started, after(5), "its start")
        try equal(record.attempts, 1, "its attempts")
    }

    private static func recover(_ store: any Store) async throws {
        let first = try await start(message("e1"), in: store)
        _ = try await accept(message("e2"), in: store)
        let third = try await start(message("e3", to: other), in: store)
        let interrupted = try await store.recover(at: after(9)).interrupted
        try equal(interrupted.map(\.execution), [first.execution, third.execution], "what was running")
        try equal(interrupted.map(\.attempts), [1, 1], "attempts begun before")
        let attempts = try await store.attempts(of: first.execution)
        let expected = AttemptRecord(
            execution: first.execution, number: 1, started: after(1), finished: after(9), outcome: .interrupted,
            reason: "the daemon ended while it ran")
        try equal(attempts, [expected], "the interrupted attempt")
        let record = try unwrap(try await store.execution(first.execution), "the execution")
        try equal(record.status, .submitted, "its status")
        try equal(record.outcome, nil, "its outcome")
        let head = try await ready(in: store)
        try equal(texts(head), ["e1", "e2"], "the head after a restart")
        try equal(head.map(\.attempts), [1, 0], "attempts in the head")
        let nothing = try await store.recover(at: after(10)).interrupted
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
        try equal(record.attempts, 0, "its attempts")
        let attempts = try await store.attempts(of: waiting.execution)
        try equal(attempts, [], "attempts of what never ran")
        let head = try await ready(in: store)
        try equal(head, [], "the head")
        try equal(store.held(by: actor), 1, "messages in the mailbox")
    }

    private static func purge(_ store: any Store) async throws {
        let running = try await start(message("e0"), in: store)
        var messages = (1...5).map { message("e\($0)") }
        messages[1].deliverAt = after(600)
        messages[2].key = "k"
        let waiting = try await accept(messages, in: store)
        try await store.complete(
            completion(of: waiting[4], .retry(at: after(9)), hasBegun: false, outcome: .failed))
        let kept = try await accept(message("kept", to: other), in: store)
        let purged = try await store.purge(actor, at: after(4))
        try equal(purged, 5, "purged messages")
        try equal([store.held(by: actor), store.held(by: other)], [1, 1], "messages that are left")
        let late = try await delayed(in: store)
        try equal(late, [], "delayed messages")
        let outcomes = try await store.executions(of: actor, before: nil, limit: 10).map(\.outcome)
        try equal(outcomes, Array(repeating: .cancelled, count: 5) + [nil], "the outcomes, newest first")
        let attempts = try await store.attempts(of: waiting[4].execution)
        try equal(attempts.map(\.outcome), [.failed], "attempts of a purged message")
        try await store.complete(completion(of: running))
        let head = try await ready(other, in: store)
        try equal(head, [kept], "the other mailbox")
        let none = try await store.purge(actor, at: after(5))
        try equal(none, 0, "a second purge")
        let mailboxes = try await store.mailboxes()
        try equal(mailboxes, [other], "mailboxes that hold messages")
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
        try await store.begin(first, attempt: 1, at: after(1))
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
