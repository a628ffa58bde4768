import ActorConnectors
import ActorCore
import ActorTesting
import Foundation
import Testing

/// Files to a store and back: in parts, broken off, gone on with.
@Suite struct ObjectTransferTests {
    private let folder: String
    private let store = MemoryObjects(
        buckets: ["lab"], md5: Hashes.md5, sha256: Hashes.sha256, minimumPart: 1000)
    private let name = ObjectName(bucket: "lab", key: "rec/data.bin")
    private let content = (0..<10500).map { UInt8(truncatingIfNeeded: $0 &* 37 &+ $0 / 256) }

    init() throws {
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("transfer-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try Data(content).write(to: URL(fileURLWithPath: "\(folder)/data.bin"))
    }

    private func transfer(partBytes: Int64? = 1000) -> ObjectTransfer {
        ObjectTransfer(store: store, clock: HastyClock(), partBytes: partBytes)
    }

    private func remove() { try? FileManager.default.removeItem(atPath: folder) }

    @Test func aFileInPartsAndBack() async throws {
        defer { remove() }
        let sent = try await transfer().send("data.bin", in: folder, to: name)
        #expect(sent.etag.hasSuffix("-11") && store.content(name) == content)
        let calls = store.calls.count
        // Again: it is there.
        #expect(try await transfer().send("data.bin", in: folder, to: name, sha256: sent.sha256).etag == sent.etag)
        #expect(store.calls.count == calls + 1)
        store.breakGets(after: 5000, 0, 2500, 1)
        let fetched = try await transfer().fetch(name, to: "back.bin", in: folder)
        #expect(fetched.proof == .sha256 && fetched.sha256 == Hashes.sha256(content))
        #expect(try Data(contentsOf: URL(fileURLWithPath: "\(folder)/back.bin")) == Data(content))
        #expect(store.calls.suffix(5).map { $0.split(separator: " ").last } == ["0", "5000", "5000", "7500", "7501"])
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder).sorted() == ["back.bin", "data.bin"])
    }

    @Test func anInterruptedUploadGoesOnWithWhatArrived() async throws {
        defer { remove() }
        let whole = Hashes.sha256(content)
        let upload = try await store.begin(name, PutOptions(sha256: whole))
        for number in [1, 2, 5] {
            let piece = Array(content[(number - 1) * 1000..<number * 1000])
            // The fifth is of another content: it is sent again.
            let sent = number == 5 ? piece.reversed() : piece
            let body = ObjectBody(source: MemorySource(sent), sha256: Hashes.sha256(sent), md5: Hashes.md5(sent))
            _ = try await store.put(part: number, of: upload, body)
        }
        let before = store.calls.count
        _ = try await transfer().send("data.bin", in: folder, to: name, sha256: whole)
        let parts = store.calls.dropFirst(before).filter { $0.hasPrefix("part ") }.count
        #expect(parts == 9 && store.content(name) == content)
        let unfinished = try await store.unfinished(name)
        #expect(unfinished.isEmpty)
    }

    @Test func whatWasCutElsewhereIsAborted() async throws {
        defer { remove() }
        let upload = try await store.begin(name, PutOptions())
        _ = try await store.put(part: 1, of: upload, Hashes.body("short"))
        _ = try await transfer().send("data.bin", in: folder, to: name)
        #expect(store.content(name) == content && store.calls.contains("abort \(name.key)"))
    }

    @Test func smallFilesGoInOnePiece() async throws {
        defer { remove() }
        _ = try await transfer(partBytes: nil).send("data.bin", in: folder, to: name)
        #expect(store.calls == ["head \(name.key)", "put \(name.key)"])
        let fetched = try await transfer().fetch(name, to: "b", in: folder)
        #expect(fetched.bytes == 10500)
        let wrong = await #expect(throws: ActorError.self) {
            try await transfer(partBytes: nil).send("data.bin", in: folder, to: name, sha256: Hashes.sha256([1]))
        }
        #expect(wrong?.code == .conflict)
    }

    @Test func otherClientsPartsAreProvedByTheirSize() async throws {
        defer { remove() }
        // As another client would: no note of the whole content's hash.
        let upload = try await store.begin(name, PutOptions())
        var parts: [MultipartPart] = []
        for number in 1...2 {
            let piece = Array(content[(number - 1) * 5250..<number * 5250])
            let body = ObjectBody(source: MemorySource(piece), sha256: Hashes.sha256(piece), md5: Hashes.md5(piece))
            parts.append(try await store.put(part: number, of: upload, body))
        }
        _ = try await store.complete(upload, parts, PutOptions())
        let fetched = try await transfer().fetch(name, to: "back.bin", in: folder)
        #expect(fetched.proof == .parts)
    }

    @Test func whatArrivesDamagedIsFetchedAnew() async throws {
        defer { remove() }
        _ = try await transfer(partBytes: nil).send("data.bin", in: folder, to: name)
        let etag = Hashes.md5(content)
        // Half of it lies there from an earlier time, with a flipped bit.
        var half = Array(content.prefix(5000))
        half[77] ^= 1
        try Data(half).write(to: URL(fileURLWithPath: "\(folder)/.back.bin.\(etag)"))
        let error = await #expect(throws: ActorError.self) {
            try await transfer().fetch(name, to: "back.bin", in: folder)
        }
        #expect(error?.code == .conflict)
        #expect(try await transfer().fetch(name, to: "back.bin", in: folder).sha256 == Hashes.sha256(content))
    }

    @Test func limitsAndMissingThings() async throws {
        defer { remove() }
        let missing = await #expect(throws: ActorError.self) { try await transfer().fetch(name, to: "x", in: folder) }
        #expect(missing?.code == .notFound)
        _ = try await transfer(partBytes: nil).send("data.bin", in: folder, to: name)
        let long = await #expect(throws: ActorError.self) {
            try await transfer().fetch(name, to: "x", in: folder, limit: 10499)
        }
        #expect(long?.code == .tooLarge)
        for path in ["../data.bin", "", "none", "a//b", "/data.bin", "."] {
            await #expect(throws: ActorError.self, "\(path)") { try await transfer().send(path, in: folder, to: name) }
        }
        store.fail(ActorError(.forbidden, "no"))
        let refused = await #expect(throws: ActorError.self) { try await transfer().fetch(name, to: "x", in: folder) }
        #expect(refused?.code == .forbidden)
    }
}
