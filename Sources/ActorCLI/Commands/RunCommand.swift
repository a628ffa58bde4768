import ActorAPI
import ActorCore
import ActorDaemon
import ArgumentParser

/// What `run` and `render` have in common: a job file and what is put into it.
struct JobFileOptions: ParsableArguments {
    @Argument(help: "A job file: a Kubernetes Job (batch/v1) or an Argo Workflow in YAML.")
    var file: String

    @Option(
        name: [.customShort("v"), .customLong("variable")],
        help: ArgumentHelp("${NAME} and $NAME in the file become VALUE; may be repeated.", valueName: "name=value"))
    var variables: [String] = []

    @Option(help: ArgumentHelp("Where it runs; goes before what the file says.", valueName: "name"))
    var executor: String?

    func validate() throws { _ = try table() }

    func text() throws(Failure) -> [UInt8] {
        do {
            return try BoundedFile.read(file, limit: 1_048_576).bytes
        } catch {
            throw Failure(.usage, error.message)
        }
    }

    func table() throws -> [String: String] {
        var table: [String: String] = [:]
        for word in variables {
            guard let split = word.firstIndex(of: "="), split > word.startIndex else {
                throw ValidationError("-v takes NAME=VALUE, not \(word)")
            }
            table[String(word[..<split])] = String(word[word.index(after: split)...])
        }
        return table
    }

    func preview(config: String?) throws -> JobPreview {
        do {
            return try JobPreview.make(
                file: file, text: try text(), variables: try table(), executor: executor, configFile: config)
        } catch let error as ActorError {
            let lines = error.details.map { "\($0.place): \($0.problem)" }
            throw Failure(.failed, lines.isEmpty ? error.description : lines.joined(separator: "\nreactord: "))
        }
    }
}

/// `reactord render`: a job file as it would be submitted.
struct RenderCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "render", abstract: "Print a job file with its variables filled in; checks it, needs no daemon.",
        discussion: """
            Only the variables that are given are replaced: ${NAME}, and $NAME where no letter, digit or _ follows. \
            Everything else stays as it is. What is wrong with the file is printed as file:line: field: reason, and \
            the command ends with 1.

            Example: reactord render actors/ingest/jobs/ephys/beats.yaml -v UUID=2026-11-21-e-mouse12
            """)

    @OptionGroup var job: JobFileOptions

    @Option(help: ArgumentHelp("The configuration (default: config.yml, if it is there).", valueName: "file"))
    var config: String?

    func run() throws { Console.standard.out(try job.preview(config: config).text) }
}

/// `reactord run`: one job file, run by hand and followed to its end.
struct RunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run", abstract: "Run a job file by hand and follow it to its end.",
        discussion: """
            The daemon makes a PipelineJob of it and has it run where --executor says, else the file's annotation \
            reactord/executor, else executors.default of config.yml. The command stays, shows what happens and what \
            the containers print, and ends with the job: with 1 when it failed. Interrupting it does not end the job: \
            reactord job UUID shows it, reactord job event UUID fail ends it. With --dry-run nothing is sent: what \
            would be submitted is printed, by config.yml here.

            Example: reactord run job.yaml -v UUID=2026-11-21-e-mouse12
            Example: reactord run job.yaml --executor slurm --dry-run
            """)

    @OptionGroup var job: JobFileOptions

    @Flag(name: .customLong("dry-run"), help: "Print what would be submitted, and submit nothing.")
    var isDryRun = false

    @Flag(name: .customLong("no-wait"), help: "Print the job's UUID and leave it to itself.")
    var isNotWaiting = false

    @Flag(name: .customLong("no-logs"), help: "Follow without showing what its containers print.")
    var hidesLogs = false

    @Flag(name: .customLong("exit-status"), help: "End with the exit status of the step that failed.")
    var passesExitStatus = false

    @Option(help: ArgumentHelp("For --dry-run: the configuration (default: config.yml).", valueName: "file"))
    var config: String?

    @OptionGroup var connection: ConnectionOptions

    func run() async throws {
        if isDryRun { return try showPreview() }
        let client = try connection.connect()
        let uuid = try await start(client)
        if isNotWaiting {
            connection.show(["uuid": .string(uuid)]) { _ in "\(uuid)\n" }
            return
        }
        let end = try await JobFollower(client: client, isQuiet: connection.json, showsLogs: !hidesLogs).follow(uuid)
        if connection.json { Console.standard.out(JSONWriter.pretty(end.json) + "\n") }
        guard !end.succeeded else { return }
        if passesExitStatus, let code = end.exitCode, (1...255).contains(code) { throw ExitCode(Int32(code)) }
        throw Failure(.failed, "job \(uuid) is \(end.status); see reactord job \(uuid)")
    }

    private func showPreview() throws {
        let preview = try job.preview(config: config)
        let json: JSONValue = [
            "executor": .string(preview.executor), "name": .string(preview.name),
            "submission": .string(preview.submission), "file": .string(preview.text),
        ]
        connection.show(json) { _ in "# \(preview.name) on \(preview.executor)\n\(preview.submission)" }
    }

    /// The job's UUID.
    private func start(_ client: DaemonClient) async throws -> String {
        let base = job.file.split(separator: "/").last.map(String.init) ?? job.file
        let members = try job.table().sorted { $0.key < $1.key }.map { JSONValue.Member($0.key, .string($0.value)) }
        let body: JSONValue = [
            "kind": "start", "file": .string(base), "text": .string(String(decoding: try job.text(), as: UTF8.self)),
            "variables": .object(members), "executor": JSONValue(job.executor),
        ]
        let answer = try await client.post(Paths.messages("job-engines"), body)
        guard let result = answer["result"], let receipt = MessageReceiptPayload(json: result) else {
            throw DaemonClient.unexpected
        }
        let execution = try await Waiting.end(of: receipt.executionID, client)
        guard let uuid = execution.result["uuid"]?.string else {
            let problems = execution.result["problems"]?.array ?? []
            let lines = problems.map { "\($0["place"]?.string ?? ""): \($0["problem"]?.string ?? "")" }
            let reason = execution.reason ?? "the daemon did not take it"
            throw Failure(.failed, Safe.block(lines.isEmpty ? reason : lines.joined(separator: "\nreactord: ")))
        }
        return uuid
    }
}
