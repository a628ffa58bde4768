import ActorAPI
import ActorCore

/// Uploads, as tables.
extension Tables {
    /// - Parameter isNarrowed: others than these may be there.
    static func uploads(_ items: [UploadPayload], isNarrowed: Bool = false, _ style: Style) -> String {
        var table = Table("UPLOAD", "STATE", "FILES", "BYTES", "JOBS", "FAILED", "RECEIVED", "NOTE")
        for item in items {
            let counts = item.body["counts"]
            table.add(
                Table.Cell(item.id), .status(item.body["state"]?.string ?? "-"),
                .number(item.body["file_count"]?.int ?? 0), .number(item.body["bytes"]?.int ?? 0),
                .number((counts?["jobs"]?.int ?? 0) + (counts?["waiting"]?.int ?? 0)),
                .number((counts?["failed"]?.int ?? 0) + (counts?["invalid"]?.int ?? 0)),
                .time(item.body["received"]?.string), .optional(item.body["note"]?.string ?? ""))
        }
        let none =
            isNarrowed
            ? "no upload is like that; reactord uploads lists them all"
            : "no uploads yet; send one with reactord upload, or put it into the inbox"
        return table.render(style, empty: none)
    }

    static func upload(_ upload: UploadPayload, _ style: Style) -> String {
        let body = upload.body
        let state = body["state"]?.string ?? "-"
        var facts: [(String, String)] = [("upload", upload.id), ("state", state)]
        if let other = body["duplicate_of"]?.string { facts.append(("same as", other)) }
        for (name, field) in [
            ("modality", "modality"), ("folder", "folder"), ("received", "received"), ("finished", "finished"),
            ("sha256", "sha256"), ("note", "note"),
        ] {
            if let text = body[field]?.string { facts.append((name, text)) }
        }
        let removed = body["removed"]
        let gone = removed?["at"]?.string.map { at in
            ", removed \(at) by \(removed?["plan"]?.string ?? "a plan") (\(removed?["action"]?.string ?? ""))"
        }
        facts.append(("files", "\(body["file_count"]?.int ?? 0), \(body["bytes"]?.int ?? 0) bytes\(gone ?? "")"))
        var output = ""
        for (name, value) in facts {
            let tone: Tone = name == "state" ? .of(status: value) : .plain
            let gap = String(repeating: " ", count: 10 - name.count)
            output += style.paint(name, .strong) + gap + style.paint(Safe.line(value), tone) + "\n"
        }
        var jobs = Table("FILE", "STATUS", "RUN", "UUID")
        for job in body["jobs"]?.array ?? [] {
            jobs.add(
                Table.Cell(job["file"]?.string ?? "-"), .status(job["status"]?.string ?? "-"),
                .number(job["run"]?.int ?? 1), Table.Cell(job["uuid"]?.string ?? "-", .faint))
        }
        for item in body["waiting"]?.array ?? [] {
            let after = (item["after"]?.array ?? []).compactMap(\.string).joined(separator: ", ")
            jobs.add(
                Table.Cell(item["file"]?.string ?? "-"), item["blocked"]?.string == nil ? "waits" : "blocked", "-",
                Table.Cell(item["blocked"]?.string ?? "for \(after)", .faint))
        }
        output += "\n" + jobs.render(style, empty: "no job file applies to it")
        for job in body["jobs"]?.array ?? [] {
            guard let reason = job["reason"]?.string else { continue }
            let line = "\(job["status"]?.string ?? "-"): \(job["file"]?.string ?? "?"): \(reason)"
            output += style.paint(Safe.line(line), .bad) + "\n"
        }
        for item in body["invalid"]?.array ?? [] {
            let place = "\(item["file"]?.string ?? "?"):\(item["line"]?.int ?? 0)"
            output += style.paint(Safe.line("invalid: \(place): \(item["reason"]?.string ?? "")"), .bad) + "\n"
        }
        for item in body["skipped"]?.array ?? [] {
            let line = "skipped: \(item["file"]?.string ?? "?"): \(item["reason"]?.string ?? "")"
            output += style.paint(Safe.line(line), .faint) + "\n"
        }
        for item in body["duplicates"]?.array ?? [] {
            let line = "again: \(item["upload"]?.string ?? "?") on \(item["received"]?.string ?? "?"), nothing was run"
            output += style.paint(Safe.line(line), .faint) + "\n"
        }
        return output
    }
}
