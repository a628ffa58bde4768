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
    }

    private struct State {
        var entries: [ActorID: Entry] = [:]
        var aliases: [String: ActorID] = [:]
        var quarantined: [QuarantinedActor] = []
    }

    private let state = Mutex(State())

    func replaceAll(_ entries: [Entry], quarantined: [QuarantinedActor]) {
        state.withLock { state in
            state.entries = [:]
            state.aliases = [:]
            for entry in entries {
                state.entries[entry.spec.id] = entry
                state.aliases[Self.aliasKey(entry.spec.name, tenant: entry.spec.tenant)] = entry.spec.id
            }
            state.quarantined = quarantined
        }
    }

    func entry(_ id: ActorID) -> Entry? { state.withLock { $0.entries[id] } }

    func id(alias: String, tenant: String) -> ActorID? {
        state.withLock { $0.aliases[Self.aliasKey(alias, tenant: tenant)] }
    }

    /// By id when the word is a hashid, else by alias.
    func resolve(_ word: String, tenant: String) throws(ActorError) -> ActorSpec {
        let found = state.withLock { state in
            let id =
                Hashids.abaco.decode(word) != nil
                ? ActorID(word) : state.aliases[Self.aliasKey(word, tenant: tenant)]
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
