package import DequeModule

/// A page of waiting messages that a mailbox asks the store for.
package enum MailboxRead: Sendable, Hashable {
    /// Those that wait for a further attempt, in order of acceptance: their lanes are held for them.
    case retrying(after: Int64)
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

    /// Lanes that may be held at one time; more wait until some are free.
    package static let maxLanes = 4096

    /// Messages that may run now as far as time goes, by rank. None of them is running.
    private var ready: Deque<Envelope> = []
    /// The store may hold undelayed messages behind `readyHorizon` that are not in `ready`.
    private var readyMore: Bool
    /// What was read of the ready ones. Means nothing while `readyMore` is false: then all of them are known.
    private var readyHorizon = Rank.first
    /// Messages that may not run yet, in the order in which they come due.
    private(set) var delayed: [Envelope] = []
    private var delayedMore: Bool
    private var delayedHorizon = DuePlace.first
    /// Up to here those that wait for a further attempt were read; nil once all of them were.
    private var retryingAfter: Int64?
    /// Held ones, and those that lie in the store in part.
    private(set) var lanes = Lanes()
    /// Lanes that are free and lie in the store in part: to be read, in this order.
    private var open: Deque<LaneName> = []
    /// Delivered and not yet ended: a page read meanwhile may show them.
    private var inFlight = Running()
    /// Withdrawn while they were in flight: they have left the store, whatever is said of them.
    private var withdrawn: Set<Int64> = []
    /// In flight when the mailbox was purged, which may have found them waiting again before their return was told.
    private var doubtful: Set<Int64> = []
    /// The page that is being read.
    private var reading: MailboxRead?
    /// Ended, returned or withdrawn while a page was being read, which may show what they were before.
    private var gone: Set<Int64> = []
    /// Committed behind the horizon while a page was being read, which may not show them.
    private var late: [Envelope] = []
    /// The page may miss messages from here on: what it shows of them is not used.
    private var readyCut: Rank?
    private var delayedCut: DuePlace?
    private var laneCut: Rank?
    /// The page is not to be used at all.
    private var isPageVoid = false
    /// The highest sequence that a page showed: the word of a message's commit may come after a page that shows it.
    package private(set) var highestRead: Int64 = 0
    /// Messages without a key form a lane, as far as was last heard.
    private var isOrdered = false
    /// Several messages without a key may wait for a further attempt, since not always did they form a lane: one after
    /// the other holds it.
    private var mayShareHold = false
    /// The latest moment that was heard of since the clock was last set back.
    private var latest = Timestamp(milliseconds: .min)
    private var longestBackoff = Int64.max
    /// Messages were dropped because their lane is held although they were due: should the clock be set back, their
    /// lane's pages do not show them.
    private var hasDroppedDue = false
    private let bound: Int

    /// - Parameter mayHoldMail: the store may hold messages from before; none of them is read yet.
    package init(bound: Int, mayHoldMail: Bool = false) {
        self.bound = max(1, bound)
        readyMore = mayHoldMail
        delayedMore = mayHoldMail
        retryingAfter = mayHoldMail ? 0 : nil
    }

    /// Messages in memory.
    package var inMemory: Int { ready.count + delayed.count }
    /// Messages that were delivered and have not ended.
    package var running: Int { inFlight.count }
    /// One may run now, as far as time goes.
    package var hasReady: Bool { !ready.isEmpty }
    /// Some that came since nothing was in memory has a place of its own: what comes may stand before what is known.
    package private(set) var isMixed = false

    // MARK: What happens

    /// A new message was committed. Kept in memory while there is room and nothing before it is left to the store.
    ///
    /// To be called in the order of the commits, before anything is heard of a later one.
    package mutating func committed(_ envelope: Envelope, now: Timestamp) {
        latest = max(latest, now)
        if envelope.sequence <= highestRead, isKnown(envelope.sequence) { return }
        if envelope.notBefore != nil { return commitDelayed(envelope, now: now) }
        guard !readyMore || envelope.rank <= readyHorizon else {
            if case .ready = reading { keepLate(envelope, by: \.rank, cut: \.readyCut) }
            return
        }
        insertReady(envelope)
        trimReady()
    }

    /// New messages in the order of their commits, all of them plain (``Envelope/isPlain``): what ``committed(_:now:)``
    /// does with each, at the price of one when nothing else is in memory. Another empty queue is left for them.
    package mutating func committed(plain envelopes: inout Deque<Envelope>, now: Timestamp) {
        if ready.isEmpty, !readyMore, envelopes.count <= bound,
            let first = envelopes.first, first.sequence > highestRead
        {
            latest = max(latest, now)
            swap(&ready, &envelopes)
        }
        while let envelope = envelopes.popFirst() { committed(envelope, now: now) }
    }

    /// Nothing waits but what this process has delivered: not here, and as far as is known not in the store.
    package var isBare: Bool {
        ready.isEmpty && delayed.isEmpty && !readyMore && !delayedMore && retryingAfter == nil && open.isEmpty
            && reading == nil
    }

    /// Gives back the room that messages took which are gone.
    package mutating func shrink() {
        if ready.isEmpty { ready = [] }
    }

    private mutating func commitDelayed(_ envelope: Envelope, now: Timestamp) {
        guard !delayedMore || envelope.place <= delayedHorizon else {
            if case .delayed = reading { keepLate(envelope, by: \.place, cut: \.delayedCut) }
            return
        }
        // By the clock of now: it may have been set back since the moment was chosen.
        if !isDue(envelope, now) {
            insertDelayed(envelope)
            trimDelayed()
        } else if ready.count < bound {
            joinReady(envelope)
        } else {
            leaveDelayed(envelope)
        }
    }

    /// Remembers what the page may miss; of too many, the page is used only as far as those that are remembered go.
    private mutating func keepLate<Place: Comparable>(
        _ envelope: Envelope, by place: KeyPath<Envelope, Place>, cut: WritableKeyPath<Self, Place?>
    ) {
        if let end = self[keyPath: cut], end <= envelope[keyPath: place] { return }
        late.append(envelope)
        guard late.count > bound,
            let last = late.indices.max(by: { late[$0][keyPath: place] < late[$1][keyPath: place] })
        else { return }
        self[keyPath: cut] = late.remove(at: last)[keyPath: place]
    }

    /// A page that was asked for. Fewer rows than `limit` mean that nothing lies behind it.
    package mutating func read(_ page: [Envelope], limit: Int, now: Timestamp) {
        guard let asked = reading else { preconditionFailure("a page came that nobody asked for") }
        defer { endRead() }
        latest = max(latest, now)
        for envelope in page { highestRead = max(highestRead, envelope.sequence) }
        if isPageVoid { return }
        var known = Set(ready.map(\.sequence)).union(delayed.map(\.sequence))
        let (running, gone) = (inFlight, gone)
        func isNew(_ envelope: Envelope) -> Bool {
            !running.contains(envelope.sequence) && known.insert(envelope.sequence).inserted
        }
        func fresh(_ rows: [Envelope]) -> [Envelope] {
            rows.filter { !gone.contains($0.sequence) && isNew($0) }
        }
        let isLast = page.count < limit
        switch asked {
        case .retrying:
            retryingAfter = isLast ? nil : page.last?.sequence
            hold(fresh(page), now: now)
        case .ready:
            let rows = page.filter { row in readyCut.map { row.rank < $0 } ?? true }
            readyMore = !isLast || readyCut != nil
            if let last = rows.last { readyHorizon = max(readyHorizon, last.rank) }
            for envelope in fresh(rows) { insertReady(envelope) }
            for envelope in late where !readyMore || envelope.rank <= readyHorizon {
                if isNew(envelope) { insertReady(envelope) }
            }
        case .delayed:
            let rows = page.filter { row in delayedCut.map { row.place < $0 } ?? true }
            delayedMore = !isLast || delayedCut != nil
            if let last = rows.last { delayedHorizon = max(delayedHorizon, last.place) }
            for envelope in fresh(rows) { join(envelope, now: now) }
            for envelope in late where !delayedMore || envelope.place <= delayedHorizon {
                if isNew(envelope) { join(envelope, now: now) }
            }
        case .lane(let key, _):
            for envelope in fresh(page) { place(envelope, now: now) }
            let name = LaneName(key)
            lanes[name]?.gap = [isLast ? nil : page.last?.rank, laneCut].compactMap(\.self).min()
            forget(name)
        }
    }

    /// Those that wait for a further attempt take their lanes. Others are left to the pages of the delayed ones.
    private mutating func hold(_ retrying: [Envelope], now: Timestamp) {
        for envelope in retrying {
            let name = LaneName(envelope.key)
            if lanes[name]?.holder == nil {
                lanes.hold(name, by: envelope.sequence)
            } else if !isOrdered {
                continue
            } else {
                // An actor that ran several at once may leave more than one to a lane of its own.
                mayShareHold = true
            }
            place(envelope, now: now)
        }
    }

    /// The store could not be read: the page is open again.
    package mutating func readFailed() { endRead() }

    private mutating func endRead() {
        reading = nil
        gone.removeAll()
        late.removeAll()
        readyCut = nil
        delayedCut = nil
        laneCut = nil
        isPageVoid = false
    }

    /// A delivered message comes back, after a failed attempt or a drain: it keeps its place and its lane.
    package mutating func returned(_ envelope: Envelope, now: Timestamp) {
        if withdrawn.contains(envelope.sequence) { return ended(envelope) }
        latest = max(latest, now)
        inFlight.remove(envelope.sequence)
        // Only the store knows whether it still waits.
        if doubtful.remove(envelope.sequence) != nil { return purged() }
        if reading != nil { gone.insert(envelope.sequence) }
        if envelope.notBefore != nil, !isHolder(envelope) {
            if envelope.attempts > 0, isOrdered { mayShareHold = true }
            commitDelayed(envelope, now: now)
        } else {
            place(envelope, now: now)
        }
    }

    /// A delivered message has left its mailbox.
    package mutating func ended(_ envelope: Envelope) {
        inFlight.remove(envelope.sequence)
        if !withdrawn.isEmpty { withdrawn.remove(envelope.sequence) }
        if !doubtful.isEmpty { doubtful.remove(envelope.sequence) }
        if reading != nil { gone.insert(envelope.sequence) }
        if !lanes.isEmpty { free(envelope) }
    }

    /// A waiting message was withdrawn.
    package mutating func removed(_ sequence: Int64) {
        if inFlight.contains(sequence) { withdrawn.insert(sequence) }
        if reading != nil { gone.insert(sequence) }
        late.removeAll { $0.sequence == sequence }
        for envelope in ready + delayed where envelope.sequence == sequence { free(envelope) }
        ready.removeAll { $0.sequence == sequence }
        delayed.removeAll { $0.sequence == sequence }
    }

    /// All messages that waited up to some moment were purged: what is left is read anew.
    package mutating func purged() {
        ready.removeAll()
        delayed.removeAll()
        late.removeAll()
        open.removeAll()
        lanes.keep(heldBy: inFlight)
        doubtful = inFlight.all
        readyMore = true
        readyHorizon = .first
        delayedMore = true
        delayedHorizon = .first
        // What runs may have come back meanwhile, to wait for its next attempt.
        retryingAfter = 0
        isPageVoid = reading != nil
    }

    private mutating func free(_ envelope: Envelope) {
        let name = LaneName(envelope.key)
        guard lanes.holder(of: name) == envelope.sequence else { return }
        if delayed.isEmpty, !mayShareHold, lanes.end(name) { return }
        // Another of its lane may wait for an attempt too, or for its turn after that.
        let mayFollow = { (other: Envelope) in
            other.key == envelope.key && other.attempts > 0 && other.sequence != envelope.sequence
        }
        let due = mayShareHold ? ready.first(where: mayFollow) : nil
        let next = due ?? delayed.first(where: mayFollow)
        if next == nil, name == .keyless { mayShareHold = false }
        lanes[name]?.holder = isOrdered ? next?.sequence : nil
        forget(name)
    }

    /// A lane that nothing holds is forgotten, or read when part of it is not in memory.
    private mutating func forget(_ name: LaneName) {
        guard let lane = lanes[name] else { return }
        if lane.gap != nil, !lane.isOpen, !isHeld(name) {
            lanes[name]?.isOpen = true
            open.append(name)
        } else if lane.gap == nil, lane.holder == nil {
            lanes[name] = nil
        }
    }

    /// Messages without a key are held by none of them unless they form a lane.
    private func isHeld(_ name: LaneName) -> Bool {
        lanes.holder(of: name) != nil && (isOrdered || name != .keyless)
    }

    /// The lane of a message; nil when nothing orders it.
    private func lane(of envelope: Envelope) -> LaneName? {
        envelope.key.map(LaneName.key) ?? (isOrdered ? .keyless : nil)
    }

    // MARK: What to do next

    /// - Parameters:
    ///   - ordered: the actor runs one at a time, so messages without a key form a lane too.
    ///   - longestBackoff: milliseconds; a next attempt that is further away was planned before the clock was set
    ///     back, and is due.
    package mutating func next(now: Timestamp, ordered: Bool, longestBackoff: Int64 = .max) -> Next {
        self.longestBackoff = longestBackoff
        noteTime(now)
        noteOrder(ordered)
        if let retryingAfter { return ask(.retrying(after: retryingAfter)) }
        advance(now)
        // The first that comes due may lie in the store.
        let wantsDelayed = delayedMore && (delayed.first.map { delayedHorizon < $0.place } ?? true)
        if reading == nil, ready.count < bound {
            if wantsDelayed { return ask(.delayed(after: delayedHorizon)) }
            if let page = openLane() { return ask(page) }
        }
        if let chosen = choose(now: now) { return chosen }
        if reading == nil {
            if let page = openLane() {
                _ = makeRoom(for: 2 * bound)
                return ask(page)
            }
            if wantsDelayed || readyMore, makeRoom(for: bound) {
                return ask(wantsDelayed ? .delayed(after: delayedHorizon) : .ready(after: readyHorizon))
            }
        }
        return delayed.first.map { .wait(until: $0.place.moment) } ?? .empty
    }

    private mutating func ask(_ page: MailboxRead) -> Next {
        guard reading == nil else { return .empty }
        reading = page
        return .read(page)
    }

    /// The clock may be set back: then what was due is not due any more, and what was dropped is looked for anew.
    private mutating func noteTime(_ now: Timestamp) {
        defer { latest = now }
        guard now < latest else { return }
        let known = (ready: ready, delayed: delayed)
        ready = known.ready.filter { isDue($0, now) }
        delayed = known.delayed.filter { !isDue($0, now) }
        for envelope in known.ready where !isDue(envelope, now) { insertDelayed(envelope) }
        for envelope in known.delayed where isDue(envelope, now) { joinReady(envelope) }
        while trimDelayed() {}
        guard hasDroppedDue else { return }
        hasDroppedDue = false
        delayedMore = true
        delayedHorizon = .first
        if case .delayed = reading { isPageVoid = true }
    }

    /// When messages without a key begin to form a lane, those in memory may stand behind unread ones; when they no
    /// longer do, none of them has to wait.
    private mutating func noteOrder(_ ordered: Bool) {
        guard ordered != isOrdered else { return }
        isOrdered = ordered
        mayShareHold = ordered
        if ordered, readyMore { leaveGap(in: .keyless, behind: readyHorizon) } else { forget(.keyless) }
    }

    /// The page of the first lane that is free and lies in the store in part.
    private mutating func openLane() -> MailboxRead? {
        while let name = open.first {
            if let gap = lanes[name]?.gap, !isHeld(name) {
                return .lane(name.key, after: gap)
            }
            lanes[name]?.isOpen = false
            open.removeFirst()
        }
        return nil
    }

    /// The first message by rank whose lane is free.
    private mutating func choose(now: Timestamp) -> Next? {
        // Nearly always it is the very first, which is taken out rather than looked at and copied.
        guard let first = ready.popFirst() else {
            if delayed.isEmpty { isMixed = false }
            return nil
        }
        if let verdict = take(first, now: now) { return verdict == .run ? .deliver(first) : .expire(first) }
        ready.prepend(first)
        for index in ready.indices.dropFirst() {
            guard let verdict = take(ready[index], now: now) else { continue }
            let chosen = ready.remove(at: index)
            return verdict == .run ? .deliver(chosen) : .expire(chosen)
        }
        return nil
    }

    private enum Verdict { case run, expire }

    /// Notes that it is in flight when it may be; nil when it has to wait.
    private mutating func take(_ envelope: Envelope, now: Timestamp) -> Verdict? {
        if let moment = envelope.expires, moment <= now {
            inFlight.insert(envelope.sequence)
            return .expire
        }
        if let name = lane(of: envelope) {
            guard isFree(name, for: envelope) else { return nil }
            lanes.hold(name, by: envelope.sequence)
        }
        inFlight.insert(envelope.sequence)
        return .run
    }

    private func isFree(_ name: LaneName, for envelope: Envelope) -> Bool {
        guard let lane = lanes[name] else { return !isCrowded }
        if let holder = lane.holder { return holder == envelope.sequence }
        return lane.gap.map { envelope.rank <= $0 } ?? true
    }

    /// So many lanes wait for a further attempt that no other may begin.
    var isCrowded: Bool { lanes.count >= Self.maxLanes && !delayed.isEmpty }

    /// What has come due joins those that may run.
    private mutating func advance(_ now: Timestamp) {
        var count = 0
        while count < delayed.count, delayed[count].place.moment <= now { count += 1 }
        guard count > 0 else { return }
        let due = delayed.prefix(count)
        delayed.removeFirst(count)
        for envelope in due { joinReady(envelope) }
    }

    /// Drops what is held back once `limit` messages are in memory; false when that makes no room.
    private mutating func makeRoom(for limit: Int) -> Bool {
        guard ready.count >= limit else { return true }
        var kept: Deque<Envelope> = []
        for envelope in ready {
            guard let name = lane(of: envelope), lanes[name] != nil, !isFree(name, for: envelope) else {
                kept.append(envelope)
                continue
            }
            // What the ready pages have not got to is not in memory either.
            let before = readyMore ? min(envelope.rank.before, readyHorizon) : envelope.rank.before
            leaveGap(in: name, behind: before)
            if envelope.notBefore != nil { hasDroppedDue = true }
        }
        ready = kept
        return ready.count < limit
    }

    // MARK: Places

    private func isKnown(_ sequence: Int64) -> Bool {
        inFlight.contains(sequence) || ready.contains { $0.sequence == sequence }
            || delayed.contains { $0.sequence == sequence }
    }

    private mutating func place(_ envelope: Envelope, now: Timestamp) {
        if isDue(envelope, now) { insertReady(envelope) } else { insertDelayed(envelope) }
    }

    private mutating func join(_ envelope: Envelope, now: Timestamp) {
        if isDue(envelope, now) { joinReady(envelope) } else { insertDelayed(envelope) }
    }

    /// What was delayed may stand behind messages of its lane that were not read yet: it waits for them.
    private mutating func joinReady(_ envelope: Envelope) {
        insertReady(envelope)
        guard readyMore, readyHorizon < envelope.rank, !isHolder(envelope),
            let name = lane(of: envelope)
        else { return }
        leaveGap(in: name, behind: readyHorizon)
    }

    /// Messages of the lane behind this rank are to be read before any of them runs.
    private mutating func leaveGap(in name: LaneName, behind rank: Rank) {
        lanes.leaveGap(in: name, behind: rank)
        if case .lane(let key, _) = reading, LaneName(key) == name { laneCut = min(laneCut ?? rank, rank) }
        forget(name)
    }

    private func isDue(_ envelope: Envelope, _ now: Timestamp) -> Bool {
        guard let moment = envelope.notBefore, moment > now else { return true }
        return envelope.attempts > 0 && moment.since(now) > longestBackoff
    }

    private mutating func insertReady(_ envelope: Envelope) {
        if !envelope.isPlain { isMixed = true }
        let rank = envelope.rank
        guard let last = ready.last, rank < last.rank else { return ready.append(envelope) }
        ready.insert(envelope, at: ready.firstSorted { rank < $0.rank })
    }

    private mutating func insertDelayed(_ envelope: Envelope) {
        isMixed = true
        let place = envelope.place
        delayed.insert(envelope, at: delayed.firstSorted { place < $0.place })
    }

    /// Leaves the last one to the store again: not what holds its lane, else nobody would hold it, and not what was
    /// delayed, which the pages of the ready ones do not show.
    private mutating func trimReady() {
        guard ready.count > bound, let index = ready.lastIndex(where: { $0.notBefore == nil && !isHolder($0) })
        else { return }
        let trimmed = ready.remove(at: index)
        let rank = trimmed.rank
        // What is behind it in its lane may not overtake it.
        if let name = lane(of: trimmed),
            lanes[name]?.gap != nil || ready[index...].contains(where: { $0.key == trimmed.key })
        {
            leaveGap(in: name, behind: rank.before)
        }
        if case .ready = reading { readyCut = min(readyCut ?? rank, rank) }
        readyHorizon = readyMore ? min(readyHorizon, rank.before) : rank.before
        readyMore = true
    }

    /// False when there was none to leave.
    @discardableResult
    private mutating func trimDelayed() -> Bool {
        guard delayed.count > bound, let index = delayed.lastIndex(where: { !isHolder($0) }) else { return false }
        leaveDelayed(delayed.remove(at: index))
        return true
    }

    private mutating func leaveDelayed(_ envelope: Envelope) {
        let place = envelope.place
        if case .delayed = reading { delayedCut = min(delayedCut ?? place, place) }
        delayedHorizon = delayedMore ? min(delayedHorizon, place.before) : place.before
        delayedMore = true
    }

    private func isHolder(_ envelope: Envelope) -> Bool {
        !lanes.isEmpty && lanes.holder(of: LaneName(envelope.key)) == envelope.sequence
    }
}

extension Envelope {
    /// Where it stands among the delayed ones; before all of them when nothing delays it.
    fileprivate var place: DuePlace {
        notBefore.map { DuePlace(moment: $0, sequence: sequence) } ?? .first
    }
}

extension RandomAccessCollection where Index == Int {
    /// Where the elements begin that stand behind some place, in a collection that is sorted by it.
    fileprivate func firstSorted(behind isBehind: (Element) -> Bool) -> Int {
        var (low, high) = (startIndex, endIndex)
        while low < high {
            let middle = low + (high - low) / 2
            if isBehind(self[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}

extension Rank {
    fileprivate var before: Rank { Rank(priority: priority, sequence: sequence - 1) }
}

extension DuePlace {
    fileprivate var before: DuePlace { DuePlace(moment: moment, sequence: sequence - 1) }
}
