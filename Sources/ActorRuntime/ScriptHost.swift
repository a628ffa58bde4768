internal import ActorCore
internal import Synchronization

/// Runs messages of scripted actors: a command with the environment that the actors API promises.
struct ScriptHost: Sendable {
    let environment: RuntimeEnvironment

    func session(_ work: RunningWork, _ entry: Directory.Entry, worker: String) -> any WorkSession {
        ScriptSession(environment: environment, running: work, spec: entry.spec, worker: worker)
    }

    /// Names the command of an attempt: the same for one that the end of a daemon has cut off and the one after it,
    /// which takes the script over, running or done.
    func command(of execution: ExecutionID, attempt: Int) async throws(ActorError) -> String {
        guard attempt > 1 else { return WorkID(execution, run: 1).text }
        let ended = try await environment.store.attempts(of: execution).filter { $0.outcome != .interrupted }
        return WorkID(execution, run: ended.count + 1).text
    }

    /// What is asked of an executor before an actor of this image may run.
    static func sample(_ image: String, executor: String?) -> Work {
        var work = Work(
            id: "image", command: [], environment: [], workingDirectory: "/", logFile: "/dev/null", maxLogBytes: 0,
            timeoutMilliseconds: nil)
        work.image = image
        work.executor = executor
        return work
    }
}

/// The environment of one execution, later lines over earlier ones (actors API, section 3.3).
enum ScriptEnvironment {
    /// Longest `MSG` that fits one environment string of Linux (128 KiB) with room for its name.
    static let longestMessage = 120_000

    struct Input {
        var envelope: Envelope
        var spec: ActorSpec
        var attempt: Int
        var state: JSONValue
        var secrets: [EnvironmentEntry]
        var accessToken: String
        var workerID: String
        /// Name to value (actors API, section 6.9).
        var configs: JSONValue
        var apiServer: String
        var messageFile: String
        /// Where results are sent to; nil for nowhere.
        var resultSocket: String?
        var scratch: String
    }

    /// What a script gets, and a line for its log about each variable that it does not get.
    struct Variables {
        var entries: [EnvironmentEntry] = []
        var notes: [String] = []

        mutating func leaveOut(_ name: String, of origin: String, _ reason: String) {
            // A stored name may hold whatever a sender once liked.
            let shown = String(String.UnicodeScalarView(name.unicodeScalars.prefix(64).filter { $0.value >= 0x20 }))
            notes.append("reactord: the variable \(shown) of \(origin) was left out: \(reason)")
        }
    }

    static func variables(_ input: Input) -> Variables {
        var variables = given(input)
        variables.entries += told(input, beside: variables.entries)
        return variables
    }

    /// What the actor and its message say: of an actor made over HTTP the message over the actor, as Abaco has it; of a
    /// folder's the folder over the message.
    ///
    /// The door refuses what is left out already. It is looked for here too, because messages and actors may be older
    /// than its rules, and because PATH decides which program is found.
    private static func given(_ input: Input) -> Variables {
        let spec = input.spec
        var variables = Variables()
        let own = spec.definition == nil ? [] : spec.environment
        for entry in own {
            if let refusal = VariableRules.refusal(of: entry.name, entry.value, by: .owner) {
                variables.leaveOut(entry.name, of: "default_environment", refusal.reason)
            } else {
                variables.entries.append(entry)
            }
        }
        let message = input.envelope.message
        for entry in message.environment where entry.name != "MSG" {
            if spec.keeps(entry.name) {
                variables.leaveOut(entry.name, of: "the message", "the actor's actor.yml sets it")
            } else if let refusal = VariableRules.refusal(of: entry.name, entry.value, by: .message),
                !(message.sender == Scheduler.sender && entry.name == Scheduler.due)
            {
                variables.leaveOut(entry.name, of: "the message", refusal.reason)
            } else {
                variables.entries.append(entry)
            }
        }
        if spec.definition == nil { variables.entries += spec.environment }
        variables.entries += input.secrets
        return variables
    }

    /// What the daemon says, whatever anybody else does.
    private static func told(_ input: Input, beside given: [EnvironmentEntry]) -> [EnvironmentEntry] {
        let spec = input.spec
        let envelope = input.envelope
        let kind = envelope.parameter(MessageKind.variable) ?? envelope.message.kind.rawValue
        var entries = [
            EnvironmentEntry("_abaco_api_server", input.apiServer),
            EnvironmentEntry("_abaco_execution_id", envelope.execution.rawValue),
            EnvironmentEntry("_abaco_Content_Type", kind),
            EnvironmentEntry("_abaco_Content-Type", kind),
            EnvironmentEntry("_abaco_actor_revision", String(spec.revision)),
            EnvironmentEntry("_abaco_access_token", input.accessToken),
            EnvironmentEntry("_abaco_actor_dbid", "\(spec.tenant)_\(spec.id)"),
            EnvironmentEntry("_abaco_actor_id", spec.id.rawValue),
            EnvironmentEntry("_abaco_worker_id", input.workerID),
            EnvironmentEntry("_abaco_container_repo", spec.run.image),
            EnvironmentEntry("_abaco_actor_state", PythonText.repr(input.state)),
            EnvironmentEntry("_abaco_actor_name", spec.name.isEmpty ? "None" : spec.name),
            EnvironmentEntry("_actor_configs", PythonText.repr(input.configs)),
            EnvironmentEntry("SCRATCH", input.scratch),
            EnvironmentEntry("_REACTOR_TEMP", input.scratch),
            EnvironmentEntry("REACTORD_ATTEMPT", String(input.attempt)),
            EnvironmentEntry("REACTORD_MESSAGE_FILE", input.messageFile),
        ]
        // For programs that look there instead of at Abaco's absolute paths.
        entries.append(EnvironmentEntry("ABACO_BINARY_DATA", input.messageFile))
        if let socket = input.resultSocket { entries.append(EnvironmentEntry("ABACO_RESULTS_SOCK", socket)) }
        // Not stored with the message when it is the sender, as it nearly always is. A schedule is no user.
        let isUser = envelope.message.sender != Scheduler.sender
        if isUser, envelope.message.environment.allSatisfy({ $0.name != "_abaco_username" }) {
            entries.append(EnvironmentEntry("_abaco_username", envelope.message.sender))
        }
        if !given.contains(where: { $0.name == "HOME" }) {
            entries.append(EnvironmentEntry("HOME", input.scratch))
        }
        let text = message(envelope)
        if let text, text.utf8.count <= longestMessage { entries.append(EnvironmentEntry("MSG", text)) }
        return entries
    }

    /// A JSON message as a Python literal, a text as it is, nothing for binary.
    private static func message(_ envelope: Envelope) -> String? {
        switch envelope.message.kind {
        case .binary: nil
        case .text: String(decoding: envelope.message.body, as: UTF8.self)
        case .json: envelope.json.map(PythonText.repr) ?? String(decoding: envelope.message.body, as: UTF8.self)
        }
    }
}

private final class ScriptSession: WorkSession {
    private let environment: RuntimeEnvironment
    private let running: RunningWork
    private let envelope: Envelope
    private let spec: ActorSpec
    private let attempt: Int
    private let token: String
    /// What it ran under, once its end is known.
    private let endedWork = Mutex<String?>(nil)
    let effects = Effects()
    let farewell = Effects()
    let result: JSONValue? = nil
    private let workerID: String
    var worker: String? { workerID }
    private let used = Mutex(ResourceUse())
    var use: ResourceUse { used.withLock { $0 } }

    init(environment: RuntimeEnvironment, running: RunningWork, spec: ActorSpec, worker: String) {
        self.environment = environment
        self.running = running
        self.workerID = worker
        self.envelope = running.envelope
        self.spec = spec
        self.attempt = running.number
        self.token = environment.tokens.issue(for: envelope.execution, of: spec)
    }

    private var relativeLog: String { "runs/\(envelope.execution)/output.log" }
    private var logFile: String { "\(environment.configuration.dataFolder)/\(relativeLog)" }

    func work() async -> ExecutionMachine.WorkEnd {
        do {
            let id = try await ScriptHost(environment: environment).command(of: envelope.execution, attempt: attempt)
            let folder = try await environment.runFiles.prepare(envelope.execution)
            let messageFile = "\(folder)/message"
            try await write(to: messageFile, id)
            let state = try await environment.store.state(of: spec.id) ?? .object([])
            let configs = try await self.configs()
            let results = await environment.runFiles.openResults(of: envelope.execution)
            let variables = ScriptEnvironment.variables(
                ScriptEnvironment.Input(
                    envelope: envelope, spec: spec, attempt: attempt, state: state, secrets: grantedSecrets(),
                    accessToken: token, workerID: workerID, configs: configs,
                    apiServer: environment.apiServer(spec.tenant), messageFile: messageFile, resultSocket: results,
                    scratch: "\(folder)/work"))
            try await log(variables.notes, id)
            let outcome = await environment.executor.run(work(id, variables.entries, folder: folder, results: results))
            await environment.runFiles.closeResults(of: envelope.execution)
            used.withLock { $0 = outcome.use }
            if outcome.isEnd { endedWork.withLock { $0 = id } }
            return end(of: outcome)
        } catch {
            return error.code == .storageFull || error.code == .internalFailure || error.code == .unavailable
                ? .starved(reason: error.description) : .broken(reason: error.description)
        }
    }

    /// A script that an earlier start of the daemon has left running goes on with the file that it was given: it costs
    /// it nothing that there is no room for another. That is asked for only then, since it may be a question to an
    /// engine.
    private func write(to file: String, _ id: String) async throws(ActorError) {
        do throws(ActorError) {
            try await environment.runFiles.write(envelope.message.body, to: file)
        } catch {
            guard await environment.executor.kept().contains(id) else { throw error }
        }
    }

    /// In front of what the script prints. One that runs already has been told about.
    private func log(_ notes: [String], _ id: String) async throws(ActorError) {
        guard !notes.isEmpty, await !environment.executor.kept().contains(id) else { return }
        try await environment.runFiles.append(Array(notes.map { $0 + "\n" }.joined().utf8), to: logFile)
    }

    private func work(_ id: String, _ variables: [EnvironmentEntry], folder: String, results: String?) -> Work {
        var work = Work(
            id: id, command: [], environment: variables, workingDirectory: spec.folder ?? "\(folder)/work",
            logFile: logFile, maxLogBytes: environment.configuration.limits.maxLogBytes,
            timeoutMilliseconds: Milliseconds.of(seconds: spec.timeoutSeconds))
        switch spec.run {
        case .command(let words): work.command = words
        case .image(let image): work.image = image
        case .builtin: preconditionFailure("a built-in reactor is no script")
        }
        work.executor = spec.executor
        work.memoryBytes = spec.definition?.memoryBytes
        work.cpuMillis = spec.definition?.cpuMillis
        // Its parts, not the folder: what is beside them is ours, and a container may not put a link in its place.
        work.folders = [
            WorkMount(host: "\(folder)/work", inside: "\(folder)/work", isReadOnly: false),
            WorkMount(host: "\(folder)/message", inside: "\(folder)/message", isReadOnly: true),
        ]
        if let door = results?.split(separator: "/").dropLast().joined(separator: "/") {
            work.folders.append(WorkMount(host: "/\(door)", inside: "/\(door)", isReadOnly: true))
        }
        if let own = spec.folder { work.folders.append(WorkMount(host: own, inside: own, isReadOnly: true)) }
        work.folders += Self.places(message: "\(folder)/message", results: results)
        work.labels = [
            EnvironmentEntry("actor", spec.name), EnvironmentEntry("execution", envelope.execution.rawValue),
            EnvironmentEntry("attempt", String(attempt)),
        ]
        return work
    }

    /// Where Abaco's helpers look, in both of its generations.
    private static func places(message: String, results: String?) -> [WorkMount] {
        let inward = ["/_abaco_binary_data", "/_abaco_fifo_folder/_abaco_binary_data"]
        let outward = ["/_abaco_results.sock", "/_abaco_socket_folder/_abaco_results.sock"]
        return inward.map { WorkMount(host: message, inside: $0, isReadOnly: true) }
            + (results.map { path in outward.map { WorkMount(host: path, inside: $0, isReadOnly: false) } } ?? [])
    }

    private func grantedSecrets() -> [EnvironmentEntry] {
        spec.secrets.compactMap { name in
            environment.configuration.secret(name).map { EnvironmentEntry(name, $0) }
        }
    }

    /// The shared configs of this actor; a secret that cannot be opened is left out.
    private func configs() async throws(ActorError) -> JSONValue {
        var members: [JSONValue.Member] = []
        for config in try await environment.store.configs(tenant: spec.tenant) {
            let isOurs = config.actorWords.contains { word in
                (try? environment.directory.resolve(word, tenant: spec.tenant).id) == spec.id
            }
            guard isOurs else { continue }
            let value = config.isSecret ? environment.configuration.openSealed(config.value) : config.value
            if let value { members.append(JSONValue.Member(config.name, .string(value))) }
        }
        return .object(members)
    }

    private func end(of result: WorkResult) -> ExecutionMachine.WorkEnd {
        switch result.end {
        case .exited(0): return .succeeded
        case .exited: return .failed(exitCode: result.exitCode, reason: result.reason ?? "failed")
        case .signalled, .outOfMemory:
            return .crashed(exitCode: result.exitCode, reason: result.reason ?? "killed by a signal")
        case .timedOut:
            // Its supervisor was first: the clock that ran while the daemon did not.
            running.stop(.timeout)
            return .stopped
        case .cancelled, .detached: return .stopped
        case .couldNotStart(let why): return .broken(reason: why)
        case .engineFailed(let why): return .starved(reason: why)
        case .evicted(let why): return .lost(reason: why)
        }
    }

    func logSoFar() async -> (bytes: [UInt8], truncated: Bool) {
        let limit = environment.configuration.limits.maxLogBytes
        let bytes = await environment.runFiles.read(logFile, limit: limit)
        return (bytes, bytes.count >= limit)
    }

    func finalLog() async -> LogRecord? {
        let log = await logSoFar()
        return LogRecord(
            execution: envelope.execution, place: .file(relativeLog), bytes: log.bytes.count,
            truncated: log.truncated)
    }

    func ended() async {
        environment.tokens.revoke(token)
        if let id = endedWork.withLock({ $0 }) { await environment.executor.forget(id) }
    }
}
