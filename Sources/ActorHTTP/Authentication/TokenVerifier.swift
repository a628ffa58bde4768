package import ActorCore
import Crypto
package import Logging
package import NIOPosix
import Synchronization

/// Knows bearer tokens by their SHA-256 and tells whose they are; tokens themselves are never kept.
package final class TokenVerifier: Sendable {
    struct Entry: Sendable, Equatable {
        /// 32 bytes.
        let digest: [UInt8]
        let username: String
        let expires: Timestamp?
    }

    private struct State {
        var entries: [Entry] = []
        var stamp: TokensFile.Stamp?
        var nextLook = Timestamp(milliseconds: 0)

        /// Until the file was read once everybody reads it: the first of many requests after a start must not turn the
        /// others away. A look that is further ahead than a second was planned before the clock was set back.
        func isLookDue(_ now: Timestamp) -> Bool {
            now >= nextLook || nextLook.since(now) > TokenVerifier.lookIntervalMilliseconds || stamp == nil
        }
    }

    private static let lookIntervalMilliseconds: Int64 = 1000

    private let state = Mutex(State())
    private let admin: Entry?
    private let file: String?
    private let users: [String: Set<Role>]
    private let tenant: String
    private let executionPrincipal: @Sendable (String) -> Principal?
    /// Tokens of users who logged in; nil when nobody can.
    let logins: LoginTokens?
    private let clock: any Timekeeper
    private let pool: NIOThreadPool
    private let logger: Logger

    /// - Parameters:
    ///   - adminToken: opens everything; nil for none.
    ///   - tokensFile: JSON, SHA-256 of a token in hex to a user name or `{"user": …, "expires": …}`.
    ///   - users: roles by user name; a user who is not listed has the role `user`.
    ///   - executionPrincipal: whom the token of a running execution acts for.
    package init(
        adminToken: String?, tokensFile: String?, users: [String: Set<Role>], tenant: String,
        executionPrincipal: @escaping @Sendable (String) -> Principal?, logins: LoginTokens? = nil,
        clock: any Timekeeper, pool: NIOThreadPool, logger: Logger
    ) {
        self.logins = logins
        self.admin = adminToken.flatMap { token in
            token.isEmpty ? nil : Entry(digest: Self.digest(of: token), username: "admin", expires: nil)
        }
        self.file = tokensFile
        self.users = users
        self.tenant = tenant
        self.executionPrincipal = executionPrincipal
        self.clock = clock
        self.pool = pool
        self.logger = logger
    }

    /// Whose token this is; nil for nobody's.
    package func principal(of token: String) async -> Principal? {
        await reloadIfDue()
        return knownPrincipal(of: token)
    }

    /// The file should be looked at before the next token is judged.
    var isLookDue: Bool { file != nil && state.withLock { $0.isLookDue(clock.now()) } }

    /// By what is known already. Every entry is compared in full, so that the time taken tells nothing.
    func knownPrincipal(of token: String) -> Principal? {
        let digest = Self.digest(of: token)
        let now = clock.now()
        var found: Entry?
        for entry in state.withLock(\.entries) where ConstantTime.areEqual(entry.digest, digest) { found = entry }
        if let admin, ConstantTime.areEqual(admin.digest, digest) {
            return Principal(username: admin.username, tenant: tenant, roles: [.admin])
        }
        if let found, found.expires.map({ now < $0 }) ?? true {
            return Principal(username: found.username, tenant: tenant, roles: users[found.username] ?? [.user])
        }
        if let principal = executionPrincipal(token) { return principal }
        return logins?.user(of: token).map {
            Principal(username: $0, tenant: tenant, roles: users[$0] ?? [.user])
        }
    }

    /// What `config.yml` says about a user; nil when it names none of that name.
    func configuredRoles(of user: String) -> Set<Role>? { users[user] }

    /// At most once a second, and only when the file has changed. A broken file leaves what was known.
    private func reloadIfDue() async {
        guard let file else { return }
        let now = clock.now()
        let known: TokensFile.Stamp?? = state.withLock { state in
            guard state.isLookDue(now) else { return nil }
            state.nextLook = now.adding(milliseconds: Self.lookIntervalMilliseconds)
            return .some(state.stamp)
        }
        guard let known else { return }
        do {
            let change = try await pool.runIfActive { try TokensFile.read(file, unless: known) }
            guard let change else { return }
            state.withLock { state in
                state.stamp = change.stamp
                if let entries = change.entries { state.entries = entries }
            }
            if let problem = change.problem {
                logger.error(
                    "the tokens file is broken; the tokens known before stay valid",
                    metadata: [LogKeys.file: "\(file)", LogKeys.reason: "\(problem)"])
            }
        } catch {
            logger.error(
                "the tokens file could not be read; the tokens known before stay valid",
                metadata: [LogKeys.file: "\(file)", LogKeys.error: "\(error)"])
        }
    }

    @Sendable static func hexadecimalDigest(_ bytes: [UInt8]) -> String { Hexadecimal.text(SHA256.hash(data: bytes)) }

    static func digest(of token: String) -> [UInt8] {
        var (token, hash) = (token, SHA256())
        token.withUTF8 { hash.update(bufferPointer: UnsafeRawBufferPointer($0)) }
        return Array(hash.finalize())
    }
}
