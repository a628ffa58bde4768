import Foundation
import GRDB
import Testing

@testable import ActorStore

/// What is asked for again and again is answered from an index, not from months of records.
struct RecordIndexTests {
    @Test(arguments: [
        (SQLiteStore.totalsQuery, "COVERING INDEX executions_by_actor"),
        (SQLiteStore.oldQuery, "COVERING INDEX executions_by_end"),
    ])
    func recordsAreNotRead(query: String, index: String) async throws {
        try await withStore { store, _ in
            let sql = "EXPLAIN QUERY PLAN " + query.replacingOccurrences(of: "?", with: "1")
            let plan = try await store.read { db in
                try Row.fetchAll(db, sql: sql).map { row -> String in row["detail"] }
            }
            #expect(plan.first?.contains(index) == true, "\(plan)")
        }
    }
}
