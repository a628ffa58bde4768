internal import ActorCore

extension ActorSpec {
    /// What the log calls it: actors that came over HTTP need no name.
    var word: String { name.isEmpty ? id.rawValue : name }
}

/// Every metadata key of the runtime's log lines.
enum LogKeys {
    static let actor = "actor"
    static let actorID = "actor_id"
    static let attempt = "attempt"
    static let count = "count"
    static let due = "due"
    static let error = "error"
    static let execution = "execution_id"
    static let host = "host"
    static let name = "name"
    static let note = "note"
    static let outcome = "outcome"
    static let reason = "reason"
    static let revision = "revision"
    static let seconds = "seconds"
    static let subscription = "subscription_id"
    static let until = "until"
}
