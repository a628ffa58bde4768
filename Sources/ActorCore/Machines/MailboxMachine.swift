internal import DequeModule

/// A page of waiting messages that a mailbox asks the store for.
package enum MailboxRead: Sendable, Hashable {
    /// Those that wait for a further attempt, in order of acceptance: their lanes are held for them.
    case retrying
    /// Those that nothing delays, in order of rank.
    case ready(after: Rank)
    /// Those that are delayed, due or not, in the order in which they come due.
    case delayed(after: DuePlace)
    /// Those of one key (nil: without a key) that may run by now, in order of rank.
    case lane(String?, after: Rank)
}

/// One actor's mailbox as memory knows it: a bounded head of the messages that wait in the store, in order.
///
/// The store is the truth; this value only says what to deliver next and what to read. Messages of one lane (those
/// of one key; in an actor that runs one at a time also those without any) run one after another: while one of them
/// runs or waits for its next attempt it holds the lane, and the others are passed over. Passed-over messages are
/// dropped when memory is needed for others, and read again when their lane is free.
package struct MailboxMachine: Sendable {
    package enum Next: Sendable, Equatable {
        /// Run this message now.
        case deliver(Envelope)
        /// The time of this message is over: it is to be ended unrun.
        case expire(Envelope)
        /// Nothing can run before this moment.
        case wait(until: Timestamp)
        /// Read this page, give it to ``read(_:limit:now:)``, then ask again.
        case read(MailboxRead)
        /// Nothing waits, or what waits is held back by what runs.
        case empty
    }

    private struct Lane: Sendable {
        /// The message that runs, or waits for its next attempt.
        var holder: Int64?
        /// Behind this rank messages of the lane may lie in the store that are not in memory.
        var gap: Rank?
    }

    /// Lanes that may be held at one time; more wait until some are free.
    package static let maxLanes = 4096

    /// Messages that may run now as far as time goes, by rank. None of them is running.
    private var ready: Deque<Envelope> = []
    /// The store may hold messages behind `readyHorizon` that are not in `ready`.
    private var readyMore: Bool
    /// What was read of the ready ones. Means nothing while `readyMore` is false: then all of them are known.
    private var readyHorizon = Rank.first
    /// Messages that may not run yet, in the order in which they come due.
    private var delayed: [Envelope] = []
    private var delayedMore: Bool
    private var delayedHorizon = DuePlace.first
    private var retryingMore: Bool
    private var lanes: [String: Lane] = [:]
    /// Delivered and not yet ended: a page read meanwhile may show them.
    private var inFlight: Set<Int64> = []
    /// In memory although the pages have not got to them.
    private var ahead: Set<Int64> = []
    /// The page that is being read.
    private var reading: MailboxRead?
    /// Ended or withdrawn while a page was being read, which may show them still.
    private var gone: Set<Int64> = []
    /// Something was committed or dropped while a page was being read, which may not show it.
    private var isPageOld = false
    /// The page is not to be used at all.
    private var isPageVoid = false
    private let bound: Int

    /// - Parameter mayHoldMail: the store may hold messages from before; none of them is read yet.
    package init(bound: Int, mayHoldMail: Bool = false) {
        self.bound = max(1, bound)
        readyMore = mayHoldMail
        delayedMore = mayHoldMail
        retryingMore = mayHoldMail
    }

    /// Messages in memory.
    package var inMemory: Int { ready.count + delayed.count }
    /// Messages that were delivered and have not ended.
    package var running: Int { inFlight.count }

    // MARK: What happens

    /// A new message was committed. Kept in memory while there is room and nothing before it is left to the store.
    package mutating func committed(_ envelope: Envelope, now: Timestamp) {
        if let moment = envelope.notBefore, moment > now {
            commitDelayed(envelope, at: moment)
        } else if envelope.notBefore != nil, delayedMore {
            // Due already, but a row of the delayed ones: the pages will show it.
            if case .delayed = reading { isPageOld = true }
        } else {
            commitReady(envelope)
        }
    }

    private mutating func commitReady(_ envelope: Envelope) {
        let rank = envelope.rank
        guard !readyMore || rank < readyHorizon else {
            if case .ready = reading { isPageOld = true }
            return
        }
        if let last = ready.last, rank < last.rank {
            insertReady(envelope)
        } else {
            ready.append(envelope)
        }
        if ready.count > bound { trimReady() }
    }

    private mutating func commitDelayed(_ envelope: Envelope, at moment: Timestamp) {
        let place = DuePlace(moment: moment, sequence: envelope.sequence)
        guard !delayedMore || place < delayedHorizon else {
            if case .delayed = reading { isPageOld = true }
            return
        }
        insertDelayed(envelope)
        trimDelayed()
    }

    /// A page that was asked for. Fewer rows than `limit` mean that nothing lies behind it.
    package mutating func read(_ page: [Envelope], limit: Int, now: Timestamp) {
        guard let asked = reading else { preconditionFailure("a page came that nobody asked for") }
        let isLast = page.count < limit && !isPageOld
        if isPageVoid {
            endRead()
            return
        }
        switch asked {
        case .retrying:
            retryingMore = false
            for envelope in page where isNew(envelope) {
                ahead.insert(envelope.sequence)
                place(envelope, now: now)
                if let name = envelope.key { lanes[name, default: Lane()].holder = envelope.sequence }
                if envelope.key == nil, lanes[""] == nil { lanes[""] = Lane(holder: envelope.sequence) }
            }
        case .ready:
            readyMore = !isLast
            for envelope in page {
                readyHorizon = max(readyHorizon, envelope.rank)
                if isNew(envelope) { insertReady(envelope) }
            }
        case .delayed:
            delayedMore = !isLast
            for envelope in page {
                if let place = envelope.place { delayedHorizon = max(delayedHorizon, place) }
                if isNew(envelope) { place(envelope, now: now) }
            }
        case .lane(let key, _):
            fill(key ?? "", with: page, isLast: isLast)
        }
        endRead()
    }

    private mutating func fill(_ name: String, with page: [Envelope], isLast: Bool) {
        let known = Set(ready.map(\.sequence)).union(delayed.map(\.sequence))
        for envelope in page where !known.contains(envelope.sequence) {
            guard !inFlight.contains(envelope.sequence), !gone.contains(envelope.sequence) else { continue }
            if isAhead(envelope) { ahead.insert(envelope.sequence) }
            insertReady(envelope)
        }
        if isLast {
            lanes[name]?.gap = nil
        } else if !isPageOld, let last = page.last {
            lanes[name]?.gap = last.rank
        }
        forget(name)
    }

    /// The store could not be read: the page is open again.
    package mutating func readFailed() { endRead() }

    private mutating func endRead() {
        reading = nil
        gone.removeAll()
        isPageOld = false
        isPageVoid = false
    }

    /// A delivered message comes back, after a failed attempt or a drain: it keeps its place and its lane.
    package mutating func returned(_ envelope: Envelope, now: Timestamp) {
        inFlight.remove(envelope.sequence)
        if reading != nil { gone.insert(envelope.sequence) }
        if isAhead(envelope) { ahead.insert(envelope.sequence) }
        place(envelope, now: now)
    }

    /// A delivered message has left its mailbox.
    package mutating func ended(_ envelope: Envelope) {
        inFlight.remove(envelope.sequence)
        if reading != nil { gone.insert(envelope.sequence) }
        if !lanes.isEmpty { free(envelope) }
    }

    /// A waiting message was withdrawn.
    package mutating func removed(_ sequence: Int64) {
        if reading != nil { gone.insert(sequence) }
        for envelope in ready + delayed where envelope.sequence == sequence { free(envelope) }
        ready.removeAll { $0.sequence == sequence }
        delayed.removeAll { $0.sequence == sequence }
        ahead.remove(sequence)
    }

    /// All messages that waited up to some moment were purged: what is left is read anew.
    package mutating func purged() {
        for envelope in ready + delayed { free(envelope) }
        ready.removeAll()
        delayed.removeAll()
        ahead.removeAll()
        for name in lanes.keys { lanes[name]?.gap = nil }
        lanes = lanes.filter { $0.value.holder != nil }
        readyMore = true
        readyHorizon = .first
        delayedMore = true
        delayedHorizon = .first
        isPageVoid = reading != nil
    }

    private mutating func free(_ envelope: Envelope) {
        let name = envelope.key ?? ""
        guard lanes[name]?.holder == envelope.sequence else { return }
        lanes[name]?.holder = nil
        forget(name)
    }

    private mutating func forget(_ name: String) {
        if let lane = lanes[name], lane.holder == nil, lane.gap == nil { lanes[name] = nil }
    }

    // MARK: What to do next

    /// - Parameter ordered: the actor runs one at a time, so messages without a key form a lane too.
    package mutating func next(now: Timestamp, ordered: Bool) -> Next {
        if retryingMore { return ask(.retrying) }
        if !delayed.isEmpty || delayedMore {
            advance(now)
            if delayedMore, reading == nil, ready.count < bound,
                delayed.isEmpty || delayed.last?.notBefore.map({ $0 <= now }) ?? false
            {
                return ask(.delayed(after: delayedHorizon))
            }
        }
        if let chosen = choose(now: now, ordered: ordered) { return chosen }
        if reading == nil {
            if let (name, lane) = lanes.first(where: { $0.value.holder == nil && $0.value.gap != nil }),
                let gap = lane.gap
            {
                return ask(.lane(name.isEmpty ? nil : name, after: gap))
            }
            if readyMore {
                if ready.count >= bound { dropHeld(ordered: ordered) }
                return ask(.ready(after: readyHorizon))
            }
        }
        if let moment = delayed.first?.notBefore { return .wait(until: moment) }
        return .empty
    }

    private mutating func ask(_ page: MailboxRead) -> Next {
        guard reading == nil else { return .empty }
        reading = page
        return .read(page)
    }

    /// The first message by rank whose lane is free.
    private mutating func choose(now: Timestamp, ordered: Bool) -> Next? {
        var index = ready.startIndex
        while index < ready.endIndex {
            let envelope = ready[index]
            if let moment = envelope.expires, moment <= now {
                ready.remove(at: index)
                inFlight.insert(envelope.sequence)
                return .expire(envelope)
            }
            if let name = envelope.key ?? (ordered ? "" : nil) {
                guard isFree(name, for: envelope) else {
                    index += 1
                    continue
                }
                lanes[name, default: Lane()].holder = envelope.sequence
            }
            if index == ready.startIndex { ready.removeFirst() } else { ready.remove(at: index) }
            inFlight.insert(envelope.sequence)
            return .deliver(envelope)
        }
        return nil
    }

    private func isFree(_ name: String, for envelope: Envelope) -> Bool {
        guard let lane = lanes[name] else { return lanes.count < Self.maxLanes || delayed.isEmpty }
        if let holder = lane.holder { return holder == envelope.sequence }
        return lane.gap.map { envelope.rank <= $0 } ?? true
    }

    /// What has come due joins those that may run.
    private mutating func advance(_ now: Timestamp) {
        var count = 0
        while count < delayed.count, let moment = delayed[count].notBefore, moment <= now { count += 1 }
        guard count > 0 else { return }
        let due = delayed.prefix(count)
        delayed.removeFirst(count)
        for envelope in due { insertReady(envelope) }
    }

    /// Makes room for messages of other lanes: only held ones are left when this is called.
    private mutating func dropHeld(ordered: Bool) {
        var kept: Deque<Envelope> = []
        for envelope in ready {
            let name = envelope.key ?? (ordered ? "" : nil)
            guard let name, lanes[name]?.holder != envelope.sequence else {
                kept.append(envelope)
                continue
            }
            let before = Rank(priority: envelope.rank.priority, sequence: envelope.sequence - 1)
            lanes[name, default: Lane()].gap = min(lanes[name]?.gap ?? before, before)
            ahead.remove(envelope.sequence)
        }
        ready = kept
    }

    /// The message that holds the lane of a waiting one: its sequence, and itself when it waits in memory for its next
    /// attempt. Nil when the lane is free, or held by the message itself.
    package func holder(before envelope: Envelope, ordered: Bool) -> (sequence: Int64, waiting: Envelope?)? {
        guard let name = envelope.key ?? (ordered ? "" : nil), let sequence = lanes[name]?.holder,
            sequence != envelope.sequence
        else { return nil }
        return (sequence, delayed.first { $0.sequence == sequence })
    }

    // MARK: Places

    /// Not in memory, and neither running nor gone.
    private mutating func isNew(_ envelope: Envelope) -> Bool {
        if ahead.remove(envelope.sequence) != nil { return false }
        return !inFlight.contains(envelope.sequence) && !gone.contains(envelope.sequence)
    }

    /// The pages will show it, though it is in memory.
    private func isAhead(_ envelope: Envelope) -> Bool {
        if let place = envelope.place { return delayedMore && delayedHorizon < place }
        return readyMore && readyHorizon < envelope.rank
    }

    private mutating func place(_ envelope: Envelope, now: Timestamp) {
        if let moment = envelope.notBefore, moment > now {
            insertDelayed(envelope)
        } else {
            insertReady(envelope)
        }
    }

    private mutating func insertReady(_ envelope: Envelope) {
        let rank = envelope.rank
        guard let last = ready.last, rank < last.rank else { return ready.append(envelope) }
        if let first = ready.first, rank < first.rank { return ready.prepend(envelope) }
        ready.insert(envelope, at: ready.firstIndex { rank < $0.rank } ?? ready.endIndex)
    }

    private mutating func insertDelayed(_ envelope: Envelope) {
        guard let place = envelope.place else { preconditionFailure("a message without a moment is not delayed") }
        let index = delayed.firstIndex { $0.place.map { place < $0 } ?? false } ?? delayed.endIndex
        delayed.insert(envelope, at: index)
    }

    /// Leaves the last ones to the store again.
    private mutating func trimReady() {
        // What holds its lane stays, else the lane would be held by nobody; so does what the ready pages do not show.
        guard let last = ready.last, last.notBefore == nil, !isHolder(last) else { return }
        ready.removeLast()
        ahead.remove(last.sequence)
        if case .ready = reading { isPageOld = true }
        let before = Rank(priority: last.rank.priority, sequence: last.sequence - 1)
        readyHorizon = readyMore ? min(readyHorizon, before) : before
        readyMore = true
    }

    private mutating func trimDelayed() {
        guard delayed.count > bound, let last = delayed.last, let place = last.place, !isHolder(last) else { return }
        delayed.removeLast()
        ahead.remove(last.sequence)
        if case .delayed = reading { isPageOld = true }
        let before = DuePlace(moment: place.moment, sequence: place.sequence - 1)
        delayedHorizon = delayedMore ? min(delayedHorizon, before) : before
        delayedMore = true
    }

    private func isHolder(_ envelope: Envelope) -> Bool {
        envelope.attempts > 0 || lanes[envelope.key ?? ""]?.holder == envelope.sequence
    }
}

extension Envelope {
    /// Where it stands among the delayed ones; nil when nothing delays it.
    fileprivate var place: DuePlace? { notBefore.map { DuePlace(moment: $0, sequence: sequence) } }
}
