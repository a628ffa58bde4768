import ActorConnectors
import ActorCore
import ActorTesting
import Foundation
import Glibc
import Testing

/// A lab in a temporary folder that goes when the test ends.
final class TemporaryLab: Sendable {
    let base: URL
    let files: FolderLab
    let inbox: FolderInbox

    init() throws {
        base = URL.temporaryDirectory.appending(path: "lab-\(UUID().uuidString)").resolvingSymlinksInPath()
        for name in ["inbox", "data", "archive", "actor"] {
            try FileManager.default.createDirectory(at: base.appending(path: name), withIntermediateDirectories: true)
        }
        files = FolderLab(
            root: base.appending(path: "data").path, archive: base.appending(path: "archive").path,
            inbox: base.appending(path: "inbox").path)
        inbox = FolderInbox(folder: base.appending(path: "inbox").path)
    }

    deinit { try? FileManager.default.removeItem(at: base) }

    func path(_ path: String) -> String { base.appending(path: path).path }

    func write(_ path: String, _ text: String) throws {
        let file = base.appending(path: path)
        try FileManager.default.createDirectory(
            at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(text.utf8).write(to: file)
    }

    /// A file whose name has a byte that is no UTF-8: `folder/bad\xff.dat`.
    func writeRaw(_ folder: String, _ text: String) throws {
        try FileManager.default.createDirectory(
            at: base.appending(path: folder), withIntermediateDirectories: true)
        var path = Array(self.path("\(folder)/bad").utf8CString.dropLast())
        path += [CChar(bitPattern: 0xff)] + Array(".dat".utf8CString)
        let file = open(path, O_WRONLY | O_CREAT, 0o644)
        guard file >= 0 else { throw ActorError(.internalFailure, "no file with such a name can be made here") }
        let bytes = Array(text.utf8)
        let count = Glibc.write(file, bytes, bytes.count)
        close(file)
        #expect(count == bytes.count)
    }

    func link(_ path: String, to target: String) throws {
        try FileManager.default.createSymbolicLink(atPath: self.path(path), withDestinationPath: target)
    }

    func has(_ path: String) -> Bool { FileManager.default.fileExists(atPath: self.path(path)) }

    var bench: LabBench {
        LabBench(
            files: files, archive: files, inbox: inbox, actorFolder: path("actor"),
            upload: { try self.write("inbox/\($0)", $1) },
            markDone: { try self.write("inbox/\($0).done", "") },
            place: { path, text in
                try self.write("elsewhere/\(path)", text)
                return self.path("elsewhere/\(path)")
            },
            addJob: { try self.write("actor/jobs/\($0)", $1) },
            output: { try self.write("data/runs/\($0)/output/\($1)", $2) },
            log: { try self.write("data/runs/\($0)/logs/\($1)", $2) })
    }
}

@Suite struct LabSuiteTests {
    @Test(arguments: LabSuite.checks) func foldersKeepThePromise(_ check: LabSuite.Check) async throws {
        try await check.run(try TemporaryLab().bench)
    }

    @Test(arguments: LabSuite.checks) func theModelKeepsThePromise(_ check: LabSuite.Check) async throws {
        try await check.run(LabBench(MemoryLab()))
    }
}

@Suite struct FolderInboxTests {
    @Test func linksAreNeitherShownNorFollowedNorCounted() async throws {
        let lab = try TemporaryLab()
        try lab.write("outside/secret", "123456789")
        try lab.write("inbox/up/a", "1")
        try lab.link("inbox/linked", to: lab.path("outside"))
        try lab.link("inbox/up/link", to: lab.path("outside/secret"))
        try lab.link("inbox/up/loop", to: "..")
        try lab.link("inbox/up.done", to: lab.path("outside/secret"))
        let entries = try await lab.inbox.scan()
        #expect(entries.map(\.name) == ["linked", "up"])
        #expect(entries.map(\.bytes) == [0, 1])
        #expect(entries.map(\.isMarkedDone) == [false, false])
        #expect(entries[0].obstacle?.contains("not followed") == true && entries[1].obstacle == nil)
    }

    @Test func aPipeDoesNotHoldTheScan() async throws {
        let lab = try TemporaryLab()
        try lab.write("inbox/up/a", "1")
        #expect(mkfifo(lab.path("inbox/up/pipe"), 0o600) == 0)
        #expect(mkfifo(lab.path("inbox/pipe"), 0o600) == 0)
        #expect(try await lab.inbox.scan().map(\.files) == [0, 1])
        #expect(try await lab.files.claim("up", key: "k").files.map(\.path) == ["a"])
    }

    /// A copy that keeps the old modification time has still just arrived.
    @Test func arrivalCountsAsChange() async throws {
        let lab = try TemporaryLab()
        let before = Timestamp(milliseconds: Int64(Date().timeIntervalSince1970 * 1000) - 5000)
        try lab.write("inbox/up/a", "1")
        try FileManager.default.setAttributes(
            [.modificationDate: Date(timeIntervalSince1970: 1)], ofItemAtPath: lab.path("inbox/up/a"))
        let entry = try #require(try await lab.inbox.scan().first)
        #expect(entry.modified > before)
    }

    /// Nothing is left out in silence: not a name, not a file in an upload, not one folder too many.
    @Test func whatCanBeNoUploadSaysWhy() async throws {
        let lab = try TemporaryLab()
        try lab.writeRaw("inbox", "1")
        try lab.writeRaw("inbox/recording/raw", "1")
        try lab.write("inbox/recording/fine", "1")
        try lab.write("inbox/new\nline", "1")
        try lab.write("inbox/deep/\(Array(repeating: "d", count: 65).joined(separator: "/"))/f", "1")
        let entries = try await lab.inbox.scan()
        #expect(entries.map(\.name) == ["bad\\xff.dat", "deep", "new\\nline", "recording"])
        #expect(entries[0].obstacle?.contains("rename it") == true)
        #expect(entries[1].obstacle?.contains("deeper than 64") == true)
        #expect(entries[2].obstacle?.contains("rename it") == true)
        #expect(entries[3].obstacle?.contains("not UTF-8") == true)
        #expect(entries[3].obstacle?.contains("recording/raw/bad\\xff.dat") == true)
        // Nobody takes them either, and nothing of them moves.
        for name in ["deep", "recording"] {
            let error = await #expect(throws: ActorError.self) { try await lab.files.claim(name, key: name) }
            #expect(error?.code == .invalidInput && lab.has("inbox/\(name)") && !lab.has("data/uploads/\(name)/1"))
        }
        #expect(lab.has("inbox/recording/fine"))
    }

    @Test func aMissingFolderIsNamed() async throws {
        let inbox = FolderInbox(folder: "/nowhere/inbox")
        let error = await #expect(throws: ActorError.self) { try await inbox.scan() }
        #expect(error?.code == .unavailable)
        #expect(error?.message.contains("/nowhere/inbox") == true)
    }
}

@Suite struct FolderLabTests {
    @Test func hashesAreSHA256OfTheContent() async throws {
        let lab = try TemporaryLab()
        try lab.write("inbox/up/abc", "abc")
        try lab.write("inbox/up/empty", "")
        // Longer than one read.
        try lab.write("inbox/up/million", String(repeating: "a", count: 1_500_000))
        let claimed = try await lab.files.claim("up", key: "k")
        #expect(
            claimed.files.map(\.sha256) == [
                "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
                "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
                "f30207a92765493dcdd80a5a2b541b3f67073c413676ab523b30c4feb12fac90",
            ])
        #expect(claimed.folder == lab.path("data/uploads/up/1/original"))
        #expect(lab.has("data/uploads/up/1/original/million"))
        #expect(!lab.has("inbox/up"))
    }

    /// A claim that stopped after any of its steps is finished by the repeat.
    @Test(arguments: ["recorded", "moved"], [true, false])
    func aClaimGoesOnAfterACrash(_ step: String, isFile: Bool) async throws {
        let lab = try TemporaryLab()
        let record = #"{"key":"k","is_file":\#(isFile),"files":null}"#
        try lab.write("data/uploads/up/1/claim.json", record)
        let inner = isFile ? "" : "/a"
        switch step {
        case "recorded": try lab.write("inbox/up\(inner)", "1")
        default: try lab.write("data/uploads/up/1/original/\(isFile ? "up" : "a")", "1")
        }
        try lab.write("inbox/up.done", "")
        let claimed = try await lab.files.claim("up", key: "k")
        #expect(claimed.number == 1)
        #expect(claimed.files.map(\.path) == [isFile ? "up" : "a"])
        #expect(try await lab.inbox.scan().isEmpty)
        #expect(!lab.has("inbox/up.done"))
        #expect(try await lab.files.claim("up", key: "k") == claimed)
    }

    @Test func aLinkIsNotClaimed() async throws {
        let lab = try TemporaryLab()
        try lab.write("outside/secret", "1")
        try lab.link("inbox/up", to: lab.path("outside"))
        await #expect(throws: ActorError.self) { try await lab.files.claim("up", key: "k") }
        #expect(lab.has("outside/secret"))
    }

    @Test func aDamagedRecordIsAnError() async throws {
        let lab = try TemporaryLab()
        try lab.write("data/uploads/up/1/claim.json", "{")
        try lab.write("inbox/up", "1")
        let error = await #expect(throws: ActorError.self) { try await lab.files.claim("up", key: "k") }
        #expect(error?.message.contains("claim.json") == true)
        #expect(lab.has("inbox/up"))
    }

    @Test func publishingGoesThroughNoLink() async throws {
        let lab = try TemporaryLab()
        try lab.write("outside/secret", "1")
        try lab.link("archive/products", to: lab.path("outside"))
        _ = try await lab.files.prepareRun("r1", fresh: true)
        await #expect(throws: ActorError.self) { try await lab.files.publish("r1", to: "/products/x") }
        #expect(!lab.has("outside/x"))
    }

    /// The crash came between the move and its answer, or between the note and the move.
    @Test func publishingGoesOnAfterACrash() async throws {
        let lab = try TemporaryLab()
        try lab.write("data/runs/r1/published.json", #"{"path":"/products/x"}"#)
        try lab.write("archive/products/x/a", "1")
        #expect(try await lab.files.publish("r1", to: "/products/x").map(\.path) == ["a"])
        try lab.write("data/runs/r2/published.json", #"{"path":"/products/y"}"#)
        try lab.write("data/runs/r2/output/b", "1")
        #expect(try await lab.files.publish("r2", to: "/products/y").map(\.path) == ["b"])
        #expect(lab.has("archive/products/y/b"))
        await #expect(throws: ActorError.self) { try await lab.files.publish("r1", to: "/products/y") }
    }

    @Test func aFreshRunRemovesLinksWithoutFollowing() async throws {
        let lab = try TemporaryLab()
        try lab.write("outside/secret", "1")
        let folders = try await lab.files.prepareRun("r1", fresh: true)
        try lab.link("data/runs/r1/output/link", to: lab.path("outside"))
        try lab.write("data/runs/r1/work/deep/er/x", "1")
        #expect(folders.work == lab.path("data/runs/r1/work"))
        _ = try await lab.files.prepareRun("r1", fresh: true)
        #expect(lab.has("outside/secret"))
        #expect(!lab.has("data/runs/r1/work/deep"))
        #expect(!lab.has("data/runs/r1/output/link"))
    }

    /// Results are kept under the names that they have, listed, and can be removed.
    @Test func resultsWhoseNamesAreNotUTF8AreKept() async throws {
        let lab = try TemporaryLab()
        _ = try await lab.files.prepareRun("r1", fresh: true)
        try lab.writeRaw("data/runs/r1/output/deep", "123")
        try lab.writeRaw("data/runs/r1/work", "1")
        let files = try await lab.files.publish("r1", to: "/products/x")
        #expect(files.map(\.bytes) == [3] && files.map { RawName.shown($0.path) } == ["deep/bad\\xff.dat"])
        #expect(try await lab.files.total("/products/x").files == 1)
        let listed = try await lab.files.list("/products/x", after: nil, limit: 10)
        #expect(listed.map(\.path) == files.map(\.path))
        #expect(try await lab.files.fixity(listed[0].path, in: "/products/x").sha256 == files[0].sha256)
        try lab.write("inbox/up", "1")
        _ = try await lab.files.claim("up", key: "k")
        for _ in 0..<2 { try await lab.files.derive("/products/x", of: "up", key: "k", as: "beats") }
        #expect(try await lab.files.setAside("/products/x", as: "old"))
        try await lab.files.discard("old")
        #expect(!lab.has("archive/.aside/old"))
        // The folder is emptied for the next run.
        _ = try await lab.files.prepareRun("r1", fresh: true)
        #expect(try FileManager.default.contentsOfDirectory(atPath: lab.path("data/runs/r1/work")) == [])
    }

    @Test func tailsReadNothingOutsideTheRuns() async throws {
        let lab = try TemporaryLab()
        try lab.write("data/secret", "1")
        let folders = try await lab.files.prepareRun("r1", fresh: true)
        try lab.link("data/runs/r1/logs/link", to: lab.path("data/secret"))
        let logs = folders.logs
        for path in [lab.path("data/secret"), "\(logs)/../../../secret", "\(logs)/link", "/etc/hostname"] {
            #expect(await lab.files.tail(of: path, limit: 100).isEmpty)
        }
    }
}
