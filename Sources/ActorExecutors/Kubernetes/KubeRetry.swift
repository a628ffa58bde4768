/// Whether a request is sent again at once, by the rules of kubectl: when the server names a time, and once after a 401
/// that a new credential may cure. Everything else is for whoever asked.
package struct KubeRetry: Sendable, Equatable {
    package enum Step: Sendable, Equatable {
        case take
        case again(afterMilliseconds: Int64)
        /// With a new credential.
        case renew
    }

    private static let maxWaits = 5
    /// Longer is the backoff of the job's, which holds nobody up.
    private static let longest: Int64 = 10_000

    private var waits = 0
    private var waited: Int64 = 0
    private var hasRenewed = false

    package init() {}

    /// - Parameters:
    ///   - retryAfter: seconds, as the answer's head has it.
    ///   - canRenew: the credential is one that was handed out, and may be handed out anew.
    package mutating func next(status: Int, retryAfter: Int?, canRenew: Bool) -> Step {
        if status == 401, canRenew, !hasRenewed {
            hasRenewed = true
            return .renew
        }
        guard status == 429 || (500..<600).contains(status) && retryAfter != nil else { return .take }
        let wait = Int64(min(max(retryAfter ?? 1, 0), 3600)) * 1000
        guard waits < Self.maxWaits, waited + wait <= Self.longest else { return .take }
        waits += 1
        waited += wait
        return .again(afterMilliseconds: wait)
    }
}
