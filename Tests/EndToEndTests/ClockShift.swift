import Foundation

/// The wall clock of one daemon, set at will while it runs: see `Tests/CrashSupport/clockshift.c`.
final class ClockShift {
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    static let hour: Int64 = 3_600_000
    static let day: Int64 = 24 * hour

    private let file: Int32
    /// What the daemon has to be started with.
    let environment: [String: String]

    init(in folder: String) throws {
        let library = "\(folder)/clockshift.so"
        let compiler = Process()
        compiler.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        compiler.arguments = [
            "clang", "-O1", "-shared", "-fPIC", "-o", library, "\(Senders.support)/clockshift.c",
        ]
        try compiler.run()
        compiler.waitUntilExit()
        guard compiler.terminationStatus == 0 else {
            throw Failure(description: "clang, a part of the Swift toolchain, could not compile clockshift.c")
        }
        let path = "\(folder)/clockshift"
        file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        environment = ["LD_PRELOAD": library, "CLOCKSHIFT_FILE": path]
        set(ahead: 0)
    }

    deinit { close(file) }

    /// From now on the daemon's clock is so many milliseconds ahead of the real one; negative is behind.
    func set(ahead milliseconds: Int64) {
        var value = milliseconds
        pwrite(file, &value, MemoryLayout<Int64>.size, 0)
    }
}
