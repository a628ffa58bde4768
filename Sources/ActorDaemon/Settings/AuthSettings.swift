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
    /// Lets the user log in for a token; nil for users who have tokens already.
    package var password: Secret?

    package init(name: String, roles: [Role], password: Secret? = nil) {
        self.name = name
        self.roles = roles
        self.password = password
    }
}

/// One kind of signed token that a gateway in front of the daemon sends.
package struct JWTSettings: Sendable, Equatable {
    /// `*` in it stands for the tenant.
    package var header = "Authorization"
    package var algorithms = ["RS256"]
    /// PEM, absolute.
    package var publicKeyFile: String?
    /// A JWKS document, absolute; or where one is fetched.
    package var keySetFile: String?
    package var keySetURL: String?
    package var usernameClaim = "sub"
    package var tenantClaim: String?
    package var rolesClaim: String?
    package var roleMap: [(name: String, role: Role)] = []
    package var defaultRoles: [Role] = [.user]

    package static func == (left: Self, right: Self) -> Bool {
        left.header == right.header && left.algorithms == right.algorithms
            && left.publicKeyFile == right.publicKeyFile && left.keySetFile == right.keySetFile
            && left.keySetURL == right.keySetURL && left.usernameClaim == right.usernameClaim
            && left.tenantClaim == right.tenantClaim && left.rolesClaim == right.rolesClaim
            && left.roleMap.elementsEqual(right.roleMap, by: ==) && left.defaultRoles == right.defaultRoles
    }
}
