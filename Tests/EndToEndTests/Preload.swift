import Foundation

/// A library of `Tests/CrashSupport` that one daemon is started with, and the file that it looks at while it runs.
final class Preload {
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    private let file: Int32
    /// What the daemon has to be started with.
    let environment: [String: String]

    /// - Parameters:
    ///   - name: of the source, without its ending.
    ///   - bytes: what the file holds at first.
    init(_ name: String, in folder: String, _ bytes: [UInt8]) throws {
        let library = "\(folder)/\(name).so"
        let compiler = Process()
        compiler.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        compiler.arguments = ["clang", "-O1", "-shared", "-fPIC", "-o", library, "\(Senders.support)/\(name).c"]
        try compiler.run()
        compiler.waitUntilExit()
        guard compiler.terminationStatus == 0 else {
            throw Failure(description: "clang, a part of the Swift toolchain, could not compile \(name).c")
        }
        let path = "\(folder)/\(name)"
        file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        environment = ["LD_PRELOAD": library, "\(name.uppercased())_FILE": path]
        set(bytes)
    }

    deinit { close(file) }

    func set(_ bytes: [UInt8]) { pwrite(file, bytes, bytes.count, 0) }
}
