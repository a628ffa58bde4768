import ActorCore
import Foundation
import GRDB
import Testing

@testable import ActorStore

/// A full disk is an answer: nothing accepted is lost, nothing half is kept, and it works again when there is space.
struct DiskFullTests {
    /// What runs out: the pages that SQLite may use, or the space of a real file system where one may be made.
    enum Scarcity: CaseIterable {
        case pages, disk

        static let possible = allCases.filter { $0 == .pages || canMount }

        private static let canMount: Bool = {
            let folder = FileManager.default.temporaryDirectory.appending(path: "mount-\(UUID().uuidString)").path
            try? FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            defer { try? FileManager.default.removeItem(atPath: folder) }
            return mount(folder) && run("umount", [folder])
        }()
    }

    @Test(arguments: Scarcity.possible)
    func aFullStoreRefusesAndRecovers(_ scarcity: Scarcity) async throws {
        switch scarcity {
        case .pages:
            try await withStore { store, _ in
                try await limit(store, pages: 120)
                try await fillAndRecover(store) { try await limit(store, pages: 1_000_000) }
            }
        case .disk:
            try await withFolder { folder in
                try #require(mount(folder))
                defer { #expect(run("umount", ["-l", folder])) }
                let store = try SQLiteStore.open(path: "\(folder)/s.sqlite", logger: quiet)
                let ballast = URL(filePath: "\(folder)/ballast")
                try Data(repeating: 1, count: 2_000_000).write(to: ballast)
                try await fillAndRecover(store) { try FileManager.default.removeItem(at: ballast) }
                try await store.close()
            }
        }
    }

    private func fillAndRecover(_ store: SQLiteStore, makeRoom: () async throws -> Void) async throws {
        let accepted = try await fill(store)
        #expect(accepted > 0)
        try await verify(store, accepted)
        try await makeRoom()
        _ = try await store.append([message("again", bytes: 10000)])
        try await verify(store, accepted + 1)
    }

    /// Appends until it is refused for want of space; answers how many were accepted.
    private func fill(_ store: SQLiteStore) async throws -> Int {
        for number in 0..<2000 {
            do throws(ActorError) {
                _ = try await store.append([message("e\(number)", bytes: 10000)])
            } catch {
                #expect(error.code == .storageFull, "\(error)")
                return number
            }
        }
        Issue.record("the store never filled up")
        return 0
    }

    private func verify(_ store: SQLiteStore, _ count: Int) async throws {
        let head = try await store.ready()
        #expect(head.count == count)
        let executions = try await store.executions(of: actorA, before: nil, limit: 10000)
        #expect(executions.map(\.id) == head.map(\.execution).reversed())
        let check = try await store.read { db in try String.fetchOne(db, sql: "PRAGMA integrity_check") }
        #expect(check == "ok")
    }

    private func limit(_ store: SQLiteStore, pages: Int) async throws {
        try await store.writer.submit { db, _ in try db.execute(sql: "PRAGMA max_page_count = \(pages)") }
    }
}

/// False where the user, or the container, may not.
private func mount(_ folder: String) -> Bool { run("mount", ["-t", "tmpfs", "-o", "size=4m", "tmpfs", folder]) }

private func run(_ program: String, _ arguments: [String]) -> Bool {
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/\(program)")
    process.arguments = arguments
    process.standardError = FileHandle.nullDevice
    guard (try? process.run()) != nil else { return false }
    process.waitUntilExit()
    return process.terminationStatus == 0
}
