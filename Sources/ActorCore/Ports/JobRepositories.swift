/// A branch of a git repository, and the folder in it that holds job files.
package struct JobRepository: Sendable, Equatable, Hashable {
    package let url: String
    package let branch: String
    /// Below the top of the repository; empty for the top itself.
    package let path: String

    package init(url: String, branch: String, path: String) {
        self.url = url
        self.branch = branch
        self.path = path
    }

    /// `https://…`, `ssh://…`, `file:///…`, `user@host:path` or an absolute path; nothing that could be an option.
    package static func isAddress(_ text: String) -> Bool {
        guard (2...2048).contains(text.utf8.count), text.first != "-", text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f })
        else { return false }
        if ["https://", "ssh://", "file:///"].contains(where: text.hasPrefix) {
            return text.split(separator: "/").dropFirst().first.map { !$0.hasPrefix("-") } ?? false
        }
        if text.hasPrefix("/") { return true }
        // As ssh is written short; `ext::` and other helpers have two colons.
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        return parts.count == 2 && parts[0].contains("@") && !parts[1].isEmpty && !parts[1].hasPrefix("-")
            && parts[0].utf8.allSatisfy { NameRules.isAlphanumeric($0) || Array("@._-".utf8).contains($0) }
    }

    /// A part of what git takes for a branch: letters, digits and `._-/`, without what it refuses.
    package static func isBranch(_ text: String) -> Bool {
        (1...200).contains(text.utf8.count) && !text.contains("..") && !text.hasSuffix(".lock")
            && text.split(separator: "/", omittingEmptySubsequences: false).allSatisfy { part in
                !part.isEmpty && part.first != "." && part.first != "-" && part.last != "."
                    && part.utf8.allSatisfy { NameRules.isAlphanumeric($0) || Array("._-+=#".utf8).contains($0) }
            }
    }
}

/// A house without repositories: says so to who asks for one.
package struct NoRepositories: JobRepositories {
    package init() {}

    package func fetch(_ repository: JobRepository) async throws(ActorError) -> String {
        throw ActorError(.unavailable, "this house reads no repositories")
    }

    package func files(_ repository: JobRepository, at commit: String) async throws(ActorError) -> [JobFile] {
        throw ActorError(.unavailable, "this house reads no repositories")
    }
}

/// Brings job files from where a lab keeps them under version control.
package protocol JobRepositories: Sendable {
    /// Fetches the branch and answers the commit that it is at now. Throws `unavailable` when nobody answers, or when
    /// there is no such branch.
    func fetch(_ repository: JobRepository) async throws(ActorError) -> String
    /// The job files at a commit that was fetched, sorted by path.
    func files(_ repository: JobRepository, at commit: String) async throws(ActorError) -> [JobFile]
}
