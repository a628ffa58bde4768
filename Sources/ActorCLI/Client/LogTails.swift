package import ActorCore

/// Turns the logs of a job, which are asked for again and again, into the lines that are new.
package struct LogTails: Sendable {
    /// Bytes that were shown of each.
    private var shown: [String: Int] = [:]

    package init() {}

    /// Whole lines only; at the end also the last one that has no end.
    package mutating func news(in answer: JSONValue, isOver: Bool) -> [String] {
        (answer["logs"]?.array ?? []).flatMap { log -> [String] in
            // What the house itself notes of an execution stands in the history.
            guard let name = log["name"]?.string, name.hasSuffix(".log") else { return [] }
            return news(of: name, key: "\(log["execution_id"]?.string ?? "")/\(name)", log, isOver)
        }
    }

    private mutating func news(of name: String, key: String, _ log: JSONValue, _ isOver: Bool) -> [String] {
        let tail = Array((log["text"]?.string ?? "").utf8)
        let total = log["bytes"]?.int ?? tail.count
        let old = shown[key] ?? 0
        guard total > old else { return [] }
        let title = Safe.line(String(name.dropLast(4)))
        var fresh = tail.suffix(total - old)
        var lines: [String] = []
        // Only the end of a long log is told.
        if total - old > fresh.count { lines.append("\(title) | … \(total - old - fresh.count) bytes left out") }
        if !isOver {
            guard let end = fresh.lastIndex(of: 0x0a) else { return [] }
            fresh = fresh[...end]
        }
        shown[key] = total - (tail.endIndex - fresh.endIndex)
        let text = String(decoding: fresh, as: UTF8.self)
        let all = text.split(separator: "\n", omittingEmptySubsequences: false)
        let whole = text.hasSuffix("\n") ? all.dropLast() : all[...]
        return lines + whole.map { "\(title) | \(Safe.line(String($0)))" }
    }
}
