import ActorCore
import GRDB

/// An alias as it lies in its table.
enum AliasRow {
    static let columns = "tenant, name, actor, owner, created, declared"

    static func arguments(_ alias: Alias) -> StatementArguments {
        [
            alias.tenant, alias.name, alias.actor.rawValue, alias.owner, alias.created.milliseconds,
            alias.isDeclared ? 1 : 0,
        ]
    }

    static func alias(_ row: Row) -> Alias {
        Alias(
            tenant: row[0], name: row[1], actor: ActorID(row[2]), owner: row[3],
            created: Timestamp(milliseconds: row[4]), isDeclared: row[5] == 1)
    }
}

/// A permission as it lies in its table.
enum GrantRow {
    static let columns = "kind, tenant, target, user, level"

    static func arguments(_ grant: Grant) -> StatementArguments {
        [grant.target.kind.rawValue, grant.target.tenant, grant.target.name, grant.user, grant.level.rawValue]
    }

    static func grant(_ row: Row) throws -> Grant {
        Grant(
            GrantTarget(try StoredWord.decode(row[0], of: "kind of permission"), row[2], tenant: row[1]),
            user: row[3], level: try StoredWord.decode(row[4], of: "permission level"))
    }
}

/// A shared config as it lies in its table.
enum ConfigRow {
    static let columns = "tenant, name, value, is_secret, actors, created, updated"

    static func arguments(_ config: SharedConfig) -> StatementArguments {
        [
            config.tenant, config.name, config.value, config.isSecret ? 1 : 0, config.actors,
            config.created.milliseconds, config.updated.milliseconds,
        ]
    }

    static func config(_ row: Row) -> SharedConfig {
        SharedConfig(
            tenant: row[0], name: row[1], value: row[2], isSecret: row[3] == 1, actors: row[4],
            created: Timestamp(milliseconds: row[5]), updated: Timestamp(milliseconds: row[6]))
    }
}
