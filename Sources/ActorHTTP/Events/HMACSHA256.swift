package import ActorCore
import Crypto

extension WebhookSignature {
    /// With HMAC-SHA256 of swift-crypto.
    package static let sha256 = WebhookSignature { key, message in
        Array(HMAC<SHA256>.authenticationCode(for: message, using: SymmetricKey(data: key)))
    }
}

extension WebhookSecret {
    /// 256 random bits.
    static func fresh() -> WebhookSecret {
        let key = SymmetricKey(size: .bits256).withUnsafeBytes { Array($0) }
        guard let secret = WebhookSecret(key: key) else { preconditionFailure("32 bytes are a secret") }
        return secret
    }
}
