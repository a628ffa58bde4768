import ActorCore

/// A table of jobs that start one another, as the lab's later listener keeps it (lab workflows, section 0.8):
/// `index,status,uuid,experiment,[file_path],image,args,[params],cpu_request,memory_request,disk_request,GPU,next_job`,
/// where `next_job` is `None` or indexes joined by `/`.
package struct ChainFile: Sendable, Equatable {
    /// One job.
    package struct Row: Sendable, Equatable {
        package let index: Int
        package var status: String
        package let next: [Int]
        /// Every column by its name.
        package let fields: [String: String]
    }

    /// What is wrong with a table, at which line (1 is the heading).
    package struct Malformed: Error, Sendable, Equatable, CustomStringConvertible {
        package let line: Int
        package let reason: String

        package var description: String { "line \(line): \(reason)" }
    }

    private static let maxRows = 10_000
    package private(set) var rows: [Row]

    package init(csv: String) throws(Malformed) {
        let records = try CommaSeparated.records(csv)
        guard let heading = records.first else { throw Malformed(line: 1, reason: "the table is empty") }
        let names = heading.fields.map(Self.trimmed)
        for name in ["index", "status", "next_job"] where !names.contains(name) {
            throw Malformed(line: 1, reason: "there is no column \(name)")
        }
        guard records.count - 1 <= Self.maxRows else {
            throw Malformed(line: Self.maxRows + 1, reason: "there are more than \(Self.maxRows) rows")
        }
        var rows: [Row] = []
        var seen: Set<Int> = []
        for record in records.dropFirst() {
            guard record.fields.count == names.count else {
                throw Malformed(
                    line: record.line, reason: "it has \(record.fields.count) fields, the heading \(names.count)")
            }
            let fields = Dictionary(zip(names, record.fields.map(Self.trimmed))) { first, _ in first }
            guard let index = Int(fields["index"] ?? ""), seen.insert(index).inserted else {
                throw Malformed(line: record.line, reason: "its index is no number, or another row's too")
            }
            let next = try Self.next(fields["next_job"] ?? "", line: record.line)
            rows.append(Row(index: index, status: fields["status"] ?? "", next: next, fields: fields))
        }
        for row in rows {
            if let lost = row.next.first(where: { !seen.contains($0) }) {
                throw Malformed(line: 1, reason: "row \(row.index) starts row \(lost), which is not there")
            }
        }
        self.rows = rows
    }

    private static func trimmed(_ text: String) -> String {
        text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
    }

    private static func next(_ text: String, line: Int) throws(Malformed) -> [Int] {
        guard !text.isEmpty, text != "None", text != "nan" else { return [] }
        var next: [Int] = []
        for part in text.split(separator: "/") {
            guard let index = Int(part) ?? Double(part).map({ Int($0) }) else {
                throw Malformed(line: line, reason: "next_job is None or numbers joined by /, not \(text)")
            }
            next.append(index)
        }
        return next
    }

    /// Applies one message: words and the rows they are for. Answers the rows to launch, in order.
    ///
    /// `Start` launches the rows named; `Succeeded` launches the next ones, marked `Started`; any other word is
    /// only written down.
    ///
    /// - Parameter asOriginal: as the listener did it: one pass from top to bottom, so that a next row above is never
    ///   started, and whatever a row's status is, it is started again. Without it a row above is started too, and none
    ///   that runs already or has succeeded.
    package mutating func apply(_ update: [(word: String, rows: [Int])], asOriginal: Bool = false) -> [Int] {
        var launched: [Int] = []
        var due: Set<Int> = []
        for position in rows.indices {
            let index = rows[position].index
            if let word = update.first(where: { $0.rows.contains(index) })?.word {
                if word == "Start" {
                    guard asOriginal || !Self.isBusy(rows[position].status) else { continue }
                    launched.append(index)
                } else if word == "Succeeded" {
                    due.formUnion(rows[position].next)
                }
                rows[position].status = word
            } else if asOriginal, due.contains(index) {
                launched.append(index)
                rows[position].status = "Started"
            }
        }
        guard !asOriginal else { return launched }
        for position in rows.indices where due.contains(rows[position].index) {
            guard !Self.isBusy(rows[position].status), rows[position].status != "Succeeded",
                !launched.contains(rows[position].index)
            else { continue }
            launched.append(rows[position].index)
            rows[position].status = "Started"
        }
        return launched
    }

    private static func isBusy(_ status: String) -> Bool { ["Start", "Started", "Running"].contains(status) }

    /// The name of the Kubernetes Job that runs an experiment: `edp-` and what is legal of the name, its end kept.
    ///
    /// - Parameter asOriginal: eight characters are cut for `.raw.h5`, which has seven, so two recordings may share
    ///   a name, and an empty name gives `edp-`.
    package static func jobName(_ raw: String, index: Int? = nil, asOriginal: Bool = false) -> String {
        var stem = raw
        if let index, stem.hasSuffix(".csv") {
            stem = "\(stem.dropLast(4))-\(index)"
        } else if stem.hasSuffix(".raw.h5") {
            stem = String(stem.dropLast(asOriginal ? 8 : 7))
        } else if stem.hasSuffix(".h5") {
            stem = String(stem.dropLast(3))
        }
        var legal = ""
        for character in stem.lowercased() {
            let isLegal = character.isASCII && (character.isLetter || character.isNumber)
            if isLegal { legal.append(character) } else if legal.last != "-" { legal.append("-") }
        }
        let room = JobName.maxLength - 4
        guard !asOriginal else { return "edp-" + String(legal.suffix(room).drop { $0 == "-" }) }
        return JobName.safe("edp-\(legal.suffix(room))")
    }
}

/// Fields between commas, in quotes where they hold commas or line ends themselves (RFC 4180).
enum CommaSeparated {
    static func records(_ text: String) throws(ChainFile.Malformed) -> [(line: Int, fields: [String])] {
        var records: [(line: Int, fields: [String])] = []
        var fields: [String] = []
        var field = ""
        var (isQuoted, wasQuoted) = (false, false)
        var (line, began) = (1, 1)
        func end() {
            fields.append(field)
            if fields.count > 1 || !field.isEmpty || wasQuoted { records.append((began, fields)) }
            (fields, field, wasQuoted) = ([], "", false)
        }
        var rest = text.unicodeScalars[...]
        while let scalar = rest.popFirst() {
            if scalar == "\n" { line += 1 }
            switch scalar {
            case "\"" where isQuoted:
                if rest.first == "\"" {
                    field.unicodeScalars.append(scalar)
                    rest.removeFirst()
                } else {
                    isQuoted = false
                }
            case _ where isQuoted: field.unicodeScalars.append(scalar)
            case "\"" where field.isEmpty: (isQuoted, wasQuoted) = (true, true)
            case ",":
                fields.append(field)
                (field, wasQuoted) = ("", false)
            case "\n":
                end()
                began = line
            case "\r" where rest.first == "\n": continue
            default: field.unicodeScalars.append(scalar)
            }
        }
        guard !isQuoted else { throw ChainFile.Malformed(line: began, reason: "a quoted field is not closed") }
        end()
        return records
    }
}
