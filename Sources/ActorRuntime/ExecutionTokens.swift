internal import ActorCore
internal import Synchronization

/// Tokens that running scripts act through the API with; each ends with its execution.
final class ExecutionTokens: Sendable {
    private let principals = Mutex<[String: Principal]>([:])

    func issue(for spec: ActorSpec) -> String {
        var random = SystemRandomNumberGenerator()
        let token = "rxe_" + (0..<4).map { _ in String(random.next(), radix: 36) }.joined()
        principals.withLock {
            $0[token] = Principal(username: spec.owner, tenant: spec.tenant, roles: [.user])
        }
        return token
    }

    func revoke(_ token: String) { principals.withLock { _ = $0.removeValue(forKey: token) } }

    /// The lookup is by hash table: the token has 256 random bits, so its timing tells nothing that can be used.
    func principal(_ token: String) -> Principal? { principals.withLock { $0[token] } }
}
