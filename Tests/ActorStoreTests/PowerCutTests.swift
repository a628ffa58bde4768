import ActorCore
import ActorTesting
import CPageSums
import CPowerCut
import Foundation
import GRDB
import Synchronization
import Testing

@testable import ActorStore

/// What a store still holds when only what was synced has reached the disk, and perhaps some of what was not.
///
/// The real store writes through a VFS that knows what a disk would hold. While many senders write, the power is cut in
/// the midst of a seeded operation of the VFS: the disk's content of that instant is copied and opened.
@Suite(.serialized)
struct PowerCutTests {
    @Test(arguments: [false, true], Disk.allCases)
    func acknowledgedMessagesSurvive(keepsSomeUnsynced: Bool, disk: Disk) async throws {
        let seed: UInt64 = keepsSomeUnsynced ? 0x746f726e : 0x6375_7421
        let cuts = soak ? 500 : 30
        let result = try await PowerHouse.run(seed: seed, cuts: cuts, on: disk, keepsSome: keepsSomeUnsynced)
        print("power cuts, \(disk) disk, seed \(seed): \(result)")
        #expect(result.cuts == cuts)
        // On the slow disk most commits are written while others are synced.
        #expect(disk == .slow ? result.unsyncedCommits > cuts : result.unsyncedCommits == 0)
        #expect(result.acknowledged > cuts * 10)
        #expect(result.lost == 0, "seed \(seed): \(result)")
        #expect(result.problems.isEmpty, "seed \(seed): \(result.problems)")
    }

    /// The harness can fail: without the sync of each commit, messages that were acknowledged are lost.
    @Test func withoutSyncingMessagesAreLost() async throws {
        let result = try await PowerHouse.run(
            seed: 1, cuts: 10, on: .quick, synchronousFull: false, keepsSome: false)
        print("power cuts without syncing: \(result)")
        #expect(result.lost > 0)
        #expect(result.problems.isEmpty, "\(result.problems)")
    }

    /// The database was copied from the log in part, and could not be put on disk: the log has all of it.
    @Test(arguments: Disk.allCases) func aDatabaseThatCouldNotBeSyncedIsWholeInItsLog(disk: Disk) async throws {
        try await withFolder { folder in
            let house = try PowerHouse(in: folder, synchronousFull: true)
            house.turn(into: disk)
            let store = try SQLiteStore.open(path: house.path, slowSync: disk.slowSync, logger: quiet)
            store.writer.log?.copier.set(pages: 20)
            house.loseNextSync()
            var number = 0
            while store.writer.log?.lane.failure == nil, number < 5000 {
                do {
                    house.acknowledge(try await StoreSamples.send(store, number, bytes: 2000))
                    number += 1
                } catch { break }
            }
            #expect((1..<5000).contains(number) && store.writer.log?.lane.failure != nil)
            try await store.close()
            // Any write below the folder, now that this store has none left to make.
            house.arm(after: 1, seed: 1, keepsSome: false)
            try await SQLiteStore.open(path: house.path + ".other", logger: quiet).close()
            #expect(house.isCut)
            let found = try await house.check()
            #expect(found.acknowledged == number && found.lost == 0 && found.problems.isEmpty, "\(found.problems)")
            house.leave()
        }
    }

    /// A store whose making was interrupted is made again, or goes on.
    @Test func aCutWhileTheStoreIsMadeLeavesOneThatOpens() async throws {
        try await withFolder { folder in
            var random = SeededGenerator(seed: 5)
            for round in 0..<(soak ? 300 : 24) {
                let house = try PowerHouse(in: "\(folder)/\(round)", synchronousFull: true)
                house.arm(
                    after: Int64.random(in: 1...120, using: &random), seed: random.next(),
                    keepsSome: round % 2 == 0)
                let store = try SQLiteStore.open(path: house.path, logger: quiet)
                let first = try await StoreSamples.send(store, 1, bytes: 10)
                house.acknowledge(first)
                try await store.close()
                if house.isCut {
                    let found = try await house.check()
                    #expect(found.lost == 0 && found.problems.isEmpty, "round \(round): \(found.problems)")
                }
                house.leave()
            }
        }
    }

    /// A clean stop leaves no log: the next start begins one, over a database that holds mail.
    @Test func aCutWhileTheStoreIsOpenedAgainLeavesOneThatOpens() async throws {
        try await withFolder { folder in
            var random = SeededGenerator(seed: 6)
            for round in 0..<(soak ? 300 : 24) {
                let house = try PowerHouse(in: "\(folder)/\(round)", synchronousFull: true)
                let first = try SQLiteStore.open(path: house.path, logger: quiet)
                house.acknowledge(try await StoreSamples.send(first, 1, bytes: 10))
                try await first.close()
                house.arm(
                    after: Int64.random(in: 1...40, using: &random), seed: random.next(), keepsSome: round % 4 != 0)
                let second = try SQLiteStore.open(path: house.path, logger: quiet)
                house.acknowledge(try await StoreSamples.send(second, 2, bytes: 10))
                try await second.close()
                if house.isCut {
                    let found = try await house.check()
                    #expect(found.lost == 0 && found.problems.isEmpty, "round \(round): \(found.problems)")
                }
                house.leave()
            }
        }
    }
}

/// On a slow disk commits are written while others are synced.
enum Disk: CaseIterable {
    case quick, slow

    var syncMicroseconds: Int64 { self == .slow ? 700 : 0 }
    var slowSync: Int64 { self == .slow ? 0 : .max }
}

/// What came of a number of cuts.
private struct PowerCutResult: CustomStringConvertible {
    var cuts = 0
    var acknowledged = 0
    var lost = 0
    /// Commits that others were written after before they were synced.
    var unsyncedCommits = 0
    var problems: [String] = []

    var description: String {
        "\(cuts) cuts, \(acknowledged) messages acknowledged before them, \(lost) lost, \(problems.count) problems"
    }
}

/// A folder whose disk loses its power: a real store in it, and what was acknowledged.
private final class PowerHouse: Sendable {
    private struct State {
        var acknowledged: [StoreSamples.Accepted] = []
        /// Those acknowledged when the power went.
        var before: [StoreSamples.Accepted] = []
        var isCut = false
    }

    let path: String
    private let live: String
    private let dead: String
    private let synchronousFull: Bool
    private let state = Mutex(State())

    init(in folder: String, synchronousFull: Bool) throws {
        try #require(power_cut_install() == 0)
        try #require(page_sums_install(POWER_CUT_VFS) == 0)
        self.synchronousFull = synchronousFull
        for name in ["live", "dead"] {
            try FileManager.default.createDirectory(atPath: "\(folder)/\(name)", withIntermediateDirectories: true)
        }
        // As SQLite names it.
        let real = URL(filePath: folder).resolvingSymlinksInPath().path
        live = "\(real)/live"
        dead = "\(real)/dead"
        path = "\(real)/live/reactord.sqlite"
        power_cut_watch(live)
    }

    func turn(into disk: Disk) { power_cut_disk(live, disk.syncMicroseconds, 0) }

    func loseNextSync() { power_cut_lose(live) }

    func leave() { power_cut_unwatch(live) }

    var isCut: Bool { state.withLock { $0.isCut } }

    func acknowledge(_ message: StoreSamples.Accepted) { state.withLock { $0.acknowledged.append(message) } }

    /// The power goes in the midst of the n-th operation from now. This must live until then.
    func arm(after operations: Int64, seed: UInt64, keepsSome: Bool) {
        state.withLock { $0.isCut = false }
        try? FileManager.default.removeItem(atPath: dead)
        try? FileManager.default.createDirectory(atPath: dead, withIntermediateDirectories: true)
        power_cut_arm(
            live, operations, seed, keepsSome ? 1 : 0, dead,
            { context, isDone in
                guard let context else { return }
                Unmanaged<PowerHouse>.fromOpaque(context).takeUnretainedValue().cut(isDone: isDone != 0)
            }, Unmanaged.passUnretained(self).toOpaque())
    }

    private func cut(isDone: Bool) {
        state.withLock { state in
            if isDone { state.isCut = true } else { state.before = state.acknowledged }
        }
    }

    /// Opens what the disk held.
    func check() async throws -> PowerCutResult {
        let before = state.withLock { $0.before }
        var result = PowerCutResult(cuts: 1, acknowledged: before.count)
        let copy = "\(dead)/reactord.sqlite"
        do {
            // A power cut alone is no damage. (While the store is made, there is a journal, and nothing to verify yet.)
            let isMade = (try? Data(contentsOf: URL(filePath: copy)).isEmpty) == false
            let journal = try? Data(contentsOf: URL(filePath: copy + "-journal"))
            if isMade, journal?.isEmpty ?? true {
                let report = try SQLiteStore.verify(path: copy, synchronousFull: synchronousFull) { _, _ in }
                if !report.isSound { result.problems.append("\(report)") }
            }
            let store = try SQLiteStore.open(path: copy, synchronousFull: synchronousFull, logger: quiet)
            result.lost = try await StoreSamples.missing(before, in: store).count
            let integrity = try await store.read { db in try String.fetchAll(db, sql: "PRAGMA integrity_check") }
            if integrity != ["ok"] { result.problems += integrity }
            _ = try await StoreSamples.send(store, 1_000_000, bytes: 10)
            try await store.close()
        } catch {
            result.problems.append("\(error)")
        }
        return result
    }

    /// Bursts of senders and workers, one cut after the other.
    static func run(
        seed: UInt64, cuts: Int, on disk: Disk, synchronousFull: Bool = true, keepsSome: Bool
    ) async throws -> PowerCutResult {
        try await withFolder { folder in
            var random = SeededGenerator(seed: seed)
            var total = PowerCutResult()
            var number = 0
            func begin(_ name: Int) throws -> (PowerHouse, SQLiteStore) {
                let house = try PowerHouse(in: "\(folder)/\(name)", synchronousFull: synchronousFull)
                house.turn(into: disk)
                return (
                    house,
                    try SQLiteStore.open(
                        path: house.path, synchronousFull: synchronousFull, slowSync: disk.slowSync, logger: quiet)
                )
            }
            var (house, store) = try begin(0)
            while total.cuts < cuts {
                if total.cuts % 20 == 19 {
                    // A young store again, so that the checks stay short.
                    try await store.close()
                    house.leave()
                    total.unsyncedCommits += store.writer.log?.lane.unsyncedCommits ?? 0
                    (house, store) = try begin(total.cuts)
                }
                // Now and then the log is copied into the database in the midst of it.
                let pages = [20, 100, 1000].randomElement(using: &random) ?? 1000
                if let copier = store.writer.log?.copier {
                    copier.set(pages: pages)
                } else {
                    try await store.writer.submit { db, _ in
                        try db.execute(sql: "PRAGMA wal_autocheckpoint = \(pages)")
                    }
                }
                house.arm(
                    after: Int64.random(in: 1...400, using: &random), seed: random.next(), keepsSome: keepsSome)
                repeat {
                    try await house.burst(of: store, from: number, bytes: Int.random(in: 10...4000, using: &random))
                    number += senders * perSender
                } while !house.isCut
                let found = try await house.check()
                total.cuts += 1
                total.acknowledged += found.acknowledged
                total.lost += found.lost
                total.problems += found.problems.map { "cut \(total.cuts): \($0)" }
            }
            try await store.close()
            house.leave()
            total.unsyncedCommits += store.writer.log?.lane.unsyncedCommits ?? 0
            return total
        }
    }

    private static let senders = 8
    private static let perSender = 6

    private func burst(of store: SQLiteStore, from first: Int, bytes: Int) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for sender in 0..<Self.senders {
                group.addTask {
                    for number in 0..<Self.perSender {
                        let message = try await StoreSamples.send(
                            store, first + sender * Self.perSender + number, bytes: bytes)
                        self.acknowledge(message)
                        guard number % 2 == 0 else { continue }
                        try await StoreSamples.begin(store, message)
                        guard number % 4 == 0 else { continue }
                        try await StoreSamples.finish(store, message)
                    }
                }
            }
            try await group.waitForAll()
        }
    }
}
