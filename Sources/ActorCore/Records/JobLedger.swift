/// A line of a job's history as it lies in the store: numbered, and chained to the line before it.
package struct JobLedgerLine: Sendable, Equatable {
    /// From 1.
    package let number: Int
    package let entry: JobHistoryEntry
    /// Digest of this line and of the hash before it.
    package let hash: String

    package init(number: Int, entry: JobHistoryEntry, hash: String) {
        self.number = number
        self.entry = entry
        self.hash = hash
    }

    /// The second generation gave every line a UUID of its own (type 108); ours follows from the hash.
    package var uuid: String {
        var digits = Array(("108" + hash.dropFirst(3)).prefix(32))
        while digits.count < 32 { digits.append("0") }
        digits[12] = "5"
        digits[16] = "8"
        let text = String(digits)
        return [0..<8, 8..<12, 12..<16, 16..<20, 20..<32].map { range in
            String(text.dropFirst(range.lowerBound).prefix(range.count))
        }.joined(separator: "-")
    }
}

/// A job's history with what binds it: every line carries the digest of the one before, the record that of the last.
/// A line that was changed, left out, put in or moved shows.
package struct JobLedger: Sendable, Equatable {
    package let record: JobRecord
    package let lines: [JobLedgerLine]
    /// The hash of the last line, and how many there are, as the job's own row says.
    package let head: String
    package let count: Int

    package init(record: JobRecord, lines: [JobLedgerLine], head: String, count: Int) {
        self.record = record
        self.lines = lines
        self.head = head
        self.count = count
    }

    /// SHA-256 in hex, or what stands for it in a model.
    package typealias Digest = @Sendable ([UInt8]) -> String

    /// The hash of a line. The digest is taken of the UTF-8 bytes of the compact JSON of
    /// `["reactord-history-1", previous, job, number, name, date, data, refusal, execution]`: `previous` is the hash of
    /// the line before (empty for the first), `date` is in milliseconds, what is absent is null.
    package static func hash(
        _ entry: JobHistoryEntry, number: Int, of job: JobID, after previous: String, _ digest: Digest
    ) -> String {
        let text: JSONValue = [
            "reactord-history-1", .string(previous), .string(job.rawValue), JSONValue(number), .string(entry.name),
            .int(entry.date.milliseconds), entry.data, JSONValue(entry.refusal),
            JSONValue(entry.execution?.rawValue),
        ]
        return digest(JSONWriter.bytes(text))
    }

    /// What is wrong with it; empty when it is what was written, and the record says what the history says.
    package func problems(_ digest: Digest) -> [String] {
        var problems: [String] = []
        var previous = ""
        for (index, line) in lines.enumerated() {
            let name = "line \(line.number) (\(line.entry.name), \(line.entry.date.iso8601))"
            if line.number != index + 1 { problems.append("\(name) stands where line \(index + 1) belongs") }
            let expected = Self.hash(
                line.entry, number: line.number, of: record.uuid, after: previous, digest)
            if expected != line.hash {
                problems.append("\(name) is not what was written, or what stood before it is not")
            }
            previous = line.hash
        }
        if count != lines.count { problems.append("\(count) lines were written, \(lines.count) are there") }
        if previous != head { problems.append("the last line is not the one that was written last") }
        return problems + disagreements
    }

    /// The job as its history tells it; nil where the history cannot have happened.
    package static func fold(
        _ entries: [JobHistoryEntry], _ edition: PipelineJobMachine.Edition
    ) -> (status: PipelineJobState, lastEvent: PipelineJobEvent, updated: Timestamp, revision: Int)? {
        let accepted = entries.filter { $0.refusal == nil }
        guard let first = accepted.first, PipelineJobEvent(named: first.name) == .create else { return nil }
        var machine = PipelineJobMachine(edition: edition)
        var last = PipelineJobEvent.create
        for entry in accepted.dropFirst() {
            guard let event = PipelineJobEvent(named: entry.name), case .move = machine.handle(event) else {
                return nil
            }
            last = event
        }
        return (machine.state, last, accepted[accepted.count - 1].date, accepted.count - 1)
    }

    private var disagreements: [String] {
        guard let fold = Self.fold(lines.map(\.entry), record.machine) else {
            return ["the history is none that the state machine allows"]
        }
        var problems: [String] = []
        if fold.status != record.status {
            problems.append("the record says \(record.status.rawValue), its history \(fold.status.rawValue)")
        }
        if fold.lastEvent != record.lastEvent {
            problems.append(
                "the record's last event is \(record.lastEvent.rawValue), its history's \(fold.lastEvent.rawValue)")
        }
        if fold.revision != record.revision {
            problems.append("the record is at revision \(record.revision), its history at \(fold.revision)")
        }
        if fold.updated != record.updated {
            problems.append("the record was updated \(record.updated.iso8601), its history \(fold.updated.iso8601)")
        }
        return problems
    }
}
