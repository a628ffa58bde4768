package import ActorCore
import GRDB

extension SQLiteStore: RegistryStore {
    package func actors() async throws(ActorError) -> [StoredActor] {
        try await read { db in
            try db.rows("SELECT \(ActorRow.columns) FROM actors ORDER BY tenant, name, id", [], ActorRow.actor)
        }
    }

    package func save(_ actor: StoredActor) async throws(ActorError) {
        try await writer.submit { db, ledger in
            try db.store(actor)
            // The name of an actor's folder is its alias; one that led to another folder's actor now leads here. One
            // that somebody made over HTTP is not taken away.
            try db.run("DELETE FROM aliases WHERE actor = ? AND declared = 1", [actor.id.rawValue])
            try db.run(
                """
                INSERT INTO aliases (\(AliasRow.columns)) VALUES (?, ?, ?, ?, ?, ?)
                ON CONFLICT (tenant, name) DO UPDATE SET actor = excluded.actor, owner = excluded.owner
                WHERE declared = 1
                """,
                AliasRow.arguments(
                    Alias(
                        tenant: actor.tenant, name: actor.name, actor: actor.id, owner: actor.owner,
                        created: actor.created, isDeclared: true)))
            ledger.note(.actorsChanged)
        }
    }

    package func state(of actor: ActorID) async throws(ActorError) -> JSONValue? {
        try await read { db in
            try db.row("SELECT body FROM state WHERE actor = ?", [actor.rawValue])
                .map { try JSONText.decode($0[0], of: "state") }
        }
    }

    package func setState(
        _ state: JSONValue, of actor: ActorID, at now: Timestamp
    ) async throws(ActorError) {
        try await writer.submit { db, _ in try db.store(state, of: actor, at: now) }
    }

    package func create(_ nonce: Nonce) async throws(ActorError) {
        try await writer.submit { db, _ in
            try db.run(
                "INSERT INTO nonces (\(NonceRow.columns)) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                NonceRow.arguments(nonce))
        }
    }

    package func nonce(_ id: NonceID) async throws(ActorError) -> Nonce? {
        try await read { db in
            try db.row("SELECT \(NonceRow.columns) FROM nonces WHERE id = ?", [id.rawValue]).map(NonceRow.nonce)
        }
    }

    package func nonces(of actor: ActorID) async throws(ActorError) -> [Nonce] {
        try await read { db in
            try db.rows(
                "SELECT \(NonceRow.columns) FROM nonces WHERE actor = ? ORDER BY created, id", [actor.rawValue],
                NonceRow.nonce)
        }
    }

    package func deleteNonce(_ id: NonceID) async throws(ActorError) -> Bool {
        try await writer.submit { db, _ in
            try db.run("DELETE FROM nonces WHERE id = ?", [id.rawValue])
            return db.changesCount == 1
        }
    }

    package func useNonce(_ id: NonceID, at now: Timestamp) async throws(ActorError) -> Bool {
        try await writer.submit { db, _ in try db.countUse(of: id, at: now) }
    }

    package func schedules() async throws(ActorError) -> [ActorID: ScheduleRecord] {
        let plans = try await read { db in
            try db.rows("SELECT \(ScheduleRow.columns) FROM schedules", [], ScheduleRow.plan)
        }
        return Dictionary(plans) { _, last in last }
    }

    package func setSchedule(_ record: ScheduleRecord?, of actor: ActorID) async throws(ActorError) {
        try await writer.submit { db, _ in
            if let record {
                try db.run(
                    "INSERT OR REPLACE INTO schedules (\(ScheduleRow.columns)) VALUES (?, ?, ?, ?, ?, ?)",
                    ScheduleRow.arguments(record, of: actor))
            } else {
                try db.run("DELETE FROM schedules WHERE actor = ?", [actor.rawValue])
            }
        }
    }

    package func setting(_ key: String) async throws(ActorError) -> String? {
        try await read { db in try db.setting(key) }
    }

    package func setSetting(_ key: String, _ value: String) async throws(ActorError) {
        try await writer.submit { db, _ in try db.setSetting(key, value) }
    }

    package func audit(_ entry: AuditEntry) async throws(ActorError) {
        try await writer.submit { db, _ in try db.audit(entry) }
    }

    package func audits(limit: Int) async throws(ActorError) -> [AuditEntry] {
        try await read { db in
            try db.rows(
                "SELECT \(AuditRow.columns) FROM audit ORDER BY id DESC LIMIT ?", [max(0, limit)], AuditRow.entry)
        }
    }
}
