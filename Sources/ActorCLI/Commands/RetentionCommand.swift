import ActorCore
import ArgumentParser

/// `reactord retention`: old uploads go, by a plan, an approval and an audit row for each.
struct RetentionCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "retention", abstract: "Plan, approve and carry out the removal of old uploads' files.",
        discussion: """
            Rules stand in actors/retention/config.yml. A plan removes nothing until it is approved and applied.

            Example: reactord retention plan
            """,
        subcommands: [Plan.self, Show.self, Approve.self, Apply.self, Tag.self])

    struct Plan: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make a plan: what the rules would remove now.",
            discussion: "Example: reactord retention plan --json")
        @OptionGroup var connection: ConnectionOptions
        func run() async throws { try await RetentionCommand.ask(["kind": "plan"], connection) }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show a plan and how far it is.",
            discussion: "Example: reactord retention show plan-5f0c3a9e1b22")
        @Argument(help: "The plan's id.") var plan: String
        @OptionGroup var connection: ConnectionOptions
        func run() async throws {
            try await RetentionCommand.ask(["kind": "show", "plan": .string(plan)], connection)
        }
    }

    struct Approve: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Approve a plan; your name is noted with it.",
            discussion: "Example: reactord retention approve plan-5f0c3a9e1b22")
        @Argument(help: "The plan's id.") var plan: String
        @OptionGroup var connection: ConnectionOptions
        func run() async throws {
            try await RetentionCommand.ask(["kind": "approve", "plan": .string(plan)], connection)
        }
    }

    struct Apply: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Carry out an approved plan: remove the files of its uploads.",
            discussion: "Example: reactord retention apply plan-5f0c3a9e1b22")
        @Argument(help: "The plan's id.") var plan: String
        @OptionGroup var connection: ConnectionOptions
        func run() async throws {
            try await RetentionCommand.ask(["kind": "apply", "plan": .string(plan)], connection)
        }
    }

    struct Tag: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Set an upload's tags; without any, none.",
            discussion: "Example: reactord retention tag 2026-11-21-e-mitbih208 keep")
        @Argument(help: "The upload's id.") var upload: String
        @Argument(help: "The tags that it has from now on.") var tags: [String] = []
        @OptionGroup var connection: ConnectionOptions
        func run() async throws {
            let words = JSONValue.array(tags.map { .string($0) })
            try await RetentionCommand.ask(["kind": "tag", "upload": .string(upload), "tags": words], connection)
        }
    }

    private static func ask(_ message: JSONValue, _ connection: ConnectionOptions) async throws {
        let answer = try await AskedActor(client: try connection.connect(), alias: "retention").ask(message)
        connection.show(answer) { lines(answer, $0) }
    }

    private static func lines(_ plan: JSONValue, _ style: Style) -> String {
        guard let items = plan["items"]?.array else {
            let tags = (plan["tags"]?.array ?? []).compactMap(\.string)
            let words = tags.isEmpty ? "no tags" : tags.joined(separator: " ")
            return Safe.line("\(plan["upload"]?.string ?? ""): \(words)") + "\n"
        }
        var output = "\(plan["id"]?.string ?? "") is \(plan["state"]?.string ?? ""): \(items.count) uploads, "
        output += "\(plan["bytes"]?.int ?? 0) bytes\n"
        if items.isEmpty, plan["withheld"]?.array?.isEmpty ?? true {
            output += "  no upload is due: the rules stand in actors/retention/config.yml\n"
        }
        for item in items {
            let words = ["progress", "action", "upload", "rule", "reason", "note"].compactMap { item[$0]?.string }
            output += "  " + Safe.line(words.joined(separator: "  ")) + "\n"
        }
        for item in plan["withheld"]?.array ?? [] {
            let words = ["withheld"] + ["upload", "reason"].compactMap { item[$0]?.string }
            output += "  " + Safe.line(words.joined(separator: "  ")) + "\n"
        }
        let id = plan["id"]?.string ?? ""
        switch plan["state"]?.string {
        case "proposed" where !items.isEmpty:
            output += "nothing is removed yet; next: reactord retention approve \(id)\n"
        case "approved": output += "nothing is removed yet; next: reactord retention apply \(id)\n"
        default: break
        }
        return output
    }
}
