/// When an upload is complete: its marker is there, all that its checksum list names has arrived as listed, or nothing
/// in it has changed for the settling time.
package struct InboxMachine: Sendable {
    /// What is to be done about an upload.
    package enum Action: Sendable, Equatable {
        /// It is complete: tell the ingest.
        case announce(InboxEntry)
        /// All files that it lists are there and it has come to rest: compare them with their hashes, then say
        /// ``InboxMachine/checked(_:problem:)``.
        case check(InboxEntry)
    }

    private enum Phase: Sendable, Equatable {
        /// It grows, or has not been quiet for long enough.
        case settling
        /// Its hashes are being compared.
        case checking
        /// Its files are not what its list says; it is looked at again when something in it has changed.
        case mismatched(String)
        /// Told the ingest; forgotten when it leaves the inbox or changes.
        case announced
    }

    private struct Sighting: Sendable {
        var entry: InboxEntry
        /// Since when it has looked like this.
        var since: Timestamp
        var phase = Phase.settling
    }

    private let settleMilliseconds: Int64
    private var sightings: [String: Sighting] = [:]

    package init(settleMilliseconds: Int64) { self.settleMilliseconds = max(0, settleMilliseconds) }

    /// What lies in the inbox now; answers what is to be done, for each upload once.
    package mutating func seen(_ entries: [InboxEntry], now: Timestamp) -> [Action] {
        var actions: [Action] = []
        let names = Set(entries.map(\.name))
        sightings = sightings.filter { names.contains($0.key) }
        for entry in entries {
            var sighting = sightings[entry.name] ?? Sighting(entry: entry, since: now)
            if !Self.isSame(sighting.entry, entry) { sighting = Sighting(entry: entry, since: now) }
            sighting.entry = entry
            // A clock that was set back: it has been so for a while that nobody knows any more.
            sighting.since = min(sighting.since, now)
            if sighting.phase == .settling, isAtRest(sighting, now) {
                if entry.manifest == nil {
                    sighting.phase = .announced
                    actions.append(.announce(entry))
                } else {
                    sighting.phase = .checking
                    actions.append(.check(entry))
                }
            }
            sightings[entry.name] = sighting
        }
        return actions
    }

    /// Its files were compared with its list; answers the upload when it is complete by that.
    ///
    /// - Parameter problem: what does not agree; nil when all does.
    package mutating func checked(_ entry: InboxEntry, problem: String?) -> InboxEntry? {
        // It changed meanwhile: what was compared is not what is there.
        guard var sighting = sightings[entry.name], sighting.phase == .checking, Self.isSame(sighting.entry, entry)
        else { return nil }
        sighting.phase = problem.map { .mismatched($0) } ?? .announced
        sightings[entry.name] = sighting
        return problem == nil ? sighting.entry : nil
    }

    /// An announcement could not be stored, or a comparison not made: it is tried again at the next look.
    package mutating func retract(_ name: String) { sightings[name]?.phase = .settling }

    /// When something may have become complete: at once for what waits for a change, which nobody may tell of.
    package func nextLook(now: Timestamp) -> Timestamp? {
        sightings.values.compactMap { sighting in
            switch sighting.phase {
            case .settling where sighting.entry.manifest?.missing ?? 0 == 0:
                sighting.since.adding(milliseconds: settleMilliseconds)
            case .settling, .mismatched: now
            case .checking, .announced: nil
            }
        }.min()
    }

    /// What lies in the inbox and has not become an upload yet, sorted by name.
    package var standing: [InboxStanding] {
        sightings.values.map { sighting in
            let (state, note) = Self.words(sighting)
            return InboxStanding(
                entry: sighting.entry, since: sighting.since, state: state, note: note,
                isAnnounced: sighting.phase == .announced)
        }.sorted { $0.entry.name.utf8.lexicographicallyPrecedes($1.entry.name.utf8) }
    }

    private static func words(_ sighting: Sighting) -> (InboxStanding.State, String) {
        switch sighting.phase {
        case .settling:
            if let manifest = sighting.entry.manifest, let missing = manifest.firstMissing {
                return (.receiving, "\(manifest.missing) of \(manifest.listed) listed files are missing: \(missing)")
            }
            return (.settling, "waits until nothing in it has changed for a while, or for its marker")
        case .checking: return (.settling, "its files are compared with its checksum list")
        case .mismatched(let problem): return (.receiving, "not as its checksum list says: \(problem)")
        case .announced: return (.settling, "handed to the ingest")
        }
    }

    /// A marker ends the waiting at once; a list of files keeps an upload waiting until all of them are there.
    private func isAtRest(_ sighting: Sighting, _ now: Timestamp) -> Bool {
        let entry = sighting.entry
        guard entry.manifest?.missing ?? 0 == 0 else { return false }
        return entry.isMarkedDone || (entry.files > 0 && now.since(sighting.since) >= settleMilliseconds)
    }

    private static func isSame(_ left: InboxEntry, _ right: InboxEntry) -> Bool {
        left.bytes == right.bytes && left.files == right.files && left.modified == right.modified
            && left.manifest == right.manifest
    }
}

/// An upload that is still in the inbox, for those who wait for it.
package struct InboxStanding: Sendable, Equatable {
    /// How far it is.
    package enum State: String, Sendable {
        /// Something of it is known to be missing.
        case receiving
        /// Nothing says that it is complete yet.
        case settling
        /// The ingest has given up on it.
        case failed
    }

    package let entry: InboxEntry
    /// Since when it has looked like this.
    package let since: Timestamp
    package let state: State
    /// What it waits for.
    package let note: String
    /// The ingest knows of it and takes it next.
    package let isAnnounced: Bool

    package init(entry: InboxEntry, since: Timestamp, state: State, note: String, isAnnounced: Bool) {
        self.entry = entry
        self.since = since
        self.state = state
        self.note = note
        self.isAnnounced = isAnnounced
    }
}
