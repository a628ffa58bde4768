/// Everything that happened in a run, in order, with a hash over it: equal hashes mean equal runs.
package struct Trace: Sendable {
    enum Mark: UInt64, Sendable {
        case start, recovered, crash, drain, closed, clock, time
        case send, accepted, repeated, refused, unanswered
        case apply, synced, undone, told
        case grant, deliver, expire, ask, page, wait, empty, giveBack, begun, conflict
        case succeeded, failed, cancelled, timedOut, interrupted, ended, retry, release, stop
        case wake, limit, pause, withdraw, purge
        case look, call, answer, settled, rest, violation
    }

    struct Event: Sendable {
        let step: Int
        let now: Int64
        let mark: Mark
        let values: (Int64, Int64, Int64)
    }

    private(set) var events: [Event] = []
    /// FNV-1a over every event.
    package private(set) var hash: UInt64 = 0xcbf2_9ce4_8422_2325

    mutating func note(_ step: Int, _ now: Int64, _ mark: Mark, _ values: (Int64, Int64, Int64)) {
        events.append(Event(step: step, now: now, mark: mark, values: values))
        mix(UInt64(step))
        mix(UInt64(bitPattern: now))
        mix(mark.rawValue)
        mix(UInt64(bitPattern: values.0))
        mix(UInt64(bitPattern: values.1))
        mix(UInt64(bitPattern: values.2))
    }

    private mutating func mix(_ word: UInt64) {
        hash = (hash ^ word) &* 0x100_0000_01b3
        hash ^= hash >> 29
    }

    /// One line per event, the last `count` of them.
    package func lines(last count: Int = .max) -> [String] {
        events.suffix(count).map { event in
            "\(event.step)\t\(event.now)\t\(event.mark)\t"
                + "\(event.values.0) \(event.values.1) \(event.values.2)"
        }
    }
}
