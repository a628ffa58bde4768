/// The wall clock of one daemon, set at will while it runs: see `Tests/CrashSupport/clockshift.c`.
struct ClockShift {
    static let hour: Int64 = 3_600_000
    static let day: Int64 = 24 * hour

    private let preload: Preload
    /// What the daemon has to be started with.
    var environment: [String: String] { preload.environment }

    init(in folder: String) throws { preload = try Preload("clockshift", in: folder, Self.bytes(0)) }

    /// From now on the daemon's clock is so many milliseconds ahead of the real one; negative is behind.
    func set(ahead milliseconds: Int64) { preload.set(Self.bytes(milliseconds)) }

    private static func bytes(_ value: Int64) -> [UInt8] { withUnsafeBytes(of: value) { Array($0) } }
}
