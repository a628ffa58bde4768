import ActorCore
import Foundation
import Testing

@testable import ActorConnectors

/// What an instrument writes cannot be measured again: nothing is taken too early, twice, or for something else.
@Suite struct InboxSafetyTests {
    private let lab: TemporaryLab

    init() throws { lab = try TemporaryLab() }

    // MARK: Markers

    /// A marker of the first upload is there still when the second of that name begins to come.
    @Test func anOlderMarkerDoesNotVouch() async throws {
        try lab.write("inbox/big.dat.done", "force")
        let inbox = try Folder(path: lab.path("inbox"))
        let marker = try #require(try inbox.status("big.dat.done")).changed
        // Clocks of file systems are coarse: until it is younger.
        repeat { try lab.write("inbox/big.dat", "half of it") } while try inbox.status("big.dat")?.changed == marker
        let entry = try #require(try await lab.inbox.scan().first)
        #expect(entry.name == "big.dat" && !entry.isMarkedDone && !entry.isForced)
        try lab.write("inbox/big.dat.done", "force")
        let marked = try #require(try await lab.inbox.scan().first)
        #expect(marked.isMarkedDone && marked.isForced)
    }

    /// It had left the inbox when the daemon was killed, and the next one of that name came with its own marker.
    @Test(arguments: [true, false]) func theMarkerOfTheNextUploadStays(isFile: Bool) async throws {
        try lab.write("data/uploads/up/1/claim.json", #"{"key":"k","is_file":\#(isFile),"files":null}"#)
        let inner = isFile ? "" : "/a"
        try lab.write("data/uploads/up/1/original/\(isFile ? "up" : "a")", "1")
        try lab.write("inbox/up\(inner)", "22")
        try lab.write("inbox/up.done", "force")
        #expect(try await lab.files.claim("up", key: "k").files.map(\.bytes) == [1])
        #expect(lab.has("inbox/up.done"))
        #expect(try await lab.inbox.scan().map(\.isForced) == [true])
    }

    /// The marker was removed, the file not moved yet.
    @Test func aCrashBetweenMarkerAndFileTakesItAll() async throws {
        try lab.write("data/uploads/up/1/claim.json", #"{"key":"k","is_file":true,"is_marked":true,"files":null}"#)
        try lab.write("inbox/up", "1")
        #expect(try await lab.files.claim("up", key: "k").files.map(\.bytes) == [1])
        #expect(try await lab.inbox.scan().isEmpty)
    }

    // MARK: Writers

    @Test func whatIsOpenForWritingIsNotTaken() async throws {
        guard OpenWriters.areKnown(at: lab.path("inbox")) else { return }
        try lab.write("inbox/up/raw/a.dat", "1")
        try lab.write("inbox/single", "1")
        #expect(try await lab.inbox.fileInWriting(in: "up") == nil)
        let writer = try #require(FileHandle(forWritingAtPath: lab.path("inbox/up/raw/a.dat")))
        let other = try #require(FileHandle(forWritingAtPath: lab.path("inbox/single")))
        #expect(try await lab.inbox.fileInWriting(in: "up") == "raw/a.dat")
        #expect(try await lab.inbox.fileInWriting(in: "single") == "single")
        let error = await #expect(throws: ActorError.self) { try await lab.files.claim("up", key: "k") }
        #expect(error?.code == .unavailable && error?.message.contains("raw/a.dat is still open") == true)
        try writer.seekToEnd()
        try writer.write(contentsOf: Data("23".utf8))
        try writer.close()
        #expect(try await lab.files.claim("up", key: "k").files.map(\.bytes) == [3])
        // Its sender says that it is complete.
        try lab.write("inbox/single.done", "")
        #expect(try await lab.files.claim("single", key: "k2").files.map(\.bytes) == [1])
        try other.close()
    }

    @Test func whatChangedWhileItWasReadHasNoHash() throws {
        try lab.write("inbox/up/a.dat", "1")
        let folder = try Folder(path: lab.path("inbox/up"))
        let open = try folder.file("a.dat")
        let bytes = try FileTree.finalHash("a.dat", of: open, in: folder).bytes
        #expect(bytes == 1)
        // What is under the name is longer than what was read.
        try FileManager.default.removeItem(atPath: lab.path("inbox/up/a.dat"))
        try lab.write("inbox/up/a.dat", "22")
        var refusal: ActorError?
        do throws(ActorError) {
            _ = try FileTree.finalHash("a.dat", of: open, in: folder)
        } catch {
            refusal = error
        }
        #expect(refusal?.code == .unavailable && refusal?.message.contains("changed while it was read") == true)
    }

    // MARK: What is still to come

    @Test func whatIsStillToComeIsSeen() async throws {
        try lab.write("inbox/up/a.dat", "1")
        try lab.write("inbox/other/a.dat", "1")
        try lab.write("inbox/.parts/\(InboxParts.part(of: "up", "0a1b"))", "half")
        try lab.write("inbox/.parts/0a1b.part", "of a single file")
        var entries = try await lab.inbox.scan()
        #expect(entries.map(\.name) == ["other", "up"] && entries[0].receiving == nil)
        #expect(entries[1].receiving?.part != nil && entries[1].receiving?.open == nil)
        try lab.write("inbox/.parts/\(InboxParts.openNote(of: "other"))", "")
        entries = try await lab.inbox.scan()
        #expect(entries[0].receiving?.open != nil && entries[0].receiving?.part == nil)
    }

    // MARK: What is brought

    private func delivery(_ key: String, force: Bool = false) throws -> InboxDelivery {
        try InboxDelivery(inbox: lab.path("inbox"), name: "up", key: key, force: force)
    }

    @Test func eachBringsItsOwnDraft() async throws {
        let (one, two) = (try delivery("k1"), try delivery("k2"))
        #expect(one.draft != two.draft)
        #expect(try one.begin())
        #expect(try two.begin())
        try lab.write("inbox/.parts/\(two.draft)", "half")
        try lab.write("inbox/.parts/\(one.draft)", "whole")
        try one.end()
        let error = #expect(throws: ActorError.self) { try two.end() }
        #expect(error?.code == .unavailable)
        #expect(try await lab.files.claim("up", key: "c").files.map(\.bytes) == [5])
        // Its draft was whole: it is not made again.
        #expect(try !two.begin())
        #expect(try await lab.inbox.scan().map(\.bytes) == [4])
    }

    @Test func aCrashBeforeTheMarkerIsMended() async throws {
        let one = try delivery("k1", force: true)
        #expect(try one.begin())
        try lab.write("inbox/.parts/\(one.draft)", "half")
        // Nothing says that it is whole.
        #expect(try one.begin())
        #expect(!lab.has("inbox/.parts/\(one.draft)"))
        try lab.write("inbox/.parts/\(one.draft)/a", "whole")
        try one.end()
        try FileManager.default.removeItem(atPath: lab.path("inbox/up.done"))
        #expect(try !one.begin())
        #expect(try await lab.inbox.scan().map(\.isForced) == [true])
        // Taken, and somebody puts another there: it is none of its business.
        _ = try await lab.files.claim("up", key: "c")
        try lab.write("inbox/up/b", "of another")
        #expect(try !one.begin())
        #expect(try await lab.inbox.scan().map(\.isMarkedDone) == [false])
    }

    @Test func nothingIsReplacedByAMove() throws {
        let inbox = try Folder(path: lab.path("inbox"))
        for (path, target) in [("a", "x"), ("a", "x/y"), ("a/b", "x"), ("a/b", "x/y")] {
            let own = try Folder(path: lab.path("data"))
            try lab.write("data/\(path)", "1")
            try lab.write("inbox/\(target)", "22")
            var refusal: ActorError?
            do throws(ActorError) {
                try own.moveAsNew("a", to: inbox, as: "x")
            } catch {
                refusal = error
            }
            #expect(refusal?.code == .conflict && lab.has("data/a"))
            #expect(FileManager.default.contents(atPath: lab.path("inbox/\(target)")) == Data("22".utf8))
            try FileManager.default.removeItem(atPath: lab.path("inbox/x"))
            try own.moveAsNew("a", to: inbox, as: "x")
            #expect(!lab.has("data/a") && lab.has("inbox/x"))
            try FileManager.default.removeItem(atPath: lab.path("inbox/x"))
        }
    }
}
