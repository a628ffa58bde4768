import ActorCore
import GRDB

/// A job query as SQL: a condition of fixed texts, its values bound.
struct JobFilter {
    private(set) var condition = ""
    private(set) var arguments: StatementArguments = []

    init(_ query: JobQuery) throws(ActorError) {
        add("status = ?", query.status?.rawValue)
        add("pipeline = ?", query.pipeline?.rawValue)
        add("session = ?", query.session)
        add("actor = ?", query.actor?.rawValue)
        add("created >= ?", query.createdFrom)
        add("created < ?", query.createdBefore)
        add("updated >= ?", query.updatedFrom)
        add("updated < ?", query.updatedBefore)
        add("uuid IN (SELECT job FROM job_links WHERE target = ? AND kind = 'child_of')", query.childOf)
        add(
            "uuid IN (SELECT job FROM job_links WHERE target = ? AND kind IN ('experiment', 'child_of'))",
            query.experiment)
        if let isStalled = query.isStalled {
            add("uuid \(isStalled ? "IN" : "NOT IN") (SELECT job FROM job_stalls)", [])
        }
        if let text = query.text {
            let phrases = JobText.phrases(text)
            // Words of letters and digits only: nothing in them means anything to the index.
            let match = phrases.map { "\"\($0.joined(separator: " "))\"*" }.joined(separator: " ")
            if !match.isEmpty { add("number IN (SELECT rowid FROM job_text WHERE job_text MATCH ?)", match) }
        }
        if let text = query.cursor {
            let cursor = try JobCursor(text)
            add("(created, number) < (?, ?)", [cursor.created, cursor.number])
        }
    }

    /// The condition with one more.
    func and(_ more: String) -> String { (condition.isEmpty ? "WHERE " : condition + " AND ") + more }

    private mutating func add(_ text: String, _ value: String?) {
        if let value { add(text, [value]) }
    }

    private mutating func add(_ text: String, _ value: Timestamp?) {
        if let value { add(text, [value.milliseconds]) }
    }

    private mutating func add(_ text: String, _ values: StatementArguments) {
        condition = and(text)
        arguments += values
    }
}

/// The place of a job in the listing: its creation, and its number among those created at once.
struct JobCursor: Sendable {
    let created: Int64
    let number: Int64

    init(created: Int64, number: Int64) {
        self.created = created
        self.number = number
    }

    init(_ text: String) throws(ActorError) {
        let halves = text.split(separator: "-", omittingEmptySubsequences: false)
        guard halves.count == 2, let created = Int64(halves[0], radix: 36), let number = Int64(halves[1], radix: 36)
        else {
            throw ActorError(
                .invalidInput, "the cursor is none that a listing answered; leave it out to begin with the newest job")
        }
        self.init(created: created, number: number)
    }

    var text: String { String(created, radix: 36) + "-" + String(number, radix: 36) }
}
