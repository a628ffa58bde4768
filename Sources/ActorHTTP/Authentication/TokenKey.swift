import ActorCore
import Crypto
import CryptoExtras
import FoundationEssentials

/// A public key that tokens are checked with.
enum TokenKey: Sendable {
    case rsa(_RSA.Signing.PublicKey)
    case p256(P256.Signing.PublicKey)
    case p384(P384.Signing.PublicKey)
    case p521(P521.Signing.PublicKey)
    case ed25519(Curve25519.Signing.PublicKey)

    /// A public key or a certificate's key as PEM text, or the base64 text between its lines alone.
    init?(pem text: String) {
        var pem = text
        if !text.contains("-----BEGIN") {
            let body = text.filter { !$0.isWhitespace }
            var lines = "-----BEGIN PUBLIC KEY-----\n"
            for start in stride(from: 0, to: body.count, by: 64) {
                lines += body.dropFirst(start).prefix(64) + "\n"
            }
            pem = lines + "-----END PUBLIC KEY-----\n"
        }
        // "Unsafe" takes keys of 1024 bits, as gateways of the old days have; shorter ones it refuses.
        if let key = try? _RSA.Signing.PublicKey(unsafePEMRepresentation: pem) {
            self = .rsa(key)
        } else if let key = try? P256.Signing.PublicKey(pemRepresentation: pem) {
            self = .p256(key)
        } else if let key = try? P384.Signing.PublicKey(pemRepresentation: pem) {
            self = .p384(key)
        } else if let key = try? P521.Signing.PublicKey(pemRepresentation: pem) {
            self = .p521(key)
        } else if let key = Self.ed25519(pem) {
            self = .ed25519(key)
        } else {
            return nil
        }
    }

    /// One key of a key set (RFC 7517); nil for kinds that sign no tokens here.
    init?(jwk: JSONValue) {
        guard jwk["use"]?.string ?? "sig" == "sig" else { return nil }
        func bytes(_ name: String) -> [UInt8]? { jwk[name]?.string.flatMap { SignedToken.bytes(Substring($0)) } }
        switch (jwk["kty"]?.string, jwk["crv"]?.string) {
        case ("RSA", _):
            guard let modulus = bytes("n"), let exponent = bytes("e"),
                let key = try? _RSA.Signing.PublicKey(n: modulus, e: exponent)
            else { return nil }
            self = .rsa(key)
        case ("EC", "P-256"):
            guard let point = Self.point(bytes("x"), bytes("y"), 32),
                let key = try? P256.Signing.PublicKey(x963Representation: point)
            else { return nil }
            self = .p256(key)
        case ("EC", "P-384"):
            guard let point = Self.point(bytes("x"), bytes("y"), 48),
                let key = try? P384.Signing.PublicKey(x963Representation: point)
            else { return nil }
            self = .p384(key)
        case ("EC", "P-521"):
            guard let point = Self.point(bytes("x"), bytes("y"), 66),
                let key = try? P521.Signing.PublicKey(x963Representation: point)
            else { return nil }
            self = .p521(key)
        case ("OKP", "Ed25519"):
            guard let raw = bytes("x"), let key = try? Curve25519.Signing.PublicKey(rawRepresentation: raw) else {
                return nil
            }
            self = .ed25519(key)
        default: return nil
        }
    }

    private static func point(_ x: [UInt8]?, _ y: [UInt8]?, _ size: Int) -> [UInt8]? {
        guard let x, let y, x.count == size, y.count == size else { return nil }
        return [4] + x + y
    }

    /// The 32 bytes at the end of RFC 8410's structure.
    private static func ed25519(_ pem: String) -> Curve25519.Signing.PublicKey? {
        let lines = pem.split(whereSeparator: \.isNewline).filter { !$0.hasPrefix("-----") }
        guard let der = SignedToken.bytes(Substring(lines.joined())), der.count == 44,
            der.starts(with: [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70])
        else { return nil }
        return try? Curve25519.Signing.PublicKey(rawRepresentation: der.suffix(32))
    }

    /// Only an algorithm of the key's own kind is tried: a token cannot choose how it is checked.
    func isSigned(_ token: SignedToken) -> Bool {
        let (signed, signature) = (token.signed, token.signature)
        switch (self, token.algorithm) {
        case (.rsa(let key), let name) where name.hasPrefix("RS") || name.hasPrefix("PS"):
            let padding: _RSA.Signing.Padding = name.hasPrefix("PS") ? .PSS : .insecurePKCS1v1_5
            let proof = _RSA.Signing.RSASignature(rawRepresentation: signature)
            switch name.dropFirst(2) {
            case "256": return key.isValidSignature(proof, for: SHA256.hash(data: signed), padding: padding)
            case "384": return key.isValidSignature(proof, for: SHA384.hash(data: signed), padding: padding)
            case "512": return key.isValidSignature(proof, for: SHA512.hash(data: signed), padding: padding)
            default: return false
            }
        case (.p256(let key), "ES256"):
            guard let proof = try? P256.Signing.ECDSASignature(rawRepresentation: signature) else { return false }
            return key.isValidSignature(proof, for: SHA256.hash(data: signed))
        case (.p384(let key), "ES384"):
            guard let proof = try? P384.Signing.ECDSASignature(rawRepresentation: signature) else { return false }
            return key.isValidSignature(proof, for: SHA384.hash(data: signed))
        case (.p521(let key), "ES512"):
            guard let proof = try? P521.Signing.ECDSASignature(rawRepresentation: signature) else { return false }
            return key.isValidSignature(proof, for: SHA512.hash(data: signed))
        case (.ed25519(let key), "EdDSA"): return key.isValidSignature(signature, for: signed)
        default: return false
        }
    }
}

/// The keys of one file or one address, by the name that tokens call them.
struct TokenKeys: Sendable {
    struct Named: Sendable {
        let id: String?
        let key: TokenKey
    }

    static let mostKeys = 64

    let keys: [Named]

    /// A PEM key, or a JWKS document. Nil when there is no usable key in it.
    init?(_ text: [UInt8]) {
        if let document = try? JSONReader.read(text, maxDepth: 8), document.object != nil {
            let found = (document["keys"]?.array ?? [document]).prefix(Self.mostKeys).compactMap { item in
                TokenKey(jwk: item).map { Named(id: item["kid"]?.string, key: $0) }
            }
            guard !found.isEmpty else { return nil }
            keys = found
        } else if let key = TokenKey(pem: String(decoding: text, as: UTF8.self)) {
            keys = [Named(id: nil, key: key)]
        } else {
            return nil
        }
    }

    /// By the key that the token names, else by any that has no name or when the token names none.
    func isSigned(_ token: SignedToken) -> Bool {
        keys.contains { named in
            (named.id == nil || token.keyID == nil || named.id == token.keyID) && named.key.isSigned(token)
        }
    }
}
