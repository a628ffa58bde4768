/// Another name of an actor, unique in its tenant (actors API, section 6.7).
package struct Alias: Sendable, Equatable {
    package let tenant: String
    package let name: String
    package var actor: ActorID
    package let owner: String
    package let created: Timestamp
    /// The name of a folder: it comes and goes with the folder.
    package let isDeclared: Bool

    package init(
        tenant: String, name: String, actor: ActorID, owner: String, created: Timestamp, isDeclared: Bool = false
    ) {
        self.tenant = tenant
        self.name = name
        self.actor = actor
        self.owner = owner
        self.created = created
        self.isDeclared = isDeclared
    }
}

/// A value that several actors are given (actors API, section 6.9).
package struct SharedConfig: Sendable, Equatable {
    package let tenant: String
    package let name: String
    /// Sealed when it is a secret.
    package var value: String
    package var isSecret: Bool
    /// Ids and aliases, comma separated, as somebody typed them.
    package var actors: String
    package let created: Timestamp
    package var updated: Timestamp

    package init(
        tenant: String, name: String, value: String, isSecret: Bool, actors: String, created: Timestamp,
        updated: Timestamp
    ) {
        self.tenant = tenant
        self.name = name
        self.value = value
        self.isSecret = isSecret
        self.actors = actors
        self.created = created
        self.updated = updated
    }

    package var actorWords: [String] {
        actors.split(separator: ",").map { word in
            String(word.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
        }.filter { !$0.isEmpty }
    }
}

/// What somebody may be allowed to use: the key of a list of permissions.
package struct GrantTarget: Sendable, Hashable {
    package enum Kind: String, Sendable, CaseIterable {
        case actor, alias, config
    }

    package let kind: Kind
    package let tenant: String
    /// The actor's id, or the name of the alias or the config.
    package let name: String

    package init(_ kind: Kind, _ name: String, tenant: String) {
        self.kind = kind
        self.name = name
        self.tenant = tenant
    }

    /// Stands for everybody of the tenant.
    package static let everybody = "ABACO_WORLD"
}

/// One entry of a list of permissions.
package struct Grant: Sendable, Equatable {
    package let target: GrantTarget
    package let user: String
    package let level: PermissionLevel

    package init(_ target: GrantTarget, user: String, level: PermissionLevel) {
        self.target = target
        self.user = user
        self.level = level
    }
}

/// An actor's state with the number of its change: what two writers tell their versions apart by.
package struct KeptState: Sendable, Equatable {
    /// An actor whose state was never set has an empty one, number 0.
    package static let none = KeptState(value: .object([]), revision: 0)

    package let value: JSONValue
    package let revision: Int

    package init(value: JSONValue, revision: Int) {
        self.value = value
        self.revision = revision
    }
}
