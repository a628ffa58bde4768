internal import ActorCore
internal import Synchronization

/// Who lives here: actors by id and alias, with their compiled schemas and their health.
final class Directory: Sendable {
    /// One actor as it is defined. Shared and never changed, so that looking it up costs nothing.
    final class Entry: Sendable {
        let spec: ActorSpec
        let schemas: [any MessageSchema]
        /// The instance, for an actor whose code is built in.
        let reactor: (any Reactor)?
        /// Why its definition cannot be run; nil when it can.
        let fault: String?

        init(spec: ActorSpec, schemas: [any MessageSchema], reactor: (any Reactor)? = nil, fault: String? = nil) {
            self.spec = spec
            self.schemas = schemas
            self.reactor = reactor
            self.fault = fault
        }

        /// The message with the key that its Reactor gives it, which goes over the sender's.
        func keyed(_ message: NewMessage) -> NewMessage {
            guard let key = reactor?.key(of: message) else { return message }
            return message.changed { $0.key = key }
        }

        /// The same actor with other permissions.
        func granting(_ grants: [String: PermissionLevel]) -> Entry {
            var spec = spec
            spec.grants = grants
            return Entry(spec: spec, schemas: schemas, reactor: reactor, fault: fault)
        }

        /// The same actor, which takes messages and handles none.
        func holding(because reason: String) -> Entry {
            Entry(spec: spec, schemas: schemas, reactor: reactor, fault: reason)
        }
    }

    private struct State {
        var entries: [ActorID: Entry] = [:]
        /// Names of folders.
        var declared: [String: ActorID] = [:]
        /// Aliases that somebody made.
        var made: [String: ActorID] = [:]
        var quarantined: [QuarantinedActor] = []

        /// A folder's name goes before an alias that somebody made.
        func id(alias key: String) -> ActorID? { declared[key] ?? made[key] }
    }

    private let state = Mutex(State())

    /// Makes these the actors that folders declare; those that were made over HTTP stay, and so do the permissions of
    /// those that were here before: they may have changed since the folders were read.
    func replaceDeclared(_ entries: [Entry], quarantined: [QuarantinedActor]) {
        state.withLock { state in
            let before = state.entries
            state.entries = before.filter { $0.value.spec.definition != nil }
            state.declared = [:]
            for entry in entries {
                let known = before[entry.spec.id].map { entry.granting($0.spec.grants) }
                state.entries[entry.spec.id] = known ?? entry
                state.declared[Self.aliasKey(entry.spec.name, tenant: entry.spec.tenant)] = entry.spec.id
            }
            state.quarantined = quarantined
        }
    }

    func setGrants(_ grants: [String: PermissionLevel], of id: ActorID) {
        state.withLock { $0.entries[id] = $0.entries[id]?.granting(grants) }
    }

    /// An actor that was made over HTTP, new or changed.
    func put(_ entry: Entry) { state.withLock { $0.entries[entry.spec.id] = entry } }

    @discardableResult
    func remove(_ id: ActorID) -> Entry? {
        state.withLock { state in
            state.made = state.made.filter { $0.value != id }
            return state.entries.removeValue(forKey: id)
        }
    }

    /// Lets a made alias lead to an actor, or to nobody.
    func setAlias(_ alias: String, tenant: String, to id: ActorID?) {
        state.withLock { $0.made[Self.aliasKey(alias, tenant: tenant)] = id }
    }

    func entry(_ id: ActorID) -> Entry? { state.withLock { $0.entries[id] } }

    func id(alias: String, tenant: String) -> ActorID? {
        state.withLock { $0.id(alias: Self.aliasKey(alias, tenant: tenant)) }
    }

    /// By id when the word is a hashid, else by alias.
    func resolve(_ word: String, tenant: String) throws(ActorError) -> ActorSpec {
        let found = state.withLock { state in
            let id =
                Hashids.abaco.decode(word) != nil
                ? ActorID(word) : state.id(alias: Self.aliasKey(word, tenant: tenant))
            return id.flatMap { state.entries[$0]?.spec }
        }
        guard let found, found.tenant == tenant else {
            throw ActorError(.notFound, "Actor with identifier '\(word)' not found")
        }
        return found
    }

    var all: [Entry] { state.withLock { Array($0.entries.values) } }
    var quarantined: [QuarantinedActor] { state.withLock(\.quarantined) }

    private static func aliasKey(_ alias: String, tenant: String) -> String { "\(tenant)/\(alias)" }
}
