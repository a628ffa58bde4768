import ActorCore
import Foundation
import GRDB
import Testing

@testable import ActorStore

/// What opening promises: durability set and checked, old data kept, strange files refused and left as they were.
struct OpeningTests {
    @Test(arguments: [(true, 2), (false, 1)])
    func synchronousReadsBack(full: Bool, level: Int) async throws {
        try await withFolder { folder in
            let store = try SQLiteStore.open(path: "\(folder)/s.sqlite", synchronousFull: full, logger: quiet)
            let found = try await store.synchronousLevel()
            #expect(found == level)
            let mode = try await store.read { db in try String.fetchOne(db, sql: "PRAGMA journal_mode") }
            #expect(mode == "wal")
            try await store.close()
        }
    }

    @Test func reopeningKeepsEverything() async throws {
        try await withFolder { folder in
            let path = "\(folder)/s.sqlite"
            for round in 1...3 {
                let store = try SQLiteStore.open(path: path, logger: quiet)
                // What waited before is counted beside the work.
                while store.held(by: actorA) < min(round - 1, 2) { await Task.yield() }
                _ = try await store.append([message("e\(round)")], rules: AcceptRules(maxMailbox: 2))
                // The third is refused: the count of waiting messages survives a restart too.
                #expect(texts(try await store.ready()) == Array(["e1", "e2"].prefix(round)))
                try await store.close()
            }
        }
    }

    /// Delayed ones stand in another index than the others; both are counted, and how many bytes they have.
    @Test func whatWaitsIsCountedWhateverItWaitsFor() async throws {
        try await withFolder { folder in
            let path = "\(folder)/s.sqlite"
            let store = try SQLiteStore.open(path: path, logger: quiet)
            let later = noon.adding(milliseconds: 60000)
            _ = try await store.append([
                message("a", bytes: 100), message("b", bytes: 100).changed { $0.deliverAt = later },
                message("c", bytes: 100).changed { $0.key = "k" },
                message("d", to: actorB, bytes: 100).changed { $0.deliverAt = later },
            ])
            try await store.close()
            let again = try SQLiteStore.open(path: path, logger: quiet)
            while again.held(by: actorA) < 3 || again.held(by: actorB) < 1 || again.counts.bytes < 400 {
                await Task.yield()
            }
            #expect(again.held(by: actorA) == 3)
            #expect(again.held(by: actorB) == 1)
            #expect(again.counts.bytes == 400)
            try await again.close()
        }
    }

    @Test func onlyItsOwnerMayReadTheFile() async throws {
        try await withStore { _, path in
            for suffix in ["", "-wal", "-shm"] {
                let attributes = try FileManager.default.attributesOfItem(atPath: path + suffix)
                #expect((attributes[.posixPermissions] as? NSNumber)?.intValue == 0o600, "\(suffix)")
            }
        }
    }

    @Test func sequencesAreNeverGivenTwice() async throws {
        try await withFolder { folder in
            let path = "\(folder)/s.sqlite"
            let store = try SQLiteStore.open(path: path, logger: quiet)
            _ = try await store.append([message("e1"), message("e2")])
            #expect(try await store.purge(actorA, at: noon) == 2)
            try await store.close()
            let again = try SQLiteStore.open(path: path, logger: quiet)
            guard case .accepted(let envelope) = try await again.append([message("e3")])[0] else {
                Issue.record("not accepted")
                return
            }
            #expect(envelope.sequence > 2)
            try await again.close()
        }
    }

    @Test func garbageIsRefusedAndKept() async throws {
        try await withFolder { folder in
            let path = "\(folder)/s.sqlite"
            let garbage = Data(repeating: 0x41, count: 10000)
            try garbage.write(to: URL(filePath: path))
            expectRefusal(of: path, saying: "is not an SQLite database")
            #expect(try Data(contentsOf: URL(filePath: path)) == garbage)
        }
    }

    @Test func aTruncatedFileIsRefused() async throws {
        try await withFolder { folder in
            let path = "\(folder)/s.sqlite"
            let store = try SQLiteStore.open(path: path, logger: quiet)
            _ = try await store.append([message("e1", bytes: 100_000)])
            try await store.close()
            let file = try FileHandle(forUpdating: URL(filePath: path))
            try file.truncate(atOffset: 5000)
            try file.close()
            expectRefusal(of: path, saying: "is damaged")
        }
    }

    @Test func aDatabaseOfAnotherProgramIsRefusedAndKept() async throws {
        try await withFolder { folder in
            let path = "\(folder)/s.sqlite"
            let foreign = try DatabaseQueue(path: path)
            try await foreign.write { db in try db.execute(sql: "CREATE TABLE recipes (name TEXT)") }
            try foreign.close()
            let before = try Data(contentsOf: URL(filePath: path))
            expectRefusal(of: path, saying: "another program")
            #expect(try Data(contentsOf: URL(filePath: path)) == before)
        }
    }

    @Test func aNewerDatabaseIsRefused() async throws {
        try await withFolder { folder in
            let path = "\(folder)/s.sqlite"
            let store = try SQLiteStore.open(path: path, logger: quiet)
            try await store.writer.submit { db, _ in
                try db.execute(sql: "INSERT INTO grdb_migrations (identifier) VALUES ('v999-later')")
            }
            try await store.close()
            expectRefusal(of: path, saying: "newer version")
        }
    }

    @Test func aMissingFolderIsNamed() async throws {
        try await withFolder { folder in expectRefusal(of: "\(folder)/none/s.sqlite", saying: "its folder must exist") }
    }

    @Test func closingLeavesOneFile() async throws {
        try await withFolder { folder in
            let store = try SQLiteStore.open(path: "\(folder)/s.sqlite", logger: quiet)
            _ = try await store.append([message("e1")])
            try await store.close()
            try await store.close()
            let log = try? FileManager.default.attributesOfItem(atPath: "\(folder)/s.sqlite-wal")
            #expect((log?[.size] as? NSNumber)?.intValue ?? 0 == 0)
        }
    }

    @Test func aClosedStoreAnswersWithAnError() async throws {
        try await withFolder { folder in
            let store = try SQLiteStore.open(path: "\(folder)/s.sqlite", logger: quiet)
            try await store.close()
            let write = await #expect(throws: ActorError.self) {
                try await store.append([message("e1")])
            }
            #expect(write?.code == .unavailable)
            let read = await #expect(throws: ActorError.self) { try await store.mailboxes() }
            #expect(read?.code == .unavailable)
        }
    }

    private func expectRefusal(of path: String, saying text: String) {
        let error = #expect(throws: ActorError.self) { try SQLiteStore.open(path: path, logger: quiet) }
        #expect(error?.code == .cannotStart)
        #expect(error?.message.contains(path) == true)
        #expect(error?.message.contains(text) == true, "\(error?.description ?? "")")
    }
}
