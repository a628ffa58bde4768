import ActorCore

/// What the changes of one commit will have to tell once they are on disk, and how many messages each mailbox holds:
/// what a transaction rolls back in the database, ``undo(to:)`` rolls back here.
struct CommitLedger {
    /// A place in the ledger to go back to.
    struct Mark {
        fileprivate var envelopes = 0
        fileprivate var events = 0
        fileprivate var changes = 0

        static let start = Mark()
    }

    private var held: [ActorID: Int]
    private var changes: [(actor: ActorID, by: Int)] = []
    private(set) var envelopes: [Envelope] = []
    private(set) var events: [CommittedEvent] = []

    init(held: [ActorID: Int] = [:]) { self.held = held }

    var mark: Mark { Mark(envelopes: envelopes.count, events: events.count, changes: changes.count) }

    /// Messages in one mailbox, running ones included: counted here because counting rows would cost more per
    /// message the fuller the mailbox is.
    func held(by actor: ActorID) -> Int { held[actor] ?? 0 }

    mutating func accepted(_ envelope: Envelope) {
        count(envelope.actor, by: 1)
        envelopes.append(envelope)
        events.append(.messageAccepted(actor: envelope.actor, execution: envelope.execution))
    }

    mutating func left(_ actor: ActorID) { count(actor, by: -1) }

    mutating func note(_ event: CommittedEvent) { events.append(event) }

    mutating func undo(to mark: Mark) {
        while changes.count > mark.changes {
            let change = changes.removeLast()
            apply(change.actor, by: -change.by)
        }
        envelopes.removeLast(envelopes.count - mark.envelopes)
        events.removeLast(events.count - mark.events)
    }

    /// Forgets what was told; the counts stay.
    mutating func clear() {
        changes.removeAll(keepingCapacity: true)
        envelopes = []
        events = []
    }

    private mutating func count(_ actor: ActorID, by change: Int) {
        changes.append((actor, change))
        apply(actor, by: change)
    }

    private mutating func apply(_ actor: ActorID, by change: Int) {
        let count = held(by: actor) + change
        held[actor] = count == 0 ? nil : count
    }
}
