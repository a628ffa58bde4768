import ActorCore
import GRDB

/// An actor as it lies in its table.
enum ActorRow {
    static let columns = "id, tenant, name, owner, fingerprint, revision, created, updated, definition"

    static func arguments(_ actor: StoredActor) -> StatementArguments {
        [
            actor.id.rawValue, actor.tenant, actor.name, actor.owner, actor.fingerprint, actor.revision,
            actor.created.milliseconds, actor.updated.milliseconds, actor.definition.map { JSONText.encode($0.json) },
        ]
    }

    static func actor(_ row: Row) throws -> StoredActor {
        let definition: String? = row[8]
        return StoredActor(
            id: ActorID(row[0]), tenant: row[1], name: row[2], owner: row[3], fingerprint: row[4], revision: row[5],
            created: Timestamp(milliseconds: row[6]), updated: Timestamp(milliseconds: row[7]),
            definition: try definition.flatMap {
                ActorDefinition(json: try JSONText.decode($0, of: "definition of an actor"))
            })
    }
}

/// A nonce as it lies in its table.
enum NonceRow {
    static let columns = """
        id, tenant, actor, alias, level, max_uses, current_uses, owner, roles, description, created, last_used
        """

    static func arguments(_ nonce: Nonce) -> StatementArguments {
        [
            nonce.id.rawValue, nonce.tenant, nonce.actor?.rawValue, nonce.alias, nonce.level.rawValue, nonce.maxUses,
            nonce.currentUses, nonce.owner, JSONText.encode(.array(nonce.roles.map { .string($0.rawValue) })),
            nonce.description, nonce.created.milliseconds, nonce.lastUsed?.milliseconds,
        ]
    }

    static func nonce(_ row: Row) throws -> Nonce {
        let actor: String? = row[2]
        let roles = try JSONText.decode(row[8], of: "roles").array ?? []
        let lastUsed: Int64? = row[11]
        return Nonce(
            id: NonceID(row[0]), tenant: row[1], actor: actor.map { ActorID($0) }, alias: row[3],
            level: try StoredWord.decode(row[4], of: "permission level"), maxUses: row[5], currentUses: row[6],
            owner: row[7], roles: try roles.map { try StoredWord.decode($0.string ?? "", of: "role") },
            description: row[9], created: Timestamp(milliseconds: row[10]),
            lastUsed: lastUsed.map { Timestamp(milliseconds: $0) })
    }
}

/// An entry of the audit trail as it lies in its table.
enum AuditRow {
    static let columns = "at, who, action, target, outcome"

    static func entry(_ row: Row) -> AuditEntry {
        AuditEntry(
            at: Timestamp(milliseconds: row[0]), who: row[1], action: row[2], target: row[3], outcome: row[4])
    }
}
