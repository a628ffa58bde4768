import ActorConnectors
import ActorCore
import ActorTesting
import Foundation
import HTTPTransport
import Logging
import Testing

/// The client against servers that others wrote, which check every signature.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct S3StoreTests {
    private let http: CurlClient

    init() throws { http = try CurlClient(logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }) }

    private func client(_ port: Int, _ keys: SigV4.Credentials, host: String = "127.0.0.1") throws -> S3Client {
        let endpoint = try S3Endpoint(
            url: "http://\(host):\(port)", region: "us-east-1", isPathStyle: host == "127.0.0.1", credentials: keys)
        return S3Client(endpoint: endpoint, client: http, clock: RealClock())
    }

    /// What the daemon never does: it has no business with a store that lacks its bucket.
    private func makeBucket(_ bucket: String, _ port: Int, _ keys: SigV4.Credentials) async throws {
        let address = WebAddress(scheme: "http", host: "127.0.0.1:\(port)", path: "/\(bucket)")
        let headers = SigV4(credentials: keys, region: "us-east-1", service: "s3")
            .headers(method: "PUT", address: address, payload: SigV4.hash([]), at: HastyClock.real)
        let response = try await http.send(
            OutgoingRequest(method: "PUT", url: address.url, headers: headers), policy: .anywhere)
        try #require(response.status == 200, "\(String(decoding: response.body, as: UTF8.self))")
    }

    @Test(.enabled(if: StoreServer.hasMoto, "moto is not installed: scripts/setup --tests installs it"))
    func motoWithSignaturesChecked() async throws {
        let server = try StoreServer.startMoto()
        defer { server.stop() }
        let keys = try await IdentityService(client: http, port: server.port).keys()
        let client = try client(server.port, keys)
        try await makeBucket("lab-suite", server.port, keys)
        let suite = ObjectStoreSuite(
            client, bucket: "lab-suite", md5: Hashes.md5, sha256: Hashes.sha256, comparesHashes: false)
        let problems = await suite.problems()
        #expect(problems == [])
        let wrong = try self.client(
            server.port, SigV4.Credentials(accessKey: keys.accessKey, secretKey: "another"))
        let error = await #expect(throws: ActorError.self) { try await wrong.list(ObjectQuery(bucket: "lab-suite")) }
        #expect(error?.code == .forbidden)
        // moto answers buckets in front of a host too; *.localhost is this machine.
        let virtual = try self.client(server.port, keys, host: "localhost")
        try await makeBucket("lab-virtual", server.port, keys)
        _ = try await virtual.put(ObjectName(bucket: "lab-virtual", key: "a b"), Hashes.body("x"), PutOptions())
        #expect(try await client.list(ObjectQuery(bucket: "lab-virtual")).objects.map(\.key) == ["a b"])
        try await filesGoThereAndBack(client, "lab-suite")
        await http.shutdown()
    }

    @Test(
        .enabled(
            if: StoreServer.hasGateway,
            "Ceph's gateway is tried by `make engines`, which installs it: scripts/setup --engines"))
    func cephGateway() async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("rgw-\(UUID().uuidString)").path
        let server = try StoreServer.startGateway(folder)
        defer { server.stop() }
        let keys = SigV4.Credentials(accessKey: "AKTEST", secretKey: "SKTEST")
        let client = try client(server.port, keys)
        try await makeBucket("lab-suite", server.port, keys)
        let suite = ObjectStoreSuite(client, bucket: "lab-suite", md5: Hashes.md5, sha256: Hashes.sha256)
        let problems = await suite.problems()
        #expect(problems == [])
        let wrong = try self.client(server.port, SigV4.Credentials(accessKey: "AKTEST", secretKey: "another"))
        let error = await #expect(throws: ActorError.self) { try await wrong.list(ObjectQuery(bucket: "lab-suite")) }
        #expect(error?.code == .forbidden && error?.message.contains("connectors.s3") == true)
        // A presigned URL opens for whoever has it, and only for what it was made.
        let name = ObjectName(bucket: "lab-suite", key: "dir/a b+c")
        _ = try await client.put(name, Hashes.body("for all"), PutOptions())
        let url = try client.presigned(name, method: "GET", seconds: 60)
        let answer = try await http.send(OutgoingRequest(method: "GET", url: url), policy: .anywhere)
        #expect(answer.status == 200 && answer.body == Array("for all".utf8))
        let other = url.replacingOccurrences(of: "a%20b", with: "a%20c")
        let refused = try await http.send(OutgoingRequest(method: "GET", url: other), policy: .anywhere)
        #expect(refused.status == 403)
        let put = try client.presigned(name, method: "PUT", seconds: 60)
        let stored = try await http.send(
            OutgoingRequest(method: "PUT", url: put, body: Array("new".utf8)), policy: .anywhere)
        #expect(stored.status == 200)
        try await filesGoThereAndBack(client, "lab-suite")
        await http.shutdown()
    }

    /// 12 MiB in three parts, of which one is there already.
    private func filesGoThereAndBack(_ client: S3Client, _ bucket: String) async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("s3-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let content = (0..<(12 << 20)).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 10) }
        try Data(content).write(to: URL(fileURLWithPath: "\(folder)/rec.bin"))
        let name = ObjectName(bucket: bucket, key: "ephys/2026-11-21-e-x/rec.bin")
        let transfer = ObjectTransfer(store: client, clock: RealClock(), partBytes: 5 << 20)
        let upload = try await client.begin(name, PutOptions(sha256: Hashes.sha256(content)))
        let second = Array(content[(5 << 20)..<(10 << 20)])
        _ = try await client.put(
            part: 2, of: upload,
            ObjectBody(source: MemorySource(second), sha256: Hashes.sha256(second), md5: Hashes.md5(second)))
        let sent = try await transfer.send("rec.bin", in: folder, to: name)
        #expect(sent.etag.hasSuffix("-3"))
        #expect(try await client.unfinished(name).isEmpty)
        let back = try await transfer.fetch(name, to: "back.bin", in: folder)
        #expect(back.proof == .sha256 && back.sha256 == Hashes.sha256(content))
    }
}
