/// When an upload is complete: its marker is there, or nothing in it has changed for the settling time.
package struct InboxMachine: Sendable {
    private struct Sighting: Sendable {
        var entry: InboxEntry
        /// Since when it has looked like this.
        var since: Timestamp
        /// Announced already; it is forgotten when it leaves the inbox or changes.
        var isAnnounced = false
    }

    private let settleMilliseconds: Int64
    private var sightings: [String: Sighting] = [:]

    package init(settleMilliseconds: Int64) { self.settleMilliseconds = max(0, settleMilliseconds) }

    /// What lies in the inbox now; answers the uploads that have become complete, each once.
    package mutating func seen(_ entries: [InboxEntry], now: Timestamp) -> [InboxEntry] {
        var complete: [InboxEntry] = []
        let names = Set(entries.map(\.name))
        sightings = sightings.filter { names.contains($0.key) }
        for entry in entries {
            var sighting = sightings[entry.name] ?? Sighting(entry: entry, since: now)
            if !Self.isSame(sighting.entry, entry) {
                sighting = Sighting(entry: entry, since: now)
            }
            sighting.entry = entry
            // A clock that was set back: it has been so for a while that nobody knows any more.
            sighting.since = min(sighting.since, now)
            let isSettled = entry.isMarkedDone || (entry.files > 0 && now.since(sighting.since) >= settleMilliseconds)
            if isSettled, !sighting.isAnnounced {
                sighting.isAnnounced = true
                complete.append(entry)
            }
            sightings[entry.name] = sighting
        }
        return complete
    }

    /// An announcement could not be stored: it is made again at the next look.
    package mutating func retract(_ name: String) { sightings[name]?.isAnnounced = false }

    /// When something may become complete without any further change.
    package func nextLook(now: Timestamp) -> Timestamp? {
        sightings.values.filter { !$0.isAnnounced }
            .map { $0.since.adding(milliseconds: settleMilliseconds) }.min()
    }

    private static func isSame(_ left: InboxEntry, _ right: InboxEntry) -> Bool {
        left.bytes == right.bytes && left.files == right.files && left.modified == right.modified
    }
}
