internal import ActorCore
internal import Synchronization

/// Tokens that running scripts act through the API with; each ends with its execution.
///
/// An execution has the same one in every attempt and after a restart of the daemon, so that a script which outlives
/// the daemon is still known afterwards.
final class ExecutionTokens: Sendable {
    private let principals = Mutex<[String: Principal]>([:])
    private let code: @Sendable (ExecutionID) -> String
    private let configuredRoles: @Sendable (_ user: String, _ tenant: String) -> Set<Role>?

    /// - Parameter configuredRoles: what the house says about a user of a tenant; nil for whom it does not name.
    init(
        code: (@Sendable (ExecutionID) -> String)?,
        configuredRoles: @escaping @Sendable (_ user: String, _ tenant: String) -> Set<Role>? = { _, _ in nil }
    ) {
        self.configuredRoles = configuredRoles
        self.code =
            code ?? { _ in
                var random = SystemRandomNumberGenerator()
                return (0..<4).map { _ in String(random.next(), radix: 36) }.joined()
            }
    }

    /// Where codes are random it is another one each time.
    func text(of execution: ExecutionID) -> String { "rxe_" + code(execution) }

    func issue(for execution: ExecutionID, of spec: ActorSpec) -> String {
        let token = text(of: execution)
        let principal = Principal(username: spec.owner, tenant: spec.tenant, roles: roles(of: spec))
        principals.withLock { $0[token] = principal }
        return token
    }

    /// Never more than the owner may do, and never an administrator's. Whom the house does not name, as users of a
    /// gateway, has what was on record when the actor was made.
    private func roles(of spec: ActorSpec) -> Set<Role> {
        guard let roles = configuredRoles(spec.owner, spec.tenant) else {
            return spec.definition?.isOfLimitedUser == true ? [.limited] : [.user]
        }
        return roles.isUser ? [.user] : roles.intersection([.limited])
    }

    func revoke(_ token: String) { principals.withLock { _ = $0.removeValue(forKey: token) } }

    /// The lookup is by hash table: the token has 256 bits that nobody can guess, so its timing tells nothing that can
    /// be used.
    func principal(_ token: String) -> Principal? { principals.withLock { $0[token] } }
}
