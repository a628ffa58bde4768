import ActorCore
import CPageSums
import CPowerCut
import Foundation
import Synchronization
import Testing

@testable import ActorStore

/// Commits whose sync is still to come are answered, read by those who act on them, and told after it, not before.
@Suite(.serialized)
struct SyncLaneTests {
    @Test func nobodyIsAnsweredOrToldBeforeTheSync() async throws {
        try await onDisk { store, disk in
            let told = Mutex(0)
            store.onCommit { envelopes, _ in told.withLock { $0 += envelopes.count } }
            disk.holdSyncs()
            let answered = Mutex(false)
            async let accepted: Void = {
                _ = try await store.append([message("e1")])
                answered.withLock { $0 = true }
            }()
            // Written: a reader sees it already, one who would act on it does not.
            while try await store.mailboxes().isEmpty { await Task.yield() }
            let settled = Mutex<Int?>(nil)
            async let page: Void = {
                let count = try await store.ready().count
                settled.withLock { $0 = count }
            }()
            while store.writer.log?.lane.waiting != 1 { await Task.yield() }
            #expect(!answered.withLock { $0 } && told.withLock { $0 } == 0 && settled.withLock { $0 } == nil)
            disk.releaseSyncs()
            try await accepted
            try await page
            #expect(told.withLock { $0 } == 1 && settled.withLock { $0 } == 1)
        }
    }

    /// Nobody knows what of the log is on disk then; going on could acknowledge what comes after a hole.
    @Test func afterAFailedSyncNothingIsAcceptedUntilTheStoreIsOpenedAgain() async throws {
        try await onDisk { store, disk in
            _ = try await store.append([message("kept")])
            disk.failSyncs(true)
            let error = await #expect(throws: ActorError.self) { _ = try await store.append([message("lost")]) }
            #expect(error?.code == .unavailable)
            #expect(error?.message.contains("could not be put on disk") == true, "\(error?.message ?? "")")
            #expect(await store.failure()?.message == error?.message)
            disk.failSyncs(false)
            let later = await #expect(throws: ActorError.self) { _ = try await store.append([message("late")]) }
            #expect(later?.message == error?.message)
            try await store.close()
            let again = try SQLiteStore.open(path: disk.path, logger: quiet)
            // Written, perhaps on disk: what was not acknowledged may be there or not; what was, is.
            #expect(try await again.recover(at: noon).wasUnclean)
            #expect(texts(try await again.ready()).first == "kept")
            #expect(!texts(try await again.ready()).contains("late"))
            try await again.close()
        }
    }

    @Test func closingWaitsForTheLastSync() async throws {
        try await onDisk { store, disk in
            disk.holdSyncs()
            async let accepted = store.append([message("e1")])
            while store.writer.log?.lane.unsyncedCommits == 0 { await Task.yield() }
            async let closed: Void = store.close()
            disk.releaseSyncs()
            #expect(try await accepted.count == 1)
            try await closed
        }
    }

    private func onDisk(_ body: (SQLiteStore, HeldDisk) async throws -> Void) async throws {
        try await withFolder { folder in
            let disk = try HeldDisk(in: folder)
            defer { disk.leave() }
            let store = try SQLiteStore.open(path: disk.path, slowSync: 0, logger: quiet)
            do {
                try await body(store, disk)
                try await store.close()
            } catch {
                disk.releaseSyncs()
                try await store.close()
                throw error
            }
        }
    }
}

/// A folder whose syncs end when they are told to.
private struct HeldDisk {
    let path: String
    private let folder: String

    init(in folder: String) throws {
        try #require(power_cut_install() == 0)
        try #require(page_sums_install(POWER_CUT_VFS) == 0)
        // As SQLite names it.
        self.folder = URL(filePath: folder).resolvingSymlinksInPath().path
        path = "\(self.folder)/reactord.sqlite"
        power_cut_watch(self.folder)
    }

    func leave() { power_cut_unwatch(folder) }
    func holdSyncs() { power_cut_hold(folder, 1) }
    func releaseSyncs() { power_cut_hold(folder, 0) }
    func failSyncs(_ fails: Bool) { power_cut_disk(folder, 0, fails ? 1 : 0) }
}
