internal import ActorCore

/// Notices that somebody set the wall clock: between two looks it must go on by about as much as time does.
///
/// Work that the machine did not get to for a while looks the same as a clock set forward; to look at everything
/// again is harmless.
struct ClockWatch: Sendable {
    static let intervalMilliseconds: Int64 = 1000
    /// What a clock that is kept by a time server is moved by in a second is far below this.
    static let toleranceMilliseconds: Int64 = 500

    let clock: any Timekeeper

    /// Runs until it is cancelled.
    func run(onSet: () async -> Void) async throws {
        var before = clock.now()
        while true {
            try await clock.sleep(milliseconds: Self.intervalMilliseconds)
            let now = clock.now()
            let difference = now.since(before) - Self.intervalMilliseconds
            before = now
            if abs(difference) > Self.toleranceMilliseconds { await onSet() }
        }
    }
}
