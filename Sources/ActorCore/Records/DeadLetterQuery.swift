/// Which dead letters are asked for, and in which order.
package struct DeadLetterQuery: Sendable, Equatable {
    /// So many bytes of each message are answered, of however long ones: the whole is had one by one.
    package static let mostShown = 4096

    package enum Order: Sendable, Equatable {
        /// Those with a number below this one; nil begins with the newest.
        case newestFirst(below: Int64?)
        /// Those with a number above this one.
        case oldestFirst(above: Int64)
    }

    package var actor: ActorID?
    /// Those of other actors are left out; nil leaves out none.
    package var among: Set<ActorID>?
    package var order: Order
    /// Leaves out those that were replayed.
    package var waitingOnly: Bool
    package var limit: Int

    package init(
        actor: ActorID? = nil, among: Set<ActorID>? = nil, order: Order = .newestFirst(below: nil),
        waitingOnly: Bool = false, limit: Int
    ) {
        self.actor = actor
        self.among = among
        self.order = order
        self.waitingOnly = waitingOnly
        self.limit = limit
    }
}
