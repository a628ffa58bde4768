import ActorCore
import ActorTesting
import CPageSums
import Foundation
import GRDB
import Testing

@testable import ActorStore

/// One flipped bit is named when the store is opened or read; what is served is what was written.
struct DamageTests {
    private enum Outcome { case same, named, unnamed(String), wrong }

    @Test func oneFlippedBitInTheDatabaseIsNeverServed() async throws {
        let seed: UInt64 = 0x6461_7461
        try await withFolder { folder in
            let files = try await sample(in: folder, seed: seed, isOpen: false)
            try await flip(in: files, log: false, times: soak ? 5000 : 210, seed: seed, at: "\(folder)/damaged")
        }
    }

    @Test func oneFlippedBitInTheLogIsNeverServed() async throws {
        let seed: UInt64 = 0x6c6f_6721
        try await withFolder { folder in
            let files = try await sample(in: folder, seed: seed, isOpen: true)
            #expect((files.log?.count ?? 0) > 100_000)
            try await flip(in: files, log: true, times: soak ? 5000 : 210, seed: seed, at: "\(folder)/damaged")
        }
    }

    /// The places where a flip could turn the checks themselves off.
    @Test func noBitOfTheHeadersTurnsTheChecksOff() async throws {
        try await withFolder { folder in
            let files = try await sample(in: folder, seed: 7, isOpen: false)
            let sum = (PAGE_SUMS_PAGE - PAGE_SUMS_BYTES) * 8..<PAGE_SUMS_PAGE * 8
            for bit in Array(0..<100 * 8) + Array(sum) where bit % 5 == 0 || soak || (160..<168).contains(bit) {
                let found = try await outcome(files.flipped(bit, log: false), at: "\(folder)/damaged")
                guard case .named = found else {
                    Issue.record("bit \(bit) of the first page: \(found)")
                    continue
                }
            }
        }
    }

    @Test func pagesOfZerosOrInEachOthersPlaceAreDamage() async throws {
        try await withFolder { folder in
            let files = try await sample(in: folder, seed: 8, isOpen: false)
            let page = PAGE_SUMS_PAGE
            var zeros = files
            zeros.database.replaceSubrange(page..<2 * page, with: Data(repeating: 0, count: page))
            var swapped = files
            swapped.database.replaceSubrange(page..<2 * page, with: files.database[2 * page..<3 * page])
            swapped.database.replaceSubrange(2 * page..<3 * page, with: files.database[page..<2 * page])
            for damaged in [zeros, swapped] {
                guard case .named = try await outcome(damaged, at: "\(folder)/damaged") else {
                    Issue.record("not named")
                    continue
                }
            }
        }
    }

    @Test func aDamagedPageNamesItselfAndTheRestGoesOn() async throws {
        try await withFolder { folder in
            let path = "\(folder)/s.sqlite"
            let store = try SQLiteStore.open(path: path, logger: quiet)
            let sent = try await StoreSamples.send(store, 1, bytes: 30000)
            try await store.close()
            var bytes = try Data(contentsOf: URL(filePath: path))
            // Its end lies in a page of its own.
            let place = try #require(bytes.range(of: Data(sent.body.suffix(200).prefix(100)), options: .backwards))
            bytes[place.lowerBound] ^= 4
            try bytes.write(to: URL(filePath: path))

            let damaged = try SQLiteStore.open(path: path, logger: quiet)
            let error = await #expect(throws: ActorError.self) {
                try await StoreSamples.waiting(for: sent.actor, in: damaged)
            }
            #expect(error?.code == .internalFailure)
            let number = place.lowerBound / PAGE_SUMS_PAGE + 1
            #expect(error?.message.contains("\(path) is damaged at page \(number);") == true, "\(error?.message ?? "")")
            #expect(try await damaged.mailboxes() == [sent.actor])
            let other = try await StoreSamples.send(damaged, 2, bytes: 10, to: StoreSamples.actors[1])
            #expect(try await StoreSamples.waiting(for: other.actor, in: damaged) == [other.envelope])

            let report = try SQLiteStore.verify(path: path) { _, _ in }
            #expect(report.damage.map(\.page) == [Int64(number)])
            #expect(report.damage.first?.owner == "mailbox")
            #expect(!report.isSound)
            try await damaged.close()
        }
    }

    @Test func aSoundStoreIsFoundSoundWhileItWorks() async throws {
        try await withStore { store, path in
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    for number in 0..<600 { _ = try await StoreSamples.send(store, number, bytes: 8000) }
                }
                group.addTask {
                    for _ in 0..<4 {
                        let report = try SQLiteStore.verify(path: path) { _, _ in }
                        #expect(report.isSound, "\(report)")
                        #expect(report.hasSums)
                    }
                }
                try await group.waitForAll()
            }
        }
    }

    @Test func aDatabaseWithoutSumsGetsThemOnce() async throws {
        try await withFolder { folder in
            let path = "\(folder)/s.sqlite"
            let old = try DatabaseQueue(path: path)
            try await old.writeWithoutTransaction { db in
                try db.execute(sql: "PRAGMA application_id = 0x52435444; PRAGMA journal_mode = WAL")
            }
            try Migrations.migrator.migrate(old)
            try await old.write { db in
                for number in 0..<200 {
                    try db.execute(
                        sql: "INSERT INTO settings (key, value) VALUES (?, ?)",
                        arguments: ["k\(number)", String(repeating: "v", count: 1000)])
                }
            }
            try old.close()
            #expect(page_sums_kind_of(path) == PAGE_SUMS_MISSING)
            for round in 0..<2 {
                let store = try SQLiteStore.open(path: path, logger: quiet)
                #expect(page_sums_kind_of(path) == PAGE_SUMS_PRESENT)
                #expect(try await store.setting("k199")?.count == 1000)
                _ = try await StoreSamples.send(store, round, bytes: 10)
                try await store.close()
                #expect(try SQLiteStore.verify(path: path) { _, _ in }.isSound)
            }
            let left = try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.contains("with-sums") }
            #expect(left.isEmpty)
        }
    }

    // What the flips are made in.

    private struct Files {
        var database: Data
        var log: Data?
        /// How far the log was synced.
        var note: Data?
        var expected: [String]

        func flipped(_ bit: Int, log isLog: Bool) -> Files {
            var copy = self
            if isLog {
                copy.log?[bit / 8] ^= 1 << (bit % 8)
            } else {
                copy.database[bit / 8] ^= 1 << (bit % 8)
            }
            return copy
        }
    }

    /// The files of a closed store, or those of one that is open and whose log is not yet in the database.
    private func sample(in folder: String, seed: UInt64, isOpen: Bool) async throws -> Files {
        let path = "\(folder)/sample.sqlite"
        var random = SeededGenerator(seed: seed)
        var store = try SQLiteStore.open(path: path, logger: quiet)
        try await StoreSamples.fill(store, messages: 0..<24, random: &random)
        if isOpen {
            try await store.close()
            store = try SQLiteStore.open(path: path, logger: quiet)
            try await StoreSamples.fill(store, messages: 24..<40, random: &random)
        }
        let expected = try await StoreSamples.contents(of: store)
        if !isOpen { try await store.close() }
        let files = Files(
            database: try Data(contentsOf: URL(filePath: path)),
            log: isOpen ? try Data(contentsOf: URL(filePath: path + "-wal")) : nil,
            note: isOpen ? try Data(contentsOf: URL(filePath: path + "-sync")) : nil, expected: expected)
        if isOpen { try await store.close() }
        return files
    }

    private func flip(in files: Files, log: Bool, times: Int, seed: UInt64, at folder: String) async throws {
        guard case .same = try await outcome(files, at: folder) else {
            Issue.record("the undamaged copy is not what was written")
            return
        }
        var random = SeededGenerator(seed: seed)
        var (same, named) = (0, 0)
        for _ in 0..<times {
            let bit = Int.random(in: 0..<8 * (log ? files.log?.count ?? 0 : files.database.count), using: &random)
            switch try await outcome(files.flipped(bit, log: log), at: folder) {
            case .same: same += 1
            case .named: named += 1
            case .unnamed(let error): Issue.record("bit \(bit), seed \(seed): the error names no place: \(error)")
            case .wrong: Issue.record("bit \(bit), seed \(seed): served what was never written")
            }
        }
        print("flipped bits in the \(log ? "log" : "database"), seed \(seed): \(named) named, \(same) not in use")
        #expect(named > times / 4)
    }

    /// What opening these files and reading all of them comes to.
    private func outcome(_ files: Files, at folder: String) async throws -> Outcome {
        try? FileManager.default.removeItem(atPath: folder)
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let path = "\(folder)/reactord.sqlite"
        try files.database.write(to: URL(filePath: path))
        try files.log?.write(to: URL(filePath: path + "-wal"))
        try files.note?.write(to: URL(filePath: path + "-sync"))
        do {
            let store = try SQLiteStore.open(path: path, logger: quiet)
            let found: Result<[String], any Error>
            do {
                found = .success(try await StoreSamples.contents(of: store))
            } catch {
                found = .failure(error)
            }
            try await store.close()
            return try found.get() == files.expected ? .same : .wrong
        } catch let error as ActorError {
            let isNamed = error.message.contains("is damaged at page ") || error.message.contains(" of its log")
            return isNamed ? .named : .unnamed(error.description)
        }
    }
}

/// Longer runs, for `make soak`.
let soak = ProcessInfo.processInfo.environment["REACTORD_SOAK"] == "1"
