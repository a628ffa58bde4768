package import ActorCore
import Crypto
import CryptoExtras
import FoundationEssentials
import Glibc

/// Closes secret values so that replies and the database show nothing of them: Fernet, as old clients know it.
package struct Seal: Sendable {
    private let signing: SymmetricKey
    private let encryption: SymmetricKey

    /// - Parameter key: 32 bytes.
    package init(key: [UInt8]) {
        signing = SymmetricKey(data: key.prefix(16))
        encryption = SymmetricKey(data: key.suffix(16))
    }

    /// A key as the old service's settings write it; nil when it is none.
    init?(fernet text: String) {
        let text = text.filter { !$0.isWhitespace }
        guard let key = SignedToken.bytes(Substring(text)), key.count == 32 else { return nil }
        self.init(key: key)
    }

    /// With whatever key it was closed, and even if it was cut since: so begin version and moment of every token.
    static func isClosed(_ text: String) -> Bool { text.hasPrefix("gAAAA") }

    /// - Parameter now: stands in the token, as its format wants it.
    package func close(_ text: String, now: Timestamp) throws(ActorError) -> String {
        do {
            let iv = AES._CBC.IV()
            let body = try AES._CBC.encrypt(Array(text.utf8), using: encryption, iv: iv)
            var token: [UInt8] = [0x80]
            let seconds = UInt64(max(0, now.milliseconds / 1000))
            token += (0..<8).map { UInt8(truncatingIfNeeded: seconds >> UInt64(56 - 8 * $0)) }
            token += Array(iv)
            token += Array(body)
            token += Array(HMAC<SHA256>.authenticationCode(for: token, using: signing))
            let base = SignedToken.text(token)
            return base + String(repeating: "=", count: (4 - base.utf8.count % 4) % 4)
        } catch {
            throw ActorError(.internalFailure, "a secret could not be sealed", cause: error)
        }
    }

    /// Nil when it was not closed with this key.
    package func open(_ text: String) -> String? {
        guard let token = SignedToken.bytes(Substring(text)), token.count >= 1 + 8 + 16 + 16 + 32, token[0] == 0x80
        else { return nil }
        let (signed, proof) = (Array(token.dropLast(32)), Array(token.suffix(32)))
        guard ConstantTime.areEqual(Array(HMAC<SHA256>.authenticationCode(for: signed, using: signing)), proof),
            let iv = try? AES._CBC.IV(ivBytes: Array(signed[9..<25])),
            let body = try? AES._CBC.decrypt(Array(signed[25...]), using: encryption, iv: iv)
        else { return nil }
        return String(decoding: body, as: UTF8.self)
    }
}
