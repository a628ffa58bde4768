package import ActorCore
import Synchronization

/// Uploads with files in memory, as far as a retention has to do with them.
package final class MemoryHoldings: UploadHoldings {
    private let state = Mutex<[String: Holding]>([:])
    private let stuck = Mutex<[String: ActorError]>([:])

    package init() {}

    /// Those with files on this machine.
    package var places: [String] { state.withLock { $0.values.filter { !$0.isArchived }.map(\.place).sorted() } }

    /// Files that cannot be removed, by place; nil when they can again.
    package func keep(_ place: String, because error: ActorError?) { stuck.withLock { $0[place] = error } }

    package func forgetCopy(of name: String, _ number: Int, key: String) async throws(ActorError) {
        state.withLock { state in
            guard let old = state["\(name)/\(number)"], old.key == key else { return }
            state["\(name)/\(number)"] = Holding(
                name: name, number: number, key: key, received: old.received, tags: old.tags, files: old.files,
                archive: old.archive)
        }
    }

    package func put(_ holding: Holding) { state.withLock { $0[holding.place] = holding } }

    package func holdings(after: String?, limit: Int) async throws(ActorError) -> [Holding] {
        state.withLock { state in
            let all = state.values.sorted { ($0.name, $0.number) < ($1.name, $1.number) }
            let start = after.flatMap { place in all.firstIndex { $0.place == place } }.map { $0 + 1 } ?? 0
            return Array(all.dropFirst(start).prefix(limit))
        }
    }

    package func holding(_ name: String, _ number: Int) async throws(ActorError) -> Holding? {
        state.withLock { $0["\(name)/\(number)"] }
    }

    package func removeFiles(
        of name: String, _ number: Int, key: String, keepingCopy: Bool
    ) async throws(ActorError) {
        if let error = stuck.withLock({ $0["\(name)/\(number)"] }) { throw error }
        let isRefused = state.withLock { state in
            guard let holding = state["\(name)/\(number)"] else { return false }
            guard holding.key == key, holding.copy != nil || !keepingCopy else { return true }
            state["\(name)/\(number)"] =
                keepingCopy
                ? Holding(
                    name: name, number: number, key: key, received: holding.received, tags: holding.tags,
                    copy: holding.copy, isArchived: true, files: holding.files, archive: holding.archive) : nil
            return false
        }
        if isRefused { throw ActorError(.conflict, "\(name)/\(number) is another now") }
    }
}
