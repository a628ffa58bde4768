package import ActorCore
import Logging
import NIOPosix
import Synchronization

/// One kind of signed token that callers bring: where it is found, who it comes from, what it says.
package struct GatewaySettings: Sendable {
    /// A header field; `*` at its end stands for the tenant.
    package var header: String
    package var algorithms: [String]
    /// PEM or JWKS, absolute.
    package var keyFile: String?
    /// Where a JWKS document is fetched.
    package var keysURL: String?
    package var usernameClaim: String
    package var tenantClaim: String?
    package var rolesClaim: String?
    package var roleMap: [String: Role]
    package var defaultRoles: Set<Role>

    package init(
        header: String, algorithms: [String], keyFile: String?, keysURL: String? = nil, usernameClaim: String,
        tenantClaim: String?, rolesClaim: String?, roleMap: [String: Role], defaultRoles: Set<Role>
    ) {
        self.header = header
        self.algorithms = algorithms
        self.keyFile = keyFile
        self.keysURL = keysURL
        self.usernameClaim = usernameClaim
        self.tenantClaim = tenantClaim
        self.rolesClaim = rolesClaim
        self.roleMap = roleMap
        self.defaultRoles = defaultRoles
    }

    /// Nil when `name`, in lower case, is another header. The tenant is what the `*` stood for, in upper case.
    func match(_ name: String) -> Match? {
        let pattern = header.lowercased()
        guard pattern.hasSuffix("*") else { return pattern == name ? Match(tenant: nil) : nil }
        let prefix = pattern.dropLast()
        guard name.hasPrefix(prefix), name.utf8.count > prefix.utf8.count else { return nil }
        return Match(tenant: name.dropFirst(prefix.count).uppercased())
    }

    struct Match {
        let tenant: String?
    }
}

/// Knows the keys of one kind of token and tells whose one is.
final class Gateway: Sendable {
    private struct State {
        var keys: TokenKeys?
        var nextLook = Timestamp(milliseconds: 0)
    }

    /// Keys are read again when a token fits none of them, at most once in this time.
    private static let lookMilliseconds: Int64 = 30_000
    private static let wso2User = "http://wso2.org/claims/enduser"

    let settings: GatewaySettings
    private let state = Mutex(State())
    private let client: (any HTTPClient)?
    private let clock: any Timekeeper
    private let pool: NIOThreadPool
    private let logger: Logger

    init(
        _ settings: GatewaySettings, client: (any HTTPClient)?, clock: any Timekeeper, pool: NIOThreadPool,
        logger: Logger
    ) {
        self.settings = settings
        self.client = client
        self.clock = clock
        self.pool = pool
        self.logger = logger
    }

    /// Nil for a token that is nobody's: wrong, expired, of another algorithm or without a user.
    func principal(of text: String, headerTenant: String?, standardTenant: String) async -> Principal? {
        guard let token = SignedToken(text), settings.algorithms.contains(token.algorithm) else { return nil }
        if state.withLock(\.keys)?.isSigned(token) != true {
            guard await lookAgain(), state.withLock(\.keys)?.isSigned(token) == true else { return nil }
        }
        guard token.isValid(at: clock.now()) else { return nil }
        return principal(token.claims, headerTenant, standardTenant)
    }

    private func principal(_ claims: JSONValue, _ headerTenant: String?, _ standardTenant: String) -> Principal? {
        guard var user = claims[settings.usernameClaim]?.string else { return nil }
        // `user@carbon.super`: the part behind the at is the gateway's own.
        if settings.usernameClaim == Self.wso2User { user = String(user.prefix { $0 != "@" }) }
        var tenant = headerTenant ?? standardTenant
        if let claim = settings.tenantClaim {
            guard let claimed = claims[claim]?.string, headerTenant == nil || headerTenant == claimed else {
                return nil
            }
            tenant = claimed
        }
        guard Self.isName(user), Self.isName(tenant) else { return nil }
        var roles = settings.defaultRoles
        if let claim = settings.rolesClaim, let value = claims[claim], !value.isNull {
            let words =
                value.array?.compactMap(\.string)
                ?? (value.string ?? "").split(separator: ",").map { ContentType.trimmed($0) }
            // Who has roles, but none that means anything here, has none.
            roles = Set(
                words.compactMap { settings.roleMap.isEmpty ? Role(rawValue: $0) : settings.roleMap[$0] })
        }
        return Principal(username: user, tenant: tenant, roles: roles)
    }

    private static func isName(_ text: String) -> Bool {
        (1...128).contains(text.utf8.count) && text.utf8.allSatisfy { $0 > 0x20 && $0 != 0x7f }
    }

    /// True when there may be other keys than before.
    private func lookAgain() async -> Bool {
        let now = clock.now()
        let isDue = state.withLock { state in
            guard now >= state.nextLook || state.nextLook.since(now) > Self.lookMilliseconds else { return false }
            state.nextLook = now.adding(milliseconds: Self.lookMilliseconds)
            return true
        }
        guard isDue else { return false }
        do {
            guard let keys = TokenKeys(try await readKeys()) else {
                throw ActorError(.invalidInput, "there is no public key in it (PEM or JWKS)")
            }
            state.withLock { $0.keys = keys }
            return true
        } catch {
            logger.error(
                "keys for signed tokens could not be read; those known before stay valid",
                metadata: [
                    LogKeys.file: "\(settings.keyFile ?? settings.keysURL ?? "-")", LogKeys.error: "\(error)",
                ])
            return false
        }
    }

    private func readKeys() async throws -> [UInt8] {
        if let file = settings.keyFile {
            return try await pool.runIfActive { try KeyFile.read(file) }
        }
        guard let url = settings.keysURL, let client else { throw ActorError(.invalidInput, "no key is configured") }
        let answer = try await client.send(
            OutgoingRequest(
                method: "GET", url: url, headers: [], body: [], timeoutMilliseconds: 10_000,
                maxResponseBytes: KeyFile.maxBytes),
            policy: .anywhere)
        guard answer.status == 200 else { throw ActorError(.unavailable, "\(url) answered \(answer.status)") }
        return answer.body
    }
}
