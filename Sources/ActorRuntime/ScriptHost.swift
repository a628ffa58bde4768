internal import ActorCore
internal import Synchronization

/// Runs messages of scripted actors: a command with the environment that the actors API promises.
struct ScriptHost: Sendable {
    let environment: RuntimeEnvironment

    func session(_ work: RunningWork, _ entry: Directory.Entry) -> any WorkSession {
        ScriptSession(environment: environment, envelope: work.envelope, spec: entry.spec, attempt: work.number)
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

    static func entries(_ input: Input) -> [EnvironmentEntry] {
        let spec = input.spec
        let envelope = input.envelope
        var entries = spec.environment + input.secrets + envelope.message.environment
        let kind = envelope.message.kind.rawValue
        entries += [
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
        // Not stored with the message when it is the sender, as it nearly always is.
        if envelope.message.environment.allSatisfy({ $0.name != "_abaco_username" }) {
            entries.append(EnvironmentEntry("_abaco_username", envelope.message.sender))
        }
        if !entries.contains(where: { $0.name == "HOME" }) {
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
    private let envelope: Envelope
    private let spec: ActorSpec
    private let attempt: Int
    private let token: String
    let effects = Effects()
    let farewell = Effects()
    let result: JSONValue? = nil
    private let taken = Mutex<String?>(nil)
    var worker: String? { taken.withLock { $0 } }

    init(environment: RuntimeEnvironment, envelope: Envelope, spec: ActorSpec, attempt: Int) {
        self.environment = environment
        self.envelope = envelope
        self.spec = spec
        self.attempt = attempt
        self.token = environment.tokens.issue(for: spec)
    }

    private var relativeLog: String { "runs/\(envelope.execution)/output.log" }
    private var logFile: String { "\(environment.configuration.dataFolder)/\(relativeLog)" }

    func work() async -> ExecutionMachine.WorkEnd {
        let worker = environment.workers.take(envelope.execution, of: spec)
        taken.withLock { $0 = worker }
        defer { environment.workers.release(envelope.execution, of: spec.id) }
        do {
            if attempt > 1 { await environment.executor.reclaim(envelope.execution.rawValue) }
            let folder = try await environment.runFiles.prepare(envelope.execution)
            let messageFile = "\(folder)/message"
            try await environment.runFiles.write(envelope.message.body, to: messageFile)
            let state = try await environment.store.state(of: spec.id) ?? .object([])
            let command: [String]
            switch spec.run {
            case .command(let words): command = words
            case .image(let image):
                command = try environment.executor.resolve(image: image, command: [], arguments: [])
            case .builtin(let name): return .broken(reason: "there is no built-in reactor named \(name)")
            }
            let configs = try await self.configs()
            let results = await environment.runFiles.openResults(of: envelope.execution)
            let variables = ScriptEnvironment.entries(
                ScriptEnvironment.Input(
                    envelope: envelope, spec: spec, attempt: attempt, state: state, secrets: grantedSecrets(),
                    accessToken: token, workerID: worker, configs: configs,
                    apiServer: environment.apiServer(spec.tenant), messageFile: messageFile, resultSocket: results,
                    scratch: "\(folder)/work"))
            let outcome = await environment.executor.run(
                Work(
                    id: envelope.execution.rawValue, command: command, environment: variables,
                    workingDirectory: spec.folder ?? "\(folder)/work", logFile: logFile,
                    maxLogBytes: environment.configuration.limits.maxLogBytes, timeoutMilliseconds: nil))
            await environment.runFiles.closeResults(of: envelope.execution)
            return Self.end(of: outcome)
        } catch {
            return error.code == .storageFull || error.code == .internalFailure || error.code == .unavailable
                ? .starved(reason: error.description) : .broken(reason: error.description)
        }
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

    private static func end(of result: WorkResult) -> ExecutionMachine.WorkEnd {
        switch result.end {
        case .exited(0): .succeeded
        case .exited: .failed(exitCode: result.exitCode, reason: result.reason ?? "failed")
        case .signalled: .crashed(exitCode: result.exitCode, reason: result.reason ?? "killed by a signal")
        case .timedOut, .cancelled: .stopped
        case .couldNotStart(let why): .broken(reason: why)
        case .machineFailed(let why): .starved(reason: why)
        }
    }

    func logSoFar() async -> (bytes: [UInt8], truncated: Bool) {
        let limit = environment.configuration.limits.maxLogBytes
        let bytes = await environment.runFiles.read(logFile, limit: limit)
        return (bytes, bytes.count >= limit)
    }

    func finalLog(reason: String?) async -> LogRecord? {
        let log = await logSoFar()
        return LogRecord(
            execution: envelope.execution, place: .file(relativeLog), bytes: log.bytes.count,
            truncated: log.truncated)
    }

    func ended() { environment.tokens.revoke(token) }
}
