package import ActorCore

/// What every store must do, as a table of checks; each gets a new, empty store and throws what it found wrong.
package enum StoreSuite {
    /// One promise of the ports.
    package struct Check: Sendable, CustomStringConvertible {
        package let description: String
        package let run: @Sendable (any Store) async throws -> Void

        init(_ description: String, _ run: @escaping @Sendable (any Store) async throws -> Void) {
            self.description = description
            self.run = run
        }
    }

    package static let checks =
        mailboxChecks + pageChecks + quotaChecks + completionChecks + unbegunChecks + recordChecks + subscriptionChecks
        + catalogueChecks + sharingChecks
}

/// What a check found wrong, and where it looked.
package struct SuiteFailure: Error, CustomStringConvertible {
    package let description: String

    init(_ text: String, line: Int) { description = "\(text) (line \(line) of the suite)" }
}

/// Values and comparisons that the checks are written with.
extension StoreSuite {
    static let actor = ActorID("suiteActorA")
    static let other = ActorID("suiteActorB")
    static let noon = Timestamp(milliseconds: 1_800_000_000_000)

    static func after(_ seconds: Int64) -> Timestamp { noon.adding(milliseconds: seconds * 1000) }

    /// A message whose body says which one it is; its execution's id is the store's to give.
    static func message(
        _ text: String, to actor: ActorID = actor, idempotency: String? = nil, digest: String = "",
        nonce: String? = nil, received: Timestamp = noon
    ) -> NewMessage {
        NewMessage(
            actor: actor, body: Array(text.utf8), sender: "suite",
            idempotency: idempotency.map { IdempotencyKey(key: $0, digest: digest) }, received: received,
            nonce: nonce.map { NonceID($0) })
    }

    static func texts(_ envelopes: [Envelope]) -> [String] {
        envelopes.map { String(decoding: $0.message.body, as: UTF8.self) }
    }

    /// Messages that a store accepted, in order.
    static func accepted(_ results: [AcceptResult]) -> [Envelope] {
        results.compactMap { if case .accepted(let envelope) = $0 { envelope } else { nil } }
    }

    /// Appends messages that must be accepted.
    static func accept(
        _ messages: [NewMessage], in store: any Store, line: Int = #line
    ) async throws -> [Envelope] {
        let results = try await store.append(messages)
        let envelopes = accepted(results)
        if envelopes.count != messages.count { throw SuiteFailure("refused: \(results)", line: line) }
        return envelopes
    }

    /// Appends one message that must be accepted.
    static func accept(
        _ message: NewMessage, in store: any Store, line: Int = #line
    ) async throws -> Envelope {
        try await accept([message], in: store, line: line)[0]
    }

    /// Appends one message and begins it.
    static func start(_ message: NewMessage, in store: any Store, line: Int = #line) async throws -> Envelope {
        let envelope = try await accept(message, in: store, line: line)
        try await store.begin(envelope, attempt: 1, at: after(1))
        return envelope
    }

    /// What of a mailbox waits undelayed.
    static func ready(_ actor: ActorID = actor, in store: any Store) async throws -> [Envelope] {
        try await store.page(.ready(after: .first), of: actor, now: noon, limit: 1000)
    }

    static func delayed(_ actor: ActorID = actor, in store: any Store) async throws -> [Envelope] {
        try await store.page(.delayed(after: .first), of: actor, now: noon, limit: 1000)
    }

    static func completion(
        of envelope: Envelope, _ disposition: Completion.Disposition = .acknowledge, hasBegun: Bool = true,
        attempt: Int = 1, outcome: Outcome = .succeeded, effects: Effects = Effects(), result: JSONValue? = nil
    ) -> Completion {
        let record = AttemptRecord(
            execution: envelope.execution, number: attempt, started: after(1), finished: after(2), outcome: outcome,
            exitCode: outcome == .succeeded ? 0 : 1, reason: outcome == .succeeded ? nil : "it failed")
        let log = LogRecord(
            execution: envelope.execution, place: .inline(Array("line\n".utf8)), bytes: 5, truncated: false)
        return Completion(
            envelope, hasBegun: hasBegun, attempt: record, disposition: disposition, status: .complete, result: result,
            log: log, effects: effects)
    }

    static func job(_ uuid: String, created: Timestamp = noon, session: String = "solid-snake") -> JobRecord {
        JobRecord(
            uuid: JobID(uuid), pipeline: PipelineID("pipeline"), path: "/products/v2/\(uuid)",
            data: ["alpha": 0.5], actor: actor, execution: nil, session: session, owner: "suite",
            key: JobKey(token: "token", salt: "salt"),
            created: created, updated: created)
    }

    static func entry(_ name: String, refusal: String? = nil) -> JobHistoryEntry {
        JobHistoryEntry(
            name: name, date: after(3), data: ["note": .string(name)], refusal: refusal,
            execution: ExecutionID("cause"))
    }

    /// Commits effects in an execution of their own.
    static func commit(_ effects: Effects, as text: String, in store: any Store) async throws {
        let envelope = try await start(message(text), in: store)
        try await store.complete(completion(of: envelope, effects: effects))
    }

    static func equal<Value: Equatable>(
        _ found: Value, _ expected: Value, _ what: String, line: Int = #line
    ) throws {
        if found != expected {
            throw SuiteFailure("\(what) should be \(expected), is \(found)", line: line)
        }
    }

    static func unwrap<Value>(_ value: Value?, _ what: String, line: Int = #line) throws -> Value {
        guard let value else { throw SuiteFailure("\(what) is missing", line: line) }
        return value
    }

    static func expect(
        _ code: ActorError.Code, _ what: String, line: Int = #line, from body: () async throws -> Void
    ) async throws {
        do {
            try await body()
        } catch let error as ActorError where error.code == code {
            return
        } catch {
            throw SuiteFailure("\(what) should throw \(code), threw \(error)", line: line)
        }
        throw SuiteFailure("\(what) should throw \(code), threw nothing", line: line)
    }
}
