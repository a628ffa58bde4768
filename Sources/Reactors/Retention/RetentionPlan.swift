package import ActorCore

/// What is to be removed: first only proposed, then approved by a person, then carried out, some uploads at a time.
package struct RetentionPlan: Sendable, Equatable {
    package static let kind = "retention-plan"
    /// What else is due comes with the next plan.
    package static let maxItems = 1000
    /// Uploads, and rows of the audit log, that are committed together.
    private static let maxTogether = (uploads: 50, rows: 1000)

    /// What happens to an upload's files.
    package enum Action: String, Sendable {
        /// They go; the copy in the object store stays.
        case archive
        /// They go, and the copy in the object store too.
        case delete
    }

    /// Proposed → approved → applied; a plan that is too old is of no use any more.
    package enum State: String, Sendable {
        case proposed, approved, applied
    }

    /// How far one upload is.
    package enum Progress: String, Sendable {
        case planned
        /// The audit log has its rows; its files are going.
        case removing
        case done
        /// It was left as it is: since the plan was made something has changed.
        case kept
    }

    /// One upload of the plan.
    package struct Item: Sendable, Equatable {
        /// As the list of uploads has it.
        package let upload: String
        package let name: String
        package let number: Int
        package let key: String
        package let action: Action
        /// On this machine.
        package let files: Int
        /// Of the copy.
        package let objects: Int
        package let bytes: Int64
        package let rule: String
        package let reason: String
        package var progress = Progress.planned
        package var note: String?

        package init(_ holding: Holding, upload: String, action: Action, rule: String, reason: String) {
            self.upload = upload
            self.name = holding.name
            self.number = holding.number
            self.key = holding.key
            self.action = action
            let objects = action == .delete ? holding.copy?.own ?? [] : []
            self.files = holding.here.count
            self.objects = objects.count
            self.bytes = (holding.here + objects).reduce(0) { $0 + $1.bytes }
            self.rule = rule
            self.reason = reason
        }
    }

    /// What would be due if something were not missing.
    package struct Withheld: Sendable, Equatable {
        package let upload: String
        package let reason: String

        package init(upload: String, reason: String) {
            self.upload = upload
            self.reason = reason
        }
    }

    package let id: String
    package let created: Timestamp
    package let proposedBy: String
    package let expires: Timestamp
    package private(set) var state = State.proposed
    package private(set) var items: [Item]
    package let withheld: [Withheld]
    package private(set) var approvedBy: String?
    package private(set) var approved: Timestamp?
    package private(set) var finished: Timestamp?

    package init(id: String, items: [Item], withheld: [Withheld], by who: String, days: Int, now: Timestamp) {
        self.id = id
        self.items = Array(items.prefix(Self.maxItems))
        self.withheld = Array(withheld.prefix(Self.maxItems))
        created = now
        proposedBy = who
        expires = now.adding(milliseconds: Int64(days) * 86_400_000)
    }

    package var bytes: Int64 { items.reduce(0) { $0 + $1.bytes } }

    /// Why it cannot be approved; nil when it can, or was.
    package func obstacleToApproval(now: Timestamp) -> String? {
        switch state {
        case .applied: "plan \(id) was carried out already: make a new one"
        case .approved: nil
        case .proposed: now >= expires ? "plan \(id) is too old: make a new one" : nil
        }
    }

    /// Approving again changes nothing.
    package mutating func approve(by who: String, now: Timestamp) {
        guard state == .proposed else { return }
        state = .approved
        approvedBy = who
        approved = now
        finishIfDone(now: now)
    }

    /// Why it cannot be carried out; nil when it can, or was.
    package func obstacle(now: Timestamp) -> String? {
        switch state {
        case .proposed: "plan \(id) is not approved: look at it, then: reactord retention approve \(id)"
        case .approved:
            now >= expires && removing.isEmpty ? "plan \(id) is too old: make a new one" : nil
        case .applied: nil
        }
    }

    /// Those whose files are going: what a crash left half removed is gone on with.
    package var removing: [Int] { items.indices.filter { items[$0].progress == .removing } }

    /// Those that are dealt with next, together.
    package var next: [Int] {
        guard state == .approved else { return [] }
        var rows = 0
        var chosen: [Int] = []
        for index in items.indices where items[index].progress == .planned {
            guard chosen.count < Self.maxTogether.uploads, chosen.isEmpty || rows < Self.maxTogether.rows else { break }
            chosen.append(index)
            rows += items[index].files + items[index].objects
        }
        return chosen
    }

    /// Whether an item may still be carried out, given what is there now and what the rules say of it now.
    package func change(of index: Int, holding: Holding?, verdict: RetentionRules.Verdict?) -> String? {
        let item = items[index]
        guard let holding else { return "nothing of it is left" }
        if holding.key != item.key { return "another upload lies there now" }
        switch verdict {
        case .due(let action, _, _): return action == item.action ? nil : "the rules now say \(action.rawValue)"
        case .withheld(let reason): return reason
        case nil: return "no rule says so any more (a tag or a rule has changed)"
        }
    }

    /// What keeps an upload's files from going, which may pass: it is tried again.
    package mutating func hold(_ index: Int, note: String) { items[index].note = note }

    package mutating func begin(_ index: Int) { items[index].progress = .removing }

    package mutating func settle(_ index: Int, _ progress: Progress, note: String? = nil, now: Timestamp) {
        items[index].progress = progress
        items[index].note = note
        finishIfDone(now: now)
    }

    /// A plan without items is carried out when it is approved.
    private mutating func finishIfDone(now: Timestamp) {
        let isOpen = items.contains { $0.progress == .planned || $0.progress == .removing }
        guard state == .approved, !isOpen else { return }
        state = .applied
        finished = now
    }
}

extension RetentionPlan {
    package var json: JSONValue {
        [
            "id": .string(id), "state": .string(state.rawValue), "created": .string(created.iso8601),
            "proposed_by": .string(proposedBy), "expires": .string(expires.iso8601),
            "approved_by": JSONValue(approvedBy), "approved": JSONValue(approved?.iso8601),
            "finished": JSONValue(finished?.iso8601), "uploads": JSONValue(items.count), "bytes": .int(bytes),
            "items": .array(items.map(\.json)),
            "withheld": .array(
                withheld.map { ["upload": .string($0.upload), "reason": .string($0.reason)] }),
        ]
    }

    private static func time(_ key: String, _ json: JSONValue) -> Timestamp? {
        json[key]?.string.flatMap(Timestamp.init(iso8601:))
    }

    /// Nil when it is not what ``json`` wrote.
    package init?(json: JSONValue) {
        guard let id = json["id"]?.string, let state = json["state"]?.string.flatMap(State.init),
            let created = Self.time("created", json), let expires = Self.time("expires", json),
            let by = json["proposed_by"]?.string, let values = json["items"]?.array
        else { return nil }
        let items = values.compactMap(Item.init(json:))
        guard items.count == values.count else { return nil }
        self.id = id
        self.state = state
        self.created = created
        self.expires = expires
        self.proposedBy = by
        self.items = items
        self.withheld = (json["withheld"]?.array ?? []).map {
            Withheld(upload: $0["upload"]?.string ?? "", reason: $0["reason"]?.string ?? "")
        }
        self.approvedBy = json["approved_by"]?.string
        self.approved = Self.time("approved", json)
        self.finished = Self.time("finished", json)
    }
}

extension RetentionPlan.Item {
    fileprivate var json: JSONValue {
        [
            "upload": .string(upload), "name": .string(name), "number": JSONValue(number),
            "action": .string(action.rawValue), "files": JSONValue(files), "objects": JSONValue(objects),
            "bytes": .int(bytes), "rule": .string(rule), "reason": .string(reason),
            "progress": .string(progress.rawValue),
            "note": JSONValue(note), "key": .string(key),
        ]
    }

    fileprivate init?(json: JSONValue) {
        guard let upload = json["upload"]?.string, let name = json["name"]?.string,
            let number = json["number"]?.int, let key = json["key"]?.string,
            let action = json["action"]?.string.flatMap(RetentionPlan.Action.init),
            let progress = json["progress"]?.string.flatMap(RetentionPlan.Progress.init)
        else { return nil }
        self.upload = upload
        self.name = name
        self.number = number
        self.key = key
        self.action = action
        self.files = json["files"]?.int ?? 0
        self.objects = json["objects"]?.int ?? 0
        self.bytes = Int64(json["bytes"]?.int ?? 0)
        self.rule = json["rule"]?.string ?? ""
        self.reason = json["reason"]?.string ?? ""
        self.progress = progress
        self.note = json["note"]?.string
    }
}
