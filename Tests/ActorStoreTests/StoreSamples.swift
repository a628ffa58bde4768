import ActorCore
import ActorTesting
import Foundation

@testable import ActorStore

/// A store with rows of every kind, and everything it holds read back through its ports.
///
/// All that the tests of damage and power cuts know of the ports is in this file.
enum StoreSamples {
    static let actors = [ActorID("sampleA"), ActorID("sampleB")]

    /// A message that was answered as accepted.
    struct Accepted: Sendable {
        let envelope: Envelope

        var execution: ExecutionID { envelope.execution }
        var sequence: Int64 { envelope.sequence }
        var actor: ActorID { envelope.actor }
        var body: [UInt8] { envelope.message.body }
    }

    static func send(
        _ store: SQLiteStore, _ number: Int, bytes: Int, to actor: ActorID = actors[0]
    ) async throws -> Accepted {
        let filler = (0..<bytes).map { UInt8(97 + ($0 + number) % 26) }
        let body = Array("{\"number\":\(number),\"filler\":\"".utf8) + filler
        let message = NewMessage(
            actor: actor, body: body + Array("\"}".utf8), sender: "sample",
            idempotency: IdempotencyKey(key: "key\(number)"), received: noon)
        guard case .accepted(let envelope) = try await store.append([message])[0] else {
            throw ActorError(.conflict, "message \(number) was not accepted")
        }
        return Accepted(envelope: envelope)
    }

    static func begin(_ store: SQLiteStore, _ message: Accepted) async throws {
        try await store.begin(message.envelope, attempt: 1, at: noon)
    }

    static func finish(
        _ store: SQLiteStore, _ message: Accepted, parked: Bool = false, log: Int = 100, effects: Effects = Effects()
    ) async throws {
        let attempt = AttemptRecord(
            execution: message.execution, number: 1, started: noon, finished: noon,
            outcome: parked ? .failed : .succeeded, exitCode: parked ? 1 : 0)
        let record = LogRecord(
            execution: message.execution, place: .inline(Array(repeating: 0x6c, count: log)), bytes: log,
            truncated: false)
        try await store.complete(
            Completion(
                message.envelope, attempt: attempt, disposition: parked ? .park(reason: "sample") : .acknowledge,
                status: parked ? .error : .complete, result: .int(message.sequence), log: record, effects: effects))
    }

    /// Waiting, running, finished and parked messages, a job with each finished one, states, actors and audits.
    static func fill(_ store: SQLiteStore, messages: Range<Int>, random: inout SeededGenerator) async throws {
        for (index, actor) in actors.enumerated() {
            try await store.save(
                StoredActor(
                    id: actor, tenant: "t", name: "name\(index)", owner: "o", fingerprint: "f",
                    revision: messages.count, created: noon, updated: noon))
            try await store.setState(.string(String(repeating: "s", count: 6000)), of: actor, at: noon)
        }
        for number in messages {
            let bytes = [10, 200, 3000, 20000][Int.random(in: 0..<4, using: &random)]
            let sent = try await send(store, number, bytes: bytes, to: actors[number % 2])
            try await store.audit(AuditEntry(at: noon, who: "w", action: "a", target: "\(number)", outcome: "o"))
            guard number % 3 != 0 else { continue }
            try await begin(store, sent)
            guard number % 6 != 1 else { continue }
            var effects = Effects()
            effects.jobs = [.create(job("job\(number)"), entry("create"))]
            effects.documents = [
                Document(kind: "sample", id: "\(number)", body: .int(Int64(number)), created: noon, updated: noon)
            ]
            try await finish(
                store, sent, parked: number % 5 == 0, log: bytes / 2, effects: number % 5 == 0 ? Effects() : effects)
        }
    }

    /// Everything, one text per record.
    static func contents(of store: SQLiteStore) async throws -> [String] {
        var found: [String] = []
        for actor in try await store.mailboxes() { found.append("\(actor)") }
        for actor in actors {
            found += try await waiting(for: actor, in: store).map { envelope in
                "\(envelope.sequence) \(envelope.execution) \(envelope.attempts) \(envelope.message)"
            }
            found.append("\(String(describing: try await store.state(of: actor)))")
        }
        for execution in try await store.executions(of: nil, before: nil, limit: 100_000) {
            found.append("\(execution)")
            found += try await store.attempts(of: execution.id).map { "\($0)" }
            found.append("\(String(describing: try await store.log(of: execution.id)))")
        }
        found += try await store.deadLetters(limit: 100_000).map { "\($0)" }
        for job in try await store.jobs(JobQuery(limit: 100_000)).jobs {
            found.append("\(job)")
            found += try await store.history(of: job.uuid).map { "\($0)" }
        }
        found += try await store.documents("sample", limit: 100_000).map { "\($0)" }
        found += try await store.actors().map { "\($0)" }
        found += try await store.audits(limit: 100_000).map { "\($0)" }
        return found
    }

    static func waiting(for actor: ActorID, in store: SQLiteStore) async throws -> [Envelope] {
        try await store.page(.ready(after: .first), of: actor, now: noon, limit: 1_000_000)
            + store.page(.delayed(after: .first), of: actor, now: noon, limit: 1_000_000)
    }

    /// Accepted messages that are neither in their mailbox, with their body, nor finished.
    static func missing(_ accepted: [Accepted], in store: SQLiteStore) async throws -> [Accepted] {
        _ = try await store.recover(at: noon)
        var waiting: [ExecutionID: [UInt8]] = [:]
        for actor in actors {
            for envelope in try await Self.waiting(for: actor, in: store) {
                waiting[envelope.execution] = envelope.message.body
            }
        }
        let records = try await store.executions(of: nil, before: nil, limit: 1_000_000)
        let finished = Set(records.filter { $0.finished != nil }.map(\.id))
        return accepted.filter { waiting[$0.execution] != $0.body && !finished.contains($0.execution) }
    }

    private static func job(_ uuid: String) -> JobRecord {
        JobRecord(
            uuid: JobID(uuid), pipeline: PipelineID("pipeline"), path: "/products/\(uuid)", data: ["alpha": 0.5],
            actor: actors[0], execution: nil, session: "session", owner: "sample",
            key: JobKey(token: "token", salt: "salt"),
            created: noon, updated: noon)
    }

    private static func entry(_ name: String) -> JobHistoryEntry {
        JobHistoryEntry(name: name, date: noon, data: ["note": .string(name)], refusal: nil, execution: nil)
    }
}
