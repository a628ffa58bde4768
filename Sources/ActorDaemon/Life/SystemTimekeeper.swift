internal import ActorCore
internal import Foundation

/// The wall clock and real sleeping.
struct SystemTimekeeper: Timekeeper {
    func now() -> Timestamp {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(milliseconds: Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000)
    }

    func uptime() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_BOOTTIME, &time)
        return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
    }

    /// Sleeps in slices of at most a minute, so that a wall clock that is set does not make it oversleep for long.
    func sleep(until deadline: Timestamp) async throws {
        while true {
            let left = deadline.since(now())
            guard left > 0 else { return try Task.checkCancellation() }
            try await Task.sleep(for: .milliseconds(min(left, 60000)))
        }
    }

    func sleep(milliseconds: Int64) async throws { try await Task.sleep(for: .milliseconds(max(0, milliseconds))) }
}
