import ActorCore
import Synchronization

/// Repositories that are only names: what a branch is at, and what a commit holds.
final class ModelRepositories: JobRepositories {
    struct Contents: Sendable {
        var heads: [JobRepository: String] = [:]
        var commits: [String: [JobFile]] = [:]
        var fetches = 0
    }

    private let contents = Mutex(Contents())

    func read<Value: Sendable>(_ body: (Contents) -> Value) -> Value { contents.withLock { body($0) } }
    func change(_ body: (inout Contents) -> Void) { contents.withLock { body(&$0) } }

    func fetch(_ repository: JobRepository) async throws(ActorError) -> String {
        let head = contents.withLock { contents in
            contents.fetches += 1
            return contents.heads[repository]
        }
        guard let head else { throw ActorError(.unavailable, "nobody answers at \(repository.url)") }
        return head
    }

    func files(_ repository: JobRepository, at commit: String) async throws(ActorError) -> [JobFile] {
        guard let files = read({ $0.commits[commit] }) else { throw ActorError(.unavailable, "no commit \(commit)") }
        return files
    }
}
