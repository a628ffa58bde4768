import ActorCore
import Foundation
import Testing

@testable import ActorStore

/// The log is copied into the database while work goes on, and does not grow for ever.
struct LogCopierTests {
    @Test func mostIsCopiedBesideTheWritingAndTheRestByTheWriter() {
        var turns = CopyTurns(pages: 100)
        #expect(turns.committed(pages: 60) == .none)
        #expect(turns.committed(pages: 120) == .besideTheWriting)
        #expect(turns.committed(pages: 250) == .none, "one copy at a time")
        turns.copied(true)
        #expect(turns.committed(pages: 260) == .theRest)
        // Begun anew.
        #expect(turns.committed(pages: 10) == .none)
        #expect(turns.committed(pages: 100) == .besideTheWriting)
    }

    @Test func aLogThatCannotBeBegunAnewIsNotCopiedWithEveryCommit() {
        var turns = CopyTurns(pages: 100)
        #expect(turns.committed(pages: 100) == .besideTheWriting)
        turns.copied(true)
        #expect(turns.committed(pages: 110) == .theRest)
        // A reader holds on to what is old.
        #expect(turns.committed(pages: 120) == .none)
        #expect(turns.committed(pages: 209) == .none)
        #expect(turns.committed(pages: 210) == .besideTheWriting)
    }

    @Test func aCopyThatFailedIsTriedAgainLater() {
        var turns = CopyTurns(pages: 100)
        #expect(turns.committed(pages: 100) == .besideTheWriting)
        turns.copied(false)
        #expect(turns.committed(pages: 101) == .none)
        #expect(turns.committed(pages: 200) == .besideTheWriting)
    }

    /// Without a pause in the writing, in which all would be copied by itself.
    @Test(arguments: GroupCommitTests.slowSyncs)
    func theLogStaysSmallUnderLoad(slowSync: Int64) async throws {
        try await withStore(slowSync: slowSync) { store, path in
            store.writer.log?.copier.set(pages: 100)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for sender in 0..<8 {
                    group.addTask {
                        for number in 0..<400 {
                            _ = try await store.append([message("\(sender)-\(number)", bytes: 3000)])
                        }
                    }
                }
                try await group.waitForAll()
            }
            let log = try Data(contentsOf: URL(filePath: path + "-wal"))
            // A page for each message at the least, were nothing copied.
            #expect(log.count < 1600 * 4096, "\(log.count / 4096) pages")
            #expect(try await store.ready().count == 3200)
        }
    }
}
