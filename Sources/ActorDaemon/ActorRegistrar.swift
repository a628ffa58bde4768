internal import ActorCore
internal import ActorRuntime
internal import ActorSchemas
internal import ActorStore
internal import Logging
internal import NIOPosix
internal import Reactors

/// Gives the actors of the folders their ids and revisions, and makes them the ones that run.
struct ActorRegistrar: Sendable {
    let settings: Settings
    let data: DataFolder
    let store: SQLiteStore
    let system: ActorSystem
    let clock: any Timekeeper
    let threads: NIOThreadPool
    let logger: Logger

    /// Reads the folders and installs what they declare. What cannot be read is listed, never fatal.
    func load() async {
        do {
            let folders = try await read()
            if let problem = folders.problem {
                logger.error("the actors cannot be read", metadata: ["problem": "\(problem)"])
            }
            // When nothing is known of them either, those that are here stay.
            if folders.isAway, folders.actors.isEmpty { return }
            // An alias that somebody makes meanwhile would have its name taken away.
            try await system.betweenChanges { () async throws(ActorError) in try await take(folders) }
        } catch {
            logger.error("the actors could not be registered", metadata: ["error": "\(error)"])
        }
    }

    private func take(_ folders: LoadedFolders) async throws(ActorError) {
        let stored = try await store.actors()
        let aliases = try await store.aliases()
        let grants = Dictionary(grouping: try await store.grants(.actor), by: \.target)
        var specs: [ActorSpec] = []
        var absences: [ActorID: String] = [:]
        var taken: [QuarantinedActor] = []
        for actor in folders.actors {
            if let reason = Self.conflict(of: actor, stored, aliases) {
                let folder = actor.spec.folder ?? actor.spec.name
                taken.append(
                    QuarantinedActor(folder: folder, file: "\(folder)/actor.yml", line: nil, reason: reason))
                continue
            }
            for warning in actor.warnings {
                logger.warning("questionable actor definition", metadata: ["problem": "\(warning)"])
            }
            var spec = try await register(actor, stored)
            let target = GrantTarget(.actor, spec.id.rawValue, tenant: spec.tenant)
            spec.grants = Dictionary(grants[target, default: []].map { ($0.user, $0.level) }) { $1 }
            specs.append(spec)
            absences[spec.id] = actor.absence
        }
        let quarantined =
            folders.quarantined.map {
                QuarantinedActor(
                    folder: $0.folder, file: $0.file, line: $0.line, reason: $0.reason, goesOn: $0.goesOn)
            } + taken
        system.install(specs, quarantined: quarantined, absences: absences)
        for folder in quarantined { complain(of: folder) }
        logger.info(
            "actors were read",
            metadata: ["actors": "\(specs.count)", "left_out": "\(quarantined.count { !$0.goesOn })"])
    }

    private func complain(of folder: QuarantinedActor) {
        let place: Logger.Metadata = [
            "folder": "\(folder.folder)", "file": "\(folder.file)",
            "line": "\(folder.line.map(String.init) ?? "-")", "reason": "\(folder.reason)",
        ]
        if folder.goesOn {
            logger.error("an actor's folder has a mistake; the actor goes on as it was", metadata: place)
        } else {
            logger.error("an actor folder is left out", metadata: place)
        }
    }

    /// Why a folder cannot have its name or id: somebody made an actor or an alias of it over HTTP.
    private static func conflict(
        of actor: LoadedActor, _ stored: [StoredActor], _ aliases: [Alias]
    ) -> String? {
        let spec = actor.spec
        if let id = actor.declaredID, stored.contains(where: { $0.id == id && $0.definition != nil }) {
            return "the id \(id) belongs to an actor that was made over HTTP; leave id out, or delete that actor"
        }
        let alias = aliases.first { $0.tenant == spec.tenant && $0.name == spec.name && !$0.isDeclared }
        return alias.map {
            "the name \(spec.name) is an alias of actor \($0.actor) that was made over HTTP; delete the alias, or name "
                + "the folder's actor otherwise"
        }
    }

    private func read() async throws -> LoadedFolders {
        let loader = ActorFolderLoader(
            context: ActorFolderLoader.Context(
                tenant: settings.tenant,
                owner: settings.auth.users.first { $0.roles.contains(.admin) }?.name ?? "admin",
                environment: EnvironmentVariables.current, secrets: settings.secrets, compiler: ValijsonCompiler(),
                builtins: Set(Catalog.makers.keys)), kept: KeptDeclarations(folder: data.declarations))
        let folder = settings.actors.folder
        return try await threads.runIfActive { loader.load(folder: folder) }
    }

    private func register(_ actor: LoadedActor, _ stored: [StoredActor]) async throws(ActorError) -> ActorSpec {
        let now = clock.now()
        var spec = actor.spec
        let known = stored.first { $0.tenant == spec.tenant && $0.name == spec.name && $0.definition == nil }
        let id = actor.declaredID ?? known?.id ?? ActorID(system.makeID())
        var row =
            known
            ?? StoredActor(
                id: id, tenant: spec.tenant, name: spec.name, owner: spec.owner, fingerprint: actor.fingerprint,
                revision: 1, created: now, updated: now)
        // Files that are away for a while have not changed.
        let isOther = row.fingerprint != actor.fingerprint && actor.absence == nil
        if known == nil || isOther || row.id != id || row.owner != spec.owner {
            if known != nil, isOther { row.revision += 1 }
            row.id = id
            row.owner = spec.owner
            if isOther { row.fingerprint = actor.fingerprint }
            row.updated = now
            try await store.save(row)
        }
        if [.builtin("pipeline-jobs"), .builtin("pipelines")].contains(spec.run) {
            for name in ["token_pepper", "admin_token_secret", "admin_token_key"]
            where spec.settings[name]?.string == nil {
                spec.settings = spec.settings.setting(name, .string(try await madeSecret(name)))
            }
        }
        spec.id = row.id
        spec.revision = row.revision
        spec.created = row.created
        spec.updated = row.updated
        return spec
    }

    /// The secret part of job and admin tokens, for houses that configure none: made once, kept where no reply shows
    /// it, the same for all who keep jobs and pipelines.
    private func madeSecret(_ name: String) async throws(ActorError) -> String {
        if let kept = try await store.setting(name) { return kept }
        let made = Hashids.catalogue.encode(UInt128.random(in: 1...UInt128.max))
        try await store.setSetting(name, made)
        return made
    }

    /// The nonce of job callbacks: the one that the configuration names, else one that is made once and kept.
    func updatesNonce() async throws(ActorError) -> String? {
        guard let manager = try? system.resolve(settings.pipelines.jobManager, tenant: settings.tenant) else {
            logger.error(
                "there is no actor that keeps the jobs; jobs have no callbacks",
                metadata: ["job_manager_id": "\(settings.pipelines.jobManager)"])
            return nil
        }
        let key = "updates_nonce/\(manager.id)"
        let id: NonceID
        if let given = settings.pipelines.updatesNonce?.reveal() {
            id = NonceID(given)
        } else if let kept = try await store.setting(key) {
            id = NonceID(kept)
        } else {
            // 128 random bits: it opens a door to whoever holds it.
            let bits = UInt128.random(in: 1...UInt128.max)
            id = NonceID("\(settings.tenant)_\(Hashids.abaco.encode(bits))")
        }
        if try await store.nonce(id) == nil {
            try await store.create(
                Nonce(
                    id: id, tenant: settings.tenant, actor: manager.id, alias: nil, level: .execute, maxUses: -1,
                    owner: manager.owner, roles: [.user], description: "updates of jobs", created: clock.now()))
        }
        try await store.setSetting(key, id.rawValue)
        return id.rawValue
    }
}
