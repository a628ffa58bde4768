import ActorAPI
import ActorCore
import ArgumentParser

/// `reactord pipelines`: what jobs are runs of.
struct PipelinesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pipelines",
        abstract: "List, register, change, enable and disable pipelines: what jobs are runs of.",
        discussion: """
            A job of a pipeline that nobody has registered is refused.

            Example: reactord pipelines register @pipeline.json
                     reactord pipelines
            """,
        subcommands: [List.self, Show.self, Register.self, Update.self, Enable.self, Disable.self],
        defaultSubcommand: List.self)

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list", abstract: "List pipelines, newest first.",
            discussion: """
                Example: reactord pipelines list --limit 10
                """)

        @Option(help: ArgumentHelp("How many.", valueName: "number"))
        var limit = 100

        @Option(help: ArgumentHelp("Go on behind the page that gave this as its next.", valueName: "cursor"))
        var cursor: String?

        @OptionGroup var connection: ConnectionOptions

        func run() async throws {
            let path = Paths.query(Paths.pipelines, [("limit", String(limit)), ("cursor", cursor)])
            let (page, json) = try await connection.connect().page(path, "pipelines", of: PipelinePayload.self)
            connection.show(json) { style in
                var table = Table("UUID", "NAME", "GENERATION", "COMPONENTS", "STATE", "OWNER")
                for item in page.items {
                    table.add(
                        Table.Cell(item.uuid), Table.Cell(item.name), .number(item.generation),
                        .number(item.components.array?.count ?? 0), Table.Cell(item.enabled ? "enabled" : "disabled"),
                        Table.Cell(item.owner))
                }
                return table.render(style, empty: "no pipelines; reactord pipelines register @FILE makes one")
                    + Tables.more(page.next, style)
            }
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "show", abstract: "Show one pipeline as JSON.",
            discussion: """
                Example: reactord pipelines show f0f417f2-ba8b-5ac4-b421-255b69553391
                """)

        @Argument(help: "The pipeline's UUID.")
        var uuid: String

        @OptionGroup var connection: ConnectionOptions

        func run() async throws {
            let json = try await connection.connect().get(Paths.pipeline(uuid))
            connection.show(json) { _ in JSONWriter.pretty(json) + "\n" }
        }
    }

    struct Register: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "register",
            abstract: "Register a pipeline; prints its UUID and its token, which is shown once.",
            discussion: """
                Example: reactord pipelines register @pipeline.json
                         reactord pipelines register '{"name": "QC", "components": [{"id": "qc-1.0.0"}]}'
                """)

        @Argument(help: "The pipeline: a JSON object with name and components, @FILE, or - for standard input.")
        var document: String

        @OptionGroup var connection: ConnectionOptions

        func run() async throws {
            let body = try JSONArgument.value(document, of: "the pipeline")
            let json = try await connection.connect().post(Paths.pipelines, body)
            connection.show(json) { _ in
                let token = json["token"]?.string.map { "token \(Safe.line($0))\n" } ?? ""
                return "\(Safe.line(json["uuid"]?.string ?? "?"))\n\(token)"
            }
        }
    }

    struct Update: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "update", abstract: "Change a pipeline's name, description, settings and the rest.",
            discussion: """
                Components are what a pipeline is: other ones are another pipeline.

                Example: reactord pipelines update f0f417f2-ba8b-5ac4-b421-255b69553391 \\
                             '{"settings": {"callbacks": "slurm", "stalled_after_hours": 6}}'
                """)

        @Argument(help: "The pipeline's UUID.")
        var uuid: String

        @Argument(help: "What is to change: a JSON object, @FILE, or - for standard input.")
        var changes: String

        @OptionGroup var connection: ConnectionOptions

        func run() async throws {
            let body = try JSONArgument.value(changes, of: "what is to change")
            let json = try await connection.connect().put(Paths.pipeline(uuid), body)
            connection.show(json) { _ in "updated \(Safe.line(uuid))\n" }
        }
    }

    struct Enable: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "enable", abstract: "Let a pipeline take jobs again.",
            discussion: """
                Example: reactord pipelines enable f0f417f2-ba8b-5ac4-b421-255b69553391
                """)

        @OptionGroup var turn: Turn

        func run() async throws { try await turn.run("enable") }
    }

    struct Disable: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "disable", abstract: "Let a pipeline take no new jobs; those that run go on.",
            discussion: """
                Example: reactord pipelines disable f0f417f2-ba8b-5ac4-b421-255b69553391
                """)

        @OptionGroup var turn: Turn

        func run() async throws { try await turn.run("disable") }
    }

    /// Turning a pipeline on or off.
    struct Turn: ParsableArguments {
        @Argument(help: "The pipeline's UUID.")
        var uuid: String

        @OptionGroup var connection: ConnectionOptions

        func run(_ verb: String) async throws {
            let json = try await connection.connect().post("\(Paths.pipeline(uuid))/\(verb)")
            connection.show(json) { _ in "\(verb)d \(Safe.line(uuid))\n" }
        }
    }
}
