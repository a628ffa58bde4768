import ActorAPI
import ActorCore

/// What the daemon answers, as tables.
enum Tables {
    static func actors(_ list: ActorListPayload, _ style: Style) -> String {
        var table = Table("NAME", "STATUS", "WAITING", "RUNNING", "RUNS", "ID")
        for actor in list.actors {
            table.add(
                Table.Cell(actor.name), .status(actor.status), .number(actor.waiting), .number(actor.running),
                Table.Cell(actor.run), Table.Cell(actor.id, .faint))
        }
        var output = table.render(style, empty: "no actors; put a folder with an actor.yml into actors/")
        for actor in list.actors where actor.statusMessage.contains(where: { !$0.isWhitespace }) {
            output += style.paint("\(Safe.line(actor.name)): \(Safe.line(actor.statusMessage))", .bad) + "\n"
        }
        for folder in list.quarantined {
            let place = folder.line.map { "\(folder.file):\($0)" } ?? folder.file
            let word = folder.goesOn ? "goes on as it was" : "quarantined"
            output += style.paint("\(word): \(Safe.line(place)): \(Safe.line(folder.reason))", .bad) + "\n"
        }
        return output
    }

    static func executions(_ items: [ExecutionPayload], _ style: Style) -> String {
        var table = Table("EXECUTION", "STATUS", "OUTCOME", "EXIT", "ATTEMPTS", "RECEIVED", "REASON")
        for item in items {
            table.add(
                Table.Cell(item.id), .status(item.status),
                item.outcome.map { Table.Cell.status($0) } ?? "-", .optional(item.exitCode.map(String.init)),
                .number(item.attempts), .time(item.received), .optional(item.reason))
        }
        return table.render(style, empty: "no executions yet")
    }

    static func jobs(_ items: [JobPayload], _ style: Style) -> String {
        var table = Table("UUID", "STATUS", "LAST EVENT", "SESSION", "UPDATED", "PATH")
        for item in items {
            table.add(
                Table.Cell(item.uuid), .status(item.status), Table.Cell(item.lastEvent), Table.Cell(item.session),
                .time(item.updated), Table.Cell(item.path))
        }
        return table.render(style, empty: "no such jobs")
    }

    static func job(_ job: JobPayload, _ history: JobHistoryPayload, _ style: Style) -> String {
        let facts: [(String, String)] = [
            ("uuid", job.uuid), ("pipeline", job.pipelineUUID), ("status", job.status), ("session", job.session),
            ("owner", job.owner), ("path", job.path), ("archive", job.archiveFolder ?? "-"),
            ("created", job.created), ("updated", job.updated),
        ]
        var output = ""
        for (name, value) in facts {
            let tone: Tone = name == "status" ? .of(status: value) : .plain
            let gap = String(repeating: " ", count: 10 - name.count)
            output += style.paint(name, .strong) + gap + style.paint(Safe.line(value), tone) + "\n"
        }
        var table = Table("EVENT", "DATE", "EXECUTION", "DATA")
        for entry in history.history {
            table.add(
                Table.Cell(entry.name), .time(entry.date), .optional(entry.executionID), Table.Cell(short(entry.data)))
        }
        output += "\n" + table.render(style, empty: "no history")
        guard !history.refused.isEmpty else { return output }
        var refused = Table("REFUSED", "DATE", "REASON")
        for entry in history.refused {
            refused.add(Table.Cell(entry.name, .bad), .time(entry.date), .optional(entry.reason))
        }
        return output + "\n" + refused.render(style)
    }

    static func deadLetters(_ items: [DeadLetterPayload], _ style: Style) -> String {
        var table = Table("ID", "ACTOR", "ATTEMPTS", "PARKED", "REPLAYED AS", "REASON")
        for item in items {
            table.add(
                Table.Cell(String(item.id)), Table.Cell(item.actor), .number(item.attempts), .time(item.parked),
                .optional(item.replayedAs), Table.Cell(item.reason))
        }
        return table.render(style, empty: "no dead letters")
    }

    static func nonces(_ items: [NoncePayload], _ style: Style) -> String {
        var table = Table("NONCE", "LEVEL", "REMAINING", "CREATED", "DESCRIPTION")
        for item in items {
            table.add(
                Table.Cell(item.id), Table.Cell(item.level),
                Table.Cell(item.remainingUses < 0 ? "without limit" : String(item.remainingUses)),
                .time(item.created), Table.Cell(item.description))
        }
        return table.render(style, empty: "no nonces")
    }

    /// JSON in a cell: on one line, cut.
    private static func short(_ value: JSONValue) -> String {
        if value.isNull || value.object?.isEmpty == true { return "" }
        let text = JSONWriter.string(value)
        return text.count > 100 ? text.prefix(99) + "…" : text
    }
}
