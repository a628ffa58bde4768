import ActorAPI
import ActorCore
import ActorDaemon
import ArgumentParser

/// `reactord upload`: files into the inbox, over HTTP; and what became of them.
struct UploadCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "upload", abstract: "Send an upload, look at one, or run its jobs again.",
        discussion: """
            Example: reactord upload 2026-11-21-e-mouse12.zip
                     reactord upload recordings/ --name 2026-11-21-e-mouse12
                     reactord upload show 2026-11-21-e-mouse12
                     reactord upload rerun 2026-11-21-e-mouse12 --failed
            """,
        subcommands: [UploadSendCommand.self, UploadShowCommand.self, UploadRerunCommand.self],
        defaultSubcommand: UploadSendCommand.self)
}

/// `reactord upload send`, or just `reactord upload`.
struct UploadSendCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "send", abstract: "Send a file, or a folder with all that is in it, as one upload.",
        discussion: """
            The upload's name is --name, else the name of the file or folder. Sent in pieces with checksums: the same \
            command goes on where an earlier one was interrupted. Content that was uploaded before is not sent again.

            Example: reactord upload recordings/ --name 2026-11-21-e-mouse12
                     reactord upload 2026-11-21-e-mouse12 recording.i16le metadata.json
            """)

    @Argument(help: "A file or a folder; or the upload's name and the files that it is made of.")
    var paths: [String]

    @Option(help: ArgumentHelp("The upload's name: the UUID of the experiment.", valueName: "name"))
    var name: String?

    @Flag(
        name: .customLong("not-done"),
        help: "More files will follow: do not mark a folder done yet. It waits for that, a day at most.")
    var isNotDone = false

    @Flag(help: "Run the jobs even when the same content was uploaded before.")
    var force = false

    @OptionGroup var connection: ConnectionOptions

    func validate() throws {
        guard NameRules.isUploadName(UploadPlan.name(of: paths, named: name)) else {
            throw ValidationError(
                "an upload's name has letters, digits and ._-+=@, with no leading dot, at most 200 bytes; give one "
                    + "with --name")
        }
    }

    func run() async throws {
        let plan = try UploadPlan(paths: paths, name: name)
        let client = try connection.connect()
        let sender = UploadSender(client: client, isQuiet: connection.json, force: force)
        if case .single(let file) = plan.content, !force, let known = try await sender.known(file) {
            return connection.show(known.json) { _ in
                "the same content is upload \(known.id) already; nothing was sent (--force sends and runs it again)\n"
            }
        }
        var stored: [StoredFilePayload] = []
        switch plan.content {
        case .single(let file):
            let path = Paths.upload(plan.name) + (force ? "?force=true" : "")
            stored.append(try await sender.send(file, to: path, shown: plan.name))
        case .files(let files):
            for file in files {
                // The upload waits for its end, however long the way to the next file.
                let path = Paths.query(Paths.uploadFile(plan.name, path: file.path), [("open", "true")])
                stored.append(try await sender.send(file.source, to: path, shown: file.path))
            }
            if !isNotDone { _ = try await client.post(Paths.uploadDone(plan.name) + (force ? "?force=true" : "")) }
        }
        let isDone = !isNotDone || plan.isSingle
        let json: JSONValue = [
            "name": .string(plan.name), "files": .array(stored.map(\.json)), "done": .bool(isDone),
        ]
        connection.show(json) { style in
            var table = Table("FILE", "BYTES", "SHA256")
            for file in stored {
                table.add(Table.Cell(file.path), Table.Cell(String(file.bytes)), Table.Cell(file.sha256, .faint))
            }
            return table.render(style) + (isDone ? "done\n" : "not marked done\n")
        }
    }
}

/// `reactord upload show`: one upload, its jobs, and what was wrong with job files.
struct UploadShowCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show one upload: its state, its jobs, what was skipped and why.",
        discussion: """
            Example: reactord upload show 2026-11-21-e-mouse12
            """)

    @Argument(help: "The upload's id, as `reactord uploads` lists it.")
    var id: String

    @OptionGroup var connection: ConnectionOptions

    func run() async throws {
        let upload = try await connection.connect().read(Paths.upload(id), as: UploadPayload.self)
        connection.show(upload.json) { Tables.upload(upload, $0) }
    }
}

/// `reactord upload rerun`: the job files again, as they are now.
struct UploadRerunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rerun",
        abstract: "Run job files again for an upload that is there: all, one, or those that failed.",
        discussion: """
            Example: reactord upload rerun 2026-11-21-e-mouse12 --file ephys/beats.yaml
            """)

    @Argument(help: "The upload's id, as `reactord uploads` lists it.")
    var id: String

    @Option(help: ArgumentHelp("Only this job file, by its path below jobs/.", valueName: "path"))
    var file: String?

    @Flag(help: "Only the job files whose jobs failed, or that could not be read.")
    var failed = false

    @OptionGroup var connection: ConnectionOptions

    func validate() throws {
        if file != nil, failed { throw ValidationError("give --file or --failed, not both") }
    }

    func run() async throws {
        var body: JSONValue = ["kind": "rerun", "upload": .string(id)]
        if let file { body = body.setting("file", .string(file)) }
        if failed { body = body.setting("failed", true) }
        let answer = try await AskedActor(client: try connection.connect()).ask(body)
        connection.show(answer) { style in
            UploadPayload(json: answer.setting("id", .string(id))).map { Tables.upload($0, style) } ?? "\n"
        }
    }
}

/// `reactord uploads`: what has landed, newest first.
struct UploadsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "uploads", abstract: "List uploads, newest first, those still in the inbox before them.",
        discussion: """
            Example: reactord uploads --state partly_failed
                     reactord uploads --since 2026-11-01 --json
            """)

    @Option(
        help: ArgumentHelp(
            "Only those in this state: receiving, settling, running, done, failed, partly_failed.", valueName: "state"))
    var state: String?

    @Option(help: ArgumentHelp("Only those that were taken at or after this day or moment (UTC).", valueName: "time"))
    var since: String?

    @Option(help: ArgumentHelp("Only those that were taken before this day or moment (UTC).", valueName: "time"))
    var before: String?

    @Option(help: ArgumentHelp("How many.", valueName: "number"))
    var limit = 50

    @Option(help: ArgumentHelp("Go on behind the page that gave this as its next.", valueName: "cursor"))
    var cursor: String?

    @OptionGroup var connection: ConnectionOptions

    func validate() throws {
        let states = ["receiving", "settling", "running", "done", "failed", "partly_failed"]
        if let state, !states.contains(state) {
            throw ValidationError("--state takes one of \(states.joined(separator: ", "))")
        }
        try Words.checkLimit(limit)
        try Words.checkMoments(["--since": since, "--before": before])
    }

    func run() async throws {
        let path = Paths.query(
            Paths.uploads,
            [
                ("state", state), ("since", since), ("before", before), ("limit", String(limit)), ("cursor", cursor),
            ])
        let (page, json) = try await connection.connect().page(path, "uploads", of: UploadPayload.self)
        let isNarrowed = [state, since, before, cursor].contains { $0 != nil }
        connection.show(json) {
            Tables.uploads(page.items, isNarrowed: isNarrowed, $0) + Tables.more(page.next, $0)
        }
    }
}
