import ActorAPI
import ActorCore
import ArgumentParser

/// `reactord subscriptions`: who outside is told of committed events.
struct SubscriptionsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "subscriptions", abstract: "Tell others of committed events, as signed CloudEvents over HTTP.",
        subcommands: [
            List.self, Add.self, Remove.self, Rotate.self, Test.self, Deliveries.self, Resend.self,
        ], defaultSubcommand: List.self)

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list", abstract: "List subscriptions with what became of their events.",
            discussion: """
                Example: reactord subscriptions list
                """)

        @OptionGroup var connection: ConnectionOptions

        func run() async throws {
            let (page, json) = try await connection.connect().page(
                Paths.subscriptions, "subscriptions", of: SubscriptionPayload.self)
            connection.show(json) { Tables.subscriptions(page.items, $0) }
        }
    }

    struct Add: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "add", abstract: "Subscribe a sink; prints the secret that signs, which is shown only now.",
            discussion: """
                Filters are written in the dialects of CloudEvents: exact, prefix, suffix, all, any, not. An event is \
                told when all of them match.

                Example: reactord subscriptions add https://example.org/hook --type reactord.job.moved
                Example: reactord subscriptions add https://example.org/hook --filter '{"prefix":{"source":"/jobs/"}}'
                """)

        @Argument(help: "The URL that events are posted to.")
        var sink: String

        @Option(
            name: .customLong("type"),
            help: ArgumentHelp("Only events of this type; may be repeated.", valueName: "type"))
        var types: [String] = []

        @Option(help: ArgumentHelp("Only events of this source.", valueName: "uri"))
        var source: String?

        @Option(name: .customLong("filter"), help: ArgumentHelp("A filter; may be repeated.", valueName: "json"))
        var filters: [String] = []

        @Option(help: ArgumentHelp("What it is for.", valueName: "text"))
        var description = ""

        @OptionGroup var connection: ConnectionOptions

        func validate() throws {
            guard sink.hasPrefix("http://") || sink.hasPrefix("https://") else {
                throw ValidationError("the sink is a URL that begins with https:// or http://")
            }
            if let type = types.first(where: { !CloudEvent.types.contains($0) }) {
                let all = CloudEvent.types.joined(separator: ", ")
                throw ValidationError("--type: no event has the type \(type); there are \(all)")
            }
            _ = try parsedFilters()
        }

        private func parsedFilters() throws -> JSONValue {
            var values: [JSONValue] = []
            for text in filters {
                guard let value = try? JSONReader.read(Array(text.utf8)) else {
                    throw ValidationError("--filter takes JSON like {\"exact\":{\"type\":\"reactord.job.moved\"}}")
                }
                values.append(value)
            }
            do {
                _ = try EventFilter.list(.array(values), at: "--filter")
            } catch {
                throw ValidationError(error.description)
            }
            return .array(values)
        }

        func run() async throws {
            var body: JSONValue = [
                "sink": .string(sink), "types": .array(types.map { .string($0) }), "filters": try parsedFilters(),
                "description": .string(description),
            ]
            if let source { body = body.setting("source", .string(source)) }
            let json = try await connection.connect().post(Paths.subscriptions, body)
            guard let made = SubscriptionPayload(json: json) else { throw DaemonClient.unexpected }
            connection.show(json) { Tables.secret(of: made, $0) }
        }
    }

    struct Remove: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "rm", abstract: "End a subscription; what waits for it goes with it.",
            discussion: """
                Example: reactord subscriptions rm R4XoJqzb
                """)

        @Argument(help: "The subscription's id.")
        var id: String

        @OptionGroup var connection: ConnectionOptions

        func run() async throws {
            try await connection.connect().send("DELETE", Paths.subscription(id))
            connection.show(["removed": .string(id)]) { _ in "removed \(Safe.line(id))\n" }
        }
    }

    struct Rotate: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "rotate",
            abstract: "Make a new secret; the one before signs beside it for some hours, older ones no more.",
            discussion: """
                Example: reactord subscriptions rotate R4XoJqzb --grace-hours 48
                """)

        @Argument(help: "The subscription's id.")
        var id: String

        @Option(
            name: .customLong("grace-hours"),
            help: ArgumentHelp("How long the old secret signs too; 0 to 168.", valueName: "number"))
        var graceHours = 24

        @OptionGroup var connection: ConnectionOptions

        func validate() throws {
            guard (0...168).contains(graceHours) else {
                throw ValidationError("--grace-hours takes a number from 0 to 168")
            }
        }

        func run() async throws {
            let json = try await connection.connect().post(
                Paths.rotate(id), ["grace_hours": JSONValue(graceHours)])
            guard let changed = SubscriptionPayload(json: json) else { throw DaemonClient.unexpected }
            connection.show(json) { Tables.secret(of: changed, $0) }
        }
    }

    struct Test: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "test", abstract: "Send a test event to a subscription's sink.",
            discussion: """
                Example: reactord subscriptions test R4XoJqzb
                """)

        @Argument(help: "The subscription's id.")
        var id: String

        @OptionGroup var connection: ConnectionOptions

        func run() async throws {
            let json = try await connection.connect().post(Paths.testEvent(id))
            guard let event = json["event_id"]?.string else { throw DaemonClient.unexpected }
            connection.show(json) { _ in Safe.line(event) + "\n" }
        }
    }

    struct Deliveries: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "deliveries", abstract: "List what waits for a sink, reached it lately, or was given up.",
            discussion: """
                Example: reactord subscriptions deliveries R4XoJqzb
                """)

        @Argument(help: "The subscription's id.")
        var id: String

        @Option(help: ArgumentHelp("How many.", valueName: "number"))
        var limit = 50

        @OptionGroup var connection: ConnectionOptions

        func run() async throws {
            let path = Paths.query(Paths.deliveries(id), [("limit", String(limit))])
            let (page, json) = try await connection.connect().page(path, "deliveries", of: DeliveryPayload.self)
            connection.show(json) { Tables.deliveries(page.items, $0) }
        }
    }

    struct Resend: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "resend", abstract: "Send a delivery again, or now if it waits.",
            discussion: """
                Example: reactord subscriptions resend R4XoJqzb 17
                """)

        @Argument(help: "The subscription's id.")
        var id: String

        @Argument(help: "The delivery's number.")
        var delivery: Int64

        @OptionGroup var connection: ConnectionOptions

        func run() async throws {
            let json = try await connection.connect().post(Paths.resend(delivery, of: id))
            connection.show(json) { _ in "queued\n" }
        }
    }
}

extension Tables {
    static func subscriptions(_ items: [SubscriptionPayload], _ style: Style) -> String {
        var table = Table("ID", "STATUS", "WAITING", "DELIVERED", "GIVEN UP", "DROPPED", "SINK", "DESCRIPTION")
        for item in items {
            table.add(
                Table.Cell(item.id), Table.Cell(item.enabled ? "enabled" : "disabled", item.enabled ? .good : .bad),
                .number(item.waiting), .number(item.delivered), .number(item.givenUp), .number(item.dropped),
                Table.Cell(item.sink), Table.Cell(item.disabledReason ?? item.description))
        }
        return table.render(style, empty: "no subscriptions")
    }

    static func deliveries(_ items: [DeliveryPayload], _ style: Style) -> String {
        var table = Table("ID", "STATE", "TYPE", "ATTEMPTS", "CREATED", "NEXT ATTEMPT", "EVENT", "REASON")
        for item in items {
            table.add(
                Table.Cell(String(item.id)), Table.Cell(item.state), Table.Cell(item.type), .number(item.attempts),
                .time(item.created), .time(item.nextAttempt), Table.Cell(item.eventID),
                .optional(item.reason))
        }
        return table.render(style, empty: "no deliveries")
    }

    /// The one time that it is shown.
    static func secret(of item: SubscriptionPayload, _ style: Style) -> String {
        var text = "\(Safe.line(item.id)) \(Safe.line(item.secret ?? "-"))\n"
        if let moment = item.previousSecretExpires {
            text += style.paint("the secret before signs too until \(Safe.line(moment))", .faint) + "\n"
        }
        return text
    }
}
