import ActorCore

/// Actors made over HTTP, aliases, permissions, shared configs, revisions of states.
extension StoreSuite {
    static let sharingChecks: [Check] = [
        Check("an actor that was made is kept with its definition and goes with all that is its own", actors),
        Check("a state counts its changes and refuses who expected another", states),
        Check("aliases are unique, move, and go with their nonces", aliases),
        Check("permissions are replaced and listed", grants),
        Check("configs are unique in their tenant", configs),
    ]

    private static func made(_ id: String, tenant: String = "suite") -> StoredActor {
        var definition = ActorDefinition(image: "lab/\(id)")
        definition.name = "a name"
        definition.stateless = false
        definition.kind = "other"
        definition.link = "elsewhere"
        definition.webhook = "https://example.org/hook"
        definition.webhookSecret = WebhookSecret(key: [UInt8](repeating: 7, count: 32))
        definition.token = true
        definition.hints = ["sync", "ä"]
        definition.description = "what it does"
        definition.privileged = true
        definition.maxWorkers = 3
        definition.memoryLimit = "100m"
        definition.maxCPUs = 1_000_000_000
        definition.useContainerUID = true
        definition.queue = "special"
        definition.environment = ["number": 1.5, "nothing": nil]
        definition.logSeconds = 60
        definition.cronSchedule = "now + 1 hour"
        definition.cronOn = true
        definition.runAsExecutor = true
        definition.messageSchema = ["type": "object"]
        return StoredActor(
            id: ActorID(id), tenant: tenant, name: "a name", owner: "alice", fingerprint: "", revision: 1,
            created: noon, updated: noon, definition: definition)
    }

    private static func actors(_ store: any Store) async throws {
        var first = made("made1")
        try await store.make(first)
        try await store.make(made("made2"))
        first.revision = 2
        first.updated = after(1)
        first.definition?.image = "lab/next"
        try await store.make(first)
        let all = try await store.actors()
        try equal(all, [first, made("made2")], "the actors")
        let target = GrantTarget(.actor, "made1", tenant: "suite")
        let owners = try await store.grants(on: target)
        try equal(owners, ["alice": .update], "the owner's permission")
        _ = try await store.replaceState("s", of: first.id, expected: nil, at: noon)
        try await store.setSchedule(ScheduleRecord(schedule: "x", anchor: noon, next: noon), of: first.id)
        try await store.create(alias("led", to: first.id))
        try await store.create(
            Nonce(
                id: NonceID("n"), tenant: "suite", actor: first.id, alias: nil, level: .read, maxUses: 1,
                owner: "alice", roles: [.user], created: noon))
        let removed = try await store.remove(first.id)
        let again = try await store.remove(first.id)
        try equal([removed, again], [true, false], "removing")
        let left = try await store.actors()
        try equal(left, [made("made2")], "the actors that are left")
        let state = try await store.keptState(of: first.id)
        try equal(state, .none, "the state of one that is gone")
        let plans = try await store.schedules()
        try equal(plans, [:], "its plan")
        let nonces = try await store.nonces(of: first.id)
        try equal(nonces, [], "its nonces")
        let grants = try await store.grants(on: target)
        try equal(grants, [:], "its permissions")
        let aliases = try await store.aliases()
        try equal(aliases, [], "its aliases")
    }

    private static func states(_ store: any Store) async throws {
        let unset = try await store.keptState(of: actor)
        try equal(unset, .none, "a state that was never set")
        let first = try await store.replaceState(["n": 1], of: actor, expected: 0, at: noon)
        let second = try await store.replaceState(["n": 2], of: actor, expected: nil, at: noon)
        try equal([first, second], [1, 2], "revisions")
        try await expect(.conflict, "another revision") {
            _ = try await store.replaceState(["n": 3], of: actor, expected: 1, at: noon)
        }
        try await store.setState(["n": 4], of: actor, at: noon)
        var effects = Effects()
        effects.state = ["n": 5]
        try await commit(effects, as: "e", in: store)
        let kept = try await store.keptState(of: actor)
        try equal(kept, KeptState(value: ["n": 5], revision: 4), "after changes of every kind")
    }

    private static func alias(_ name: String, to actor: ActorID, tenant: String = "suite") -> Alias {
        Alias(tenant: tenant, name: name, actor: actor, owner: "alice", created: noon)
    }

    private static func aliases(_ store: any Store) async throws {
        try await store.create(alias("one", to: actor))
        try await store.create(alias("one", to: actor, tenant: "other"))
        try await expect(.conflict, "a name that is taken") { try await store.create(alias("one", to: other)) }
        let declared = StoredActor(
            id: actor, tenant: "suite", name: "folder", owner: "bob", fingerprint: "f", revision: 1, created: noon,
            updated: noon)
        try await store.save(declared)
        var taken = declared
        taken.id = other
        taken.name = "one"
        try await store.save(taken)
        let found = try await store.alias("one", tenant: "other")
        try equal(found, alias("one", to: actor, tenant: "other"), "an alias by its name")
        let unknown = try await store.alias("folder", tenant: "other")
        try equal(unknown, nil, "an alias of another tenant")
        let moved = try await store.move(alias: "one", tenant: "suite", to: other)
        let none = try await store.move(alias: "none", tenant: "suite", to: other)
        try equal([moved, none], [true, false], "moving")
        let all = try await store.aliases()
        try equal(
            all,
            [
                alias("one", to: actor, tenant: "other"),
                Alias(tenant: "suite", name: "folder", actor: actor, owner: "bob", created: noon, isDeclared: true),
                alias("one", to: other),
            ], "the aliases")
        let nonce = Nonce(
            id: NonceID("n"), tenant: "suite", actor: nil, alias: "one", level: .read, maxUses: 1, owner: "alice",
            roles: [.user], created: noon)
        try await store.create(nonce)
        let nonces = try await store.nonces(ofAlias: "one", tenant: "suite")
        let others = try await store.nonces(ofAlias: "one", tenant: "other")
        try equal([nonces, others], [[nonce], []], "nonces of an alias")
        let removed = try await store.removeAlias("one", tenant: "suite")
        let again = try await store.removeAlias("one", tenant: "suite")
        try equal([removed, again], [true, false], "removing")
        let gone = try await store.nonce(nonce.id)
        try equal(gone, nil, "the nonce of an alias that is gone")
        let grants = try await store.grants(on: GrantTarget(.alias, "one", tenant: "suite"))
        try equal(grants, [:], "the permissions of an alias that is gone")
        let kept = try await store.grants(on: GrantTarget(.alias, "one", tenant: "other"))
        try equal(kept, ["alice": .update], "those of its namesake")
    }

    private static func grants(_ store: any Store) async throws {
        let target = GrantTarget(.actor, "a", tenant: "suite")
        try await store.set(Grant(target, user: "bob", level: .read))
        try await store.set(Grant(target, user: "bob", level: .execute))
        try await store.set(Grant(target, user: GrantTarget.everybody, level: .none))
        try await store.set(Grant(GrantTarget(.actor, "a", tenant: "other"), user: "bob", level: .update))
        try await store.set(Grant(GrantTarget(.alias, "a", tenant: "suite"), user: "carol", level: .update))
        let levels = try await store.grants(on: target)
        try equal(levels, ["bob": .execute, GrantTarget.everybody: .none], "the levels")
        let all = try await store.grants(.actor)
        try equal(
            all.map { "\($0.target.tenant) \($0.user) \($0.level.rawValue)" },
            ["other bob UPDATE", "suite ABACO_WORLD NONE", "suite bob EXECUTE"], "all for actors")
    }

    private static func configs(_ store: any Store) async throws {
        var config = SharedConfig(
            tenant: "suite", name: "c", value: "v", isSecret: false, actors: "a, b", created: noon, updated: noon)
        try await store.create(config, owner: "alice")
        try await expect(.conflict, "a name that is taken") { try await store.create(config, owner: "bob") }
        config.value = "w"
        config.isSecret = true
        config.actors = "a"
        config.updated = after(1)
        let updated = try await store.update(config)
        let all = try await store.configs(tenant: "suite")
        let none = try await store.configs(tenant: "other")
        try equal([all, none], [[config], []], "the configs")
        let grants = try await store.grants(on: GrantTarget(.config, "c", tenant: "suite"))
        try equal(grants, ["alice": .update], "the owner's permission")
        let removed = try await store.removeConfig("c", tenant: "suite")
        let again = try await store.update(config)
        try equal([updated, removed, again], [true, true, false], "what was there")
    }
}
