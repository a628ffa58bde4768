import ActorCore
import ActorRuntime
import ActorTesting
import Logging
import Synchronization
import Testing

/// A whole runtime on models: manual clock, memory store, scripted executor and HTTP.
final class Rig: Sendable {
    let clock = ManualClock()
    let store = MemoryStore()
    let executor = ModelExecutor(images: [:])
    let http = ScriptedHTTP { _ in .status(200) }
    let files = MemoryRunFiles()
    let address = SelfAddress()
    let reactor: ProbeReactor
    let system: ActorSystem

    /// - Parameter makers: of built-in Reactors besides `probe`.
    init(
        limits: Limits = Limits(), graceMilliseconds: Int64 = 1000,
        makers: [String: @Sendable () -> any Reactor] = [:]
    ) {
        let reactor = ProbeReactor()
        self.reactor = reactor
        address.set(publicURL: "http://lab", local: "http://127.0.0.1:1", former: [])
        var quiet = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
        quiet.logLevel = .critical
        self.system = ActorSystem(
            configuration: SystemConfiguration(
                limits: limits, graceMilliseconds: graceMilliseconds, dataFolder: "/data",
                scrub: { $0.contains("hunter2") ? "*****" : $0 }, secret: { $0 == "GRANTED" ? "hunter2" : nil },
                eventSource: "http://lab", signature: Rig.signature),
            store: store, clock: clock, executor: executor, runFiles: files, client: http,
            schemas: NameSchemas(),
            callbacks: CallbackMaker(
                address: address, manager: { ActorID("manager") }, nonce: { "LAB_nonce" }),
            makers: makers.merging(["probe": { reactor }]) { $1 }, logger: quiet)
    }

    /// Stands in for HMAC: the key and how much was signed.
    static let signature = WebhookSignature { key, message in key + [UInt8(truncatingIfNeeded: message.count)] }

    func spec(
        _ name: String, run: RunSpec = .builtin("probe"), stateless: Bool = false, workers: Int = 1,
        retry: RetryPolicy = RetryPolicy(attempts: 3, backoffSeconds: 2), timeout: Int = 3600,
        schemas: [SchemaSource] = [], secrets: [String] = [], schedule: Schedule? = nil,
        overlap: OverlapPolicy = .skip
    ) -> ActorSpec {
        ActorSpec(
            id: ActorID(Hashids.abaco.encode(UInt128(name.utf8.reduce(7) { $0 &* 31 &+ Int($1) }))),
            tenant: "LAB", name: name, run: run, stateless: stateless, maxWorkers: workers, retry: retry,
            timeoutSeconds: timeout, secrets: secrets, schedule: schedule, overlap: overlap, owner: "ada",
            schemas: schemas, created: clock.now(), updated: clock.now())
    }

    func send(_ spec: ActorSpec, _ body: JSONValue, key: String? = nil) async throws -> ExecutionID {
        try await system.send(
            MessageDraft(
                actor: spec.id, body: JSONWriter.bytes(body), sender: "ada",
                idempotency: key.map { IdempotencyKey(key: $0) })
        ).execution
    }

    /// Runs the system while `body` does its work, then stops it.
    func running(_ specs: [ActorSpec], _ body: @Sendable () async throws -> Void) async throws {
        system.install(specs, quarantined: [])
        let (stop, stopSink) = AsyncStream.makeStream(of: Void.self)
        try await withThrowingTaskGroup(of: Void.self) { group in
            let (ready, sink) = AsyncStream.makeStream(of: Void.self)
            group.addTask {
                try await self.system.run(onReady: { sink.finish() }, until: { for await _ in stop {} })
            }
            for await _ in ready {}
            do {
                try await body()
            } catch {
                Issue.record("\(error)")
            }
            stopSink.finish()
            try await group.waitForAll()
        }
    }

    /// Waits for committed events until one satisfies `condition`; subscribe before the cause.
    func wait(_ stream: EventReader, for condition: (CommittedEvent) -> Bool) async {
        for await published in stream where condition(published.event) { return }
        Issue.record("the events ended before what was waited for")
    }

    func ended(_ stream: EventReader, _ id: ExecutionID) async {
        await wait(stream) {
            if case .executionFinished(_, id, _, _) = $0 { return true }
            return false
        }
    }
}

/// A Reactor whose behaviour each test writes; records what it received.
actor ProbeReactor: Reactor {
    typealias Behaviour = @Sendable (Envelope, any ReactorContext) async throws -> Void

    private(set) var received: [JSONValue] = []
    private(set) var most = 0
    private var running = 0
    private var behaviour: Behaviour = { _, _ in }

    func behave(_ behaviour: @escaping Behaviour) { self.behaviour = behaviour }

    /// What a message says of its lane, if it does.
    nonisolated func key(of message: NewMessage) -> String? {
        (try? JSONReader.read(message.body))?["lane"]?.string
    }

    func receive(_ envelope: Envelope, _ context: any ReactorContext) async throws {
        received.append(envelope.json ?? .null)
        running += 1
        most = max(most, running)
        defer { running -= 1 }
        try await behaviour(envelope, context)
    }
}

/// Files of executions in memory.
final class MemoryRunFiles: RunFiles {
    private let files = Mutex<[String: [UInt8]]>([:])
    /// There is no room for another file.
    let isFull = Atomic(false)

    func prepare(_ execution: ExecutionID) async throws(ActorError) -> String { "/data/runs/\(execution)" }
    func write(_ bytes: [UInt8], to path: String) async throws(ActorError) {
        if isFull.load(ordering: .relaxed) { throw ActorError(.storageFull, "there is no room for \(path)") }
        files.withLock { $0[path] = bytes }
    }
    func read(_ path: String, limit: Int) async -> [UInt8] { files.withLock { Array(($0[path] ?? []).prefix(limit)) } }
}

/// A schema language of one word: the name that an object must have.
struct NameSchemas: SchemaCompiler {
    struct Compiled: MessageSchema {
        let name: String
        let isQuick = true

        func violations(of json: [UInt8]) -> [ActorError.Detail] {
            let value = try? JSONReader.read(json)
            return value?[name] == nil ? [ActorError.Detail(place: "/\(name)", problem: "missing")] : []
        }
    }

    func compile(_ source: SchemaSource) throws(ActorError) -> any MessageSchema {
        Compiled(name: String(decoding: source.text, as: UTF8.self))
    }
}
