/// An actor whose work this machine cannot take just now (no answer from the engine, no space, no image registry): its
/// mail waits and is tried again by itself. Pure.
struct Hardship: Sendable, Equatable {
    /// Many times in a row are nothing that goes by in a moment: people are told.
    private static let lasting = 3
    private static let longestPause: Int64 = 8000

    private(set) var reason = ""
    private var times = 0

    /// What people are told; nil while it may go by.
    var notice: String? { times < Self.lasting ? nil : "\(reason). Its mail waits and is tried again by itself" }

    /// It could not be taken once more.
    ///
    /// - Returns: milliseconds until it is tried again.
    mutating func again(_ reason: String) -> Int64 {
        self.reason = reason
        times = min(times + 1, 100)
        return min(Self.longestPause, 1000 << Int64(min(times - 1, 10)))
    }
}
