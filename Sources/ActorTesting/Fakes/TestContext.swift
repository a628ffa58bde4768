package import ActorCore
import Synchronization

/// What a Reactor's effects have become once they were committed: the store of a test, small enough to read.
package final class TestWorld: Sendable {
    /// A message that left a Reactor.
    package struct Mail: Sendable, Equatable {
        package let address: Address
        package let body: JSONValue
        package let key: String?
    }

    /// An HTTP call that a Reactor promised.
    package struct Call: Sendable, Equatable {
        package let url: String
        package let body: JSONValue
        package let order: String
    }

    /// All that was committed, for a test to look at and to change.
    package struct Contents: Sendable {
        package var now = Timestamp(milliseconds: 1_600_000_000_000)
        package var states: [ActorID: JSONValue] = [:]
        package var jobs: [JobID: JobRecord] = [:]
        package var history: [JobID: [JobHistoryEntry]] = [:]
        package var pipelines: [PipelineID: PipelineRecord] = [:]
        package var deletedJobs: [DeletedJob] = []
        package var audits: [AuditEntry] = []
        package var documents: [String: JSONValue] = [:]
        package var mail: [Mail] = []
        package var calls: [Call] = []
        package var log: [String] = []
        /// Journal of durable steps, by execution.
        package var steps: [ExecutionID: [String: JSONValue]] = [:]
        package var replies: [ExecutionID: JSONValue] = [:]
        package var catalogue = CatalogueModel()
        fileprivate var randomState: UInt64 = 0x9e37_79b9_7f4a_7c15

        fileprivate mutating func random() -> UInt64 {
            // SplitMix64: the same run gives the same bytes.
            randomState &+= 0x9e37_79b9_7f4a_7c15
            var mixed = randomState
            mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
            mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
            return mixed ^ (mixed >> 31)
        }

        /// All or nothing, as the store does it.
        fileprivate mutating func apply(_ effects: Effects) throws(ActorError) {
            var next = self
            for change in effects.jobs { try next.apply(change) }
            next.audits += effects.audits
            for document in effects.documents {
                let place = "\(document.kind)/\(document.id)"
                if document.body.isNull {
                    next.documents.removeValue(forKey: place)
                } else {
                    next.documents[place] = document.body
                }
            }
            self = next
        }

        private mutating func apply(_ change: JobChange) throws(ActorError) {
            switch change {
            case .registerPipeline(let pipeline):
                if pipelines[pipeline.uuid] == nil { pipelines[pipeline.uuid] = pipeline }
            case .create(let record, let entry):
                guard jobs[record.uuid] == nil else { throw ActorError(.conflict, "job \(record.uuid) exists") }
                guard pipelines[record.pipeline] != nil else {
                    throw ActorError(.notFound, "pipeline \(record.pipeline) is not registered")
                }
                jobs[record.uuid] = record
                history[record.uuid] = [entry]
                catalogue.store(record.links, of: record.uuid)
            case .move(let id, let revision, let status, let event, let entry):
                guard var record = jobs[id], record.revision == revision else {
                    throw ActorError(.conflict, "job \(id) is not at revision \(revision)")
                }
                record.move(to: status, by: event, at: entry.date)
                jobs[id] = record
                catalogue.moved(id, to: status)
                history[id, default: []].append(entry)
            case .refuse(let id, let entry):
                guard jobs[id] != nil else { throw ActorError(.notFound, "there is no job \(id)") }
                history[id, default: []].append(entry)
            case .link(let id, let links): catalogue.store(links, of: id)
            case .saw(let id, let status): catalogue.note(status: status, of: id)
            case .files(let id, let files, let run): catalogue.store(files, of: id, run: run)
            case .dropFiles(let id, let run): catalogue.dropFiles(of: id, before: run)
            case .catalogue(let file): catalogue.store(file)
            case .stall(let stall, let revision):
                if jobs[stall.job]?.revision == revision { _ = catalogue.flag(stall) }
            case .writePipeline(let pipeline, let revision):
                guard pipelines[pipeline.uuid]?.revision == revision else {
                    throw ActorError(.conflict, "pipeline \(pipeline.uuid) was changed meanwhile")
                }
                pipelines[pipeline.uuid] = pipeline
            case .rekey(let id, let key): jobs[id]?.key = key
            case .delete(let job, let revision):
                guard jobs[job.uuid]?.revision == revision else {
                    throw ActorError(.conflict, "job \(job.uuid) is not at revision \(revision)")
                }
                jobs[job.uuid] = nil
                history[job.uuid] = nil
                deletedJobs.append(job)
                catalogue.deleted(job.uuid)
            }
        }
    }

    private let contents = Mutex(Contents())

    package init() {}

    package func read<Value: Sendable>(_ body: (Contents) -> Value) -> Value { contents.withLock { body($0) } }
    package func change(_ body: (inout Contents) -> Void) { contents.withLock { body(&$0) } }

    fileprivate func attempt(_ body: (inout Contents) throws(ActorError) -> Void) throws(ActorError) {
        let failure: ActorError? = contents.withLock { contents in
            do throws(ActorError) {
                try body(&contents)
                return nil
            } catch {
                return error
            }
        }
        if let failure { throw failure }
    }

    /// Plays one delivery: effects are applied when the Reactor returns and dropped when it throws.
    package func deliver(
        _ envelope: Envelope, to reactor: any Reactor, as setup: TestContext.Setup
    ) async throws {
        var setup = setup
        setup.execution = envelope.execution
        setup.attempt = envelope.attempts + 1
        let context = TestContext(self, setup)
        do {
            try await reactor.receive(envelope, context)
        } catch {
            context.abandon()
            throw error
        }
        try context.finish()
    }
}

/// Thrown where a test lets the daemon die; nothing of that delivery is committed after it.
package struct SimulatedCrash: Error, Equatable {}

/// A ReactorContext that keeps the rules of the real one: effects are buffered until a commit, steps are journalled
/// at once, and whatever is used out of turn stops the test.
package final class TestContext: ReactorContext {
    /// Where the daemon dies in this delivery.
    package enum CrashPoint: Sendable, Equatable {
        /// The step's work is done, its result is not journalled yet.
        case duringStep(String)
        case afterStep(String)
        /// Before the commit of this number (1 is the first); the acknowledgement counts as the last one.
        case beforeCommit(Int)
    }

    /// What a test decides about one delivery.
    package struct Setup: Sendable {
        package var actor = ActorID("N4xR1OKaQGVB")
        package var execution = ExecutionID("execution")
        package var attempt = 1
        package var folder = "/actors/test"
        package var settings: JSONValue = [:]
        package var secrets: [String: String] = [:]
        /// Aliases that mail may be sent to; nil accepts all.
        package var aliases: Set<String>?
        /// Actors that are known by an alias.
        package var actors: [String: ActorID] = [:]
        package var crash: CrashPoint?
        package var run: @Sendable (Work) async -> WorkResult = { _ in
            WorkResult(end: .exited(0), logBytes: 0, logTruncated: false, milliseconds: 1)
        }

        package init() {}
    }

    private struct Buffer {
        var effects = Effects()
        var mail: [TestWorld.Mail] = []
        var calls: [TestWorld.Call] = []
        var reply: JSONValue?
        var stepsUsed: Set<String> = []
        var commits = 0
        var isOver = false
        var hasCrashed = false
    }

    private let world: TestWorld
    private let setup: Setup
    private let buffer = Mutex(Buffer())

    package init(_ world: TestWorld, _ setup: Setup) {
        self.world = world
        self.setup = setup
    }

    package var actor: ActorID { setup.actor }
    package var tenant: String { "TEST" }
    package var owner: String { "owner" }
    package var execution: ExecutionID { setup.execution }
    package var attempt: Int { setup.attempt }
    package var folder: String { setup.folder }
    package var settings: JSONValue { setup.settings }

    package func now() -> Timestamp { world.read { $0.now } }

    package func randomHex(bytes: Int) -> String {
        var text = ""
        while text.utf8.count < bytes * 2 {
            var word: UInt64 = 0
            world.change { word = $0.random() }
            let digits = String(word, radix: 16)
            text += String(repeating: "0", count: 16 - digits.utf8.count) + digits
        }
        return String(text.prefix(bytes * 2))
    }

    package func log(_ level: LogLevel, _ message: String) {
        use { _ in }
        world.change { $0.log.append("\(level.rawValue) \(message)") }
    }

    package func secret(_ name: String) -> String? { setup.secrets[name] }

    package func state() async throws(ActorError) -> JSONValue { world.read { $0.states[self.actor] ?? [:] } }
    package func setState(_ state: JSONValue) { use { $0.effects.state = state } }

    package func send(_ address: Address, _ body: JSONValue, key: String?) throws(ActorError) {
        if case .alias(let name) = address, let known = setup.aliases, !known.contains(name) {
            throw ActorError(.notFound, "there is no actor \(name)")
        }
        use { $0.mail.append(TestWorld.Mail(address: address, body: body, key: key)) }
    }

    package func schedule(
        _ address: Address, _ body: JSONValue, at moment: Timestamp, key: String?
    ) throws(ActorError) {
        try send(address, body, key: key)
    }

    package func reply(_ result: JSONValue) { use { $0.reply = result } }

    package func call(url: String, body: JSONValue, order: String) {
        precondition(url.hasPrefix("http"), "a call goes to a URL, not to \(url)")
        use { $0.calls.append(TestWorld.Call(url: url, body: body, order: order)) }
    }

    package func ifAbandoned(call url: String, body: JSONValue, order: String) {
        precondition(url.hasPrefix("http"), "a call goes to a URL, not to \(url)")
    }

    package func job(_ id: JobID) async throws(ActorError) -> JobRecord? { world.read { $0.jobs[id] } }
    package func pipeline(_ id: PipelineID) async throws(ActorError) -> PipelineRecord? {
        world.read { $0.pipelines[id] }
    }
    package func deletedJob(_ id: JobID) async throws(ActorError) -> DeletedJob? {
        world.read { $0.deletedJobs.last { $0.uuid == id } }
    }
    package func change(_ change: JobChange) { use { $0.effects.jobs.append(change) } }

    package func audit(who: String, _ action: String, _ target: String, outcome: String) {
        let entry = AuditEntry(at: now(), who: who, action: action, target: target, outcome: outcome)
        use { $0.effects.audits.append(entry) }
    }

    package func callbackURL(for job: JobRecord) throws(ActorError) -> String {
        JobCallback(base: "http://127.0.0.1", manager: "manager", nonce: "TEST_n").url(of: job)
    }

    package var catalogue: any JobCatalogue { TestCatalogue(world: world) }
    package func actor(named alias: String) -> ActorID? { setup.actors[alias] }

    package func document(_ kind: String, _ id: String) async throws(ActorError) -> Document? {
        let now = now()
        return world.read { contents in
            contents.documents["\(kind)/\(id)"].map {
                Document(kind: kind, id: id, body: $0, created: now, updated: now)
            }
        }
    }

    package func put(_ kind: String, _ id: String, _ body: JSONValue) {
        let document = Document(kind: kind, id: id, body: body, created: now(), updated: now())
        use { $0.effects.documents.append(document) }
    }

    package func step(_ name: String, _ body: @Sendable () async throws -> JSONValue) async throws -> JSONValue {
        use {
            precondition($0.stepsUsed.insert(name).inserted, "the step \(name) was used twice in one delivery")
        }
        let execution = execution
        if let known = world.read({ $0.steps[execution]?[name] }) { return known }
        let value = try await body()
        if setup.crash == .duringStep(name) { throw crash() }
        try live()
        world.change { $0.steps[execution, default: [:]][name] = value }
        if setup.crash == .afterStep(name) { throw crash() }
        return value
    }

    package func run(_ work: Work) async -> WorkResult { await setup.run(work) }

    package func commit() async throws(ActorError) { try apply() }

    /// The Reactor returned: its last effects go out with the acknowledgement.
    package func finish() throws(ActorError) {
        try apply()
        buffer.withLock { $0.isOver = true }
    }

    /// The Reactor threw: what was only buffered is dropped, its answer is kept as the record's.
    package func abandon() {
        let (reply, hasCrashed) = buffer.withLock { buffer in
            buffer.isOver = true
            return (buffer.reply, buffer.hasCrashed)
        }
        let execution = execution
        if let reply, !hasCrashed { world.change { $0.replies[execution] = reply } }
    }

    private func apply() throws(ActorError) {
        let isDying = buffer.withLock { buffer in
            buffer.commits += 1
            return setup.crash == .beforeCommit(buffer.commits)
        }
        if isDying { _ = crash() }
        try live()
        let gone = buffer.withLock { buffer in
            let gone = (buffer.effects, buffer.mail, buffer.calls, buffer.reply)
            buffer.effects = Effects()
            buffer.mail = []
            buffer.calls = []
            return gone
        }
        let (actor, execution) = (actor, execution)
        try world.attempt { contents throws(ActorError) in
            try contents.apply(gone.0)
            if let state = gone.0.state { contents.states[actor] = state }
            contents.mail += gone.1
            contents.calls += gone.2
            if let reply = gone.3 { contents.replies[execution] = reply }
        }
    }

    private func crash() -> SimulatedCrash {
        buffer.withLock { $0.hasCrashed = true }
        return SimulatedCrash()
    }

    /// Nothing reaches the world any more once the daemon has died.
    private func live() throws(ActorError) {
        if buffer.withLock({ $0.hasCrashed }) { throw ActorError(.internalFailure, "the daemon has died") }
    }

    private func use(_ body: (inout Buffer) -> Void) {
        buffer.withLock { buffer in
            precondition(!buffer.isOver, "a context was used after its message had ended")
            body(&buffer)
        }
    }
}
