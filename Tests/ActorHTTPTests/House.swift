import ActorCore
import ActorRuntime
import ActorTesting
import FoundationEssentials
import Glibc
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Logging
import NIOPosix
import Synchronization
import Testing

@testable import ActorHTTP

/// A front with the real runtime behind it and a store in memory; built anew for every test.
struct House {
    static let tenant = "DEV-DEVELOP"
    static let adminToken = "admin-token-0123456789"
    static let annToken = "ann-token"
    static let bobToken = "bob-token"
    static let lateToken = "late-token"

    let store: MemoryStore
    let clock: ManualClock
    let system: ActorSystem
    let front: HTTPFront
    let inbox: String
    /// What programs have sent and nobody has taken.
    let results: SentResults

    /// Owned by ann; takes any message; keeps a state.
    static let helloID = ActorID("R4Xo")
    /// Owned by admin; takes only `{"greeting": "…"}`.
    static let strictID = ActorID("wK0mvzJx1RkJO")
    /// Takes only what its secret has signed.
    static let doorID = ActorID("B7ae4")
    static let doorSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

    init(
        inbox: String = "/nonexistent", camelCase: Bool = false, authenticationOff: Bool = false,
        host: String = "127.0.0.1", port: Int = 8000, fastLane: Bool = true, store: MemoryStore = MemoryStore(),
        idleSeconds: Int64 = 10, passwords: [String: String] = [:],
        limits: (inout Limits) -> Void = { _ in }
    ) {
        var bounds = Limits()
        limits(&bounds)
        let clock = ManualClock()
        self.store = store
        self.clock = clock
        self.inbox = inbox
        let results = SentResults()
        self.results = results
        let address = SelfAddress()
        address.set(publicURL: "http://lab.example:8000", local: "http://127.0.0.1:8000", former: [])
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        system = ActorSystem(
            configuration: SystemConfiguration(
                limits: bounds, graceMilliseconds: 0, dataFolder: "/nonexistent", scrub: { $0 },
                secret: { $0 == "DOOR" ? Self.doorSecret : nil }),
            store: store, clock: clock, executor: ModelExecutor(), runFiles: NoFiles(results: results),
            client: ScriptedHTTP(), schemas: GreetingSchemas(),
            callbacks: CallbackMaker(address: address, manager: { Self.strictID }, nonce: { "DEV-DEVELOP_callback" }),
            makers: ["echo": { Echo() }], logger: logger)
        system.install(Self.specs, quarantined: [Self.broken])
        let pool = NIOThreadPool.singleton
        let executionTokens = ["execution-token": Principal(username: "ann", tenant: Self.tenant, roles: [.user])]
        let verifier = TokenVerifier(
            adminToken: Self.adminToken, tokensFile: Self.tokensFile,
            users: ["bob": [.user], "lim": [.limited], "root": [.admin]],
            tenant: Self.tenant, executionPrincipal: { executionTokens[$0] },
            logins: LoginTokens(
                key: [UInt8](repeating: 3, count: 32), passwords: passwords, tenant: Self.tenant, clock: clock),
            clock: clock, pool: pool, logger: logger)
        var settings = HTTPServerSettings(
            host: host, port: port, publicURL: "http://lab.example:8000", camelCase: camelCase, inboxFolder: inbox,
            tenant: Self.tenant, authenticationOff: authenticationOff, version: "dev", idleSeconds: idleSeconds,
            archiveFolder: { "/archive\($0)" })
        settings.fastLane = fastLane
        front = HTTPFront(
            system: system, verifier: verifier, settings: settings,
            address: address, pool: pool, logger: logger)
    }

    func test<Value: Sendable>(
        _ body: @Sendable @escaping (any TestClientProtocol) async throws -> Value
    ) async throws -> Value {
        try await front.application().test(.router, body)
    }

    /// Sends one row and checks what comes back.
    func expect(_ row: Row, sourceLocation: SourceLocation = #_sourceLocation) async throws {
        let answer = try await test { client in try await row.send(client) }
        row.check(answer, sourceLocation: sourceLocation)
    }

    func nonce(
        _ id: String, level: PermissionLevel = .execute, alias: String? = nil, actor: ActorID? = House.helloID,
        maxUses: Int = -1, tenant: String = House.tenant, owner: String = "ann", roles: [Role] = [.user]
    ) async throws {
        try await store.create(
            Nonce(
                id: NonceID(id), tenant: tenant, actor: alias == nil ? actor : nil, alias: alias, level: level,
                maxUses: maxUses, owner: owner, roles: roles, created: clock.now()))
    }

    /// What a user may do to `hello` from now on.
    func grant(_ user: String, _ level: PermissionLevel, on actor: ActorID = House.helloID) async throws {
        let target = GrantTarget(.actor, actor.rawValue, tenant: Self.tenant)
        _ = try await system.set(Grant(target, user: user, level: level))
    }

    /// The id of a new actor of ann's, made over HTTP.
    func makeActor() async throws -> ActorID {
        let make = Row(
            name: "make", method: .post, path: "/v3/actors", token: Self.annToken, type: "application/json",
            body: #"{"image":"lab/any"}"#, status: 200)
        let made = try await test { try await make.send($0) }.json
        return ActorID(try #require(made["result"]?["id"]?.string))
    }

    private static let broken = QuarantinedActor(
        folder: "/lab/actors/broken", file: "/lab/actors/broken/actor.yml", line: 3, reason: "unknown key \"nmae\"")

    private static let specs: [ActorSpec] = {
        let now = Timestamp(milliseconds: 1_699_999_000_000)
        let schema = SchemaSource(file: "message.jsonschema", text: [])
        var door = ActorSpec(
            id: doorID, tenant: tenant, name: "door", run: .command(["/bin/true"]), owner: "admin", created: now,
            updated: now)
        door.webhookSecrets = ["MISSING", "DOOR"]
        return [
            door,
            ActorSpec(
                id: helloID, tenant: tenant, name: "hello", run: .command(["/bin/true"]), stateless: false,
                environment: [EnvironmentEntry("GREETING", "hello")], owner: "ann", created: now, updated: now),
            ActorSpec(
                id: strictID, tenant: tenant, name: "pipeline-jobs-manager", run: .builtin("echo"), owner: "admin",
                schemas: [schema], created: now, updated: now),
        ]
    }()

    /// Written once; read as any tokens file.
    private static let tokensFile: String = {
        func entry(_ token: String, _ value: String) -> String {
            "\"\(Hexadecimal.text(TokenVerifier.digest(of: token)))\": \(value)"
        }
        let text =
            "{"
            + [
                entry(annToken, "\"ann\""), entry(bobToken, "{\"user\": \"bob\"}"), entry("lim-token", "\"lim\""),
                entry(lateToken, "{\"user\": \"ann\", \"expires\": \"2023-01-01T00:00:00Z\"}"),
                entry("fresh-token", "{\"user\": \"ann\", \"expires\": \"2030-01-01T00:00:00+01:00\"}"),
            ].joined(separator: ",") + "}"
        // A file that has lost its name: it ends with the process.
        let path = FileManager.default.temporaryDirectory.path + "/reactord-tokens-\(UUID().uuidString)"
        let descriptor = open(path, O_RDWR | O_CREAT | O_EXCL, 0o600)
        unlink(path)
        _ = text.withCString { write(descriptor, $0, text.utf8.count) }
        return "/proc/self/fd/\(descriptor)"
    }()
}

/// One request and what must come back.
struct Row: Sendable, CustomTestStringConvertible {
    var name: String
    var method: HTTPRequest.Method = .get
    var path: String
    var token: String?
    var type: String?
    var headers: [String: String] = [:]
    var body: String?
    var status: Int
    /// Texts that the body must have.
    var has: [String] = []
    /// Texts that it must not have.
    var lacks: [String] = []
    var answers: [String: String] = [:]

    var testDescription: String { name }

    func send(_ client: any TestClientProtocol) async throws -> TestResponse {
        var fields: HTTPFields = [:]
        if let token { fields[.authorization] = "Bearer \(token)" }
        if let type { fields[.contentType] = type }
        for (name, value) in headers {
            if let name = HTTPField.Name(name) { fields[name] = value }
        }
        return try await client.execute(
            uri: path, method: method, headers: fields, body: body.map { ByteBuffer(string: $0) })
    }

    func check(_ answer: TestResponse, sourceLocation: SourceLocation) {
        let text = String(buffer: answer.body)
        #expect(answer.status.code == status, "\(name): \(text)", sourceLocation: sourceLocation)
        for part in has { #expect(text.contains(part), "\(name): \(text)", sourceLocation: sourceLocation) }
        for part in lacks { #expect(!text.contains(part), "\(name): \(text)", sourceLocation: sourceLocation) }
        for (header, value) in answers {
            let found = HTTPField.Name(header).flatMap { answer.headers[$0] }
            #expect(found == value, "\(name): \(header)", sourceLocation: sourceLocation)
        }
    }
}

extension TestResponse {
    var json: JSONValue { (try? JSONReader.read(Array(body.readableBytesView))) ?? .null }
    var text: String { String(buffer: body) }
}

/// Accepts objects with a text `greeting`; stands in for the schema library.
private struct GreetingSchemas: SchemaCompiler {
    struct Schema: MessageSchema {
        let isQuick: Bool

        func violations(of json: [UInt8]) -> [ActorError.Detail] {
            let value = try? JSONReader.read(json)
            if value?["greeting"]?.string != nil || value?["pipeline_uuid"] != nil { return [] }
            return [ActorError.Detail(place: "/greeting", problem: "must be a string")]
        }
    }

    func compile(_ source: SchemaSource) throws(ActorError) -> any MessageSchema {
        guard source.text != Array("false".utf8) else {
            throw ActorError(.invalidInput, "message_schema cannot be used as a JSON schema (draft 7)")
        }
        return Schema(isQuick: !source.isForeign)
    }
}

private struct NoFiles: RunFiles {
    let results: SentResults

    func prepare(_ execution: ExecutionID) async throws(ActorError) -> String { "/nonexistent/\(execution)" }
    func write(_ bytes: [UInt8], to path: String) async throws(ActorError) {}
    func read(_ path: String, limit: Int) async -> [UInt8] { Array("line of a log\n".utf8) }
    func takeResult(of execution: ExecutionID) async -> [UInt8]? { results.take() }
}

/// Results of programs, whichever execution they are of.
final class SentResults: Sendable {
    private let sent = Mutex<[String]>([])

    func send(_ text: String) { sent.withLock { $0.append(text) } }
    func take() -> [UInt8]? { sent.withLock { $0.isEmpty ? nil : Array($0.removeFirst().utf8) } }
}

/// Answers what it was sent, with a token among it.
private actor Echo: Reactor {
    func receive(_ envelope: Envelope, _ context: any ReactorContext) async throws {
        if envelope.json?["pipeline_uuid"]?.string == "refuse" {
            throw ReactorFailure(.refused, "No pipeline exists with UUID refuse")
        }
        context.log(.info, "echo")
        context.reply(["uuid": "1071", "token": "secret-token-of-the-job", "sent": envelope.json ?? .null])
    }
}

extension MemoryStore {
    /// What of a mailbox waits undelayed.
    func waiting(for actor: ActorID) async throws(ActorError) -> [Envelope] {
        try await page(.ready(after: .first), of: actor, now: Timestamp(milliseconds: 0), limit: 1_000_000)
    }
}

/// A folder that is gone when the body has ended.
func withTemporaryFolder<Value: Sendable>(
    _ body: (String) async throws -> Value
) async throws -> Value {
    let path = FileManager.default.temporaryDirectory.path + "/reactord-http-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: path) }
    return try await body(path)
}
