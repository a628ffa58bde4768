package import ActorCore

/// Who may do what.
package struct AuthSettings: Sendable, Equatable {
    /// False: every caller is admin; loopback only.
    package var isOn = true
    package var users: [UserSettings] = []
    /// Absolute; nil for `tokens.json` in the data folder.
    package var tokensFile: String?
    package var jwt: [JWTSettings] = []
}

/// One user and what the user may do.
package struct UserSettings: Sendable, Equatable {
    package var name: String
    package var roles: [Role]

    package init(name: String, roles: [Role]) {
        self.name = name
        self.roles = roles
    }
}

/// One kind of signed token that a gateway in front of the daemon sends.
package struct JWTSettings: Sendable, Equatable {
    /// `*` in it stands for the tenant.
    package var header = "Authorization"
    package var algorithms = ["RS256"]
    /// Absolute.
    package var publicKeyFile: String?
    package var usernameClaim = "sub"
    package var tenantClaim: String?
    package var rolesClaim: String?
    package var roleMap: [(name: String, role: Role)] = []
    package var defaultRoles: [Role] = [.user]

    package static func == (left: Self, right: Self) -> Bool {
        left.header == right.header && left.algorithms == right.algorithms
            && left.publicKeyFile == right.publicKeyFile && left.usernameClaim == right.usernameClaim
            && left.tenantClaim == right.tenantClaim && left.rolesClaim == right.rolesClaim
            && left.roleMap.elementsEqual(right.roleMap, by: ==) && left.defaultRoles == right.defaultRoles
    }
}
