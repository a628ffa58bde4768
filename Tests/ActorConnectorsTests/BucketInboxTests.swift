import ActorArchives
import ActorConnectors
import ActorCore
import ActorTesting
import Foundation
import Logging
import Testing

/// From a bucket into the inbox, and out of the bucket once it is stored.
@Suite struct BucketInboxTests {
    private let root: String
    private let store = MemoryObjects(buckets: ["in"], md5: Hashes.md5, sha256: Hashes.sha256)
    private let clock = ManualClock()

    init() throws {
        root = FileManager.default.temporaryDirectory.appendingPathComponent("bucket-\(UUID().uuidString)").path
        for folder in ["inbox", "archive"] {
            try FileManager.default.createDirectory(atPath: "\(root)/\(folder)", withIntermediateDirectories: true)
        }
    }

    private func remove() { try? FileManager.default.removeItem(atPath: root) }

    private var lab: FolderLab {
        FolderLab(
            root: root, archive: "\(root)/archive", inbox: "\(root)/inbox",
            unpacking: UnpackSettings(formats: ArchiveLibrary()))
    }

    /// As after a start of the daemon: it knows what is on disk.
    private func inbox(deletes: Bool = true) -> BucketInbox {
        BucketInbox(
            settings: BucketInboxSettings(bucket: "in", prefix: "lab/", settleMilliseconds: 0, deletes: deletes),
            store: store, lab: lab, root: root, inbox: "\(root)/inbox", clock: HastyClock(),
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }

    private func put(_ key: String, _ text: String) async throws {
        _ = try await store.put(ObjectName(bucket: "in", key: "lab/\(key)"), Hashes.body(text), PutOptions())
    }

    private var keys: [String] {
        get async throws { try await store.list(ObjectQuery(bucket: "in")).objects.map(\.key) }
    }

    private func names(_ folder: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: "\(root)/\(folder)").filter { !$0.hasPrefix(".") }.sorted()
    }

    @Test func anUploadComesAndLeavesTheBucketWhenItIsStored() async throws {
        defer { remove() }
        try await put("2026-11-21-e-x/a", "one")
        try await put("2026-11-21-e-x/d/b", "two")
        try await put("2026-11-21-e-x.done", "")
        try await put("single.txt", "alone")
        let bucket = inbox()
        await bucket.look()
        #expect(
            try names("inbox") == ["2026-11-21-e-x", "2026-11-21-e-x.done", "single.txt", "single.txt.done"])
        #expect(try await keys.count == 4)
        let gets = store.calls.filter { $0.hasPrefix("get") }.count
        // Neither another look nor a restart fetches it again, nor is anything removed yet.
        await bucket.look()
        await inbox().look()
        #expect(store.calls.filter { $0.hasPrefix("get") }.count == gets)
        #expect(try await keys.count == 4)
        let claimed = try await lab.claim("2026-11-21-e-x", key: "k")
        #expect(claimed.files.map(\.path) == ["a", "d/b"])
        await bucket.look()
        #expect(try await keys == ["lab/single.txt"])
        _ = try await lab.claim("single.txt", key: "k2")
        await inbox(deletes: false).look()
        #expect(try await keys == ["lab/single.txt"])
        await inbox().look()
        #expect(try await keys == [])
        #expect(try names("s3-inbox") == [])
        // The same content again is another arrival.
        try await put("single.txt", "alone")
        await inbox().look()
        #expect(try names("inbox") == ["single.txt", "single.txt.done"])
    }

    @Test func brokenDownloadsAndRestarts() async throws {
        defer { remove() }
        let text = String(repeating: "0123456789", count: 1000)
        for name in ["a", "b", "c"] { try await put("u/\(name)", text + name) }
        store.breakGets(after: 100, 2000, 0, 50)
        // A refusal in the middle: the next look goes on with what is here.
        await inbox().look()
        #expect(try names("inbox") == ["u", "u.done"])
        let claimed = try await lab.claim("u", key: "k")
        #expect(claimed.files.map(\.bytes) == [10001, 10001, 10001])
    }

    @Test func whatFailsIsTriedAgain() async throws {
        defer { remove() }
        for name in ["a", "b"] { try await put("u/\(name)", name) }
        try await put("v.txt", "v")
        let bucket = inbox()
        store.fail(ActorError(.forbidden, "not now"))
        await bucket.look()
        #expect(try names("inbox") == [])
        await bucket.look()
        #expect(try names("inbox") == ["u", "u.done", "v.txt", "v.txt.done"])
        // A changed object is a new upload; the old one is not removed for it.
        _ = try await lab.claim("v.txt", key: "k")
        try await put("v.txt", "changed")
        await bucket.look()
        #expect(try names("inbox").contains("v.txt"))
        #expect(try await keys.contains("lab/v.txt"))
        #expect(try await lab.claim("v.txt", key: "k2").number == 2)
        await bucket.look()
        #expect(try await !keys.contains("lab/v.txt"))
    }

    @Test func keysThatAreNoPathsAndNamesThatAreTaken() async throws {
        defer { remove() }
        try await put("bad/a//b", "x")
        try await put("bad2/\u{1}", "x")
        try await put("taken.txt", "new")
        try Data("old".utf8).write(to: URL(fileURLWithPath: "\(root)/inbox/taken.txt"))
        let bucket = inbox()
        await bucket.look()
        #expect(try names("inbox") == ["taken.txt"])
        #expect(try String(contentsOfFile: "\(root)/inbox/taken.txt", encoding: .utf8) == "old")
        _ = try await lab.claim("taken.txt", key: "k")
        await bucket.look()
        #expect(try names("inbox") == ["taken.txt", "taken.txt.done"])
        #expect(try await keys.count == 3)
    }

    /// An upload leaves the bucket only when its copy is whole too.
    @Test func uploadsAreCopiedAndThenRemoved() async throws {
        defer { remove() }
        try await put("u/a", "one")
        try await put("u/d/b", "two")
        let settings = BucketInboxSettings(bucket: "in", prefix: "lab/", settleMilliseconds: 0, needsCopy: true)
        let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let bucket = BucketInbox(
            settings: settings, store: store, lab: lab, root: root, inbox: "\(root)/inbox", clock: HastyClock(),
            logger: quiet)
        await bucket.look()
        let claimed = try await lab.claim("u", key: "k")
        await bucket.look()
        #expect(try await keys.filter { $0.hasPrefix("lab/") }.count == 2)
        func copier() -> UploadCopier {
            UploadCopier(
                settings: UploadCopySettings(bucket: "in", prefix: "copy/"), store: store, root: root,
                clock: HastyClock(), logger: quiet)
        }
        // The store refuses: nothing is copied, and nothing removed.
        let first = copier()
        store.fail(ActorError(.forbidden, "no"))
        await first.look()
        await bucket.look()
        #expect(try await keys == ["lab/u/a", "lab/u/d/b"])
        await first.look()
        await bucket.look()
        #expect(try await keys == ["copy/u/original/a", "copy/u/original/d/b"])
        #expect(FileManager.default.fileExists(atPath: "\(claimed.folder)/../stored.json"))
        // A restart sends nothing again.
        let puts = store.calls.filter { $0.hasPrefix("put") }.count
        await copier().look()
        #expect(store.calls.filter { $0.hasPrefix("put") }.count == puts)
        // What jobs have made of it follows, once.
        _ = try await lab.prepareRun("r", fresh: true)
        try Data("beats".utf8).write(to: URL(filePath: "\(root)/runs/r/output/beats.csv"))
        _ = try await lab.publish("r", to: "/products/r")
        try await lab.derive("/products/r", of: "u", key: "k", as: "ephys/beats")
        for _ in 0..<2 { await first.look() }
        await copier().look()
        #expect(try await keys.filter { $0.contains("derived") } == ["copy/u/derived/ephys/beats/beats.csv"])
        #expect(store.calls.filter { $0.hasPrefix("put") }.count == puts + 1)
    }

    private func copier() -> UploadCopier {
        UploadCopier(
            settings: UploadCopySettings(bucket: "in", prefix: "copy/"), store: store, root: root, clock: HastyClock(),
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }

    private func take(_ name: String, _ text: String, key: String) async throws -> ClaimedUpload {
        let folder = URL(fileURLWithPath: "\(root)/inbox/\(name)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try Data(text.utf8).write(to: folder.appending(path: "a"))
        return try await lab.claim(name, key: key)
    }

    /// "run.2" and the second of "run": each has its copy, whichever was copied first.
    @Test(arguments: [true, false]) func noTwoUploadsShareAKey(isNamedFirst: Bool) async throws {
        defer { remove() }
        let copier = copier()
        if isNamedFirst { _ = try await take("run.2", "named", key: "n") }
        _ = try await take("run", "one", key: "1")
        _ = try await take("run", "two", key: "2")
        await copier.look()
        if !isNamedFirst { _ = try await take("run.2", "named", key: "n") }
        await copier.look()
        for (name, number, text) in [("run", 1, "one"), ("run", 2, "two"), ("run.2", 1, "named")] {
            let copy = try #require(try await lab.holding(name, number)?.copy)
            let key = try #require(copy.objects.first?.path)
            #expect(copy.objects.count == 1 && copy.shared.isEmpty)
            let there = store.content(ObjectName(bucket: "in", key: key))
            #expect(there == Array(text.utf8), "\(name)/\(number) at \(key)")
        }
        // A restart sends nothing again, and nothing elsewhere.
        let keys = try await keys
        await self.copier().look()
        #expect(try await self.keys == keys)
    }

    /// An earlier version has copied two uploads to the same keys: the bucket holds only one of them.
    @Test func copiesThatShareKeysAreMadeAgainApart() async throws {
        defer { remove() }
        let places = [
            try await take("run.2", "named", key: "n"), try await take("run", "one", key: "1"),
            try await take("run", "two", key: "2"),
        ]
        for claimed in places where claimed.name != "run" || claimed.number != 1 {
            let sha256 = claimed.files[0].sha256
            let note = #"""
                {"bucket": "in", "objects": [
                {"key": "copy/run.2/original/a", "bytes": 3, "etag": "e", "sha256": "\#(sha256)"}]}
                """#
            try Data(note.utf8).write(to: URL(fileURLWithPath: "\(claimed.folder)/../stored.json"))
        }
        await copier().look()
        for (name, number, text) in [("run", 2, "two"), ("run.2", 1, "named")] {
            let copy = try #require(try await lab.holding(name, number)?.copy)
            #expect(copy.objects.map(\.path) == ["copy/\(name)/\(number)/original/a"])
            #expect(store.content(ObjectName(bucket: "in", key: copy.objects[0].path)) == Array(text.utf8))
        }
    }

    @Test func aCopyThatIsForgottenIsMadeAgain() async throws {
        defer { remove() }
        let copier = copier()
        _ = try await take("u", "one", key: "k")
        await copier.look()
        let name = ObjectName(bucket: "in", key: "copy/u/original/a")
        _ = try await store.delete([name.key], in: "in")
        await copier.look()
        #expect(store.content(name) == nil)
        try await lab.forgetCopy(of: "u", 1, key: "k")
        await copier.look()
        #expect(store.content(name) == Array("one".utf8))
    }
}
