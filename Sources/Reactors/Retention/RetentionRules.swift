package import ActorCore

/// What is to become of uploads as they grow old, as an administrator wrote it down.
package struct RetentionRules: Sendable, Equatable {
    /// One rule; the first that fits an upload is the one that counts.
    package struct Rule: Sendable, Equatable {
        package let name: String
        /// A glob over the upload's name.
        package let uploads: String
        /// The upload has one of these, when there are any.
        package let tags: [String]
        /// Days after which the files go and the copy stays.
        package let archiveAfterDays: Int?
        /// Days after which the files go, and the copy with them.
        package let deleteAfterDays: Int?
    }

    package let rules: [Rule]
    /// Nothing of an upload with one of these is ever planned.
    package let keepTags: [String]
    /// Days that a plan may wait for its approval, and an approval for its use.
    package let approvalDays: Int

    static let keys = ["rules", "keep_tags", "approval_days", "ingest"]

    /// From the actor's `config.yml`; names what is wrong with it.
    package static func decode(_ settings: JSONValue) throws(ReactorFailure) -> RetentionRules {
        if let strange = settings.object?.first(where: { !keys.contains($0.name) }) {
            throw ReactorFailure(.refused, "/\(strange.name): is none of \(keys.joined(separator: ", "))")
        }
        if let value = settings["rules"], !value.isNull, value.array == nil {
            throw ReactorFailure(.refused, "/rules: must be a list")
        }
        var rules: [Rule] = []
        for (index, value) in (settings["rules"]?.array ?? []).enumerated() {
            let place = "/rules/\(index)"
            let known = ["name", "uploads", "tags", "archive_after_days", "delete_after_days"]
            if let strange = value.object?.first(where: { !known.contains($0.name) }) {
                throw ReactorFailure(.refused, "\(place)/\(strange.name): is no key of a rule")
            }
            if let uploads = value["uploads"], uploads.string == nil {
                throw ReactorFailure(.refused, "\(place)/uploads: must be a pattern over names, as text")
            }
            let archive = try days("archive_after_days", of: value, place, nil)
            let delete = try days("delete_after_days", of: value, place, nil)
            guard archive != nil || delete != nil else {
                throw ReactorFailure(
                    .refused,
                    "\(place): needs archive_after_days or delete_after_days, else it does nothing")
            }
            rules.append(
                Rule(
                    name: value["name"]?.string ?? "rule \(index + 1)", uploads: value["uploads"]?.string ?? "*",
                    tags: try words("tags", of: value, place) ?? [], archiveAfterDays: archive,
                    deleteAfterDays: delete))
        }
        return RetentionRules(
            rules: rules, keepTags: try words("keep_tags", of: settings, "") ?? ["keep"],
            approvalDays: try days("approval_days", of: settings, "", 7) ?? 7)
    }

    private static func days(
        _ key: String, of rule: JSONValue, _ place: String, _ fallback: Int?
    ) throws(ReactorFailure) -> Int? {
        guard let value = rule[key], !value.isNull else { return fallback }
        guard let days = value.int, (1...36500).contains(days) else {
            throw ReactorFailure(.refused, "\(place)/\(key): takes days, from 1 to 36500")
        }
        return days
    }

    /// A tag that is no list must not be taken for none: the rule would fit every upload.
    private static func words(
        _ key: String, of rule: JSONValue, _ place: String
    ) throws(ReactorFailure) -> [String]? {
        guard let value = rule[key], !value.isNull else { return nil }
        let words = value.array?.compactMap(\.string) ?? []
        guard let array = value.array, array.count == words.count else {
            throw ReactorFailure(.refused, "\(place)/\(key): must be a list of words")
        }
        return words
    }

    /// What is due for an upload now; nil when nothing is.
    ///
    /// - Parameter tags: those that it has beside its own.
    package func verdict(on holding: Holding, tags: [String], now: Timestamp) -> Verdict? {
        let all = Set(holding.tags + tags)
        guard all.isDisjoint(with: keepTags) else { return nil }
        let fitting = rules.first { rule in
            Glob.matches(rule.uploads, holding.name) && (rule.tags.isEmpty || !all.isDisjoint(with: rule.tags))
        }
        guard let rule = fitting else { return nil }
        let days = Int(max(0, now.since(holding.received)) / 86_400_000)
        if let after = rule.deleteAfterDays, days >= after {
            return .due(.delete, rule: rule.name, reason: "\(days) days old, delete after \(after)")
        }
        guard let after = rule.archiveAfterDays, days >= after, !holding.isArchived else { return nil }
        guard holding.copy != nil else {
            return .withheld("rule \(rule.name) would archive it, but it has no whole copy in an object store")
        }
        return .due(.archive, rule: rule.name, reason: "\(days) days old, archive after \(after)")
    }

    /// What the rules say of an upload.
    package enum Verdict: Sendable, Equatable {
        case due(RetentionPlan.Action, rule: String, reason: String)
        /// It would be due, but something is missing.
        case withheld(String)
    }
}
