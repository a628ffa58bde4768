package import ActorCore
import Crypto
import Glibc

/// `tokens.json`, an object of SHA-256 to user: adds tokens to it. The tokens themselves are kept nowhere.
package enum TokenRegister {
    package static func digest(of token: String) -> String { Hexadecimal.text(SHA256.hash(data: Array(token.utf8))) }

    /// 256 random bits; `rx_` lets secret scanners find a token that got where it should not be.
    package static func randomToken() -> String {
        var generator = SystemRandomNumberGenerator()
        return "rx_" + Hexadecimal.text((0..<32).map { _ in UInt8.random(in: 0...255, using: &generator) })
    }

    /// Makes a token for `user`, writes its digest, and answers the token: the only moment at which it can be read.
    package static func create(user: String, in path: String) throws(ActorError) -> String {
        guard !user.isEmpty, user.utf8.count <= 128, !user.contains(where: \.isWhitespace) else {
            throw ActorError(.invalidInput, "a user name has no blanks and at most 128 bytes")
        }
        let known = try load(path)
        let token = randomToken()
        let members = known + [JSONValue.Member(digest(of: token), .string(user))]
        try PrivateFile.write(JSONWriter.pretty(.object(members)) + "\n", to: path)
        return token
    }

    private static func load(_ path: String) throws(ActorError) -> [JSONValue.Member] {
        let bytes: [UInt8]
        do {
            bytes = try BoundedFile.read(path, limit: 4_194_304).bytes
        } catch let error where error.code == .notFound {
            return []
        }
        guard let members = (try? JSONReader.read(bytes))?.object else {
            throw ActorError(
                .invalidInput, "\(path) must be an object of SHA-256 (hex) to user; move it away or mend it")
        }
        return members
    }
}

/// Writes files that only their owner may read, all or nothing.
package enum PrivateFile {
    /// Mode 0600, through a temporary file in the same folder, synced before it takes the name.
    package static func write(_ text: String, to path: String) throws(ActorError) {
        try write(Array(text.utf8), to: path)
    }

    package static func write(_ bytes: [UInt8], to path: String) throws(ActorError) {
        let temporary = "\(path).\(getpid()).part"
        // Left by a process of this number that was killed; the numbers of a container come again.
        unlink(temporary)
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else {
            throw ActorError(.unavailable, "cannot write \(path): \(String(cString: strerror(errno)))")
        }
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { break }
            rest = rest.dropFirst(count)
        }
        let isWhole = rest.isEmpty && fsync(descriptor) == 0
        close(descriptor)
        guard isWhole, rename(temporary, path) == 0 else {
            unlink(temporary)
            throw ActorError(.storageFull, "cannot write \(path); is the disk full?")
        }
    }
}
