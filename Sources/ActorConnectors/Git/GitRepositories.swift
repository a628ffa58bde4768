package import ActorCore
import Crypto
package import NIOPosix

/// Job files from branches of git repositories: fetched into bare copies below the data folder, never checked out.
package struct GitRepositories: JobRepositories {
    private static let maxArchiveBytes: Int64 = 64 << 20

    private let root: String
    private let home: String
    private let blocking: BlockingWork

    /// - Parameters:
    ///   - root: the data folder, absolute, existing.
    ///   - home: where git and ssh look for keys and `.netrc`.
    package init(root: String, home: String, pool: NIOThreadPool = .singleton) {
        self.root = root
        self.home = home
        self.blocking = BlockingWork(pool: pool)
    }

    package func fetch(_ repository: JobRepository) async throws(ActorError) -> String {
        try Self.check(repository)
        let folder = try await folder(of: repository)
        let git = GitProgram(folder: folder, home: home)
        if try await isNew(folder) {
            try await git.run(["init", "--quiet", "--bare", "--template=", "repository"], what: repository.url)
        }
        let reference = "refs/reactord/\(Self.digest(repository.branch))"
        try await git.run(
            [
                "-C", "repository", "fetch", "--quiet", "--no-tags", "--depth=1", "--no-write-fetch-head", "--force",
                "--", repository.url, "refs/heads/\(repository.branch):\(reference)",
            ], what: "\(repository.url) at \(repository.branch)")
        let said = try await git.run(
            ["-C", "repository", "rev-parse", "--verify", "\(reference)^{commit}"], what: repository.url)
        let commit = String(said.prefix { !$0.isWhitespace })
        guard Self.isCommit(commit) else {
            throw ActorError(.unavailable, "\(repository.url): git gave \"\(said.prefix(80))\" for a commit")
        }
        return commit
    }

    package func files(_ repository: JobRepository, at commit: String) async throws(ActorError) -> [JobFile] {
        try Self.check(repository)
        guard Self.isCommit(commit) else { throw ActorError(.invalidInput, "\(commit.prefix(80)) is no commit") }
        let folder = try await folder(of: repository)
        let git = GitProgram(folder: folder, home: home)
        // Written by git itself into a file: it needs no work tree, follows no link and runs no filter.
        var words = ["-C", "repository", "archive", "--format=tar", "--output=../files.tar", commit]
        if !repository.path.isEmpty { words += ["--", repository.path] }
        try await git.run(words, what: "\(repository.url) at \(commit.prefix(12)), folder \(repository.path)")
        let prefix = repository.path
        return try await blocking { () throws(ActorError) in
            let file = try Folder(path: folder).file("files.tar")
            guard file.status.bytes <= Self.maxArchiveBytes else {
                throw ActorError(
                    .tooLarge, "the folder of job files holds \(file.status.bytes) bytes; name a smaller one")
            }
            return try JobArchive.files(file, below: prefix)
        }
    }

    private func folder(of repository: JobRepository) async throws(ActorError) -> String {
        let (root, name) = (root, Self.digest(repository.url))
        return try await blocking { () throws(ActorError) in
            try Folder(path: root).making("job-sets").making(name).path
        }
    }

    private func isNew(_ folder: String) async throws(ActorError) -> Bool {
        try await blocking { () throws(ActorError) in try Folder(path: folder).status("repository") == nil }
    }

    private static func digest(_ text: String) -> String {
        String(Hexadecimal.text(SHA256.hash(data: Array(text.utf8))).prefix(32))
    }

    private static func isCommit(_ text: String) -> Bool {
        [40, 64].contains(text.utf8.count) && Hexadecimal.bytes(text) != nil
    }

    /// What git would take for something else than it is meant to be.
    private static func check(_ repository: JobRepository) throws(ActorError) {
        guard JobRepository.isAddress(repository.url) else {
            throw ActorError(
                .invalidInput,
                "\(repository.url.prefix(200)) is no address of a repository: https://…, ssh://…, user@host:path or an "
                    + "absolute path")
        }
        guard JobRepository.isBranch(repository.branch) else {
            throw ActorError(.invalidInput, "\(repository.branch.prefix(200)) is no name of a branch")
        }
        guard repository.path.isEmpty || NameRules.isUploadPath(repository.path) else {
            throw ActorError(.invalidInput, "\(repository.path.prefix(200)) is no folder of a repository")
        }
    }
}

/// Job files in a tar that git wrote.
enum JobArchive {
    private static let maxFiles = 1000
    private static let maxFileBytes = 1_048_576
    private static let block = 512

    /// Regular files that are YAML, hidden ones left out, sorted by path.
    static func files(_ archive: borrowing OpenFile, below prefix: String) throws(ActorError) -> [JobFile] {
        var files: [JobFile] = []
        var offset: Int64 = 0
        while true {
            let header = try archive.bytes(from: offset, length: block)
            guard header.count == block, header[0] != 0 else { break }
            guard let size = octal(header[124..<136]) else {
                throw ActorError(.unavailable, "the archive of job files is damaged")
            }
            let data = offset + Int64(block)
            offset = data + Int64((size + block - 1) / block * block)
            // 0 and NUL are regular files; folders, links and git's own comments are passed over.
            guard header[156] == 0x30 || header[156] == 0, let path = name(header, below: prefix) else { continue }
            guard size <= maxFileBytes else {
                throw ActorError(.tooLarge, "\(path) is larger than \(maxFileBytes) bytes")
            }
            guard files.count < maxFiles else { throw ActorError(.tooLarge, "more than \(maxFiles) job files") }
            files.append(JobFile(path: path, text: try archive.bytes(from: data, length: size)))
        }
        return files.sorted { $0.path.utf8.lexicographicallyPrecedes($1.path.utf8) }
    }

    private static func name(_ header: [UInt8], below prefix: String) -> String? {
        func text(_ range: Range<Int>) -> String { String(decoding: header[range].prefix { $0 != 0 }, as: UTF8.self) }
        let front = text(345..<500)
        let full = front.isEmpty ? text(0..<100) : "\(front)/\(text(0..<100))"
        guard full.hasSuffix(".yaml") || full.hasSuffix(".yml") else { return nil }
        guard prefix.isEmpty || full.hasPrefix("\(prefix)/") else { return nil }
        let path = prefix.isEmpty ? full : String(full.dropFirst(prefix.count + 1))
        let parts = path.split(separator: "/", omittingEmptySubsequences: false)
        return parts.allSatisfy { !$0.isEmpty && !$0.hasPrefix(".") } ? path : nil
    }

    private static func octal(_ bytes: ArraySlice<UInt8>) -> Int? {
        let digits = bytes.prefix { (0x30...0x37).contains($0) }
        return digits.isEmpty ? nil : Int(String(decoding: digits, as: UTF8.self), radix: 8)
    }
}
