import ActorConnectors
import ActorCore
import Foundation
import Testing

/// Files of uploads as something that may be removed.
@Suite struct HoldingsTests {
    private let lab: TemporaryLab

    init() throws { lab = try TemporaryLab() }

    private func take(_ name: String, _ text: String, key: String) async throws {
        try lab.write("inbox/\(name)/raw/a.dat", text)
        try lab.write("inbox/\(name)/metadata.json", #"{"tags": ["scratch", 3]}"#)
        _ = try await lab.files.claim(name, key: key)
    }

    @Test func theyAreListedPageByPageInAnOrderThatStays() async throws {
        // "a.2" stands between "a" and "a-b" by its id, and before both by its bytes.
        for (name, key) in [("a-b", "1"), ("a.2", "2"), ("a", "3"), ("a", "4")] {
            try await take(name, "content \(key)", key: key)
        }
        let all = try await lab.files.holdings(after: nil, limit: 10)
        #expect(all.map(\.place) == ["a/1", "a/2", "a-b/1", "a.2/1"])
        #expect(all.map(\.key) == ["3", "4", "1", "2"])
        #expect(all[0].tags == ["scratch"] && all[0].files.map(\.path) == ["metadata.json", "raw/a.dat"])
        for index in all.indices {
            let rest = try await lab.files.holdings(after: all[index].place, limit: 1)
            #expect(rest.map(\.place) == all.dropFirst(index + 1).prefix(1).map(\.place))
        }
    }

    @Test func onlyTheUploadThatWasMeantGoes() async throws {
        try await take("a", "one", key: "1")
        try await take("a", "two", key: "2")
        let original = "data/uploads/a/1/original/raw/a.dat"
        await #expect(throws: ActorError.self) {
            try await lab.files.removeFiles(of: "a", 1, key: "2", keepingCopy: false)
        }
        await #expect(throws: ActorError.self) {
            try await lab.files.removeFiles(of: "a", 1, key: "1", keepingCopy: true)
        }
        await #expect(throws: ActorError.self) {
            try await lab.files.removeFiles(of: "../a", 1, key: "1", keepingCopy: false)
        }
        #expect(lab.has(original))
        // A repeat is no harm.
        for _ in 0..<2 { try await lab.files.removeFiles(of: "a", 1, key: "1", keepingCopy: false) }
        #expect(!lab.has(original) && lab.has("data/uploads/a/2/original/raw/a.dat"))
        #expect(try await lab.files.holdings(after: nil, limit: 10).map(\.place) == ["a/2"])
        #expect(try await lab.files.holding("a", 1) == nil)
        // Taken in it was, whatever became of its files.
        #expect(try await lab.files.claim("a", key: "1").files.count == 2)
    }

    /// Its message was given up half-way; sent again it has another key.
    @Test func whatWasBegunUnderAnotherKeyIsGoneOnWith() async throws {
        try lab.write("data/uploads/x/1/claim.json", #"{"key": "old", "is_file": false, "files": null}"#)
        try lab.write("data/uploads/x/1/original/a.dat", "a")
        #expect(try await lab.files.begunClaims().map(\.item) == ["x"])
        let claimed = try await lab.files.claim("x", key: "new")
        #expect(claimed.number == 1 && claimed.files.map(\.path) == ["a.dat"])
        #expect(try await lab.files.claim("x", key: "new") == claimed)
        #expect(try await lab.files.begunClaims().isEmpty)
        // What is whole is nobody else's.
        await #expect(throws: ActorError.self) { try await lab.files.claim("x", key: "third") }
    }

    @Test func resultsAreShownBesideTheUploadTheyWereMadeOf() async throws {
        try await take("a", "one", key: "1")
        for (run, text) in [("r1", "old"), ("r2", "new")] {
            _ = try await lab.files.prepareRun(run, fresh: true)
            try lab.write("data/runs/\(run)/output/deep/\(run).csv", text)
            _ = try await lab.files.publish(run, to: "/products/v2/\(run)")
            // A repeat is no harm.
            for _ in 0..<2 {
                try await lab.files.derive("/products/v2/\(run)", of: "a", key: "1", as: "ephys/beats")
            }
        }
        let derived = "data/uploads/a/1/derived"
        #expect(lab.has("\(derived)/ephys/beats/deep/r2.csv") && !lab.has("\(derived)/ephys/beats/deep/r1.csv"))
        // They need no room of their own, and outlive the originals.
        var (one, other) = (stat(), stat())
        #expect(stat(lab.path("\(derived)/ephys/beats/deep/r2.csv"), &one) == 0)
        #expect(stat(lab.path("archive/products/v2/r2/deep/r2.csv"), &other) == 0 && one.st_ino == other.st_ino)
        try await lab.files.removeFiles(of: "a", 1, key: "1", keepingCopy: false)
        #expect(lab.has("\(derived)/ephys/beats/deep/r2.csv"))
        for (path, key, place) in [
            ("/products/none", "1", "x"), ("/products/v2/r2", "2", "x"), ("/products/v2/r2", "1", "../x"),
            ("/../data", "1", "x"),
        ] {
            await #expect(throws: ActorError.self) {
                try await lab.files.derive(path, of: "a", key: key, as: place)
            }
        }
    }

    @Test func whatWasArchivedIsThereUntilItsCopyIsForgotten() async throws {
        try await take("a", "one", key: "1")
        try lab.write(
            "data/uploads/a/1/stored.json",
            #"{"bucket": "b", "objects": [{"key": "x/a", "bytes": 3, "etag": "e", "sha256": "ss"}]}"#)
        let copy = HeldCopy(
            bucket: "b", objects: [LabFile(path: "x/a", bytes: 3, sha256: "ss")], etags: ["x/a": "e"])
        #expect(try await lab.files.holding("a", 1)?.copy == copy)
        try await lab.files.removeFiles(of: "a", 1, key: "1", keepingCopy: true)
        let archived = try #require(try await lab.files.holding("a", 1))
        #expect(archived.isArchived && archived.copy == copy && archived.here.isEmpty && archived.tags == ["scratch"])
        try await lab.files.removeFiles(of: "a", 1, key: "1", keepingCopy: false)
        #expect(try await lab.files.holding("a", 1) == nil)
    }

    /// Of an earlier version, which took uploads whose names are not UTF-8 and did not list them.
    @Test func filesWhoseNamesAreNotUTF8AreRemovedToo() async throws {
        try await take("a", "one", key: "1")
        try lab.writeRaw("data/uploads/a/1/original/raw", "1")
        try await lab.files.removeFiles(of: "a", 1, key: "1", keepingCopy: false)
        #expect(!lab.has("data/uploads/a/1/original"))
    }

    /// The upload "a.2" and the second of "a" were copied to the same keys once.
    @Test func aKeyThatAnotherCopyHasTooIsNotThisOnesAlone() async throws {
        try await take("a", "one", key: "1")
        try await take("a", "two", key: "2")
        try await take("a.2", "three", key: "3")
        for (place, keys) in [("a/2", ["k", "mine"]), ("a.2/1", ["k"])] {
            let objects = keys.map { #"{"key": "\#($0)", "bytes": 3, "etag": "e", "sha256": "ss"}"# }
            try lab.write(
                "data/uploads/\(place)/stored.json",
                #"{"bucket": "b", "objects": [\#(objects.joined(separator: ","))]}"#)
        }
        #expect(try await lab.files.holding("a", 2)?.copy?.shared == ["k"])
        #expect(try await lab.files.holding("a", 2)?.copy?.own.map(\.path) == ["mine"])
        #expect(try await lab.files.holding("a.2", 1)?.copy?.own.isEmpty == true)
        try await lab.files.removeFiles(of: "a", 2, key: "2", keepingCopy: false)
        #expect(try await lab.files.holding("a.2", 1)?.copy?.own.map(\.path) == ["k"])
        try await lab.files.forgetCopy(of: "a.2", 1, key: "another")
        #expect(try await lab.files.holding("a.2", 1)?.copy != nil)
        try await lab.files.forgetCopy(of: "a.2", 1, key: "3")
        #expect(try await lab.files.holding("a.2", 1)?.copy == nil)
    }

    @Test func anArchiveGoesWithWhatItHeld() async throws {
        try lab.write("data/uploads/x/1/received/x.zip", "zip")
        try lab.write("data/uploads/x/1/original/a.dat", "a")
        try lab.write(
            "data/uploads/x/1/claim.json",
            """
            {"key": "k", "is_file": true, "archive": "x.zip",
             "received": {"path": "x.zip", "bytes": 3, "sha256": "aa"},
             "files": [{"path": "a.dat", "bytes": 1, "sha256": "bb"}]}
            """)
        let holding = try #require(try await lab.files.holding("x", 1))
        #expect(holding.here.map(\.path) == ["a.dat", "x.zip"] && holding.files.count == 1)
        try await lab.files.removeFiles(of: "x", 1, key: "k", keepingCopy: false)
        #expect(!lab.has("data/uploads/x/1/received") && !lab.has("data/uploads/x/1/original"))
    }
}
