import ActorCore

/// A JSON dump of the old service, read as a whole before anything is touched: what can be taken over, what is wrong,
/// and what does not come along.
///
/// Documents are taken as its API shows them (in either spelling of names) and as its database keeps them.
struct AbacoDump {
    /// An actor with what belongs to it.
    struct Actor {
        let stored: StoredActor
        let state: JSONValue?
    }

    /// What the reader has to know of this daemon.
    struct House {
        let tenant: String
        let tenants: [String]
        let queues: [String]
        let maxLogSeconds: Int
        let now: Timestamp
        let seal: Seal
        /// What secret configs of the old service are closed with; nil when nobody knows it any more.
        let oldSeal: Seal?
        /// The actor of this id that is here already.
        let actor: (ActorID) -> ActorSpec?
        /// What the owner of a nonce is here.
        let roles: (Nonce) -> Set<Role>
    }

    private(set) var actors: [Actor] = []
    private(set) var aliases: [Alias] = []
    private(set) var nonces: [Nonce] = []
    private(set) var grants: [Grant] = []
    private(set) var configs: [(config: SharedConfig, owner: String)] = []
    /// Nothing is taken over while there is one.
    private(set) var problems: [ActorError.Detail] = []
    private(set) var warnings: [ActorError.Detail] = []

    private let house: House
    private static let parts = ["actors", "aliases", "nonces", "permissions", "configs"]
    private static let mostProblems = 100

    init(_ json: JSONValue, in house: House) {
        self.house = house
        guard let members = json.object, members.contains(where: { Self.parts.contains($0.name) }) else {
            problems = [
                ActorError.Detail(
                    place: "", problem: "a dump is an object with \(Self.parts.joined(separator: ", ")) in it")
            ]
            return
        }
        for member in members where !Self.parts.contains(member.name) && member.name != "tenant" {
            warn("/\(member.name.prefix(64))", "is not taken over")
        }
        for item in DumpItem.list(json["actors"], at: "/actors") { readActor(item) }
        for item in DumpItem.list(json["aliases"], at: "/aliases") { readAlias(item) }
        for item in DumpItem.list(json["configs"], at: "/configs") { readConfig(item) }
        for item in DumpItem.list(json["permissions"], at: "/permissions") { readPermissions(item) }
        // Whom they let in hangs on the permissions.
        for item in DumpItem.list(json["nonces"], at: "/nonces", isNested: true) { readNonce(item) }
    }

    private mutating func complain(_ place: String, _ problem: String) {
        if problems.count < Self.mostProblems { problems.append(ActorError.Detail(place: place, problem: problem)) }
    }

    private mutating func warn(_ place: String, _ problem: String) {
        if warnings.count < Self.mostProblems { warnings.append(ActorError.Detail(place: place, problem: problem)) }
    }

    /// Of a document: as it says, as its key says, or the house's own.
    private mutating func tenant(_ item: DumpItem, _ key: DumpKey?) -> String? {
        let tenant = item.text("tenant") ?? key?.tenant ?? house.tenant
        guard house.tenants.contains(tenant) else {
            complain(
                item.place,
                "belongs to the tenant \(tenant.prefix(64)), which this daemon does not have: add it under tenants: in "
                    + "config.yml and restart")
            return nil
        }
        return tenant
    }

    private func isThere(_ actor: ActorID) -> Bool {
        actors.contains { $0.stored.id == actor } || house.actor(actor) != nil
    }

    // MARK: Actors

    private mutating func readActor(_ item: DumpItem) {
        let key = DumpKey(item.text("db_id") ?? item.text("_id") ?? item.key ?? "", house.tenants)
        guard let word = item.text("id") ?? key?.word, Hashids.abaco.decode(word) != nil else {
            return complain(item.place + "/id", "is no id of an actor")
        }
        guard let tenant = tenant(item, key) else { return }
        guard !actors.contains(where: { $0.stored.id == ActorID(word) }) else {
            return complain(item.place + "/id", "\(word) is there twice")
        }
        guard let owner = item.text("owner"), (1...128).contains(owner.utf8.count) else {
            return complain(item.place + "/owner", "is missing")
        }
        let created = item.moment("create_time") ?? house.now
        guard let definition = definition(item) else { return }
        actors.append(
            Actor(
                stored: StoredActor(
                    id: ActorID(word), tenant: tenant, name: definition.name ?? "", owner: owner, fingerprint: "",
                    revision: max(1, item["revision"]?.int ?? 1), created: created,
                    updated: item.moment("last_update_time") ?? created, definition: definition),
                state: item["state"].flatMap { $0.isTruthy ? $0 : nil }))
    }

    private mutating func definition(_ item: DumpItem) -> ActorDefinition? {
        var json = item.json
        if let queue = item.text("queue"), !house.queues.contains(queue) {
            warn(item.place + "/queue", "there is no queue \(queue.prefix(64)) here: it is taken over with default")
            json = json.removing("queue")
        }
        if item["mounts"]?.array?.isEmpty == false {
            warn(item.place + "/mounts", "are not taken over")
        }
        // The word that stands for "nobody said": it stays that word.
        if item["token"] == "false" { json = json.removing("token") }
        json = withoutRefusedVariables(json, item)
        let admin = Caller(principal: Principal(username: "admin", tenant: house.tenant, roles: [.admin]))
        var reader = DefinitionReader(
            fields: RequestFields(json: json), caller: admin, queues: house.queues,
            maxLogSeconds: house.maxLogSeconds, now: house.now)
        reader.isTakenOver = true
        do throws(ActorError) {
            return try reader.read(replacing: nil)
        } catch {
            complain(item.place, error.message)
            return nil
        }
    }

    /// An actor that lacks a variable is better than none, and than a dump that is refused for it.
    private mutating func withoutRefusedVariables(_ json: JSONValue, _ item: DumpItem) -> JSONValue {
        let names = ["default_environment", KeyCase.camel("default_environment")]
        guard let name = names.first(where: { json[$0] != nil }), let variables = json[name]?.object
        else { return json }
        var taken: [JSONValue.Member] = []
        for variable in variables {
            if let problem = DefinitionReader.problem(of: variable) {
                warn("\(item.place)/\(name)", "\(problem). The actor is taken over without it")
            } else {
                taken.append(variable)
            }
        }
        return taken.count == variables.count ? json : json.setting(name, .object(taken))
    }

    // MARK: What leads to actors

    private mutating func readAlias(_ item: DumpItem) {
        let key = DumpKey(item.text("alias_id") ?? item.text("_id") ?? item.key ?? "", house.tenants)
        guard let name = item.text("alias") ?? key?.word, NameRules.isAlias(name) else {
            return complain(item.place + "/alias", "cannot be an alias")
        }
        guard let tenant = tenant(item, key) else { return }
        let actor = ActorID(DumpKey.word(item.text("actor_id") ?? item.text("db_id") ?? ""))
        guard isThere(actor) else {
            return complain(item.place + "/actor_id", "there is no actor \(actor.rawValue.prefix(64))")
        }
        let owner = item.text("owner") ?? actors.first { $0.stored.id == actor }?.stored.owner ?? "admin"
        aliases.append(
            Alias(
                tenant: tenant, name: name, actor: actor, owner: owner,
                created: item.moment("create_time") ?? house.now))
    }

    private mutating func readNonce(_ item: DumpItem) {
        guard let id = item.text("id") ?? item.text("nonce_id") ?? item.key, let key = DumpKey(id: id),
            id.utf8.count <= 256
        else { return complain(item.place + "/id", "is no id of a nonce, like DEV-DEVELOP_pYGljZZ08BbGN") }
        guard let tenant = tenant(item, key) else { return }
        let alias = item.text("alias")
        let actor = ActorID(DumpKey.word(item.text("actor_id") ?? item.text("db_id") ?? item.parentKey ?? ""))
        if let alias {
            guard aliases.contains(where: { $0.name == alias && $0.tenant == tenant }) else {
                return complain(item.place + "/alias", "there is no alias \(alias.prefix(64)) in the dump")
            }
        } else if !isThere(actor) {
            return complain(item.place + "/actor_id", "there is no actor \(actor.rawValue.prefix(64))")
        }
        guard let level = PermissionLevel(rawValue: item.text("level") ?? "EXECUTE") else {
            return complain(item.place + "/level", "is none of NONE, READ, EXECUTE, UPDATE")
        }
        let maxUses = item["max_uses"]?.int ?? -1
        guard maxUses == -1 || maxUses > 0 else {
            return complain(item.place + "/max_uses", "is neither -1 nor a number from 1")
        }
        let left = item["remaining_uses"]?.int
        let used = item["current_uses"]?.int ?? left.map { maxUses < 0 ? 0 : maxUses - $0 } ?? 0
        let nonce = Nonce(
            id: NonceID(id), tenant: tenant, actor: alias == nil ? actor : nil, alias: alias, level: level,
            maxUses: maxUses, currentUses: max(0, used), owner: item.text("owner") ?? "admin",
            roles: Self.roles(item), description: item.text("description") ?? "",
            created: item.moment("create_time") ?? house.now, lastUsed: item.moment("last_use_time"))
        nonces.append(backed(nonce, item))
    }

    /// A nonce lets in as long as its owner may do as much itself. The old service let its admins make them for every
    /// actor, and their addresses stand in instruments: those go on in the name of the actor's owner.
    private mutating func backed(_ nonce: Nonce, _ item: DumpItem) -> Nonce {
        guard let spec = actor(of: nonce) else { return nonce }
        let owner = Principal(username: nonce.owner, tenant: nonce.tenant, roles: house.roles(nonce))
        guard Access.level(of: owner, on: spec) < nonce.level else { return nonce }
        let wasAdmin = Self.words(item).contains { $0.hasSuffix("abaco-admin") || $0 == "admin" }
        guard wasAdmin, spec.tenant == nonce.tenant else {
            warn(
                item.place,
                "lets nobody in until its owner \(nonce.owner.prefix(64)) has the permission \(nonce.level.rawValue) "
                    + "for actor \(spec.id): give that, or make another nonce")
            return nonce
        }
        warn(
            item.place + "/owner",
            "\(nonce.owner.prefix(64)) made it as an admin, whose rights no nonce passes on here: it is taken over as "
                + "one of \(spec.owner), the owner of actor \(spec.id), who sends what comes by it")
        return nonce.owned(by: spec.owner)
    }

    /// What a nonce opens, with the permissions that it will have when all of the dump is here.
    private func actor(of nonce: Nonce) -> ActorSpec? {
        let alias = nonce.alias.flatMap { name in aliases.first { $0.name == name && $0.tenant == nonce.tenant } }
        guard let id = nonce.actor ?? alias?.actor else { return nil }
        func levels(_ tenant: String) -> [String: PermissionLevel] {
            let target = GrantTarget(.actor, id.rawValue, tenant: tenant)
            return grants.reduce(into: [:]) { levels, grant in
                if grant.target == target { levels[grant.user] = grant.level }
            }
        }
        if var spec = house.actor(id) {
            spec.grants.merge(levels(spec.tenant)) { here, _ in here }
            return spec
        }
        guard let stored = actors.first(where: { $0.stored.id == id })?.stored, let definition = stored.definition
        else { return nil }
        return ActorSpec(
            definition, id: id, tenant: stored.tenant, owner: stored.owner, created: stored.created,
            updated: stored.updated, revision: stored.revision, grants: levels(stored.tenant))
    }

    private static func words(_ nonce: DumpItem) -> [String] { nonce["roles"]?.array?.compactMap(\.string) ?? [] }

    /// Rights of administrators do not pass through a nonce here, so that the others are all that matters.
    private static func roles(_ nonce: DumpItem) -> [Role] {
        let words = Self.words(nonce)
        if words.contains(where: { $0.hasSuffix("abaco-privileged") || $0 == "privileged" }) { return [.privileged] }
        return words == ["Internal/abaco-limited"] || words == ["limited"] ? [.limited] : [.user]
    }

    private mutating func readConfig(_ item: DumpItem) {
        guard let name = item.text("name") ?? item.key, ConfigRoutes.isName(name) else {
            return complain(item.place + "/name", "cannot be the name of a config")
        }
        guard let tenant = tenant(item, nil) else { return }
        guard let value = item["value"], !value.isNull, let words = item.text("actors") else {
            return complain(item.place, "needs value and actors")
        }
        var text = value.string ?? JSONWriter.string(value)
        let isSecret = item["is_secret"]?.isTruthy == true && item["is_secret"] != "false"
        if isSecret {
            guard let closed = closed(text, of: name, at: item.place) else { return }
            text = closed
        }
        configs.append(
            (
                SharedConfig(
                    tenant: tenant, name: name, value: text, isSecret: isSecret, actors: words, created: house.now,
                    updated: house.now), item.text("owner") ?? "admin"
            ))
    }

    /// A secret as it is kept here; nil when it cannot come along.
    private mutating func closed(_ text: String, of name: String, at place: String) -> String? {
        var plain = text
        if Seal.isClosed(text) {
            guard let old = house.oldSeal else {
                warn(
                    place,
                    "\(name) is a secret, closed with a key of the old service: name that key's file with "
                        + "--config-key-file, or write the plain value into the dump, or set it again by "
                        + "POST …/configs")
                return nil
            }
            guard let opened = old.open(text) else {
                complain(
                    place + "/value",
                    "was not closed with the key that was given: give the right one, or none to leave secrets out")
                return nil
            }
            plain = opened
        }
        do throws(ActorError) {
            return try house.seal.close(plain, now: house.now)
        } catch {
            complain(place + "/value", error.message)
            return nil
        }
    }

    // MARK: Permissions

    private mutating func readPermissions(_ item: DumpItem) {
        let said = item.text("actor_id") ?? item.text("alias") ?? item.text("config") ?? item.text("_id") ?? item.key
        guard let said, let key = DumpKey(said, house.tenants) else {
            return complain(item.place, "does not say whose they are")
        }
        guard let tenant = tenant(item, key) else { return }
        let target: GrantTarget
        if isThere(ActorID(key.word)) {
            target = GrantTarget(.actor, key.word, tenant: tenant)
        } else if aliases.contains(where: { $0.name == key.word && $0.tenant == tenant }) {
            target = GrantTarget(.alias, key.word, tenant: tenant)
        } else if configs.contains(where: { $0.config.name == key.word && $0.config.tenant == tenant }) {
            target = GrantTarget(.config, key.word, tenant: tenant)
        } else {
            return warn(item.place, "there is nothing called \(key.word.prefix(64)) that they could belong to")
        }
        let levels = item["permissions"]?.object ?? item.json.object ?? []
        let facts = ["actor_id", "alias", "config", "_id", "tenant", "permissions", "_links"]
        for member in levels where !facts.contains(member.name) {
            guard let level = member.value.string.flatMap(PermissionLevel.init(rawValue:)) else {
                complain("\(item.place)/\(member.name.prefix(64))", "is none of NONE, READ, EXECUTE, UPDATE")
                continue
            }
            grants.append(Grant(target, user: member.name, level: level))
        }
    }
}

extension Nonce {
    fileprivate func owned(by owner: String) -> Nonce {
        Nonce(
            id: id, tenant: tenant, actor: actor, alias: alias, level: level, maxUses: maxUses,
            currentUses: currentUses, owner: owner, roles: [.user], description: description, created: created,
            lastUsed: lastUsed)
    }
}
