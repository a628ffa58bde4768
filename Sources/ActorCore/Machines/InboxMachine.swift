/// When an upload is complete: its marker is there, all that its checksum list names has arrived as listed, or nothing
/// in it has changed for the settling time and no program writes to it.
///
/// What comes over HTTP waits for longer: while a file of it is being received, and from a sender that says that it
/// will mark the upload done. A sender that went away for good holds it up for a time only.
package struct InboxMachine: Sendable {
    /// What is to be done about an upload.
    package enum Action: Sendable, Equatable {
        /// It is complete: tell the ingest.
        case announce(InboxEntry)
        /// It has come to rest: compare its files with the hashes that it lists, or, when it lists none, ask whether
        /// somebody has one of them open for writing. Then say ``InboxMachine/checked(_:problem:)`` or
        /// ``InboxMachine/isWritten(_:file:)``.
        case check(InboxEntry)
        /// It can be no upload as it is: say so.
        case refuse(InboxEntry)
    }

    /// Nothing more comes of a file that was begun: its sender has gone.
    private static let partMilliseconds: Int64 = 3_600_000
    /// The same for an upload that was to be marked done.
    private static let openMilliseconds: Int64 = 86_400_000

    private enum Phase: Sendable, Equatable {
        /// It grows, or has not been quiet for long enough.
        case settling
        /// Its hashes are being compared, or who writes to it is being asked.
        case checking
        /// Somebody has this file of it open for writing; it is asked again at each look.
        case written(String)
        /// Its files are not what its list says; it is looked at again when something in it has changed.
        case mismatched(String)
        /// It can be no upload as it is, which was said.
        case refused
        /// Told the ingest; forgotten when it leaves the inbox or changes.
        case announced
    }

    private struct Sighting: Sendable {
        var entry: InboxEntry
        /// Since when it has looked like this.
        var since: Timestamp
        var phase = Phase.settling

        var isWaiting: Bool {
            switch phase {
            case .settling, .written: true
            case .checking, .mismatched, .refused, .announced: false
            }
        }
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
            if !Self.isSame(sighting.entry, entry) {
                // One that grows is told of once.
                let isKnown = sighting.phase == .refused && sighting.entry.obstacle == entry.obstacle
                sighting = Sighting(entry: entry, since: now, phase: isKnown ? .refused : .settling)
            }
            sighting.entry = entry
            // A clock that was set back: it has been so for a while that nobody knows any more.
            sighting.since = min(sighting.since, now)
            if entry.obstacle != nil, sighting.phase != .refused {
                sighting.phase = .refused
                actions.append(.refuse(entry))
            } else if sighting.isWaiting, isAtRest(sighting, now) {
                if entry.manifest == nil, entry.isMarkedDone {
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

    /// Somebody has a file of it open for writing: it waits until that is closed.
    package mutating func isWritten(_ entry: InboxEntry, file: String) {
        guard let sighting = sightings[entry.name], sighting.phase == .checking, Self.isSame(sighting.entry, entry)
        else { return }
        sightings[entry.name]?.phase = .written(file)
    }

    /// An announcement could not be stored, or a comparison not made: it is tried again at the next look.
    package mutating func retract(_ name: String) { sightings[name]?.phase = .settling }

    /// When something may have become complete: at once for what waits for a change, which nobody may tell of.
    package func nextLook(now: Timestamp) -> Timestamp? {
        sightings.values.compactMap { sighting in
            switch sighting.phase {
            case .settling where sighting.entry.manifest?.missing ?? 0 == 0:
                // What is still to come lies where nobody hears of it.
                sighting.since.adding(milliseconds: settleMilliseconds)
            case .settling, .mismatched, .written: now
            case .checking, .refused, .announced: nil
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
            if let receiving = sighting.entry.receiving { return (.receiving, words(receiving)) }
            return (.settling, "waits until nothing in it has changed for a while, or for its marker")
        case .checking where sighting.entry.manifest == nil: return (.settling, "it is asked who writes to it")
        case .checking: return (.settling, "its files are compared with its checksum list")
        case .written(let file):
            return (.settling, "\(file) is still open for writing: waits until it is closed, or for its marker")
        case .mismatched(let problem): return (.receiving, "not as its checksum list says: \(problem)")
        case .refused: return (.failed, sighting.entry.obstacle ?? "cannot be an upload")
        case .announced: return (.settling, "handed to the ingest")
        }
    }

    private static func words(_ receiving: InboxReceiving) -> String {
        if let open = receiving.open {
            return "its sender said at \(open.iso8601) that it will mark it done; without that it is taken after a day"
        }
        let moment = receiving.part.map { ", and something came of it last at \($0.iso8601)" } ?? ""
        return "a file of it is not whole\(moment); an hour after that it is taken without it, or when marked done"
    }

    /// How long it must not change before it is complete without a marker.
    private func patience(_ entry: InboxEntry) -> Int64 {
        guard let receiving = entry.receiving else { return settleMilliseconds }
        return max(settleMilliseconds, receiving.open == nil ? Self.partMilliseconds : Self.openMilliseconds)
    }

    /// A marker ends the waiting at once; a list of files keeps an upload waiting until all of them are there.
    private func isAtRest(_ sighting: Sighting, _ now: Timestamp) -> Bool {
        let entry = sighting.entry
        guard entry.manifest?.missing ?? 0 == 0 else { return false }
        return entry.isMarkedDone || (entry.files > 0 && now.since(sighting.since) >= patience(entry))
    }

    private static func isSame(_ left: InboxEntry, _ right: InboxEntry) -> Bool {
        left.bytes == right.bytes && left.files == right.files && left.modified == right.modified
            && left.manifest == right.manifest && left.receiving == right.receiving
            && left.obstacle == right.obstacle
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
        /// The ingest has given up on it, or it can be no upload as it is.
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
