/// A capability that rides in a URL: it lets its holder act on one actor or alias, at one level, so many times.
package struct Nonce: Sendable, Equatable {
    package let id: NonceID
    package let tenant: String
    /// The actor it opens; nil for a nonce of an alias.
    package let actor: ActorID?
    package let alias: String?
    package let level: PermissionLevel
    /// -1 stands for "without limit".
    package let maxUses: Int
    package var currentUses: Int
    package let owner: String
    package let roles: [Role]
    package let description: String
    package let created: Timestamp
    package var lastUsed: Timestamp?

    package init(
        id: NonceID, tenant: String, actor: ActorID?, alias: String?, level: PermissionLevel, maxUses: Int,
        currentUses: Int = 0, owner: String, roles: [Role], description: String = "", created: Timestamp,
        lastUsed: Timestamp? = nil
    ) {
        self.id = id
        self.tenant = tenant
        self.actor = actor
        self.alias = alias
        self.level = level
        self.maxUses = maxUses
        self.currentUses = currentUses
        self.owner = owner
        self.roles = roles
        self.description = description
        self.created = created
        self.lastUsed = lastUsed
    }

    package var remainingUses: Int { maxUses < 0 ? -1 : max(0, maxUses - currentUses) }
    package var isExhausted: Bool { maxUses >= 0 && currentUses >= maxUses }
}
