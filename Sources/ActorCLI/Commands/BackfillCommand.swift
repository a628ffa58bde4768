import ActorAPI
import ActorCore
import ArgumentParser

/// `reactord backfill`: a new job file over old uploads.
struct BackfillCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "backfill",
        abstract: "Run a job file over uploads that are there already, after showing the plan.",
        discussion: """
            Uploads for which it does not apply, or has run well before, are left out. Without --yes nothing is run.

            Example: reactord backfill ephys/spikes.yaml --since 2026-01-01
                     reactord backfill ephys/spikes.yaml --since 2026-01-01 --yes
            """)

    @Argument(help: "The job file, by its path below jobs/.")
    var file: String

    @Option(help: ArgumentHelp("Uploads that were taken at or after this day or moment (UTC).", valueName: "time"))
    var since: String

    @Option(help: ArgumentHelp("And before this day or moment (UTC).", valueName: "time"))
    var before: String?

    @Flag(name: .customLong("dry-run"), help: "Only show the plan, which is what happens without --yes too.")
    var isDryRun = false

    @Flag(help: "Run what the plan says.")
    var yes = false

    @OptionGroup var connection: ConnectionOptions

    /// What is to be done for one upload.
    struct Step {
        let upload: String
        let action: String
        let reason: String?
    }

    func validate() throws {
        if isDryRun, yes { throw ValidationError("give --dry-run or --yes, not both") }
        try Words.checkMoments(["--since": since, "--before": before])
    }

    func run() async throws {
        let client = try connection.connect()
        let ingest = AskedActor(client: client)
        var steps: [Step] = []
        var cursor: String?
        repeat {
            let path = Paths.query(
                Paths.uploads,
                [("since", since), ("before", before), ("limit", "200"), ("cursor", cursor)])
            let page = try await client.page(path, "uploads", of: UploadPayload.self).page
            guard !page.items.isEmpty else { break }
            let plan = try await ingest.ask([
                "kind": "plan", "file": .string(file), "uploads": .array(page.items.map { .string($0.id) }),
            ])
            steps += (plan["uploads"]?.array ?? []).map {
                Step(
                    upload: $0["upload"]?.string ?? "", action: $0["action"]?.string ?? "",
                    reason: $0["reason"]?.string)
            }
            cursor = page.next
        } while cursor != nil
        let wanted = steps.filter { $0.action == "run" }
        if yes {
            for step in wanted {
                try await ingest.tell(["kind": "rerun", "upload": .string(step.upload), "file": .string(file)])
            }
        }
        let json: JSONValue = [
            "file": .string(file), "started": .bool(yes), "runs": JSONValue(wanted.count),
            "uploads": .array(
                steps.map {
                    ["upload": .string($0.upload), "action": .string($0.action), "reason": JSONValue($0.reason)]
                }),
        ]
        connection.show(json) { show(steps, runs: wanted.count, $0) }
    }

    private func show(_ steps: [Step], runs: Int, _ style: Style) -> String {
        var table = Table("UPLOAD", "ACTION", "REASON")
        for step in steps {
            table.add(
                Table.Cell(step.upload), Table.Cell(step.action, step.action == "run" ? .strong : .faint),
                .optional(step.reason))
        }
        let end =
            yes
            ? "\(runs) runs of \(file) were asked for; see reactord uploads"
            : "\(runs) of \(steps.count) uploads would run \(file); --yes runs them"
        return table.render(style, empty: "no upload was taken in that time") + end + "\n"
    }
}

/// A built-in actor as commands talk to it: by messages that it answers.
struct AskedActor {
    let client: DaemonClient
    var alias = "ingest"

    /// Sends a message and waits for what it answers.
    func ask(_ body: JSONValue) async throws -> JSONValue {
        let execution = try await Waiting.end(of: try await tell(body), client)
        guard execution.outcome == "succeeded" else {
            throw Failure(.failed, Safe.line(execution.reason ?? "\(alias) refused it"))
        }
        return execution.result
    }

    /// Sends a message; answers the id of its execution.
    @discardableResult
    func tell(_ body: JSONValue) async throws -> String {
        let answer = try await client.post(Paths.messages(alias), body)
        guard let result = answer["result"], let receipt = MessageReceiptPayload(json: result) else {
            throw DaemonClient.unexpected
        }
        return receipt.executionID
    }
}
