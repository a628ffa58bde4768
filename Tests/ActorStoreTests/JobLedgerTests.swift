import ActorCore
import ActorTesting
import Foundation
import GRDB
import Testing

@testable import ActorStore

/// A history that somebody changed behind the daemon's back is found, line by line.
struct JobLedgerTests {
    private static let uuid = JobID("a7833f39-b676-54c4-8347-be141a5ba105")

    /// A job that was created, ran, was refused something, was updated and finished; and one beside it.
    private func fill(_ store: SQLiteStore) async throws {
        for (number, id) in [Self.uuid, JobID("other")].enumerated() {
            let record = JobRecord(
                uuid: id, pipeline: PipelineID("p"), path: "/products/v1/x", data: ["a": 1], actor: nil,
                execution: nil, session: "solid-snake", owner: "alice", key: JobKey(token: "t", salt: "s"),
                created: moment(0), updated: moment(0))
            var effects = Effects()
            effects.jobs = [
                .create(record, entry("create", 0)),
                .move(id, revision: 0, to: .running, by: .run, entry("run", 1)),
                .refuse(id, entry("validate", 2, refusal: "not now")),
                .move(id, revision: 1, to: .running, by: .update, entry("update", 3)),
                .move(id, revision: 2, to: .finished, by: .finish, entry("FINISH", 4)),
            ]
            guard case .accepted(let envelope) = try await store.append([message("e\(number)")])[0] else {
                Issue.record("message e\(number) was refused")
                return
            }
            try await store.begin(envelope, attempt: 1, at: noon)
            try await store.commit(effects, of: envelope, at: noon)
        }
    }

    private func moment(_ milliseconds: Int64) -> Timestamp { noon.adding(milliseconds: milliseconds) }

    private func entry(_ name: String, _ at: Int64, refusal: String? = nil) -> JobHistoryEntry {
        JobHistoryEntry(
            name: name, date: moment(at), data: ["note": .string(name)], refusal: refusal,
            execution: ExecutionID("e"))
    }

    @Test func whatWasWrittenIsFoundAsItWasWritten() async throws {
        try await withFolder { folder in
            let path = "\(folder)/s.sqlite"
            let store = try SQLiteStore.open(path: path, logger: quiet)
            try await fill(store)
            // Beside the daemon and after it.
            for _ in 0..<2 {
                let report = try SQLiteStore.verifyJobs(path: path, only: nil)
                #expect(report.isSound && report.jobs == 2 && report.lines == 10)
                try? await store.close()
            }
            let one = try SQLiteStore.verifyJobs(path: path, only: Self.uuid)
            #expect(one.isSound && one.jobs == 1 && one.lines == 5)
            #expect(throws: ActorError.self) { try SQLiteStore.verifyJobs(path: path, only: JobID("none")) }
        }
    }

    struct Tampering: Sendable, CustomTestStringConvertible {
        let sql: String
        let finding: String
        var testDescription: String { sql }
    }

    private static let line = "job = '\(uuid)' AND number"
    static let tamperings = [
        Tampering(
            sql: "UPDATE job_history SET data = '{\"note\":\"else\"}' WHERE \(line) = 2",
            finding: "line 2 (run,"),
        Tampering(sql: "UPDATE job_history SET date = date + 1 WHERE \(line) = 4", finding: "line 4 (update,"),
        Tampering(sql: "UPDATE job_history SET refusal = 'another' WHERE \(line) = 3", finding: "line 3 (validate,"),
        Tampering(sql: "UPDATE job_history SET execution = NULL WHERE \(line) = 5", finding: "line 5 (FINISH,"),
        Tampering(sql: "UPDATE job_history SET name = 'finish' WHERE \(line) = 5", finding: "line 5 (finish,"),
        Tampering(sql: "DELETE FROM job_history WHERE \(line) = 3", finding: "stands where line 3 belongs"),
        Tampering(sql: "DELETE FROM job_history WHERE \(line) = 5", finding: "5 lines were written, 4 are there"),
        Tampering(
            sql: "UPDATE jobs SET status = 'VALIDATED' WHERE uuid = '\(uuid)'",
            finding: "the record says VALIDATED, its history FINISHED"),
        Tampering(
            sql: "UPDATE jobs SET revision = 7 WHERE uuid = '\(uuid)'",
            finding: "the record is at revision 7, its history at 3"),
        Tampering(
            sql: "UPDATE job_history SET refusal = NULL WHERE \(line) = 3",
            finding: "the history is none that the state machine allows"),
        Tampering(
            sql: "UPDATE job_history SET job = 'other' WHERE \(line) = 5", finding: "job other: "),
        Tampering(
            sql: "DELETE FROM jobs WHERE uuid = '\(uuid)'", finding: "there is a history, but no job"),
    ]

    @Test(arguments: tamperings) func aChangeBehindTheStoresBackIsNamed(tampering: Tampering) async throws {
        try await withFolder { folder in
            let path = "\(folder)/s.sqlite"
            let store = try SQLiteStore.open(path: path, logger: quiet)
            try await fill(store)
            try await store.pool.writeWithoutTransaction { db in
                try db.execute(sql: "PRAGMA foreign_keys = OFF")
                try db.execute(sql: tampering.sql)
            }
            try await store.close()
            let report = try SQLiteStore.verifyJobs(path: path, only: nil)
            #expect(!report.isSound)
            let found = report.findings.map { "job \($0.job): \($0.problem)" }
            #expect(found.contains { $0.contains(tampering.finding) }, "\(found)")
            if !tampering.finding.contains("other") {
                #expect(report.findings.allSatisfy { $0.job == Self.uuid.rawValue }, "\(found)")
            }
        }
    }

    /// Another program knows nothing of the sums: the page counts as damaged, and the line is named all the same.
    @Test func aChangeByAnotherProgramIsNamed() async throws {
        try await withFolder { folder in
            let path = "\(folder)/s.sqlite"
            let store = try SQLiteStore.open(path: path, logger: quiet)
            try await fill(store)
            try await store.close()
            let other = try DatabaseQueue(path: "file:\(path)?vfs=unix")
            try await other.write { db in
                try db.execute(sql: "UPDATE job_history SET data = '{}' WHERE \(Self.line) = 2")
            }
            try other.close()
            for uuid in [nil, Self.uuid] {
                let report = try SQLiteStore.verifyJobs(path: path, only: uuid)
                #expect(report.isDamaged && !report.isSound)
                #expect(report.findings.map(\.job) == [Self.uuid.rawValue])
                #expect(report.findings.first?.problem.contains("line 2 (run,") == true)
            }
        }
    }

    /// Histories of before the chain get theirs when the database is brought to this version.
    @Test func earlierHistoriesAreChained() async throws {
        try await withFolder { folder in
            let path = "\(folder)/s.sqlite"
            let old = try DatabaseQueue(path: path)
            try await old.writeWithoutTransaction { db in
                try db.execute(sql: "PRAGMA application_id = 0x52435444; PRAGMA journal_mode = WAL")
            }
            try Migrations.migrator.migrate(old, upTo: V004Schedules.identifier)
            try await old.write { db in
                try db.execute(
                    sql: """
                        INSERT INTO jobs (uuid, pipeline, status, last_event, path, data, session, owner, token, salt,
                            created, updated, revision)
                        VALUES ('j', 'p', 'RUNNING', 'run', '/x', '{}', 's', 'o', 't', 's', 1000, 2000, 1);
                        INSERT INTO job_history (job, name, date, data, refusal, execution) VALUES
                            ('j', 'create', 1000, '{}', NULL, NULL), ('j', 'finish', 1500, 'null', 'no', 'e'),
                            ('j', 'run', 2000, '{"n":1.50}', NULL, 'f');
                        """)
            }
            try old.close()
            let store = try SQLiteStore.open(path: path, logger: quiet)
            let ledger = try #require(try await store.ledger(of: JobID("j")))
            #expect(ledger.lines.map(\.number) == [1, 2, 3] && ledger.count == 3)
            #expect(ledger.record.generation == .second && ledger.record.key.expires == nil)
            #expect(ledger.record.started == Timestamp(milliseconds: 2000))
            try await store.close()
            #expect(try SQLiteStore.verifyJobs(path: path, only: nil).isSound)
        }
    }
}
