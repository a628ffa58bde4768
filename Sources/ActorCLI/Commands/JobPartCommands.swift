import ActorAPI
import ActorCore
import ArgumentParser

/// `reactord job files`: what a job has left.
struct JobFilesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "files", abstract: "List a job's files with their sizes, hashes and levels.",
        discussion: """
            Hashes are there once the job is indexed: send it the event index.

            Example: reactord job files 107acb37-3a5c-57b3-a0ff-a07b67e85ca2
            """)

    @Argument(help: "The job's UUID.")
    var uuid: String

    @Option(help: ArgumentHelp("How many.", valueName: "number"))
    var limit = 100

    @Option(help: ArgumentHelp("Go on behind this path.", valueName: "path"))
    var cursor: String?

    @OptionGroup var connection: ConnectionOptions

    func run() async throws {
        let path = Paths.query(Paths.files(uuid), [("limit", String(limit)), ("cursor", cursor)])
        let json = try await connection.connect().get(path)
        connection.show(json) { Tables.files(json, $0) + Tables.more(json["next"]?.string, $0) }
    }
}

/// `reactord job logs`: what its executions printed.
struct JobLogsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "logs", abstract: "Show what the executions and steps of a job have printed.",
        discussion: """
            Example: reactord job logs 107acb37-3a5c-57b3-a0ff-a07b67e85ca2
            """)

    @Argument(help: "The job's UUID.")
    var uuid: String

    @OptionGroup var connection: ConnectionOptions

    func run() async throws {
        let json = try await connection.connect().get(Paths.jobLogs(uuid))
        connection.show(json) { Tables.logs(json, $0) }
    }
}

/// `reactord job graph`: parents and children.
struct JobGraphCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "graph", abstract: "Show what a job was made from and what was made from it.",
        discussion: """
            Example: reactord job graph 107acb37-3a5c-57b3-a0ff-a07b67e85ca2 --depth 5
            """)

    @Argument(help: "The job's UUID.")
    var uuid: String

    @Option(help: ArgumentHelp("How many generations up and down, at most 10.", valueName: "number"))
    var depth = 3

    @OptionGroup var connection: ConnectionOptions

    func run() async throws {
        let json = try await connection.connect().get(
            Paths.query(Paths.graph(uuid), [("depth", String(depth))]))
        connection.show(json) { Tables.graph(json, $0) }
    }
}

/// `reactord job watch`: an actor that is told.
struct JobWatchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "watch", abstract: "Have an actor told of all that happens to a job, or to a pipeline's jobs.",
        discussion: """
            The actor gets {"kind": "job", uuid, pipeline_uuid, status, event, data}. For a webhook, see reactord \
            subscriptions add.

            Example: reactord job watch --pipeline f0f417f2-ba8b-5ac4-b421-255b69553391 --actor hello
                     reactord job watch --list
                     reactord job watch --end ID
            """)

    @Option(help: ArgumentHelp("The job.", valueName: "uuid"))
    var job: String?

    @Option(help: ArgumentHelp("The pipeline.", valueName: "uuid"))
    var pipeline: String?

    @Option(help: ArgumentHelp("The actor, by name or id.", valueName: "actor"))
    var actor: String?

    @Flag(help: "List watches instead.")
    var list = false

    @Option(help: ArgumentHelp("End this watch instead.", valueName: "id"))
    var end: String?

    @OptionGroup var connection: ConnectionOptions

    func validate() throws {
        let isNew = !list && end == nil
        if isNew && (actor == nil || (job == nil) == (pipeline == nil)) {
            throw ValidationError("name an actor with --actor, and either --job or --pipeline")
        }
    }

    func run() async throws {
        let client = try connection.connect()
        if let end {
            try await client.send("DELETE", Paths.watch(end))
            return
        }
        if list {
            let json = try await client.get(Paths.query(Paths.watches, [("job", job), ("pipeline", pipeline)]))
            return connection.show(json) { Tables.watches(json["watches"]?.array ?? [], $0) }
        }
        let target: JSONValue.Member =
            job.map { .init("job", .string($0)) } ?? .init("pipeline", .string(pipeline ?? ""))
        let json = try await client.post(
            Paths.watches, .object([target, .init("actor", .string(actor ?? ""))]))
        connection.show(json) { Tables.watches([json], $0) }
    }
}
