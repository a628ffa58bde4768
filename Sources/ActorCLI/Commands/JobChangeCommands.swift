import ActorAPI
import ActorCore
import ArgumentParser

/// `reactord job create`: a new one.
struct JobCreateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "create", abstract: "Make a job; prints its UUID, its path and the URL that moves it.",
        discussion: """
            The job is a JSON object with pipeline_uuid, data and more that docs/jobs.md lists. The same one again is \
            found as it is; what opens it is shown to its owner only.

            Example: reactord job create '{"pipeline_uuid": "f0f417f2-ba8b-5ac4-b421-255b69553391", "data": {"n": 1}}'
                     reactord job create @job.json --dry-run
            """)

    @Argument(help: "The job: a JSON object, @FILE, or - for standard input.")
    var document: String

    @Flag(help: "Say what it would be, and make none.")
    var dryRun = false

    @OptionGroup var connection: ConnectionOptions

    func run() async throws {
        let body = try JSONArgument.value(document, of: "the job")
        let path = Paths.query(Paths.jobs, [("dry_run", dryRun ? "true" : nil)])
        let json = try await Keeper(client: try connection.connect()).post(path, body)
        connection.show(json) { style in
            ["uuid", "path", "callback"].map { name in
                let gap = String(repeating: " ", count: 10 - name.count)
                return style.paint(name, .strong) + gap + Safe.line(json[name]?.string ?? "-") + "\n"
            }.joined()
        }
    }
}

/// `reactord job event`: something happened to it.
struct JobEventCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "event", abstract: "Tell a job that something happened to it.",
        discussion: """
            Its owner and admins need no token of the job's. An event that its state does not allow is refused, with \
            those that it does.

            Example: reactord job event 107acb37-3a5c-57b3-a0ff-a07b67e85ca2 update '{"note": "half way"}'
            """)

    @Argument(help: "The job's UUID.")
    var uuid: String

    @Argument(help: "The event, for example run, update, finish, fail; reactord prints the table at /api/v1/fsm.")
    var event: String

    @Argument(help: "A JSON object that is kept with the event.")
    var data: String?

    @OptionGroup var connection: ConnectionOptions

    func validate() throws { try Words.checkJob(uuid) }

    func run() async throws {
        var body: JSONValue = ["event": .string(event)]
        if let data { body = body.setting("data", try JSONArgument.value(data, of: "data")) }
        let json = try await Keeper(client: try connection.connect()).post(Paths.jobEvents(uuid), body)
        connection.show(json) { _ in
            // `cancel` and `delete` are no events, but are taken as such: then no job is left that could have a status.
            let job = Safe.line(uuid)
            return json["status"]?.string.map { "\(job) is \(Safe.line($0))\n" } ?? "removed \(job)\n"
        }
    }
}

/// `reactord job rm`: out of the catalogue.
struct JobRemoveCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rm", abstract: "Delete a job that never ran; an admin deletes any.",
        discussion: """
            Its history goes with it. What a callback says of it later is kept as a dead letter.

            Example: reactord job rm 107acb37-3a5c-57b3-a0ff-a07b67e85ca2
            """)

    @Argument(help: "The job's UUID.")
    var uuid: String

    @OptionGroup var connection: ConnectionOptions

    func run() async throws {
        try await connection.connect().send("DELETE", Paths.job(uuid))
        connection.show(["removed": .string(uuid)]) { _ in "removed \(Safe.line(uuid))\n" }
    }
}

/// `reactord job renew`: what opens it.
struct JobRenewCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "renew", abstract: "Make a job's token valid again from now on; prints its callback URL.",
        discussion: """
            Example: reactord job renew 107acb37-3a5c-57b3-a0ff-a07b67e85ca2 --hours 168
            Example: reactord job renew 107acb37-3a5c-57b3-a0ff-a07b67e85ca2 --allow run,update,finish,fail,index
            """)

    @Argument(help: "The job's UUID.")
    var uuid: String

    @Option(help: ArgumentHelp("For how long (default: 72, or as the house has it).", valueName: "number"))
    var hours: Double?

    @Option(help: ArgumentHelp("What it may do: events, separated by commas.", valueName: "events"))
    var allow: String?

    @Flag(help: "Another token: URLs with the old one stop working.")
    var rotate = false

    @OptionGroup var connection: ConnectionOptions

    func run() async throws {
        var body: JSONValue = [:]
        if let hours { body = body.setting("hours", .double(hours)) }
        if let allow {
            let names = allow.split(separator: ",").map { JSONValue.string(String($0)) }
            body = body.setting("token_events", .array(names))
        }
        if rotate { body = body.setting("rotate", true) }
        let json = try await Keeper(client: try connection.connect()).post(Paths.jobToken(uuid), body)
        connection.show(json) { _ in
            "valid until \(Safe.line(json["token_expires"]?.string ?? "?"))\n"
                + "\(Safe.line(json["callback"]?.string ?? "?"))\n"
        }
    }
}

/// `reactord job admin-token`: for messages to the manager.
struct AdminTokenCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "admin-token", abstract: "Print a token that resets, readies and deletes jobs for a while.",
        discussion: """
            For messages to pipeline-jobs-manager; admins who use this program need none.

            Example: reactord job admin-token
            """)

    @OptionGroup var connection: ConnectionOptions

    func run() async throws {
        let json = try await connection.connect().post(Paths.adminToken)
        connection.show(json) { _ in "\(Safe.line(json["token"]?.string ?? "?"))\n" }
    }
}

/// The actor that keeps the jobs, as commands ask it: the daemon answers when it has.
private struct Keeper: Sendable {
    let client: DaemonClient

    func post(_ path: String, _ body: JSONValue) async throws -> JSONValue {
        try await Waiting(client).answer(from: "pipeline-jobs-manager") { try await client.post(path, body) }
    }
}

/// JSON as the command line names it: `-`, `@FILE`, or the text itself.
enum JSONArgument {
    static func value(_ word: String, of name: String) throws(Failure) -> JSONValue {
        do {
            return try JSONReader.read(try Input.read(word))
        } catch let failure as JSONReader.Failure {
            throw Failure(.usage, "\(name) is no JSON: \(failure.description)")
        } catch {
            throw Failure(.usage, "\(name): \(error)")
        }
    }
}
