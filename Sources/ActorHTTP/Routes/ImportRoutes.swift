import ActorAPI
import ActorCore
import ActorRuntime
import HTTPTypes
import Hummingbird

/// `/api/v1/import/abaco`: actors, aliases, nonces, permissions and configs of the old service, under the ids that they
/// had. All of a dump is good, or nothing of it is taken over; what is there already stays as it is.
struct ImportRoutes {
    /// Larger than any dump that was seen; it is held in memory while it is read.
    static let maxBytes: Int64 = 64 << 20

    /// The Fernet key that the old service closed its secret configs with: nothing that a log or an address shows.
    static let configKey = HTTPField.Name("Reactord-Config-Key")

    private struct Count {
        var new = 0
        var present = 0

        mutating func count(_ isNew: Bool) {
            if isNew { new += 1 } else { present += 1 }
        }

        var json: JSONValue { ["new": JSONValue(new), "present": JSONValue(present)] }
    }

    let front: HTTPFront

    func add(to table: RouteTable) { table.on(Paths.importAbaco, [.post: take]) }

    @Sendable private func take(_ request: Request, _ context: HTTPContext) async throws -> Response {
        let caller = try front.requireAdmin(context)
        let isDryRun = request.formItems.first("dry_run") == "true"
        let tenant = request.formItems.first("tenant") ?? caller.principal.tenant
        let oldSeal = try Self.configKey.flatMap { request.headers[$0] }.map { text throws(ActorError) in
            guard let seal = Seal(fernet: text) else {
                throw ActorError(
                    .invalidInput, "Reactord-Config-Key is no Fernet key: it has 32 bytes, in base64 44 characters")
            }
            return seal
        }
        let bytes = try await BodyReader.bytes(of: request, limit: Int(Self.maxBytes))
        let system = front.system
        let dump = AbacoDump(
            try BodyJSON.read(bytes, maxDepth: system.limits.maxJSONDepth),
            in: AbacoDump.House(
                tenant: tenant, tenants: front.settings.tenants, queues: front.settings.queues,
                maxLogSeconds: front.settings.maxLogSeconds, now: system.now(),
                seal: front.seal, oldSeal: oldSeal,
                actor: { system.spec($0) }, roles: { front.roles(behind: $0) }))
        var problems = dump.problems
        for alias in dump.aliases {
            if let known = try await system.store.alias(alias.name, tenant: alias.tenant), known.actor != alias.actor {
                problems.append(
                    ActorError.Detail(
                        place: "/aliases/\(alias.name)", problem: "there is one here that leads to \(known.actor)"))
            }
        }
        guard problems.isEmpty else {
            throw ActorError(.invalidInput, "nothing was taken over: the dump has mistakes", details: problems)
        }
        guard !isDryRun else { return .json(try await place(dump, isDryRun: true)) }
        return .json(
            try await front.audited(caller, "import.abaco", "\(dump.actors.count) actors") {
                try await place(dump, isDryRun: false)
            })
    }

    /// Things that lead to others come after them.
    private func place(_ dump: AbacoDump, isDryRun: Bool) async throws -> JSONValue {
        let system = front.system
        var (actors, aliases, nonces, grants, configs) = (Count(), Count(), Count(), Count(), Count())
        var warnings = dump.warnings
        // What adopting gives an actor's owner is not there already: the dump may say otherwise.
        var fresh: Set<GrantTarget> = []
        for actor in dump.actors {
            let isNew = system.spec(actor.stored.id) == nil
            actors.count(isNew)
            if isNew {
                fresh.insert(GrantTarget(.actor, actor.stored.id.rawValue, tenant: actor.stored.tenant))
            }
            guard isNew, !isDryRun else { continue }
            _ = try await system.adopt(actor.stored, state: actor.state)
            if let status = system.status(of: actor.stored.id), status.status == "ERROR" {
                warnings.append(
                    ActorError.Detail(place: "actor \(actor.stored.id)", problem: status.statusMessage))
            }
        }
        for alias in dump.aliases {
            let isNew = try await system.store.alias(alias.name, tenant: alias.tenant) == nil
            aliases.count(isNew)
            if isNew { fresh.insert(GrantTarget(.alias, alias.name, tenant: alias.tenant)) }
            if isNew, !isDryRun { try await system.create(alias) }
        }
        for (config, owner) in dump.configs {
            let isNew = try await system.store.config(config.name, tenant: config.tenant) == nil
            configs.count(isNew)
            if isNew { fresh.insert(GrantTarget(.config, config.name, tenant: config.tenant)) }
            if isNew, !isDryRun { try await system.store.create(config, owner: owner) }
        }
        for nonce in dump.nonces {
            let isNew = try await system.store.nonce(nonce.id) == nil
            nonces.count(isNew)
            if isNew, !isDryRun { try await system.store.create(nonce) }
        }
        for grant in dump.grants {
            let known = try await system.store.grants(on: grant.target)
            let isNew = fresh.contains(grant.target) || known[grant.user] == nil
            grants.count(isNew)
            if isNew, !isDryRun { _ = try await system.set(grant) }
        }
        return [
            "dry_run": .bool(isDryRun), "actors": actors.json, "aliases": aliases.json, "configs": configs.json,
            "nonces": nonces.json, "permissions": grants.json,
            "warnings": .array(
                warnings.map { ["place": .string($0.place), "problem": .string($0.problem)] }),
        ]
    }
}
