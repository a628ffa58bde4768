internal import ActorCore

/// What is known for certain about one message: what the disk holds, and what this process does with it.
struct Story: Sendable {
    let envelope: Envelope
    let member: Int
    let deed: Deed
    /// Its sender was told that it is accepted.
    var isAnswered = false

    // What the disk holds.
    var outcome: Outcome?
    var attempts = 0
    var hasBegun = false
    /// Its next attempt, or the sender's wish.
    var notBefore: Timestamp?
    /// It waits for a further attempt after one that failed.
    var isRetrying = false
    /// Attempts that ended on disk and count.
    var failures = 0
    var letters = 0

    // What this process knows and does.
    /// The slot that has it.
    var holder: Int?
    var isExpiring = false
    /// The mailboxes know it, or could.
    var isTold = false
    /// The mailboxes know that it was withdrawn or purged.
    var isTakenBack = false
    /// This process has delivered it before.
    var wasDelivered = false
    /// It was delivered without a lane, by an actor that runs several at once.
    var wasUnordered = false
    /// Processes that it ended.
    var kills = 0

    var isDelayedBySender: Bool { envelope.message.deliverAt != nil }
    func lane(ordered: Bool) -> String? { envelope.key ?? (ordered ? "" : nil) }

    /// For complaints: what decides about its turn.
    var place: String {
        "\(envelope.execution) (sequence \(envelope.sequence), priority \(envelope.message.priority), key "
            + "\(envelope.key ?? "-"), not before \(notBefore.map { "\($0.milliseconds)" } ?? "-"), "
            + "attempts \(attempts))"
    }

    mutating func processDied() {
        holder = nil
        isExpiring = false
        isTold = true
        wasDelivered = false
    }
}
