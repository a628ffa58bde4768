/// Which actor tells which other one of its executions.
package enum LinkGraph {
    /// Whether a link from one actor to another would close a circle, in which events would run for ever.
    ///
    /// - Parameter links: where the link of an actor leads, if it has one.
    package static func closesCircle(
        from actor: ActorID, to target: ActorID, links: (ActorID) -> ActorID?
    ) -> Bool {
        var seen: Set<ActorID> = []
        var next: ActorID? = target
        while let current = next, seen.insert(current).inserted {
            if current == actor { return true }
            next = links(current)
        }
        return false
    }
}
