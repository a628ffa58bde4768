import ActorCore
import Foundation
import GRDB
import Synchronization
import Testing

@testable import ActorStore

/// Deliveries are part of the commit that they tell of, and stay when the file is opened again.
struct AnnouncingTests {
    private func announcer(_ ids: Ids, queued: @escaping @Sendable () -> Void = {}) -> Announcer {
        Announcer(base: "", now: { noon }, makeID: { ids.next() }, queued: queued, overflowed: { _ in })
    }

    private final class Ids: Sendable {
        private let number = Mutex(0)

        func next() -> String {
            number.withLock { number in
                number += 1
                return "evt_\(number)"
            }
        }
    }

    private func subscription(_ id: String, sink: String = "https://example.org/") throws -> Subscription {
        Subscription(
            id: SubscriptionID(id), sink: sink, filters: [.not(.exact([EventFilter.Term("type", "x")]))],
            secret: try #require(WebhookSecret(key: Array(repeating: 9, count: 32))), owner: "alice", created: noon,
            updated: noon)
    }

    @Test func whatWasQueuedIsThereAfterAReopening() async throws {
        try await withFolder { folder in
            let path = "\(folder)/reactord.sqlite"
            let made = try subscription("s")
            let first = try SQLiteStore.open(path: path, logger: quiet)
            first.announce(as: announcer(Ids()))
            try await first.create(made)
            _ = try await first.append([message("e1"), message("e2")])
            try await first.close()
            let second = try SQLiteStore.open(path: path, logger: quiet)
            second.announce(as: announcer(Ids()))
            var kept = made
            kept.counts.waiting = 2
            #expect(try await second.subscription(made.id) == kept)
            #expect(try await second.dueHeads(limit: 9).map(\.call.idempotencyKey) == ["evt_1"])
            // The list in memory is read anew.
            _ = try await second.append([message("e3")])
            #expect(try await second.deliveries(of: made.id, limit: 9).count == 3)
            try await second.close()
        }
    }

    @Test func aSubscriptionThatCouldNotBeCommittedIsToldNothing() async throws {
        try await withStore { store, _ in
            store.announce(as: announcer(Ids()))
            try await store.create(try subscription("s"))
            let other = try subscription("other")
            // A change of the list in a transaction that fails as a whole.
            await #expect(throws: ActorError.self) {
                try await store.writer.submit { db, ledger in
                    store.writer.announcements.forgetAround(db)
                    try db.write(other)
                    try db.announce([.actorsChanged], through: store.writer.announcements, &ledger)
                    throw ActorError(.conflict, "no")
                }
            }
            #expect(try await store.subscriptions().map(\.id.rawValue) == ["s"])
            _ = try await store.append([message("e1")])
            #expect(try await store.deliveries(of: SubscriptionID("s"), limit: 9).count == 1)
            #expect(try await store.deliveries(of: SubscriptionID("other"), limit: 9).isEmpty)
        }
    }

    @Test func theBellRingsAfterTheCommitAndOnlyWhenSomethingWaits() async throws {
        try await withStore { store, path in
            let seen = Mutex<[Int]>([])
            let reader = try DatabaseQueue(path: path)
            store.announce(
                as: announcer(Ids()) {
                    // Another connection sees only what is committed.
                    let count = try? reader.read { try Int.fetchOne($0, sql: "SELECT count(*) FROM outbox") }
                    seen.withLock { $0.append(count ?? -1) }
                })
            _ = try await store.append([message("e0")])
            #expect(seen.withLock { $0 } == [])
            try await store.create(try subscription("s"))
            _ = try await store.append([message("e1")])
            #expect(seen.withLock { $0 } == [1])
            try reader.close()
        }
    }
}
