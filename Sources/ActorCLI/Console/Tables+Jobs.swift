import ActorAPI
import ActorCore

/// What belongs to jobs, as tables.
extension Tables {
    static func counts(_ json: JSONValue, _ style: Style) -> String {
        var table = Table("STATE", "JOBS")
        for member in json["counts"]?.object ?? [] {
            table.add(.status(member.name), .number(member.value.int ?? 0))
        }
        let total = json["total"]?.int ?? 0
        let stalled = json["stalled"]?.int ?? 0
        return table.render(style) + "\(total) \(total == 1 ? "job" : "jobs"), \(stalled) of them stalled\n"
    }

    /// How to go on where there is more.
    static func more(_ cursor: String?, _ style: Style) -> String {
        cursor.map { style.paint("more: --cursor \(Safe.line($0))", .faint) + "\n" } ?? ""
    }

    static func files(_ json: JSONValue, _ style: Style) -> String {
        var table = Table("PATH", "BYTES", "MODIFIED", "LEVEL", "TYPE", "SHA256")
        for file in json["files"]?.array ?? [] {
            table.add(
                Table.Cell(file["path"]?.string ?? ""), .number(file["bytes"]?.int ?? 0),
                .time(file["modified"]?.string ?? ""), .optional(file["level"]?.string),
                .optional(file["type"]?.string), .optional(file["sha256"]?.string))
        }
        var output = table.render(style, empty: "no files")
        guard let index = json["index"], let state = index["state"]?.string else { return output }
        let done = "\(index["files"]?.int ?? 0) of \(index["files_total"]?.int ?? 0) files"
        let bytes = "\(index["bytes"]?.int ?? 0) of \(index["bytes_total"]?.int ?? 0) bytes"
        output += "index: \(Safe.line(state)), \(done), \(bytes)"
        if let reason = index["reason"]?.string { output += ": " + style.paint(Safe.line(reason), .bad) }
        return output + "\n"
    }

    static func logs(_ json: JSONValue, _ style: Style) -> String {
        let logs = json["logs"]?.array ?? []
        guard !logs.isEmpty else { return "no logs\n" }
        var output = ""
        for log in logs {
            let title = ["name", "actor", "execution_id"].compactMap { log[$0]?.string }.joined(separator: ", ")
            output += style.paint("== \(Safe.line(title))", .strong) + "\n"
            for line in (log["text"]?.string ?? "").split(separator: "\n", omittingEmptySubsequences: false) {
                output += Safe.line(String(line)) + "\n"
            }
        }
        return output
    }

    static func graph(_ json: JSONValue, _ style: Style) -> String {
        let root = json["root"]?.string
        var parents: [String: [String]] = [:]
        for edge in json["edges"]?.array ?? [] {
            parents[edge["child"]?.string ?? "", default: []].append(edge["parent"]?.string ?? "")
        }
        var table = Table("UUID", "TYPE", "STATUS", "SESSION", "CHILD OF")
        for node in json["nodes"]?.array ?? [] {
            let uuid = node["uuid"]?.string ?? ""
            table.add(
                Table.Cell(uuid, uuid == root ? .strong : .plain), Table.Cell(node["type"]?.string ?? ""),
                node["status"]?.string.map { Table.Cell.status($0) } ?? "-", .optional(node["session"]?.string),
                .optional(parents[uuid]?.joined(separator: " ")))
        }
        return table.render(style)
            + (json["truncated"]?.bool == true ? style.paint("there is more than is shown\n", .bad) : "")
    }

    static func watches(_ items: [JSONValue], _ style: Style) -> String {
        var table = Table("ID", "ACTOR", "JOB", "PIPELINE", "OWNER")
        for item in items {
            table.add(
                Table.Cell(item["id"]?.string ?? ""),
                Table.Cell(item["actor"]?.string ?? item["actor_id"]?.string ?? ""), .optional(item["job"]?.string),
                .optional(item["pipeline"]?.string), Table.Cell(item["owner"]?.string ?? ""))
        }
        return table.render(style, empty: "no watches")
    }
}
