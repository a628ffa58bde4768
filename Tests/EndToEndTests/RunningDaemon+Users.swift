import ActorCore
import Crypto
import Foundation

extension RunningDaemon {
    /// Lets people in by these tokens, as `reactord token create` does; before the daemon starts.
    ///
    /// - Parameter users: names by their tokens.
    func writeUsers(_ users: [String: String]) throws {
        try FileManager.default.createDirectory(
            atPath: data, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        let members = users.map { token, user -> JSONValue.Member in
            let digest = SHA256.hash(data: Data(token.utf8)).map { String(format: "%02x", $0) }.joined()
            return JSONValue.Member(digest, .string(user))
        }
        try JSONWriter.string(.object(members)).write(
            toFile: "\(data)/tokens.json", atomically: true, encoding: .utf8)
    }
}
