import ActorConnectors
import ActorCore
import Foundation
import Glibc
import NIOPosix
import Testing

@Suite("results of executions")
struct ResultSocketTests {
    private let execution = ExecutionID("R4Xo")

    private func withFiles(_ body: (FolderRunFiles, String) async throws -> Void) async throws {
        let root = FileManager.default.temporaryDirectory.path + "/rr-\(UUID().uuidString.prefix(8))"
        try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: root) }
        let files = FolderRunFiles(root: root, pool: .singleton)
        _ = try await files.prepare(execution)
        try await body(files, root)
    }

    /// How much of each was taken, or the error.
    private func send(_ datagrams: [[UInt8]], to path: String) throws -> [Int] {
        let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
        try #require(descriptor >= 0)
        defer { close(descriptor) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(path.utf8)) }
        let isConnected = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) == 0
            }
        }
        guard isConnected else { return [] }
        return datagrams.map { Glibc.send(descriptor, $0, $0.count, 0) }
    }

    @Test("each datagram is one result, popped once, in order; nothing comes after the end")
    func results() async throws {
        try await withFiles { files, _ in
            let path = try #require(await files.openResults(of: execution))
            #expect(await files.takeResult(of: execution) == nil)
            let longest = [UInt8](repeating: 7, count: 131_072)
            let sent = try send([[1, 2], [], longest, longest + [8], [3]], to: path)
            #expect(sent == [2, 0, 131_072, 131_073, 1])
            await files.closeResults(of: execution)
            for expected: [UInt8] in [[1, 2], [], longest, [3]] {
                let found = await files.takeResult(of: execution)
                #expect(found == expected)
            }
            #expect(await files.takeResult(of: execution) == nil)
            #expect(try send([[9]], to: path).isEmpty, "nobody listens any more")
        }
    }

    @Test("an execution leaves no more results than may be, and another attempt adds to them")
    func bounds() async throws {
        try await withFiles { files, root in
            for _ in 0..<2 {
                let path = try #require(await files.openResults(of: execution))
                _ = try send((0..<700).map { [UInt8($0 % 256)] }, to: path)
                await files.closeResults(of: execution)
            }
            let names = try FileManager.default.contentsOfDirectory(atPath: "\(root)/runs/R4Xo/results")
            #expect(names.count == 1000)
        }
    }

    @Test("nobody else can enter the folder of an execution; in it, message and work are open to whoever it runs as")
    func modes() async throws {
        try await withFiles { files, root in
            let run = try await files.prepare(execution)
            try await files.write([1, 2, 3], to: "\(run)/message")
            let path = try #require(await files.openResults(of: execution))
            #expect(path.hasSuffix("/R4Xo/out/results.sock"))
            func mode(_ path: String) throws -> Int? {
                try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
            }
            let modes = try ["", "/message", "/work", "/out", "/results"].map { try mode(run + $0) }
            #expect(modes == [0o700, 0o644, 0o777, 0o755, 0o700])
            await files.closeResults(of: execution)
        }
    }

    @Test(
        "where programs run as another user, its group may pass through the folder",
        .enabled(if: geteuid() == 0, "only root can give a folder to any group"))
    func groups() async throws {
        try await withFiles { _, root in
            let shared = FolderRunFiles(root: root, pool: .singleton, group: 4242)
            let other = try await shared.prepare(ExecutionID("Rr"))
            let attributes = try FileManager.default.attributesOfItem(atPath: other)
            #expect(attributes[.posixPermissions] as? Int == 0o710)
            #expect(attributes[.groupOwnerAccountID] as? Int == 4242)
        }
    }

    @Test("a message that is written again is another file: whoever reads goes on, and want of room leaves the old one")
    func rewritten() async throws {
        try await withFiles { files, root in
            let message = "\(root)/runs/R4Xo/message"
            try await files.write([1, 2, 3], to: message)
            let reader = open(message, O_RDONLY | O_CLOEXEC)
            defer { close(reader) }
            try await files.write([4, 5], to: message)
            var old = [UInt8](repeating: 0, count: 8)
            let count = Glibc.read(reader, &old, 8)
            #expect(old.prefix(max(0, count)) == [1, 2, 3])
            #expect(await files.read(message, limit: 9) == [4, 5])
            try FileManager.default.createDirectory(atPath: message + ".new", withIntermediateDirectories: false)
            await #expect(throws: ActorError.self) { try await files.write([6], to: message) }
            #expect(await files.read(message, limit: 9) == [4, 5])
        }
    }

    @Test("what is put behind a log leaves what is in it, for whoever writes it too")
    func appended() async throws {
        try await withFiles { files, root in
            let log = "\(root)/runs/R4Xo/log"
            try await files.append(Array("a\n".utf8), to: log)
            let writer = open(log, O_WRONLY | O_APPEND | O_CLOEXEC)
            defer { close(writer) }
            try await files.append(Array("b\n".utf8), to: log)
            #expect(Glibc.write(writer, "c\n", 2) == 2)
            #expect(await files.read(log, limit: 9) == Array("a\nb\nc\n".utf8))
        }
    }

    @Test("a folder too deep for a socket runs without one")
    func deep() async throws {
        let root = FileManager.default.temporaryDirectory.path + "/rr-" + String(repeating: "x", count: 100)
        try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: root) }
        let files = FolderRunFiles(root: root, pool: .singleton)
        _ = try await files.prepare(execution)
        #expect(await files.openResults(of: execution) == nil)
        #expect(await files.takeResult(of: ExecutionID("../../etc")) == nil)
    }
}
