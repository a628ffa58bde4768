/// Defects that can be planted, to show that a run finds them. Each is one that such a program has had somewhere.
package enum PlantedBug: String, Sendable, CaseIterable {
    case answerBeforeSync = "answer-before-sync"
    case undoneCommitIsTold = "undone-commit-is-told"
    case keyCheckedOutside = "key-checked-outside"
    case effectsOutside = "effects-outside"
    case endsWithoutRow = "ends-without-row"
    case endedBeforeCommit = "ended-before-commit"
    case retryOvertaken = "retry-overtaken"
    case lanesForgotten = "lanes-forgotten"
    case suspectsUnnoted = "suspects-unnoted"
    case runningForgotten = "running-forgotten"
    case slotForgotten = "slot-forgotten"
    case wakeUpLost = "wake-up-lost"
    case retryUnarmed = "retry-unarmed"
    case purgeForgetsLater = "purge-forgets-later"
    case withdrawalUntold = "withdrawal-untold"
    case turnWithoutEnd = "turn-without-end"
    case releaseCounts = "release-counts"
    case callSettledEarly = "call-settled-early"
    case callUnordered = "call-unordered"
    case pauseIgnored = "pause-ignored"

    /// What the program does wrong.
    package var summary: String {
        switch self {
        case .answerBeforeSync: "a sender is answered when its message is in the transaction, not on disk"
        case .undoneCommitIsTold: "mail of a commit that failed is given to the mailboxes all the same"
        case .keyCheckedOutside: "an idempotency key is looked up before the transaction that stores it"
        case .effectsOutside: "the mail of an execution is stored before the end of the execution, on its own"
        case .endsWithoutRow: "an end is recorded though its message was withdrawn meanwhile"
        case .endedBeforeCommit: "a message counts as ended when its work is done, before that is on disk"
        case .retryOvertaken: "a message that waits for its next attempt does not hold its lane"
        case .lanesForgotten: "after a start nobody knows which lanes wait for a further attempt"
        case .suspectsUnnoted: "what may have ended the process before runs again without a note on disk"
        case .runningForgotten: "what a dead process left running is not taken over"
        case .slotForgotten: "a page that cannot be read costs its slot"
        case .wakeUpLost: "a wake-up that has rung is still taken for armed"
        case .retryUnarmed: "nobody wakes up for the next attempt while the slot goes on with other mail"
        case .purgeForgetsLater: "mail that came during a purge is dropped from memory and not read again"
        case .withdrawalUntold: "a withdrawn message stays in memory"
        case .turnWithoutEnd: "a slot goes on with its actor as long as that has mail"
        case .releaseCounts: "an attempt that a shutdown cut off counts as one of the allowed"
        case .callSettledEarly: "an outgoing call is marked as delivered before its answer is there"
        case .callUnordered: "the next outgoing call of a key leaves while the one before waits to be repeated"
        case .pauseIgnored: "a slot goes on with the mail of a paused actor"
        }
    }
}
