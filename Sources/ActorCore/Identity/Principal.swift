/// What a caller may do at all; what it may do to one actor is a ``PermissionLevel``.
package enum Role: String, Sendable, CaseIterable, Codable {
    case admin
    case privileged
    case user
    case limited
}

extension Set<Role> {
    /// At least a user: not one who has only the role `limited`, or none.
    package var isUser: Bool { !isDisjoint(with: [.user, .privileged, .admin]) }
}

/// How much one user may do to one actor, alias or nonce; each level includes those before it.
package enum PermissionLevel: String, Sendable, CaseIterable, Comparable {
    case none = "NONE"
    case read = "READ"
    case execute = "EXECUTE"
    case update = "UPDATE"

    private var rank: Int { Self.allCases.firstIndex(of: self) ?? 0 }

    package static func < (left: Self, right: Self) -> Bool { left.rank < right.rank }
}

/// Who asks: the authenticated caller of one request.
package struct Principal: Sendable, Equatable {
    package var username: String
    package var tenant: String
    package var roles: Set<Role>
    /// The nonce that the caller showed instead of a token; its level bounds what the call may do.
    package var nonce: NonceID?

    package init(username: String, tenant: String, roles: Set<Role>, nonce: NonceID? = nil) {
        self.username = username
        self.tenant = tenant
        self.roles = roles
        self.nonce = nonce
    }

    package var isAdmin: Bool { nonce == nil && roles.contains(.admin) }
}
