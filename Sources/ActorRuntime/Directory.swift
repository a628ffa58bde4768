internal import ActorCore
internal import Synchronization

/// Who lives here: actors by id and alias, with their compiled schemas and their health.
final class Directory: Sendable {
    struct Entry: Sendable {
        var spec: ActorSpec
        var schemas: [any MessageSchema]
        /// The instance, for an actor whose code is built in.
        var reactor: (any Reactor)?
        /// Why it is in ERROR; nil when it is READY.
        var failure: String?
    }

    private struct State {
        var entries: [ActorID: Entry] = [:]
        var aliases: [String: ActorID] = [:]
        var quarantined: [QuarantinedActor] = []
    }

    private let state = Mutex(State())

    func replaceAll(_ entries: [Entry], quarantined: [QuarantinedActor]) {
        state.withLock { state in
            let before = state.entries
            state.entries = [:]
            state.aliases = [:]
            for var entry in entries {
                if let old = before[entry.spec.id], old.spec.revision == entry.spec.revision {
                    entry.failure = entry.failure ?? old.failure
                }
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

    func setFailure(_ reason: String?, of id: ActorID) {
        state.withLock { $0.entries[id]?.failure = reason }
    }

    private static func aliasKey(_ alias: String, tenant: String) -> String { "\(tenant)/\(alias)" }
}
