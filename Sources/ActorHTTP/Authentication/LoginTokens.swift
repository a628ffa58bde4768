package import ActorCore
import Crypto
import FoundationEssentials
import Synchronization

/// Tokens for users who log in with a password that `config.yml` (or `secrets.json`) gives them: signed by this daemon,
/// valid for a while, and only as long as the user has the password that they were made with.
package final class LoginTokens: Sendable {
    /// What a login answers.
    struct Pair: Sendable {
        let access: String
        let refresh: String
        let accessID: String
        let refreshID: String
        let expires: Timestamp
        let refreshExpires: Timestamp
    }

    private enum Kind: String {
        case access
        case refresh
    }

    static let accessSeconds: Int64 = 14_400
    static let refreshSeconds: Int64 = 30 * 86_400
    private static let issuer = "reactord"
    /// Wrong passwords for one user within a minute before further ones are refused unread.
    private static let mostFailures = 10

    private struct Failures {
        var since: Timestamp
        var count: Int
    }

    private let key: SymmetricKey
    private let passwords: [String: [UInt8]]
    /// What tokens of a user are signed with: another one for another password.
    private let userKeys: [String: SymmetricKey]
    private let tenant: String
    private let clock: any Timekeeper
    private let failures = Mutex<[String: Failures]>([:])

    /// - Parameters:
    ///   - key: 32 random bytes that stay the same over restarts.
    ///   - passwords: by user; users without one cannot log in.
    package init(key: [UInt8], passwords: [String: String], tenant: String, clock: any Timekeeper) {
        let house = SymmetricKey(data: key)
        self.key = house
        self.passwords = passwords.mapValues { Array(SHA256.hash(data: Array($0.utf8))) }
        var userKeys: [String: SymmetricKey] = [:]
        for (user, password) in passwords {
            let said = JSONWriter.bytes(["login", .string(user), .string(password)])
            userKeys[user] = SymmetricKey(data: Array(HMAC<SHA256>.authenticationCode(for: said, using: house)))
        }
        self.userKeys = userKeys
        self.tenant = tenant
        self.clock = clock
    }

    /// Nobody can log in without a password.
    var isOpen: Bool { !passwords.isEmpty }

    func knows(_ user: String) -> Bool { passwords[user] != nil }

    func login(_ user: String, _ password: String) throws(ActorError) -> Pair {
        try check(user, password)
        return pair(for: user)
    }

    /// A text that only this daemon can make, for a client of a user.
    func clientKey(_ kind: String, _ user: String, _ name: String) -> String {
        let said = JSONWriter.bytes(["client", .string(kind), .string(user), .string(name)])
        return SignedToken.text(Array(HMAC<SHA256>.authenticationCode(for: said, using: key)))
    }

    /// Throws what is wrong with a password.
    func check(_ user: String, _ password: String) throws(ActorError) {
        let now = clock.now()
        let isBlocked = failures.withLock { failures in
            failures = failures.filter { now.since($0.value.since) < 60_000 && now >= $0.value.since }
            return (failures[user]?.count ?? 0) >= Self.mostFailures
        }
        guard !isBlocked else {
            throw ActorError(.tooManyRequests, "too many wrong passwords for this user; wait a minute")
        }
        let digest = Array(SHA256.hash(data: Array(password.utf8)))
        // Who does not exist is compared as well, so that the time taken tells nothing.
        let expected = passwords[user] ?? [UInt8](repeating: 0, count: digest.count)
        guard ConstantTime.areEqual(digest, expected), passwords[user] != nil else {
            failures.withLock { failures in
                if failures[user] != nil || failures.count < 1024 {
                    failures[user, default: Failures(since: now, count: 0)].count += 1
                }
            }
            throw ActorError(.unauthenticated, "Invalid username or password.")
        }
    }

    func pair(for user: String) -> Pair {
        let now = clock.now()
        let (access, accessID) = token(.access, user, now, Self.accessSeconds)
        let (refresh, refreshID) = token(.refresh, user, now, Self.refreshSeconds)
        return Pair(
            access: access, refresh: refresh, accessID: accessID, refreshID: refreshID,
            expires: now.adding(milliseconds: Self.accessSeconds * 1000),
            refreshExpires: now.adding(milliseconds: Self.refreshSeconds * 1000))
    }

    func refresh(_ text: String) throws(ActorError) -> Pair {
        guard let user = user(of: text, .refresh) else {
            throw ActorError(.unauthenticated, "Invalid refresh token.")
        }
        return pair(for: user)
    }

    /// The user of an access token; nil for any other text.
    func user(of text: String) -> String? { user(of: text, .access) }

    private func user(of text: String, _ kind: Kind) -> String? {
        guard let token = SignedToken(text), token.algorithm == "HS256", token.keyID == Self.issuer,
            let user = token.claims["sub"]?.string,
            // For who does not exist the work is the same, so that the time taken tells nothing.
            ConstantTime.areEqual(
                Array(HMAC<SHA256>.authenticationCode(for: token.signed, using: userKeys[user] ?? key)),
                token.signature),
            userKeys[user] != nil, token.isValid(at: clock.now()),
            token.claims["tapis/token_type"]?.string == kind.rawValue
        else { return nil }
        return user
    }

    private func token(_ kind: Kind, _ user: String, _ now: Timestamp, _ seconds: Int64) -> (String, String) {
        let id = Hashids.abaco.encode(UInt128.random(in: .min ... .max))
        let head: JSONValue = ["alg": "HS256", "typ": "JWT", "kid": .string(Self.issuer)]
        let claims: JSONValue = [
            "iss": .string(Self.issuer), "sub": .string(user), "jti": .string(id),
            "iat": .int(now.milliseconds / 1000), "exp": .int(now.milliseconds / 1000 + seconds),
            "tapis/username": .string(user), "tapis/tenant_id": .string(tenant),
            "tapis/token_type": .string(kind.rawValue), "tapis/account_type": "user",
        ]
        let signed =
            SignedToken.text(JSONWriter.bytes(head)) + "." + SignedToken.text(JSONWriter.bytes(claims))
        let proof = HMAC<SHA256>.authenticationCode(for: Array(signed.utf8), using: userKeys[user] ?? key)
        return (signed + "." + SignedToken.text(Array(proof)), id)
    }
}
