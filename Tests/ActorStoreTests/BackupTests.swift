import ActorCore
import ActorTesting
import Foundation
import Synchronization
import Testing

@testable import ActorStore

/// A copy while work goes on, and the way back from it.
@Suite("Backup and restore") struct BackupTests {
    private final class Flag: Sendable {
        let value = Atomic(false)
    }

    private static let companions = ["-wal", "-shm", "-sync", "-journal", ".part", "-restored"]

    private func backUp(_ path: String, to target: String) throws(ActorError) {
        _ = try SQLiteStore.backUp(path: path, to: target) { _, _ in }
    }

    private func restore(_ path: String, from backup: String, aside: String) throws(ActorError) -> Bool {
        try SQLiteStore.restore(path: path, from: backup, aside: aside) { _, _ in }.hasReplaced
    }

    @Test func itIsOneFileWithSumsAndAllThatWasThere() async throws {
        try await withStore { store, path in
            var random = SeededGenerator(seed: 9)
            try await StoreSamples.fill(store, messages: 0..<60, random: &random)
            let expected = try await StoreSamples.contents(of: store)
            try backUp(path, to: path + ".backup")
            for beside in Self.companions {
                #expect(access(path + ".backup" + beside, F_OK) != 0, "a backup is one file, not \(beside) too")
            }
            let mode = try FileManager.default.attributesOfItem(atPath: path + ".backup")[.posixPermissions]
            #expect((mode as? NSNumber)?.intValue == 0o600)
            let report = try SQLiteStore.verify(path: path + ".backup") { _, _ in }
            #expect(report.isSound && report.hasSums && report.pages > 20, "\(report)")
            let copy = try SQLiteStore.open(path: path + ".backup", logger: quiet)
            #expect(try await StoreSamples.contents(of: copy) == expected)
            try await copy.close()
        }
    }

    /// Commits go on all the while; the copy is a moment: nothing is missing between two messages that it has.
    @Test func itIsAsOfOneMomentWhileMessagesAreAccepted() async throws {
        try await withStore { store, path in
            for number in 0..<50 { _ = try await store.append([message("\(number)", bytes: 3000)]) }
            let isOver = Flag()
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    var number = 50
                    while !isOver.value.load(ordering: .relaxed) {
                        _ = try await store.append([message("\(number)", bytes: 3000)])
                        number += 1
                    }
                }
                for round in 0..<5 { try backUp(path, to: "\(path).\(round)") }
                isOver.value.store(true, ordering: .relaxed)
                try await group.waitForAll()
            }
            var before = 50
            for round in 0..<5 {
                let copy = try SQLiteStore.open(path: "\(path).\(round)", logger: quiet)
                let found = texts(try await copy.ready()).compactMap { Int($0) }
                #expect(found == Array(0..<max(found.count, before)), "backup \(round)")
                before = found.count
                try await copy.close()
            }
        }
    }

    private static func isThere(_ path: String) -> Bool { access(path, F_OK) == 0 }

    @Test func afterARestoreAllIsAsItWasAndNoIdIsGivenTwice() async throws {
        try await withFolder { folder in
            let (path, backup) = ("\(folder)/reactord.sqlite", "\(folder)/copy")
            var store = try SQLiteStore.open(path: path, logger: quiet)
            _ = try await store.append([message("e1"), message("e2")])
            try backUp(path, to: backup)
            let later = try await store.append([message("e3")])
            guard case .accepted(let lost) = later[0] else { throw CancellationError() }
            // As a kill leaves it: with its log.
            let killed = "\(folder)/killed"
            for beside in ["", "-wal", "-sync"] {
                try FileManager.default.copyItem(atPath: path + beside, toPath: killed + beside)
            }
            try await store.close()

            #expect(try restore(killed, from: backup, aside: "\(folder)/aside"))
            for beside in Self.companions + [".part-wal", ".part-sync"] {
                #expect(!Self.isThere(killed + beside), "\(beside) is left over")
            }
            store = try SQLiteStore.open(path: killed, logger: quiet)
            #expect(texts(try await store.ready()) == ["e1", "e2"])
            guard case .accepted(let new) = try await store.append([message("e4")])[0] else {
                throw CancellationError()
            }
            #expect(new.sequence > lost.sequence && new.execution != lost.execution)
            try await store.close()

            let old = try SQLiteStore.open(path: "\(folder)/aside/killed", logger: quiet)
            #expect(texts(try await old.ready()) == ["e1", "e2", "e3"], "what was replaced is kept, with its log")
            try await old.close()
            #expect(try !restore("\(folder)/new", from: backup, aside: "\(folder)/nothing"))
            #expect(!Self.isThere("\(folder)/nothing"))
        }
    }

    /// What was accepted after the first restore is known outside too, and the backup knows nothing of it.
    @Test func twoRestoresOfOneBackupGiveNoIdTwice() async throws {
        try await withFolder { folder in
            let (path, backup) = ("\(folder)/reactord.sqlite", "\(folder)/copy")
            let store = try SQLiteStore.open(path: path, logger: quiet)
            let before = try await store.append([message("e1")])
            try backUp(path, to: backup)
            try await store.close()
            guard case .accepted(let known) = before[0] else { throw CancellationError() }
            var given: [Envelope] = []
            for round in 0..<3 {
                _ = try restore(path, from: backup, aside: "\(folder)/aside\(round)")
                let restored = try SQLiteStore.open(path: path, logger: quiet)
                for answer in try await restored.append([message("a\(round)"), message("b\(round)")]) {
                    guard case .accepted(let envelope) = answer else { throw CancellationError() }
                    given.append(envelope)
                }
                try await restored.close()
            }
            #expect(given.allSatisfy { $0.sequence > known.sequence + 1 << 32 })
            #expect(Set(given.map(\.execution)).count == 6)
        }
    }

    /// One backup may be the start of many: what is passed over gets less before there is nothing left to give.
    @Test func numbersLastForThousandsOfRestores() throws {
        var random = SeededGenerator(seed: 11)
        var last: Int64 = 5
        var widest: Int64 = 0
        for _ in 0..<5000 {
            let next = try StoreMarks.passed(last, random: &random)
            #expect(next - last >= 1 << 32)
            widest = max(widest, next - last)
            last = next
        }
        #expect(widest > 1 << 51 && ExecutionNumbers.sequences.contains(last))
        let error = #expect(throws: ActorError.self) {
            try StoreMarks.passed(ExecutionNumbers.sequences.upperBound - 1, random: &random)
        }
        #expect(error?.message.contains("take another backup") == true)
    }

    /// As a kill after the decision leaves it: some of what lay beside the old database is gone already.
    @Test(arguments: [["-wal", "-shm", "-sync"], ["-shm", "-sync"], ["-sync"], []])
    func aRestoreThatWasCutOffIsFinishedByWhoComesNext(beside: [String]) async throws {
        try await withFolder { folder in
            let (path, backup) = ("\(folder)/reactord.sqlite", "\(folder)/copy")
            let store = try SQLiteStore.open(path: path, logger: quiet)
            _ = try await store.append([message("old")])
            try backUp(path, to: backup)
            _ = try await store.append([message("new")])
            for cut in ["opened", "restored"] {
                for name in [""] + beside {
                    try FileManager.default.copyItem(atPath: path + name, toPath: "\(folder)/\(cut)\(name)")
                }
                try FileManager.default.copyItem(atPath: backup, toPath: "\(folder)/\(cut)-restored")
                for refused in [
                    { try backUp("\(folder)/\(cut)", to: "\(folder)/none") },
                    { _ = try SQLiteStore.verify(path: "\(folder)/\(cut)") { _, _ in } },
                ] {
                    let error = #expect(throws: ActorError.self) { try refused() }
                    #expect(error?.description.contains("was cut off") == true)
                }
            }
            try await store.close()
            #expect(try restore("\(folder)/restored", from: backup, aside: "\(folder)/aside"))
            for name in ["opened", "restored", "aside/restored"] {
                let found = try SQLiteStore.open(path: "\(folder)/\(name)", logger: quiet)
                #expect(texts(try await found.ready()) == ["old"], "\(name)")
                try await found.close()
                #expect(!Self.isThere("\(folder)/\(name)-restored"))
            }
        }
    }

    @Test(arguments: 0..<20) func aDamagedBackupChangesNothing(seed: UInt64) async throws {
        try await withFolder { folder in
            let (path, backup) = ("\(folder)/reactord.sqlite", "\(folder)/copy")
            var random = SeededGenerator(seed: seed)
            let store = try SQLiteStore.open(path: path, logger: quiet)
            try await StoreSamples.fill(store, messages: 0..<30, random: &random)
            try backUp(path, to: backup)
            try await store.close()
            var bytes = try Data(contentsOf: URL(fileURLWithPath: backup))
            // Not in the head of the file: by that it is told from files of others.
            bytes[Int.random(in: 100..<bytes.count, using: &random)] ^= 1 << UInt8.random(in: 0..<8, using: &random)
            try bytes.write(to: URL(fileURLWithPath: backup))
            let before = try FileManager.default.subpathsOfDirectory(atPath: folder).sorted()
            let error = #expect(throws: ActorError.self) {
                try restore(path, from: backup, aside: "\(folder)/aside")
            }
            #expect(error?.description.contains("damaged") == true, "\(error?.description ?? "")")
            #expect(try FileManager.default.subpathsOfDirectory(atPath: folder).sorted() == before)
            #expect(try SQLiteStore.verify(path: path) { _, _ in }.isSound)
        }
    }

    @Test func whatIsNoBackupIsRefused() async throws {
        try await withStore { store, path in
            _ = try await store.append([message("e1")])
            try Data("not a database".utf8).write(to: URL(fileURLWithPath: path + ".text"))
            for (file, words) in [
                (path, "part of which lies in \(path)-wal"), (path + ".text", "is not a backup"),
                (path + ".none", "cannot be read"),
            ] {
                let error = #expect(throws: ActorError.self) {
                    try restore(path + ".target", from: file, aside: path + ".aside")
                }
                #expect(error?.description.contains(words) == true, "\(error?.description ?? "")")
            }
            #expect(!Self.isThere(path + ".target"))
            try backUp(path, to: path + ".backup")
            let again = #expect(throws: ActorError.self) { try backUp(path, to: path + ".backup") }
            #expect(again?.code == .conflict)
            let nowhere = #expect(throws: ActorError.self) { try backUp(path, to: path + ".none/backup") }
            #expect(nowhere?.description.contains("No such file") == true)
        }
    }

    /// What was damaged before it was copied must not end in a backup that says it is whole.
    @Test func aDamagedPageEndsABackupAndIsNamed() async throws {
        try await withFolder { folder in
            let path = "\(folder)/reactord.sqlite"
            var random = SeededGenerator(seed: 4)
            let store = try SQLiteStore.open(path: path, logger: quiet)
            try await StoreSamples.fill(store, messages: 0..<60, random: &random)
            try await store.close()
            var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
            bytes[4096 * 7 + 100] ^= 1
            try bytes.write(to: URL(fileURLWithPath: path))
            let error = #expect(throws: ActorError.self) { try backUp(path, to: path + ".backup") }
            #expect(error?.description.contains("page 8") == true, "\(error?.description ?? "")")
            #expect(!Self.isThere(path + ".backup") && !Self.isThere(path + ".backup.part"))
        }
    }
}
