package import ActorCore
import GRDB

extension SQLiteStore: SharingStore {
    package func make(_ actor: StoredActor) async throws(ActorError) {
        try await writer.submit { db, ledger in
            let isNew = try db.row("SELECT 1 FROM actors WHERE id = ?", [actor.id.rawValue]) == nil
            try db.store(actor)
            if isNew { try db.store(Grant(actor.target, user: actor.owner, level: .update)) }
            ledger.note(.actorsChanged)
        }
    }

    package func remove(_ actor: ActorID) async throws(ActorError) -> Bool {
        try await writer.submit { db, ledger in
            let id = actor.rawValue
            guard let row = try db.row("SELECT tenant FROM actors WHERE id = ?", [id]) else { return false }
            let tenant: String = row[0]
            let names: [String] = try db.rows(
                "SELECT name FROM aliases WHERE tenant = ? AND actor = ?", [tenant, id]
            ) { $0[0] }
            for name in names { try db.removeAlias(name, tenant: tenant) }
            for table in ["state", "schedules", "nonces"] {
                try db.run("DELETE FROM \(table) WHERE actor = ?", [id])
            }
            try db.removeGrants(on: GrantTarget(.actor, id, tenant: tenant))
            try db.run("DELETE FROM actors WHERE id = ?", [id])
            ledger.note(.actorsChanged)
            return true
        }
    }

    package func keptState(of actor: ActorID) async throws(ActorError) -> KeptState {
        try await read { db in
            try db.row("SELECT body, revision FROM state WHERE actor = ?", [actor.rawValue])
                .map { KeptState(value: try JSONText.decode($0[0], of: "state"), revision: $0[1]) } ?? .none
        }
    }

    package func replaceState(
        _ state: JSONValue, of actor: ActorID, expected: Int?, at now: Timestamp
    ) async throws(ActorError) -> Int {
        try await writer.submit { db, _ in
            let row = try db.row("SELECT revision FROM state WHERE actor = ?", [actor.rawValue])
            let found: Int = row?[0] ?? 0
            if let expected, expected != found {
                throw ActorError(.conflict, "the state has changed: it is at revision \(found), not \(expected)")
            }
            try db.store(state, of: actor, at: now)
            return found + 1
        }
    }

    package func aliases() async throws(ActorError) -> [Alias] {
        try await read { db in
            try db.rows("SELECT \(AliasRow.columns) FROM aliases ORDER BY tenant, name", [], AliasRow.alias)
        }
    }

    package func alias(_ name: String, tenant: String) async throws(ActorError) -> Alias? {
        try await read { db in
            try db.row("SELECT \(AliasRow.columns) FROM aliases WHERE tenant = ? AND name = ?", [tenant, name])
                .map(AliasRow.alias)
        }
    }

    package func create(_ alias: Alias) async throws(ActorError) {
        try await writer.submit { db, ledger in
            try db.run(
                "INSERT INTO aliases (\(AliasRow.columns)) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
                AliasRow.arguments(alias))
            guard db.changesCount == 1 else {
                throw ActorError(.conflict, "there is an alias \(alias.name) already")
            }
            try db.store(
                Grant(
                    GrantTarget(.alias, alias.name, tenant: alias.tenant), user: alias.owner, level: .update))
            ledger.note(.actorsChanged)
        }
    }

    package func move(alias name: String, tenant: String, to actor: ActorID) async throws(ActorError) -> Bool {
        try await writer.submit { db, ledger in
            try db.run(
                "UPDATE aliases SET actor = ? WHERE tenant = ? AND name = ?", [actor.rawValue, tenant, name])
            ledger.note(.actorsChanged)
            return db.changesCount == 1
        }
    }

    package func removeAlias(_ name: String, tenant: String) async throws(ActorError) -> Bool {
        try await writer.submit { db, ledger in
            ledger.note(.actorsChanged)
            return try db.removeAlias(name, tenant: tenant)
        }
    }

    package func nonces(ofAlias name: String, tenant: String) async throws(ActorError) -> [Nonce] {
        try await read { db in
            try db.rows(
                "SELECT \(NonceRow.columns) FROM nonces WHERE tenant = ? AND alias = ? ORDER BY created, id",
                [tenant, name], NonceRow.nonce)
        }
    }

    package func grants(_ kind: GrantTarget.Kind) async throws(ActorError) -> [Grant] {
        try await read { db in
            try db.rows(
                "SELECT \(GrantRow.columns) FROM grants WHERE kind = ? ORDER BY tenant, target, user",
                [kind.rawValue], GrantRow.grant)
        }
    }

    package func grants(on target: GrantTarget) async throws(ActorError) -> [String: PermissionLevel] {
        let grants = try await read { db in
            try db.rows(
                "SELECT \(GrantRow.columns) FROM grants WHERE kind = ? AND tenant = ? AND target = ?",
                [target.kind.rawValue, target.tenant, target.name], GrantRow.grant)
        }
        return Dictionary(grants.map { ($0.user, $0.level) }) { _, last in last }
    }

    package func set(_ grant: Grant) async throws(ActorError) {
        try await writer.submit { db, _ in try db.store(grant) }
    }

    package func configs(tenant: String) async throws(ActorError) -> [SharedConfig] {
        try await read { db in
            try db.rows(
                "SELECT \(ConfigRow.columns) FROM configs WHERE tenant = ? ORDER BY name", [tenant], ConfigRow.config)
        }
    }

    package func config(_ name: String, tenant: String) async throws(ActorError) -> SharedConfig? {
        try await read { db in
            try db.row("SELECT \(ConfigRow.columns) FROM configs WHERE tenant = ? AND name = ?", [tenant, name])
                .map(ConfigRow.config)
        }
    }

    package func create(_ config: SharedConfig, owner: String) async throws(ActorError) {
        try await writer.submit { db, _ in
            try db.run(
                "INSERT INTO configs (\(ConfigRow.columns)) VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
                ConfigRow.arguments(config))
            guard db.changesCount == 1 else {
                throw ActorError(.conflict, "there is a config \(config.name) already")
            }
            try db.store(
                Grant(GrantTarget(.config, config.name, tenant: config.tenant), user: owner, level: .update))
        }
    }

    package func update(_ config: SharedConfig) async throws(ActorError) -> Bool {
        try await writer.submit { db, _ in
            try db.run(
                """
                UPDATE configs SET value = ?, is_secret = ?, actors = ?, updated = ? WHERE tenant = ? AND name = ?
                """,
                [
                    config.value, config.isSecret ? 1 : 0, config.actors, config.updated.milliseconds, config.tenant,
                    config.name,
                ])
            return db.changesCount == 1
        }
    }

    package func removeConfig(_ name: String, tenant: String) async throws(ActorError) -> Bool {
        try await writer.submit { db, _ in
            try db.run("DELETE FROM configs WHERE tenant = ? AND name = ?", [tenant, name])
            guard db.changesCount == 1 else { return false }
            try db.removeGrants(on: GrantTarget(.config, name, tenant: tenant))
            return true
        }
    }
}

extension StoredActor {
    fileprivate var target: GrantTarget { GrantTarget(.actor, id.rawValue, tenant: tenant) }
}

extension Database {
    /// The row of an actor, new or changed.
    func store(_ actor: StoredActor) throws {
        try run(
            """
            INSERT INTO actors (\(ActorRow.columns)) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT (id) DO UPDATE SET tenant = excluded.tenant, name = excluded.name, owner = excluded.owner,
                fingerprint = excluded.fingerprint, revision = excluded.revision, created = excluded.created,
                updated = excluded.updated, definition = excluded.definition
            """,
            ActorRow.arguments(actor))
    }

    fileprivate func store(_ grant: Grant) throws {
        try run(
            """
            INSERT INTO grants (\(GrantRow.columns)) VALUES (?, ?, ?, ?, ?)
            ON CONFLICT (kind, tenant, target, user) DO UPDATE SET level = excluded.level
            """,
            GrantRow.arguments(grant))
    }

    fileprivate func removeGrants(on target: GrantTarget) throws {
        try run(
            "DELETE FROM grants WHERE kind = ? AND tenant = ? AND target = ?",
            [target.kind.rawValue, target.tenant, target.name])
    }

    @discardableResult
    fileprivate func removeAlias(_ name: String, tenant: String) throws -> Bool {
        try run("DELETE FROM nonces WHERE tenant = ? AND alias = ?", [tenant, name])
        try removeGrants(on: GrantTarget(.alias, name, tenant: tenant))
        try run("DELETE FROM aliases WHERE tenant = ? AND name = ?", [tenant, name])
        return changesCount == 1
    }
}
