internal import ActorCore
internal import Foundation

/// The folder of everything at run time, held by one daemon at a time.
struct DataFolder: Sendable {
    let path: String
    private let lock: Int32

    var database: String { Self.database(in: path) }
    var adminToken: String { "\(path)/admin.token" }
    var tokens: String { "\(path)/tokens.json" }
    var commands: String { "\(path)/commands" }
    var declarations: String { "\(path)/actors" }

    static func database(in path: String) -> String { "\(path)/reactord.sqlite" }

    /// Makes the folder if need be and takes its lock; refuses when another daemon holds it, and names the holder.
    static func take(_ path: String) throws(ActorError) -> DataFolder {
        do {
            try FileManager.default.createDirectory(
                atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
            for name in ["runs", "uploads", "inbox", "archive", "commands"] {
                try FileManager.default.createDirectory(
                    atPath: "\(path)/\(name)", withIntermediateDirectories: true,
                    attributes: [.posixPermissions: 0o700])
            }
        } catch {
            throw ActorError(
                .cannotStart,
                "the data folder \(path) cannot be made or written: \(error.localizedDescription) Choose another with "
                    + "--data-dir")
        }
        let file = "\(path)/lock"
        let descriptor = open(file, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else {
            throw ActorError(.cannotStart, "\(file) cannot be opened: \(String(cString: strerror(errno)))")
        }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let holder = (try? String(contentsOfFile: file, encoding: .utf8)) ?? ""
            close(descriptor)
            let name = holder.trimmingCharacters(in: .whitespacesAndNewlines)
            throw ActorError(
                .cannotStart,
                "another reactord holds the data folder \(path) (\(name.isEmpty ? "it did not say who" : name)); "
                    + "stop it, or choose another folder with --data-dir")
        }
        let line = "pid \(getpid()), since \(SystemTimekeeper().now().iso8601)\n"
        ftruncate(descriptor, 0)
        _ = line.withCString { write(descriptor, $0, strlen($0)) }
        return DataFolder(path: path, lock: descriptor)
    }

    /// The lock ends with the process in any case; this is for daemons that live inside a test.
    func release() { close(lock) }

    /// 32 random bytes that stay the same: made at the first start, readable by its owner only.
    func readOrMakeKey(_ name: String) throws(ActorError) -> [UInt8] {
        let file = "\(path)/\(name)"
        if let text = try? String(contentsOfFile: file, encoding: .utf8) {
            let bytes = Data(base64Encoded: text.trimmingCharacters(in: .whitespacesAndNewlines)).map(Array.init) ?? []
            guard bytes.count == 32 else {
                throw ActorError(
                    .cannotStart,
                    "\(file) holds no usable key; restore it from a backup, or delete it: a new one is made at the "
                        + "start, and what was sealed or signed with the old one cannot be read any more")
            }
            return bytes
        }
        let key = (0..<32).map { _ in UInt8.random(in: .min ... .max) }
        try PrivateFile.write("\(Data(key).base64EncodedString())\n", to: file)
        return key
    }

    /// The admin's token: made at the first start, readable by its owner only.
    func readOrMakeAdminToken() throws(ActorError) -> (token: String, isNew: Bool) {
        if let text = try? String(contentsOfFile: adminToken, encoding: .utf8) {
            let token = text.trimmingCharacters(in: .whitespacesAndNewlines)
            guard token.utf8.count >= 24 else {
                throw ActorError(
                    .cannotStart, "\(adminToken) holds no usable token; delete it, and a new one is made at the start")
            }
            return (token, false)
        }
        let token = TokenRegister.randomToken()
        // All or nothing: half a token would keep every later start from starting.
        try PrivateFile.write("\(token)\n", to: adminToken)
        return (token, true)
    }
}
