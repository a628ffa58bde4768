import ActorCore
import Foundation
import GRDB
import Testing

@testable import ActorStore

struct ScheduleMigrationTests {
    @Test func aPlanOfTheFirstVersionIsKept() async throws {
        try await withFolder { folder in
            let path = "\(folder)/s.sqlite"
            // Made by this program, so that the old tables in it are taken for its own.
            let empty = try SQLiteStore.open(path: path, logger: quiet)
            let mark = try await empty.read { db in try Int.fetchOne(db, sql: "PRAGMA application_id") }
            try await empty.close()
            try FileManager.default.removeItem(atPath: path)
            let old = try DatabaseQueue(path: path)
            var first = DatabaseMigrator()
            first.registerMigration(V001Initial.identifier, migrate: V001Initial.migrate)
            try first.migrate(old)
            try await old.write { db in
                try db.execute(sql: "PRAGMA application_id = \(mark ?? 0)")
                try db.execute(sql: "INSERT INTO schedules (actor, next) VALUES ('actorA', 1800000000000)")
            }
            try old.close()
            let store = try SQLiteStore.open(path: path, logger: quiet)
            #expect(
                try await store.schedules() == [actorA: ScheduleRecord(schedule: "", anchor: noon, next: noon)])
            try await store.close()
        }
    }
}
