import ActorConnectors
import ActorCore
import Foundation
import Testing

/// Branches of real repositories, fetched by the real git.
@Suite(.enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/git"), "apt-get install git"))
struct GitRepositoriesTests {
    private let lab: TemporaryLab
    private let repositories: GitRepositories

    init() throws {
        lab = try TemporaryLab()
        repositories = GitRepositories(root: lab.path("data"), home: lab.path("elsewhere"))
        try git(["init", "--quiet", "--initial-branch=main", "work"], in: lab.base.path)
    }

    @discardableResult
    private func git(_ words: [String], in folder: String? = nil) throws -> String {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/git")
        process.arguments = ["-c", "user.name=a", "-c", "user.email=a@example.org"] + words
        process.currentDirectoryURL = URL(fileURLWithPath: folder ?? lab.path("work"))
        let output = Pipe()
        process.standardOutput = output
        process.standardError = Pipe()
        try process.run()
        let data = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        try #require(process.terminationStatus == 0, "git \(words)")
        return String(decoding: data, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
    }

    private func commit(_ files: [String: String], _ message: String = "m") throws -> String {
        for (path, text) in files { try lab.write("work/\(path)", text) }
        try git(["add", "-A"])
        try git(["commit", "--quiet", "-m", message])
        return try git(["rev-parse", "HEAD"])
    }

    private func repository(_ branch: String = "main", _ path: String = "jobs", url: String? = nil) -> JobRepository {
        JobRepository(url: url ?? lab.path("work"), branch: branch, path: path)
    }

    @Test func theFilesOfACommitAreThoseOfThatCommit() async throws {
        let first = try commit(["jobs/b.yaml": "b1", "jobs/ephys/a.yml": "a", "jobs/x.txt": "", "top.yaml": "t"])
        #expect(try await repositories.fetch(repository()) == first)
        let second = try commit(["jobs/b.yaml": "b2", "jobs/.hidden.yaml": ""])
        let files = try await repositories.files(repository(), at: first)
        #expect(files.map(\.path) == ["b.yaml", "ephys/a.yml"])
        #expect(files.map { String(decoding: $0.text, as: UTF8.self) } == ["b1", "a"])
        #expect(try await repositories.fetch(repository()) == second)
        #expect(try await repositories.files(repository(), at: second).first?.text == Array("b2".utf8))
        // The one before is still there: an upload that began with it ends with it.
        #expect(try await repositories.files(repository(), at: first).first?.text == Array("b1".utf8))
        #expect(try await repositories.files(repository("main", ""), at: second).map(\.path).contains("top.yaml"))
        // A branch that was rewritten is followed.
        try git(["reset", "--quiet", "--hard", first])
        let third = try commit(["jobs/c.yaml": "c"])
        #expect(try await repositories.fetch(repository()) == third)
    }

    @Test func nothingOfARepositoryIsRun() async throws {
        let mark = lab.path("ran")
        _ = try commit([
            "jobs/a.yaml": "a", ".gitattributes": "*.yaml filter=evil\n", "hooks/post-checkout": "touch \(mark)",
        ])
        try lab.link("work/jobs/link.yaml", to: "/etc/passwd")
        try lab.link("work/jobs/folder", to: "/etc")
        for hook in ["post-checkout", "pre-auto-gc", "post-merge", "reference-transaction"] {
            let path = "work/.git/hooks/\(hook)"
            try lab.write(path, "#!/bin/sh\ntouch \(mark)\n")
            try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: lab.path(path))
        }
        try git(["add", "-A"])
        try git(["-c", "core.hooksPath=/dev/null", "commit", "--quiet", "-m", "m"])
        try? FileManager.default.removeItem(atPath: mark)
        let head = try await repositories.fetch(repository())
        #expect(try await repositories.files(repository(), at: head).map(\.path) == ["a.yaml"])
        #expect(!FileManager.default.fileExists(atPath: mark))
    }

    @Test func whatGitWouldTakeForSomethingElseIsRefused() async throws {
        for url in [
            "--upload-pack=touch x", "ext::sh -c touch", "http://example.org/x", "-x", "", "relative", "a:b",
            "https://-x/y", "git@host:-x", "file://host/x",
        ] {
            let error = await #expect(throws: ActorError.self) { try await repositories.fetch(repository(url: url)) }
            #expect(error?.code == .invalidInput, "\(url): \(error.map { "\($0)" } ?? "")")
        }
        for branch in ["--x", "a..b", "", "x.lock", "a//b", "/a", "a b", "a:b", "@{u}", ".x", "x/-y"] {
            let error = await #expect(throws: ActorError.self) { try await repositories.fetch(repository(branch)) }
            #expect(error?.code == .invalidInput, "\(branch)")
        }
        let error = await #expect(throws: ActorError.self) {
            try await repositories.files(repository("main", "../x"), at: String(repeating: "a", count: 40))
        }
        #expect(error?.code == .invalidInput)
        #expect(JobRepository.isAddress("git@git.example.org:lab/experiments.git"))
        #expect(JobRepository.isAddress("ssh://git@example.org/lab/x.git") && JobRepository.isBranch("feat/x-1.2"))
    }

    @Test func whatIsNotThereIsSaid() async throws {
        _ = try commit(["jobs/a.yaml": "a"])
        for repository in [repository("none"), repository(url: lab.path("nowhere"))] {
            let error = await #expect(throws: ActorError.self) { try await repositories.fetch(repository) }
            #expect(error?.code == .unavailable && error?.message.isEmpty == false)
        }
        let head = try await repositories.fetch(repository())
        let error = await #expect(throws: ActorError.self) {
            try await repositories.files(repository("main", "none"), at: head)
        }
        #expect(error?.message.contains("none") == true)
    }
}
