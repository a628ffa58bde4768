package import ActorCore

/// What ``MemoryStore`` keeps of names and permissions.
struct MemorySharing: Sendable {
    struct Name: Hashable, Sendable {
        let tenant: String
        let name: String
    }

    var aliases: [Name: Alias] = [:]
    var grants: [GrantTarget: [String: PermissionLevel]] = [:]
    var configs: [Name: SharedConfig] = [:]
    var stateRevisions: [ActorID: Int] = [:]

    /// A folder's name takes the alias of another folder, never one that somebody made.
    mutating func declare(_ actor: StoredActor) {
        aliases = aliases.filter { !($0.value.actor == actor.id && $0.value.isDeclared) }
        let name = Name(tenant: actor.tenant, name: actor.name)
        if let known = aliases[name], !known.isDeclared { return }
        let created = aliases[name]?.created ?? actor.created
        aliases[name] = Alias(
            tenant: actor.tenant, name: actor.name, actor: actor.id, owner: actor.owner, created: created,
            isDeclared: true)
    }
}

extension MemoryModel {
    @discardableResult
    mutating func removeAlias(_ name: String, tenant: String) -> Bool {
        nonces = nonces.filter { !($0.value.tenant == tenant && $0.value.alias == name) }
        sharing.grants[GrantTarget(.alias, name, tenant: tenant)] = nil
        return sharing.aliases.removeValue(forKey: MemorySharing.Name(tenant: tenant, name: name)) != nil
    }

    mutating func setState(_ state: JSONValue, of actor: ActorID) {
        states[actor] = state
        sharing.stateRevisions[actor, default: 0] += 1
    }
}

extension MemoryStore: SharingStore {
    package func make(_ actor: StoredActor) async throws(ActorError) {
        try change { model in
            if model.actors.updateValue(actor, forKey: actor.id) == nil {
                let target = GrantTarget(.actor, actor.id.rawValue, tenant: actor.tenant)
                model.sharing.grants[target, default: [:]][actor.owner] = .update
            }
            model.note(.actorsChanged)
        }
    }

    package func remove(_ actor: ActorID) async throws(ActorError) -> Bool {
        try change { model in
            guard let known = model.actors.removeValue(forKey: actor) else { return false }
            let names = model.sharing.aliases.filter { $0.value.actor == actor }.map(\.key)
            for name in names { model.removeAlias(name.name, tenant: name.tenant) }
            model.states[actor] = nil
            model.sharing.stateRevisions[actor] = nil
            model.schedules[actor] = nil
            model.nonces = model.nonces.filter { $0.value.actor != actor }
            model.sharing.grants[GrantTarget(.actor, actor.rawValue, tenant: known.tenant)] = nil
            model.note(.actorsChanged)
            return true
        }
    }

    package func keptState(of actor: ActorID) async throws(ActorError) -> KeptState {
        read { model in
            model.states[actor].map {
                KeptState(value: $0, revision: model.sharing.stateRevisions[actor] ?? 0)
            } ?? .none
        }
    }

    package func replaceState(
        _ state: JSONValue, of actor: ActorID, expected: Int?, at now: Timestamp
    ) async throws(ActorError) -> Int {
        try change { (model) throws(ActorError) in
            let found = model.sharing.stateRevisions[actor] ?? 0
            if let expected, expected != found {
                throw ActorError(.conflict, "the state has changed: it is at revision \(found), not \(expected)")
            }
            model.setState(state, of: actor)
            return found + 1
        }
    }

    package func aliases() async throws(ActorError) -> [Alias] {
        read { $0.sharing.aliases.values.sorted { ($0.tenant, $0.name) < ($1.tenant, $1.name) } }
    }

    package func alias(_ name: String, tenant: String) async throws(ActorError) -> Alias? {
        read { $0.sharing.aliases[MemorySharing.Name(tenant: tenant, name: name)] }
    }

    package func create(_ alias: Alias) async throws(ActorError) {
        try change { (model) throws(ActorError) in
            let name = MemorySharing.Name(tenant: alias.tenant, name: alias.name)
            guard model.sharing.aliases[name] == nil else {
                throw ActorError(.conflict, "there is an alias \(alias.name) already")
            }
            model.sharing.aliases[name] = alias
            model.sharing.grants[GrantTarget(.alias, alias.name, tenant: alias.tenant), default: [:]][alias.owner] =
                .update
            model.note(.actorsChanged)
        }
    }

    package func move(alias name: String, tenant: String, to actor: ActorID) async throws(ActorError) -> Bool {
        try change { model in
            model.note(.actorsChanged)
            let name = MemorySharing.Name(tenant: tenant, name: name)
            guard model.sharing.aliases[name] != nil else { return false }
            model.sharing.aliases[name]?.actor = actor
            return true
        }
    }

    package func removeAlias(_ name: String, tenant: String) async throws(ActorError) -> Bool {
        try change { model in
            model.note(.actorsChanged)
            return model.removeAlias(name, tenant: tenant)
        }
    }

    package func nonces(ofAlias name: String, tenant: String) async throws(ActorError) -> [Nonce] {
        read { model in
            model.nonces.values.filter { $0.tenant == tenant && $0.alias == name }
                .sorted { ($0.created, $0.id) < ($1.created, $1.id) }
        }
    }

    package func grants(_ kind: GrantTarget.Kind) async throws(ActorError) -> [Grant] {
        read { model in
            model.sharing.grants.filter { $0.key.kind == kind }
                .flatMap { target, levels in levels.map { Grant(target, user: $0.key, level: $0.value) } }
                .sorted { ($0.target.tenant, $0.target.name, $0.user) < ($1.target.tenant, $1.target.name, $1.user) }
        }
    }

    package func grants(on target: GrantTarget) async throws(ActorError) -> [String: PermissionLevel] {
        read { $0.sharing.grants[target] ?? [:] }
    }

    package func set(_ grant: Grant) async throws(ActorError) {
        try change { model in model.sharing.grants[grant.target, default: [:]][grant.user] = grant.level }
    }

    package func configs(tenant: String) async throws(ActorError) -> [SharedConfig] {
        read { model in
            model.sharing.configs.values.filter { $0.tenant == tenant }.sorted { $0.name < $1.name }
        }
    }

    package func config(_ name: String, tenant: String) async throws(ActorError) -> SharedConfig? {
        read { $0.sharing.configs[MemorySharing.Name(tenant: tenant, name: name)] }
    }

    package func create(_ config: SharedConfig, owner: String) async throws(ActorError) {
        try change { (model) throws(ActorError) in
            let name = MemorySharing.Name(tenant: config.tenant, name: config.name)
            guard model.sharing.configs[name] == nil else {
                throw ActorError(.conflict, "there is a config \(config.name) already")
            }
            model.sharing.configs[name] = config
            model.sharing.grants[GrantTarget(.config, config.name, tenant: config.tenant), default: [:]][owner] =
                .update
        }
    }

    package func update(_ config: SharedConfig) async throws(ActorError) -> Bool {
        try change { model in
            let name = MemorySharing.Name(tenant: config.tenant, name: config.name)
            guard model.sharing.configs[name] != nil else { return false }
            model.sharing.configs[name] = config
            return true
        }
    }

    package func removeConfig(_ name: String, tenant: String) async throws(ActorError) -> Bool {
        try change { model in
            model.sharing.grants[GrantTarget(.config, name, tenant: tenant)] = nil
            return model.sharing.configs.removeValue(forKey: MemorySharing.Name(tenant: tenant, name: name)) != nil
        }
    }
}
