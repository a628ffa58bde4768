import ActorCore
import ActorTesting
import Foundation
import Synchronization
import Testing

@testable import ActorDaemon

/// A clock that is set is noticed; one that just goes on is not.
struct ClockWatchTests {
    /// Answers a list of moments, one per look, and ends the watch after the last.
    private final class ListedClock: Timekeeper {
        private let moments: Mutex<[Int64]>

        init(_ moments: [Int64]) { self.moments = Mutex(moments) }

        func now() -> Timestamp {
            Timestamp(milliseconds: moments.withLock { $0.count > 1 ? $0.removeFirst() : $0[0] })
        }

        func sleep(until deadline: Timestamp) async throws {}

        func sleep(milliseconds: Int64) async throws {
            if moments.withLock({ $0.count == 1 }) { throw CancellationError() }
        }
    }

    @Test(
        arguments: [
            ([0, 1000, 2003, 3001], 0),
            ([0, 1000, 3_602_000, 3_603_000], 1),
            ([0, 1000, -3_598_000, -3_597_000], 1),
            ([0, 1000, 3_602_000, 3_000], 2),
            ([0, 1450, 2450], 0),
        ] as [([Int64], Int)])
    func jumpsAreTold(_ moments: [Int64], _ count: Int) async throws {
        let told = Mutex(0)
        // The last moment is only the end of the list.
        await #expect(throws: CancellationError.self) {
            try await ClockWatch(clock: ListedClock(moments + [0])).run { told.withLock { $0 += 1 } }
        }
        #expect(told.withLock { $0 } == count)
    }

    /// A start that was killed while it wrote its token must not keep the next one, of the same number, from starting.
    @Test func halfAnAdminTokenIsWrittenAnew() throws {
        let folder = NSTemporaryDirectory() + "reactord-token-" + UUID().uuidString
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let data = try DataFolder.take(folder)
        defer { data.release() }
        try "half".write(toFile: "\(data.adminToken).\(getpid()).part", atomically: true, encoding: .utf8)
        let first = try data.readOrMakeAdminToken()
        #expect(first.isNew)
        #expect(try data.readOrMakeAdminToken().token == first.token)
    }
}
