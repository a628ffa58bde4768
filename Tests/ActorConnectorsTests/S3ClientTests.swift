import ActorConnectors
import ActorCore
import ActorTesting
import Crypto
import Testing

enum Hashes {
    static let md5: MemoryObjects.Hash = { Hexadecimal.text(Insecure.MD5.hash(data: $0)) }
    static let sha256: MemoryObjects.Hash = { Hexadecimal.text(SHA256.hash(data: $0)) }

    static func body(_ text: String) -> ObjectBody {
        let bytes = Array(text.utf8)
        return ObjectBody(source: MemorySource(bytes), sha256: sha256(bytes), md5: md5(bytes))
    }
}

/// A clock on which waiting takes no time.
struct HastyClock: Timekeeper {
    func now() -> Timestamp { Timestamp(milliseconds: 1_768_478_400_000) }
    func sleep(until deadline: Timestamp) async throws { try Task.checkCancellation() }
    func sleep(milliseconds: Int64) async throws { try Task.checkCancellation() }
}

/// What is sent, what is tried again and what errors say; the real stores are in ``S3StoreTests``.
@Suite struct S3ClientTests {
    private let http = ScriptedHTTP()
    private let name = ObjectName(bucket: "lab", key: "a b")
    private let client: S3Client

    init() throws {
        let keys = SigV4.Credentials(accessKey: "AK", secretKey: "canary-secret")
        let endpoint = try S3Endpoint(url: "http://store", region: "r", isPathStyle: true, credentials: keys)
        client = S3Client(endpoint: endpoint, client: http, clock: HastyClock())
    }

    private static func error(_ code: String, _ status: Int) -> ScriptedHTTP.Answer {
        .status(
            status, "<Error><Code>\(code)</Code><Message>because</Message><RequestId>rq1</RequestId></Error>",
            headers: [("Retry-After", "1")])
    }

    @Test func theModelKeepsThePromises() async {
        let model = MemoryObjects(buckets: ["b"], md5: Hashes.md5, sha256: Hashes.sha256)
        let suite = ObjectStoreSuite(model, bucket: "b", md5: Hashes.md5, sha256: Hashes.sha256)
        let problems = await suite.problems()
        #expect(problems == [])
    }

    @Test func passingFailuresAreTriedAgain() async throws {
        let etag = Hashes.md5(Array("x".utf8))
        http.on(
            "PUT", "http://store/lab/a%20b", Self.error("SlowDown", 503), Self.error("RequestTimeout", 400),
            .failure(ActorError(.timedOut, "late")), .status(200, headers: [("ETag", "\"\(etag)\"")]))
        let stored = try await client.put(name, Hashes.body("x"), PutOptions())
        #expect(stored.etag == etag && http.requests.count == 4)
        #expect(http.requests.allSatisfy { $0.body == Array("x".utf8) })
        #expect(http.policies.allSatisfy { $0 == .anywhere })
    }

    @Test func errorsSayWhatWasWrong() async throws {
        http.on("GET", "http://store/lab", Self.error("InternalError", 500))
        let error = await #expect(throws: ActorError.self) {
            try await client.list(ObjectQuery(bucket: "lab"))
        }
        let text = try #require(error).message
        #expect(text == "S3 GET lab at store: InternalError, because (request rq1) (tried 5 times)")
        #expect(error?.code == .unavailable && http.requests.count == 5)
        for (code, status, kind) in [
            ("AccessDenied", 403, ActorError.Code.forbidden), ("NoSuchBucket", 404, .notFound),
            ("PreconditionFailed", 412, .conflict), ("QuotaExceeded", 403, .storageFull),
            ("EntityTooLarge", 400, .tooLarge), ("InvalidRange", 416, .invalidInput),
            ("XAmzContentSHA256Mismatch", 400, .conflict), ("", 400, .invalidInput),
        ] as [(String, Int, ActorError.Code)] {
            let http = ScriptedHTTP { _ in Self.error(code, status) }
            let keys = SigV4.Credentials(accessKey: "AK", secretKey: "canary-secret")
            let client = S3Client(
                endpoint: try S3Endpoint(url: "http://store", region: "r", isPathStyle: true, credentials: keys),
                client: http, clock: HastyClock())
            let error = await #expect(throws: ActorError.self) {
                try await client.put(name, Hashes.body("x"), PutOptions())
            }
            #expect(error?.code == kind && http.requests.count == 1, "\(code)")
            #expect(error.map { !"\($0)".contains("canary") } == true)
        }
    }

    /// The answer of the first try was lost: what is there is ours.
    @Test func aConditionThatWeOurselvesBroke() async throws {
        let etag = Hashes.md5(Array("x".utf8))
        http.on(
            "PUT", "http://store", .failure(ActorError(.unavailable, "broke")), Self.error("PreconditionFailed", 412))
        http.on("HEAD", "http://store", .status(200, headers: [("ETag", "\"\(etag)\""), ("Content-Length", "1")]))
        let stored = try await client.put(name, Hashes.body("x"), PutOptions(condition: .absent))
        #expect(stored.etag == etag)
        let other = await #expect(throws: ActorError.self) {
            try await client.put(name, Hashes.body("y"), PutOptions(condition: .absent))
        }
        #expect(other?.code == .conflict)
    }

    @Test func aCompletionWhoseAnswerWasLostOrTellsOfFailure() async throws {
        let upload = MultipartUpload(object: name, id: "u")
        let part = MultipartPart(number: 1, bytes: 1, etag: Hashes.md5(Array("x".utf8)))
        let etag = MultipartPlan.etag(of: [part])
        http.on(
            "POST", "http://store", Self.error("InternalError", 200), .failure(ActorError(.timedOut, "late")),
            Self.error("NoSuchUpload", 404))
        http.on("HEAD", "http://store", .status(200, headers: [("ETag", etag), ("Content-Length", "1")]))
        #expect(try await client.complete(upload, [part], PutOptions()).etag == etag)
    }

    @Test func whatCameIsComparedWithWhatWasSent() async throws {
        http.on("PUT", "http://store", .status(200, headers: [("ETag", "\"\(Hashes.md5([1, 2]))\"")]))
        let error = await #expect(throws: ActorError.self) {
            try await client.put(name, Hashes.body("x"), PutOptions())
        }
        #expect(error?.code == .conflict)
    }

    static let half: Int64 = 32 << 20
    static let cuts: [(bytes: Int64, pieces: [Int64])] = [
        (0, [0]), (1, [1]), (2 * half, [half, half]), (2 * half + 1, [half, half, 1]),
    ]

    @Test(arguments: cuts)
    func filesAreCut(bytes: Int64, pieces: [Int64]) {
        #expect(MultipartPlan(bytes: bytes).pieces.map(\.bytes) == pieces)
    }

    @Test func longFilesFit() {
        for bytes: Int64 in [20 << 30, 5 << 40] {
            let pieces = MultipartPlan(bytes: bytes).pieces
            #expect(pieces.count <= 10000 && pieces.reduce(0) { $0 + $1.bytes } == bytes)
            #expect(pieces.dropLast().allSatisfy { $0.bytes >= 5 << 20 && $0.bytes <= 5 << 30 })
        }
        let plan = MultipartPlan(bytes: 10, partBytes: 4)
        let have = MultipartPart(number: 3, bytes: 2, etag: "e")
        #expect(plan.usable([have]) == [3: have])
        #expect(plan.usable([MultipartPart(number: 2, bytes: 5, etag: "e")]) == nil)
        #expect(plan.usable([MultipartPart(number: 4, bytes: 4, etag: "e")]) == nil)
    }
}
