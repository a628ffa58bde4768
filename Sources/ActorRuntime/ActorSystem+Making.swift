package import ActorCore

/// Actors, aliases and permissions that come over HTTP: stored first, then taken up, one change after another.
extension ActorSystem {
    /// Takes up what was made before this start. To be called once, after the folders' actors are installed.
    package func loadMade() async throws(ActorError) {
        let grants = Dictionary(grouping: try await store.grants(.actor), by: \.target)
        var entries: [Directory.Entry] = []
        for stored in try await store.actors() where stored.definition != nil {
            let target = GrantTarget(.actor, stored.id.rawValue, tenant: stored.tenant)
            let levels = Dictionary(grants[target, default: []].map { ($0.user, $0.level) }) { _, last in last }
            if let spec = stored.spec(levels) { entries.append(madeEntry(for: spec)) }
        }
        for entry in entries {
            directory.put(entry)
            workers.begin(entry.spec)
        }
        for alias in try await store.aliases() where !alias.isDeclared {
            directory.setAlias(alias.name, tenant: alias.tenant, to: alias.actor)
        }
        dispatcher.configure(directory.all)
        scheduler.bell.ring()
    }

    /// A definition whose schema has become unusable keeps its actor from running, not the daemon.
    private func madeEntry(for spec: ActorSpec) -> Directory.Entry {
        do {
            return try entry(for: spec)
        } catch {
            return Directory.Entry(spec: spec, schemas: [], fault: error.description)
        }
    }

    /// Runs `body` while nothing is made, changed or removed over HTTP: what it reads is so still when it installs what
    /// follows from it. A call in it of one of those that make, change or remove would wait for itself.
    package func betweenChanges(_ body: () async throws(ActorError) -> Void) async throws(ActorError) {
        try await changes.run(body)
    }

    // MARK: Actors

    private static let mostActors = 10_000

    package func make(
        _ definition: ActorDefinition, owner: String, tenant: String
    ) async throws(ActorError) -> ActorSpec {
        try await changes.run { () async throws(ActorError) in
            guard directory.all.count < Self.mostActors else { throw Self.tooMany }
            let now = now()
            let stored = StoredActor(
                id: ActorID(makeID()), tenant: tenant, name: definition.name ?? "", owner: owner, fingerprint: "",
                revision: 1, created: now, updated: now, definition: definition)
            return try await take(stored, grants: [owner: .update], isNewRevision: true)
        }
    }

    /// - Parameter forced: a new revision also when the image stays.
    package func replace(
        _ id: ActorID, with definition: ActorDefinition, forced: Bool
    ) async throws(ActorError) -> ActorSpec {
        try await changes.run { () async throws(ActorError) in
            guard let old = directory.entry(id)?.spec else { throw Self.missing(id) }
            guard let before = old.definition else { throw Self.declared(old) }
            var definition = definition
            definition.name = before.name
            if let link = old.linkTarget(of: definition, in: directory),
                LinkGraph.closesCircle(from: id, to: link, links: { self.link(of: $0) })
            {
                throw ActorError(
                    .invalidInput, "Error: this update would result in a cycle of linked actors.")
            }
            let isNewRevision = forced || definition.image != before.image
            let stored = StoredActor(
                id: id, tenant: old.tenant, name: before.name ?? "", owner: old.owner, fingerprint: "",
                revision: old.revision + (isNewRevision ? 1 : 0), created: old.created, updated: now(),
                definition: definition)
            return try await take(stored, grants: old.grants, isNewRevision: isNewRevision)
        }
    }

    /// Takes up an actor under the id that it had elsewhere, without news of it; false when there is one of that id.
    package func adopt(_ stored: StoredActor, state: JSONValue?) async throws(ActorError) -> Bool {
        try await changes.run { () async throws(ActorError) in
            guard directory.entry(stored.id) == nil else { return false }
            guard directory.all.count < Self.mostActors else { throw Self.tooMany }
            _ = try await take(stored, grants: [stored.owner: .update], isNewRevision: false)
            if let state { try await store.setState(state, of: stored.id, at: now()) }
            return true
        }
    }

    private static let tooMany = ActorError(
        .tooManyRequests, "there are \(mostActors) actors, as many as may be; delete one first")

    private func take(
        _ stored: StoredActor, grants: [String: PermissionLevel], isNewRevision: Bool
    ) async throws(ActorError) -> ActorSpec {
        guard let spec = stored.spec(grants) else {
            throw ActorError(.internalFailure, "an actor without a definition cannot be made")
        }
        let entry = try entry(for: spec)
        try await store.make(stored)
        directory.put(entry)
        workers.begin(spec)
        dispatcher.configure(directory.all)
        scheduler.bell.ring()
        if isNewRevision { news.tell(entry.fault.map { .error($0) } ?? .ready, of: spec) }
        return spec
    }

    private func link(of id: ActorID) -> ActorID? {
        guard let spec = directory.entry(id)?.spec, let link = spec.link else { return nil }
        return try? directory.resolve(link, tenant: spec.tenant).id
    }

    /// Removes an actor that was made over HTTP: its mail goes, what runs is stopped. False when it still runs after
    /// so many milliseconds; it ends by itself then.
    package func remove(_ id: ActorID, patienceMilliseconds: Int64) async throws(ActorError) -> Bool {
        let ends = events.subscribe {
            if case .executionFinished(id, _, _, _) = $0 { true } else { false }
        }
        try await changes.run { () async throws(ActorError) in
            guard let old = directory.entry(id) else { throw Self.missing(id) }
            guard old.spec.definition != nil else { throw Self.declared(old.spec) }
            directory.remove(id)
            dispatcher.configure(directory.all)
            do throws(ActorError) {
                _ = try await purge(id)
                if let secret = old.spec.definition?.webhookSecret {
                    var departed = DepartedWebhooks(try await store.setting(DepartedWebhooks.setting))
                    departed.add(
                        secret, of: id, now: environment.clock.now(), days: environment.configuration.callRetryDays)
                    try await store.setSetting(DepartedWebhooks.setting, departed.text)
                }
                _ = try await store.remove(id)
            } catch {
                directory.put(old)
                for alias in (try? await store.aliases()) ?? [] where alias.actor == id && !alias.isDeclared {
                    directory.setAlias(alias.name, tenant: alias.tenant, to: id)
                }
                dispatcher.configure(directory.all)
                throw error
            }
            for execution in driver.running(of: id) { _ = driver.stop(execution, .cancel) }
            workers.forget(id)
        }
        let isIdle = await isIdle(id, after: ends, milliseconds: patienceMilliseconds)
        // What was on its way through the door meanwhile.
        _ = try await purge(id)
        return isIdle
    }

    private func isIdle(
        _ id: ActorID, after ends: EventReader, milliseconds: Int64
    ) async -> Bool {
        if driver.running(of: id).isEmpty { return true }
        let clock = self.clock
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                for await _ in ends where self.driver.running(of: id).isEmpty { return }
            }
            group.addTask { try? await clock.sleep(milliseconds: milliseconds) }
            await group.next()
            group.cancelAll()
        }
        return driver.running(of: id).isEmpty
    }

    // MARK: Aliases

    /// `conflict` when the name is taken.
    package func create(_ alias: Alias) async throws(ActorError) {
        try await changes.run { () async throws(ActorError) in
            guard directory.id(alias: alias.name, tenant: alias.tenant) == nil else {
                throw ActorError(.conflict, "Alias \(alias.name) already exists.")
            }
            try await store.create(alias)
            directory.setAlias(alias.name, tenant: alias.tenant, to: alias.actor)
        }
    }

    /// False when there is none of that name.
    package func move(alias name: String, tenant: String, to actor: ActorID) async throws(ActorError) -> Bool {
        try await changes.run { () async throws(ActorError) in
            guard try await store.move(alias: name, tenant: tenant, to: actor) else { return false }
            directory.setAlias(name, tenant: tenant, to: actor)
            return true
        }
    }

    package func removeAlias(_ name: String, tenant: String) async throws(ActorError) -> Bool {
        try await changes.run { () async throws(ActorError) in
            guard try await store.removeAlias(name, tenant: tenant) else { return false }
            directory.setAlias(name, tenant: tenant, to: nil)
            return true
        }
    }

    // MARK: Permissions

    /// Replaces what a user may do; answers the whole list.
    package func set(_ grant: Grant) async throws(ActorError) -> [String: PermissionLevel] {
        try await changes.run { () async throws(ActorError) in
            try await store.set(grant)
            let levels = try await store.grants(on: grant.target)
            if grant.target.kind == .actor { directory.setGrants(levels, of: ActorID(grant.target.name)) }
            return levels
        }
    }

    private static func missing(_ id: ActorID) -> ActorError {
        ActorError(.notFound, "No actor found with identifier: \(id).")
    }

    private static func declared(_ spec: ActorSpec) -> ActorError {
        ActorError(
            .conflict,
            "actor \(spec.name) is declared by a folder of this daemon; change its actor.yml, or remove the folder")
    }
}

extension StoredActor {
    /// Nil for an actor that a folder declares.
    fileprivate func spec(_ grants: [String: PermissionLevel]) -> ActorSpec? {
        definition.map {
            ActorSpec(
                $0, id: id, tenant: tenant, owner: owner, created: created, updated: updated, revision: revision,
                grants: grants)
        }
    }
}

extension ActorSpec {
    fileprivate func linkTarget(of definition: ActorDefinition, in directory: Directory) -> ActorID? {
        definition.link.isEmpty ? nil : try? directory.resolve(definition.link, tenant: tenant).id
    }
}

extension ActorSystem {
    /// Whoever changes an actor, its events leave with its owner's right: refuses a link that would lead nowhere.
    package func checkLink(to link: String, of spec: ActorSpec) throws(ActorError) {
        guard !link.isEmpty else { return }
        try environment.checkLink(of: spec, to: try resolve(link, tenant: spec.tenant))
    }

    /// Has every schedule asked what is due.
    package func lookAtSchedules() { scheduler.bell.ring() }

    /// The address that a tenant is known by, when it is one of its own.
    package func apiServer(of tenant: String) -> String? { environment.configuration.apiServers[tenant] }
}
